// Package limit is token buckets by name, in bounded memory. They stand in the
// process: of several processes each grants the whole rate.
package limit

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rate is what a bucket holds and gains.
type Rate struct {
	Capacity  int     // tokens of a full bucket
	PerSecond float64 // tokens gained
}

// Bucket is a bucket by its name; it is full when it is first heard of.
type Bucket struct {
	Name string
	Rate
}

// Level is the state of a bucket.
type Level struct {
	Rate
	Remaining int       // whole tokens
	ResetsAt  time.Time // when it is full again, if nothing is drawn
}

// maxBuckets bounds the memory of Buckets: about 10 MB.
const maxBuckets = 50_000

// Buckets hold tokens. They are safe for concurrent use.
type Buckets struct {
	now func() time.Time

	mu       sync.Mutex
	limiters map[string]*rate.Limiter
}

// New returns full buckets; now is the clock, nil for the system's.
func New(now func() time.Time) *Buckets {
	if now == nil {
		now = time.Now
	}
	return &Buckets{now: now, limiters: map[string]*rate.Limiter{}}
}

// Draw takes n tokens (0: none, to look) from each bucket, or from none when one has
// too few: then wait is how long until all would have them, at least 1 ns. Levels are
// in the order of the buckets, after what was taken.
func (b *Buckets) Draw(n int, from ...Bucket) (levels []Level, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	for _, f := range from {
		if missing := float64(n) - b.limiter(f, now).TokensAt(now); missing > 0 {
			wait = max(wait, 1, seconds(missing/f.PerSecond))
		}
	}
	levels = make([]Level, len(from))
	for i, f := range from {
		l := b.limiter(f, now)
		if wait == 0 {
			l.AllowN(now, n)
		}
		left := l.TokensAt(now)
		levels[i] = Level{f.Rate, int(max(0, math.Floor(left))), now.Add(seconds(max(0, float64(f.Capacity)-left) / f.PerSecond))}
	}
	return levels, wait
}

// limiter returns the bucket at its present rate, which changes with its owner's plan.
func (b *Buckets) limiter(f Bucket, now time.Time) *rate.Limiter {
	l := b.limiters[f.Name]
	switch {
	case l == nil:
		b.makeRoom(now)
		l = rate.NewLimiter(rate.Limit(f.PerSecond), f.Capacity)
		b.limiters[f.Name] = l
	case l.Burst() != f.Capacity || l.Limit() != rate.Limit(f.PerSecond):
		l.SetLimitAt(now, rate.Limit(f.PerSecond))
		l.SetBurstAt(now, f.Capacity)
	}
	return l
}

// makeRoom forgets full buckets, which are as good as none; when these are too few
// some callers get a full one early. A tenth becomes free at least, so that of many
// new names not each goes through all the old ones.
func (b *Buckets) makeRoom(now time.Time) {
	if len(b.limiters) < maxBuckets {
		return
	}
	for name, l := range b.limiters {
		if l.TokensAt(now) >= float64(l.Burst()) {
			delete(b.limiters, name)
		}
	}
	for name := range b.limiters {
		if len(b.limiters) <= maxBuckets*9/10 {
			return
		}
		delete(b.limiters, name)
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
