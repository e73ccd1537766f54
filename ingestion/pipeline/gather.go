package pipeline

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// gather makes one call of many (group commit): while calls are at work, further ones
// wait, and the next call does all that wait together. A busy gather makes its calls
// larger rather than more, and a transaction costs the same for one partition as for
// all. An idle one adds no delay but the linger, in which those arrive that began at the
// same beat.
//
// When a common call fails and something in it may be to blame, each part of it is
// called by itself, so that nobody fails for another's sake.
type gather[T any] struct {
	run    func(ctx context.Context, all []T) error // does all or nothing
	most   int                                      // weight of a common call
	linger time.Duration                            // before a call
	slots  chan struct{}                            // one element per call at work

	mu      sync.Mutex
	waiting []*gathered[T]
}

// gathered is one part of a common call.
type gathered[T any] struct {
	value  T
	weight int
	done   chan error // has an element in the end
}

// newGather returns one with so many calls at work at once, each of at most the weight
// (or of one part that is heavier).
func newGather[T any](atOnce, most int, run func(ctx context.Context, all []T) error) *gather[T] {
	return &gather[T]{run: run, most: most, slots: make(chan struct{}, atOnce)}
}

// do returns when the value was dealt with, alone or with others. While it is at work
// it waits for its end also when ctx has ended: the value is in use.
func (g *gather[T]) do(ctx context.Context, value T, weight int) error {
	mine := &gathered[T]{value, weight, make(chan error, 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, mine)
	g.mu.Unlock()
	for {
		select {
		case err := <-mine.done:
			return err
		case g.slots <- struct{}{}:
			time.Sleep(g.linger)
			g.work(ctx)
			<-g.slots
		case <-ctx.Done():
			if g.withdraw(mine) {
				return context.Cause(ctx)
			}
			return <-mine.done
		}
	}
}

// work does what waits, as much as goes into one call.
func (g *gather[T]) work(ctx context.Context) {
	parts := g.take()
	if len(parts) == 0 {
		return
	}
	values := make([]T, len(parts))
	for i, p := range parts {
		values[i] = p.value
	}
	err := g.guarded(ctx, values)
	for i, p := range parts {
		if err != nil && len(parts) > 1 && poisonous(err) {
			p.done <- g.guarded(ctx, values[i:i+1])
			continue
		}
		p.done <- err
	}
}

func (g *gather[T]) take() []*gathered[T] {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, weight := 0, 0
	for n < len(g.waiting) && (n == 0 || weight+g.waiting[n].weight <= g.most) {
		weight += g.waiting[n].weight
		n++
	}
	parts := g.waiting[:n:n]
	g.waiting = append([]*gathered[T](nil), g.waiting[n:]...)
	return parts
}

// withdraw reports whether the part was still waiting; then it is no more.
func (g *gather[T]) withdraw(part *gathered[T]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, p := range g.waiting {
		if p == part {
			g.waiting = append(g.waiting[:i:i], g.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// guarded turns a panic into an error: others wait for the end of the call.
func (g *gather[T]) guarded(ctx context.Context, values []T) (err error) {
	defer recovered(&err)
	return g.run(ctx, values)
}

// recovered, deferred, turns a panic into errPanic.
func recovered(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("%w: %v\n%s", errPanic, v, debug.Stack())
	}
}
