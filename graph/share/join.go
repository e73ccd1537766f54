package share

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Join gives the subscriber its snapshot and returns when it is live; it is called in
// a context that ends when the subscriber wants no more. The subscriber leaves by
// calling leave, which is nil when it has not joined: it was refused, or the context
// has ended.
func (t *Ticket) Join(ctx context.Context, s Sink) (leave func(), errs gqlerror.List) {
	m := &member{sink: s}
	// A group that ends just now is no one's fault: the next try begins another.
	for range 2 {
		g := t.enter()
		select {
		case <-g.ready:
		case <-ctx.Done():
			t.groups.exit(g)
			return nil, nil
		}
		if g.refused != nil {
			t.groups.exit(g)
			return nil, g.refused
		}
		m.group = g
		if g.attach(m) {
			return t.begin(ctx, m)
		}
		t.groups.exit(g)
	}
	s.End(End{})
	return func() {}, nil
}

// begin gives the snapshot.
func (t *Ticket) begin(ctx context.Context, m *member) (leave func(), errs gqlerror.List) {
	g := m.group
	groups := t.groups // what leaves later holds nothing of the ticket
	groups.metrics.subscribers.Inc()
	leave = sync.OnceFunc(func() {
		g.detach(m)
		groups.exit(g)
		groups.metrics.subscribers.Dec()
	})
	var b *batch
	if t.own {
		b = &batch{}
		b.read(t.view.Dress(ctx), g, t.oc, func(i *Item) bool { return m.sink.Send(ctx, i) })
	} else {
		b = g.snapshot()
		select {
		case <-b.done:
		case <-ctx.Done():
			leave()
			return nil, nil
		}
		for _, i := range b.items {
			if ctx.Err() != nil || !m.sink.Send(ctx, i) {
				break
			}
		}
	}
	switch {
	case ctx.Err() != nil:
		leave()
		return nil, nil
	case b.errs != nil:
		leave()
		return nil, b.errs
	case b.failed:
		m.sink.End(End{Reason: Failed})
		return leave, nil
	case b.last:
		m.sink.End(End{})
		return leave, nil
	}
	m.begun(b.known)
	return leave, nil
}

// batch is a snapshot and who waits for it.
type batch struct {
	done   chan struct{}
	items  []*Item
	known  *knowledge
	errs   gqlerror.List // it was refused
	failed bool
	last   bool // nothing comes behind it
}

// snapshot returns the snapshot that is read next: after this call.
func (g *group) snapshot() *batch {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.next == nil {
		g.next = &batch{done: make(chan struct{})}
		if !g.reading {
			g.reading = true
			g.groups.running.Go(g.read)
		}
	}
	return g.next
}

// read reads snapshots, one after the other, while anybody waits for one.
func (g *group) read() {
	for {
		g.mu.Lock()
		b := g.next
		g.next = nil
		g.reading = b != nil
		g.mu.Unlock()
		if b == nil {
			return
		}
		b.read(g.ctx, g, g.oc, func(i *Item) bool {
			b.items = append(b.items, i)
			return true
		})
		close(b.done)
	}
}

// read runs the operation for what it begins with.
func (b *batch) read(ctx context.Context, g *group, oc *graphql.OperationContext, give func(*Item) bool) {
	g.groups.metrics.snapshots.Inc()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // the resolver may wait for us to take an item
	defer func() {
		if v := recover(); v != nil {
			ctx := graphql.WithOperationContext(ctx, oc)
			b.errs = refuse(ctx, g.exec, oc.Recover(ctx, v))
		}
	}()
	r := &run{}
	respond, ctx := dispatch(context.WithValue(ctx, runKey{}, r), g.exec, oc)
	for {
		resp := respond(ctx)
		if resp == nil {
			break
		}
		item, end := g.encode(ctx, resp)
		if item == nil {
			b.errs = end.Errors
			return
		}
		if !give(item) {
			return
		}
	}
	if ctx.Err() != nil { // nobody waits, and the resolver may not have ended
		b.failed = true
		return
	}
	b.failed = r.err != nil
	if b.failed {
		g.groups.o.Log.WarnContext(ctx, "what a subscription begins with could not be read", "error", r.err)
	}
	b.known, b.last = know(r.known), r.last
}

// knowledge is what members that began with one snapshot know of what comes.
type knowledge struct {
	of atomic.Pointer[func(mark any) bool]
}

func know(k Known) *knowledge {
	out := &knowledge{}
	if k.Has == nil {
		return out
	}
	out.of.Store(&k.Has)
	if k.For > 0 {
		time.AfterFunc(k.For, func() { out.of.Store(nil) })
	}
	return out
}

func (k *knowledge) has(mark any) bool {
	if k == nil || mark == nil {
		return false
	}
	has := k.of.Load()
	return has != nil && (*has)(mark)
}
