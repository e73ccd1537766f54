package share

import (
	"context"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// group is one running operation with all who asked for it.
type group struct {
	groups *Groups
	key    string
	exec   graphql.GraphExecutor
	oc     *graphql.OperationContext
	ctx    context.Context
	cancel context.CancelFunc
	users  int // guarded by groups.mu

	ready   chan struct{} // closed when it listens, or was refused
	refused gqlerror.List // before ready is closed
	gap     *Item         // before ready is closed

	mu      sync.Mutex
	members []*member
	ended   *End
	next    *batch // the snapshot that is read next
	reading bool   // one is being read
}

// run takes items from the source until it or the group ends.
func (g *group) run() {
	end := g.follow()
	g.groups.mu.Lock()
	g.groups.forget(g)
	g.groups.mu.Unlock()
	g.groups.metrics.groups.Dec()
	g.mu.Lock()
	g.ended = &end
	members := g.members
	g.members = nil
	g.mu.Unlock()
	for _, m := range members {
		m.finish(end)
	}
}

func (g *group) follow() (end End) {
	listens := false
	defer func() {
		if v := recover(); v != nil {
			ctx := graphql.WithOperationContext(g.ctx, g.oc)
			end = End{Refused, refuse(ctx, g.exec, g.oc.Recover(ctx, v))}
		}
		if !listens {
			g.refused = end.Errors
			close(g.ready)
		}
	}()
	r := &run{live: true}
	respond, ctx := g.dispatch(g.ctx, r)
	if r.next == nil {
		return End{Refused, g.refusal(ctx, respond(ctx))}
	}
	if r.gap != nil {
		r.gap()
		if g.gap, end = g.encode(ctx, respond(ctx)); g.gap == nil {
			return end
		}
	}
	listens = true
	close(g.ready)
	for {
		mark, about, err := r.next(ctx)
		if err != nil {
			end = End{Reason: reasonOf(err)}
			if end.Reason == Failed && ctx.Err() == nil {
				g.groups.o.Log.WarnContext(ctx, "a subscription ended early", "error", err)
			}
			return end
		}
		begin := time.Now()
		item, end := g.encode(ctx, respond(ctx))
		if item == nil {
			return end
		}
		item.mark, item.About, item.Origin = mark, about, r.origin
		item.Trace = g.groups.o.Tracer.Record(ctx, item.Trace, "encode", begin, time.Now())
		g.hand(item)
	}
}

// dispatch begins an execution of the operation.
func (g *group) dispatch(ctx context.Context, r *run) (func(context.Context) *graphql.Response, context.Context) {
	return dispatch(context.WithValue(ctx, runKey{}, r), g.exec, g.oc)
}

func dispatch(ctx context.Context, exec graphql.GraphExecutor, oc *graphql.OperationContext) (func(context.Context) *graphql.Response, context.Context) {
	next, ctx := exec.DispatchOperation(graphql.WithOperationContext(ctx, oc), oc)
	return next, ctx
}

// encode returns the item of a response, or how the subscription ends with it.
func (g *group) encode(ctx context.Context, r *graphql.Response) (*Item, End) {
	if r == nil {
		return nil, End{}
	}
	if r.Data == nil && len(r.Errors) > 0 {
		return nil, End{Refused, r.Errors}
	}
	b, err := g.groups.o.Encode(make([]byte, 0, len(r.Data)+16), r)
	if err != nil {
		return nil, End{Refused, refuse(ctx, g.exec, err)}
	}
	g.groups.metrics.encoded.Inc()
	return &Item{Payload: b}, End{}
}

// refusal are the errors of an operation that did not begin.
func (g *group) refusal(ctx context.Context, r *graphql.Response) gqlerror.List {
	if r != nil && len(r.Errors) > 0 {
		return r.Errors
	}
	return refuse(ctx, g.exec, errUnshared)
}

// hand offers the item to all members.
func (g *group) hand(i *Item) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range g.members {
		m.take(i)
	}
	g.groups.metrics.offered.Add(float64(len(g.members)))
}

// attach makes the member one to whom items are handed; false when the group has ended.
func (g *group) attach(m *member) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended != nil {
		return false
	}
	m.place = len(g.members)
	g.members = append(g.members, m)
	return true
}

// detach takes the member away; it does nothing for one that is none.
func (g *group) detach(m *member) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if m.place >= len(g.members) || g.members[m.place] != m {
		return
	}
	last := len(g.members) - 1
	g.members[m.place] = g.members[last]
	g.members[m.place].place = m.place
	g.members[last] = nil
	g.members = g.members[:last]
}
