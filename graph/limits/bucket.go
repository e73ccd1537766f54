package limits

import (
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rate is what a token bucket holds and gains.
type Rate struct {
	Capacity  int     // points of a full bucket
	PerSecond float64 // points gained
}

// Bucket is a token bucket by its name; it is full when it is first heard of.
type Bucket struct {
	Name string
	Rate
}

// Level is the state of a bucket.
type Level struct {
	Rate
	Remaining int       // whole points
	ResetsAt  time.Time // when it is full again, if nothing is drawn
}

// Buckets hold points. An implementation may keep them in the process, as Local does,
// or share them between processes. It is safe for concurrent use.
type Buckets interface {
	// Draw takes n points (0: none, to look) from each bucket, or from none when one
	// has too few: then wait is how long until all would have them, at least 1 ns.
	// Levels are in the order of the buckets, after what was taken.
	Draw(ctx context.Context, n int, from ...Bucket) (levels []Level, wait time.Duration, err error)
}

// maxBuckets bounds the memory of Local: about 10 MB.
const maxBuckets = 50_000

// Local keeps buckets in the process: of several processes each grants the whole rate.
type Local struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

// NewLocal returns full buckets; now is the clock, nil for the system's.
func NewLocal(now func() time.Time) *Local {
	if now == nil {
		now = time.Now
	}
	return &Local{now: now, buckets: map[string]*rate.Limiter{}}
}

// Draw implements Buckets.
func (l *Local) Draw(_ context.Context, n int, from ...Bucket) ([]Level, time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	var wait time.Duration
	for _, b := range from {
		if missing := float64(n) - l.bucket(b, now).TokensAt(now); missing > 0 {
			wait = max(wait, 1, seconds(missing/b.PerSecond))
		}
	}
	levels := make([]Level, len(from))
	for i, b := range from {
		limiter := l.bucket(b, now)
		if wait == 0 {
			limiter.AllowN(now, n)
		}
		left := limiter.TokensAt(now)
		levels[i] = Level{b.Rate, int(max(0, math.Floor(left))), now.Add(seconds(max(0, float64(b.Capacity)-left) / b.PerSecond))}
	}
	return levels, wait, nil
}

// bucket returns the bucket at its present rate, which changes with the plan.
func (l *Local) bucket(b Bucket, now time.Time) *rate.Limiter {
	limiter := l.buckets[b.Name]
	switch {
	case limiter == nil:
		l.makeRoom(now)
		limiter = rate.NewLimiter(rate.Limit(b.PerSecond), b.Capacity)
		l.buckets[b.Name] = limiter
	case limiter.Burst() != b.Capacity || limiter.Limit() != rate.Limit(b.PerSecond):
		limiter.SetLimitAt(now, rate.Limit(b.PerSecond))
		limiter.SetBurstAt(now, b.Capacity)
	}
	return limiter
}

// makeRoom forgets full buckets, which are as good as none; when that is not enough
// some caller gets a full one early.
func (l *Local) makeRoom(now time.Time) {
	if len(l.buckets) < maxBuckets {
		return
	}
	for name, b := range l.buckets {
		if b.TokensAt(now) >= float64(b.Burst()) {
			delete(l.buckets, name)
		}
	}
	for name := range l.buckets {
		if len(l.buckets) < maxBuckets {
			return
		}
		delete(l.buckets, name)
	}
}

// seconds is a duration, at most a year.
func seconds(s float64) time.Duration {
	const year = 365 * 24 * time.Hour
	if s >= year.Seconds() {
		return year
	}
	return time.Duration(s * float64(time.Second))
}
