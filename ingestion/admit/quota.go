package admit

import (
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"foresight/ingestion/registry"
	"foresight/internal/fault"
)

// OverQuota says what becomes of a message whose tenant is over its quota.
type OverQuota int

// The ways.
const (
	// Slow lets the sender wait: its connection is not read meanwhile.
	Slow OverQuota = iota
	// Defer sends the message to the deferred log, whence a Deferral brings it into the
	// log at the pace of the quota: for connections that many tenants share. Without a
	// deferred log it is Slow.
	Defer
	// Tell does not take the message: Wait fails with a QuotaError.
	Tell
)

// QuotaError says that a message was not taken, as its tenant is over its quota. It is
// of the kind fault.RateLimited.
type QuotaError struct {
	RetryAfter time.Duration // when there is room for this message
}

var errOverQuota = fault.New(fault.RateLimited, "error.ingest.overQuota")

// Error says how long to wait.
func (e *QuotaError) Error() string {
	return "admit: over the quota, room in " + e.RetryAfter.Round(time.Millisecond).String()
}

// Unwrap gives the kind.
func (e *QuotaError) Unwrap() error { return errOverQuota }

// lookAgain bounds how long a sender waits by settings that may have changed.
const lookAgain = time.Second

// quotas holds a token bucket per tenant, which follows the tenant's settings. The
// number of tenants bounds its memory. The quota is that of one process.
type quotas struct {
	buckets sync.Map // id.UUID -> *bucket
}

// bucket is one tenant's. A rate of 0 is no quota.
type bucket struct {
	limiter *rate.Limiter
	turn    chan struct{} // capacity 1: who holds it gets the next message of the quota

	mu     sync.Mutex
	tenant *registry.Tenant // whose settings it has
	aside  aside
}

func (q *quotas) bucket(t *registry.Tenant) *bucket {
	v, ok := q.buckets.Load(t.ID)
	if !ok {
		v, _ = q.buckets.LoadOrStore(t.ID, &bucket{limiter: rate.NewLimiter(limitOf(t), burstOf(t)), turn: make(chan struct{}, 1), tenant: t})
	}
	b := v.(*bucket)
	b.follow(t)
	return b
}

func limitOf(t *registry.Tenant) rate.Limit {
	if t.Rate <= 0 {
		return rate.Inf
	}
	return rate.Limit(t.Rate)
}

func burstOf(t *registry.Tenant) int { return max(t.Burst, 1) }

// follow takes over the settings of a tenant that was loaded anew.
func (b *bucket) follow(t *registry.Tenant) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tenant == t {
		return
	}
	if limitOf(b.tenant) != limitOf(t) {
		b.limiter.SetLimit(limitOf(t))
	}
	if burstOf(b.tenant) != burstOf(t) {
		b.limiter.SetBurst(burstOf(t))
	}
	b.tenant = t
}

// wait spends one message when the quota has it; those who wait get it in the order in
// which they came. present gives the tenant as it now is. It reports whether there was
// anything to wait for.
func (b *bucket) wait(ctx context.Context, present func() (*registry.Tenant, bool)) (waited bool, err error) {
	select {
	case b.turn <- struct{}{}:
	default:
		waited = true
		select {
		case b.turn <- struct{}{}:
		case <-ctx.Done():
			return true, ctx.Err()
		}
	}
	defer func() { <-b.turn }()
	for !b.limiter.Allow() {
		waited = true
		t := time.NewTimer(min(b.room(1), lookAgain))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return true, ctx.Err()
		}
		if now, ok := present(); ok {
			b.follow(now)
		}
	}
	return waited, nil
}

// tell spends one message, or returns when the quota has room for this one and the
// ahead others that were told before it.
func (b *bucket) tell(ahead int) error {
	if ahead == 0 && b.limiter.Allow() {
		return nil
	}
	return &QuotaError{RetryAfter: max(b.room(ahead+1), time.Millisecond)}
}

// room is the time until n messages are there.
func (b *bucket) room(n int) time.Duration {
	limit := float64(b.limiter.Limit())
	missing := float64(n) - b.limiter.Tokens()
	if missing <= 0 || math.IsInf(limit, 1) {
		return 0
	}
	return time.Duration(min(missing/limit*float64(time.Second), float64(time.Hour)))
}
