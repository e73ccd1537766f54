package httpapi

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"foresight/internal/fault"
)

// maxBuckets bounds the memory of the limiter: about 10 MB.
const maxBuckets = 50_000

// limiter is a token bucket for each key. Keys that have not been seen for as long
// as a bucket takes to fill are forgotten: a full bucket and none are the same.
type limiter struct {
	rate  rate.Limit
	burst int
	now   func() time.Time

	mu      sync.Mutex
	buckets map[string]*bucket
	swept   time.Time
}

type bucket struct {
	*rate.Limiter
	seen time.Time
}

func newLimiter(r rate.Limit, burst int) *limiter {
	return &limiter{rate: r, burst: burst, now: time.Now, buckets: map[string]*bucket{}}
}

// take takes one token, and returns the wait for the next when there is none.
func (l *limiter) take(key string) (wait time.Duration, ok bool) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[key]
	if b == nil {
		l.makeRoom(now)
		b = &bucket{Limiter: rate.NewLimiter(l.rate, l.burst)}
		l.buckets[key] = b
	}
	b.seen = now
	if b.AllowN(now, 1) {
		return 0, true
	}
	missing := 1 - b.TokensAt(now)
	return time.Duration(missing / float64(l.rate) * float64(time.Second)), false
}

func (l *limiter) makeRoom(now time.Time) {
	fill := time.Duration(float64(l.burst)/float64(l.rate)*float64(time.Second)) + time.Second
	if now.Sub(l.swept) > fill {
		l.swept = now
		for k, b := range l.buckets {
			if now.Sub(b.seen) > fill {
				delete(l.buckets, k)
			}
		}
	}
	for k := range l.buckets {
		if len(l.buckets) < maxBuckets {
			return
		}
		delete(l.buckets, k) // some client gets a full bucket early
	}
}

// limitRate refuses with 429 what comes faster than the bucket of its credential,
// or of its address when it has none.
func (a *API) limitRate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := a.take(r); err != nil {
			a.tooMany(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *API) tooMany(w http.ResponseWriter, r *http.Request, f *fault.Error) {
	w.Header().Set("Retry-After", strconv.Itoa(f.Args["Seconds"].(int)))
	a.refuse(w, r, http.StatusTooManyRequests, f)
}

func (a *API) take(r *http.Request) *fault.Error {
	key := "remote:" + a.Remote(r)
	if g := GrantFrom(r.Context()); g != nil {
		key = "actor:" + g.Actor.ID.String()
	}
	return a.Take(key)
}

// Take takes one request from the bucket of the key ("actor:" and an id), for
// operations on long connections. The fault is RateLimited, with `Seconds` to wait.
func (a *API) Take(key string) *fault.Error {
	wait, ok := a.limiter.take(key)
	if ok {
		return nil
	}
	return fault.New(fault.RateLimited, "error.rateLimited").With("Seconds", max(1, int(math.Ceil(wait.Seconds()))))
}
