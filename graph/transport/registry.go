package transport

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// registry knows the open connections of a transport, to bound their number and
// to end them all.
type registry struct {
	mu      sync.Mutex
	open    map[*CloseFunc]struct{}
	empty   chan struct{} // closed when closing and empty; made by shutdown
	closing bool
}

// CloseFunc ends one connection; it returns at once.
type CloseFunc func(*CloseError)

// add admits a connection. It returns false when the limit is reached or the
// transport is shutting down. A limit of 0 is none.
func (g *registry) add(end CloseFunc, limit int) (release func(), ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closing || limit > 0 && len(g.open) >= limit {
		return nil, false
	}
	if g.open == nil {
		g.open = map[*CloseFunc]struct{}{}
	}
	key := &end
	g.open[key] = struct{}{}
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.open, key)
		if g.closing && len(g.open) == 0 && g.empty != nil {
			close(g.empty)
			g.empty = nil
		}
	}, true
}

func (g *registry) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.open)
}

// retryWithin spreads the return of clients after a restart.
const retryWithin = 5 * time.Second

// shutdown admits no more connections, ends all with 1012 and waits for them. The
// reason tells each client another number of milliseconds to wait.
func (g *registry) shutdown(ctx context.Context) error {
	g.mu.Lock()
	g.closing = true
	if len(g.open) == 0 {
		g.mu.Unlock()
		return nil
	}
	if g.empty == nil {
		g.empty = make(chan struct{})
	}
	empty := g.empty
	for end := range g.open {
		wait := 500 + rand.Int64N(retryWithin.Milliseconds())
		(*end)(closing(websocket.StatusServiceRestart, fmt.Sprintf("Service restart, retry after %d ms", wait)))
	}
	g.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%d connections still open: %w", g.count(), context.Cause(ctx))
	}
}
