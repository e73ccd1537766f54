package admit

import (
	"context"
	"sync"

	"golang.org/x/time/rate"

	"foresight/ingestion/registry"
)

// quotas holds a token bucket per tenant, which follows the tenant's settings. The
// number of tenants bounds its memory.
type quotas struct {
	buckets sync.Map // id.UUID -> *bucket
}

type bucket struct {
	*rate.Limiter
	mu     sync.Mutex
	tenant *registry.Tenant // whose settings it has
}

// take spends one message of the tenant. Over the quota it waits for its turn, or
// with atOnce returns true. A tenant whose rate is 0 has no quota.
func (q *quotas) take(ctx context.Context, t *registry.Tenant, atOnce bool) (over bool, err error) {
	if t.Rate <= 0 {
		return false, nil
	}
	b := q.bucket(t)
	if b.Allow() {
		return false, nil
	}
	if atOnce {
		return true, nil
	}
	return true, b.Wait(ctx)
}

func (q *quotas) bucket(t *registry.Tenant) *bucket {
	v, ok := q.buckets.Load(t.ID)
	if !ok {
		v, _ = q.buckets.LoadOrStore(t.ID, &bucket{Limiter: rate.NewLimiter(rate.Limit(t.Rate), max(t.Burst, 1)), tenant: t})
	}
	b := v.(*bucket)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tenant != t { // loaded anew
		if b.tenant.Rate != t.Rate {
			b.SetLimit(rate.Limit(t.Rate))
		}
		if b.tenant.Burst != t.Burst {
			b.SetBurst(max(t.Burst, 1))
		}
		b.tenant = t
	}
	return b
}
