package limits

import (
	"context"
	"sync"
	"time"

	"foresight/ent/enum"
	"foresight/ent/settings"
	"foresight/internal/id"
	"foresight/internal/limit"
	"foresight/internal/tenancy"
)

// Quota is what a tenant may spend on operations; a single credential of it half.
type Quota struct{ Tenant limit.Rate }

// Credential is the rate of one credential.
func (q Quota) Credential() limit.Rate {
	return limit.Rate{Capacity: (q.Tenant.Capacity + 1) / 2, PerSecond: q.Tenant.PerSecond / 2}
}

// plans are the rates by plan. A page of 20 machines with site, health and alarms
// costs about 300 points. The largest plan is bounded by what a process can answer.
var plans = map[enum.Plan]limit.Rate{
	enum.PlanFree:       {Capacity: 60_000, PerSecond: 1_000},
	enum.PlanStandard:   {Capacity: 1_000_000, PerSecond: 50_000},
	enum.PlanEnterprise: {Capacity: 200_000_000, PerSecond: 20_000_000},
}

// QuotaOf is the quota of the plan, where the tenant's settings name no other.
func QuotaOf(p enum.Plan, s settings.Tenant) Quota {
	r, known := plans[p]
	if !known {
		r = plans[enum.PlanFree]
	}
	if s.GraphPointBurst > 0 {
		r.Capacity = s.GraphPointBurst
	}
	if s.GraphPointsPerSecond > 0 {
		r.PerSecond = s.GraphPointsPerSecond
	}
	return Quota{r}
}

// Cached keeps what load says of each tenant for the time, so that a change of plan
// counts that much later. The result is safe for concurrent use; of callers that find
// nothing kept each asks.
func Cached(load func(context.Context) (Quota, error), keep time.Duration) func(context.Context) (Quota, error) {
	type kept struct {
		Quota
		until time.Time
	}
	var mu sync.Mutex
	known := map[id.UUID]kept{}
	return func(ctx context.Context) (Quota, error) {
		tenant, now := tenancy.Must(ctx).TenantID, time.Now()
		mu.Lock()
		k, ok := known[tenant]
		mu.Unlock()
		if ok && now.Before(k.until) {
			return k.Quota, nil
		}
		q, err := load(ctx)
		if err != nil {
			return q, err
		}
		mu.Lock()
		defer mu.Unlock()
		known[tenant] = kept{q, now.Add(keep)}
		return q, nil
	}
}
