package limit

import (
	"math"
	"time"

	"foresight/internal/fault"
)

// Limiter has a bucket for each key, all of one rate. It is safe for concurrent use.
type Limiter struct {
	rate    Rate
	buckets *Buckets
}

// NewLimiter returns the limiter; now is the clock, nil for the system's.
func NewLimiter(r Rate, now func() time.Time) *Limiter { return &Limiter{r, New(now)} }

// Take takes one token of the key. It returns nil, or what Refusal does.
func (l *Limiter) Take(key string) *fault.Error {
	_, wait := l.buckets.Draw(1, Bucket{key, l.rate})
	if wait > 0 {
		return Refusal(wait)
	}
	return nil
}

// Empty reports whether Take would refuse; it takes nothing.
func (l *Limiter) Empty(key string) bool {
	levels, _ := l.buckets.Draw(0, Bucket{key, l.rate})
	return levels[0].Remaining < 1
}

// Refusal is the fault of who has to wait: RateLimited, with the whole `Seconds`, at
// least 1.
func Refusal(wait time.Duration) *fault.Error {
	return fault.New(fault.RateLimited, "error.rateLimited").With("Seconds", max(1, int(math.Ceil(wait.Seconds()))))
}
