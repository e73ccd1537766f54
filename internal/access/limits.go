package access

import (
	"math"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"foresight/internal/fault"
)

// How often callers without a credential may register, ask for a letter or try a
// token, by their address; and how often a person may try the present password.
const (
	strangeEvery = 30 * time.Second
	strangeBurst = 20
	guessEvery   = 30 * time.Second
	guessBurst   = 5
)

// maxLimits bounds the memory of limits: about 4 MB.
const maxLimits = 20_000

// limits is a token bucket for each key. A bucket that is full again is forgotten;
// when there are too many, any is: some caller gets a full one early.
type limits struct {
	every time.Duration // for one token
	burst int
	now   func() time.Time

	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

// take takes a token. The fault is RateLimited, with `Seconds` to wait.
func (l *limits) take(key string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	b := l.buckets[key]
	if b == nil {
		l.makeRoom(now)
		b = rate.NewLimiter(rate.Every(l.every), l.burst)
		l.buckets[key] = b
	}
	if b.AllowN(now, 1) {
		return nil
	}
	wait := time.Duration((1 - b.TokensAt(now)) * float64(l.every))
	return fault.New(fault.RateLimited, "error.rateLimited").With("Seconds", max(1, int(math.Ceil(wait.Seconds()))))
}

func (l *limits) makeRoom(now time.Time) {
	if l.buckets == nil {
		l.buckets = map[string]*rate.Limiter{}
	}
	if len(l.buckets) < maxLimits {
		return
	}
	for k, b := range l.buckets {
		if b.TokensAt(now) >= float64(l.burst) {
			delete(l.buckets, k)
		}
	}
	for k := range l.buckets {
		if len(l.buckets) < maxLimits {
			return
		}
		delete(l.buckets, k)
	}
}

// strangerAt is the key of a caller without a credential. Of IPv6 the network counts:
// whoever has one address has all of it.
func strangerAt(remote string) string {
	a, err := netip.ParseAddr(remote)
	if err != nil {
		return remote
	}
	if a = a.Unmap(); a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
