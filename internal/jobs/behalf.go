package jobs

import (
	"context"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/obs"
	"foresight/internal/tenancy"
)

// Behalf says for whom a job acts: the actor who asked for it, as it was then, with
// those of its permissions that the job needs and no others. It is stored with the job
// and holds no secret. Job arguments embed it.
type Behalf struct {
	TenantID   id.UUID              `json:"tenant_id"` // row-level security of the queue reads this name
	TenantCode string               `json:"tenant_code"`
	Kind       tenancy.ActorKind    `json:"actor_kind"`
	ActorID    id.UUID              `json:"actor_id"`
	Role       tenancy.Role         `json:"role,omitempty"`
	SiteIDs    []id.UUID            `json:"site_ids,omitempty"`
	Scopes     []tenancy.Permission `json:"scopes"`
	RequestID  string               `json:"request_id,omitempty"` // of the request that asked
}

// Of returns the context's actor, reduced to the permissions and to the sites where it
// holds them all.
func Of(ctx context.Context, needs ...tenancy.Permission) (Behalf, error) {
	a := tenancy.From(ctx)
	if a == nil {
		return Behalf{}, fault.New(fault.Unauthenticated, "error.unauthenticated")
	}
	a, err := a.Under(needs...)
	if err != nil {
		return Behalf{}, err
	}
	return Behalf{TenantID: a.TenantID, TenantCode: a.TenantCode, Kind: a.Kind, ActorID: a.ID, Role: a.Role,
		SiteIDs: a.SiteIDs, Scopes: needs, RequestID: obs.RequestID(ctx)}, nil
}

// For implements Args for arguments that embed a Behalf.
func (b Behalf) For() Behalf { return b }

// act returns the context in which the job works.
func (b Behalf) act(ctx context.Context) context.Context {
	return tenancy.With(obs.WithRequestID(ctx, b.RequestID), &tenancy.Actor{Kind: b.Kind, ID: b.ActorID, TenantID: b.TenantID,
		TenantCode: b.TenantCode, Role: b.Role, Scopes: tenancy.NewSet(b.Scopes...), SiteIDs: b.SiteIDs})
}
