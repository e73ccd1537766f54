package inference

import (
	"sync"
	"time"
)

// The breaker opens after so many failures in a row and lets one call try again
// after the rest.
const (
	breakAfter = 5
	breakRest  = 10 * time.Second
)

// guard is a circuit breaker for one model. The zero value is closed.
type guard struct {
	mu     sync.Mutex
	failed int       // in a row
	open   time.Time // closed to all but one until then; zero: closed breaker
}

// allow reports whether a call may be made now. When an open breaker has rested,
// one caller is let through, and the others after it if it succeeds.
func (g *guard) allow(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open.IsZero() {
		return true
	}
	if now.Before(g.open) {
		return false
	}
	g.open = now.Add(breakRest)
	return true
}

// done tells the result of an allowed call.
func (g *guard) done(now time.Time, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if ok {
		g.failed, g.open = 0, time.Time{}
		return
	}
	if g.failed++; g.failed >= breakAfter {
		g.open = now.Add(breakRest)
	}
}
