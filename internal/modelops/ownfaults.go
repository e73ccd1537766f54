package modelops

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"foresight/ent"
	"foresight/ent/faulttype"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// ownFaults remembers what tenants call faults of their own, for lists and streams of
// predictions that name them.
type ownFaults struct {
	mu       sync.Mutex
	byTenant map[id.UUID]remembered
	asked    singleflight.Group // a list names many codes at once
}

// remembered is by code and language.
type remembered struct {
	at     time.Time
	labels map[string]map[string]string
}

const (
	// rememberFor is how long a label that was changed may still be told.
	rememberFor = time.Minute
	// askAgain is how soon a code that was unknown is looked for again.
	askAgain = time.Second
	// maxTenants bounds the memory.
	maxTenants = 10_000
)

// OwnFault returns what the actor's tenant calls a fault of its own, by language; nil for
// a code that is none.
func (s *Service) OwnFault(ctx context.Context, code string) (map[string]string, error) {
	tenant := tenancy.Must(ctx).TenantID
	o := &s.own
	o.mu.Lock()
	known, found := o.byTenant[tenant]
	o.mu.Unlock()
	labels, there := known.labels[code]
	if age := time.Since(known.at); found && (age < askAgain || there && age < rememberFor) {
		return labels, nil
	}
	// Who gives up does not take the answer from the others.
	fresh, err, _ := o.asked.Do(tenant.String(), func() (any, error) { return s.readOwnFaults(context.WithoutCancel(ctx), tenant) })
	if err != nil {
		return nil, err
	}
	return fresh.(map[string]map[string]string)[code], nil
}

// readOwnFaults reads and remembers what the tenant calls its faults.
func (s *Service) readOwnFaults(ctx context.Context, tenant id.UUID) (map[string]map[string]string, error) {
	o := &s.own
	o.mu.Lock()
	known := o.byTenant[tenant]
	o.mu.Unlock()
	if time.Since(known.at) < askAgain { // somebody was just faster
		return known.labels, nil
	}
	rows, err := s.ent.FaultType.Query().Where(faulttype.TenantIDNotNil()).All(ctx)
	if err != nil {
		return nil, err
	}
	known = remembered{time.Now(), byCode(rows)}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.byTenant == nil || len(o.byTenant) >= maxTenants {
		o.byTenant = map[id.UUID]remembered{}
	}
	o.byTenant[tenant] = known
	return known.labels, nil
}

func byCode(types []*ent.FaultType) map[string]map[string]string {
	out := make(map[string]map[string]string, len(types))
	for _, t := range types {
		out[t.Code] = t.Labels
	}
	return out
}
