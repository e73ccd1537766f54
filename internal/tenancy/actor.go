// Package tenancy says on whose behalf code runs. Every call below a door carries
// an Actor in its context; the ORM's privacy policy, the database's row-level
// security and the services read the tenant from there and nowhere else.
package tenancy

import (
	"context"

	"foresight/internal/id"
)

// ActorKind is the sort of credential behind an actor.
type ActorKind string

// The kinds of actors.
const (
	Person ActorKind = "user"
	Client ActorKind = "client" // OAuth client credentials of a partner
	APIKey ActorKind = "key"    // X-API-Key of a service of the tenant
	Device ActorKind = "device" // a gateway's MQTT credential
	System ActorKind = "system" // the product itself, within one tenant
)

// Actor is an authenticated party within exactly one tenant. It is immutable
// after it was put into a context.
type Actor struct {
	Kind       ActorKind
	ID         id.UUID // user, client, key or gateway; nil for the system
	TenantID   id.UUID
	TenantCode string
	Role       Role
	Scopes     Set // what the credential may do wherever it acts
	// SiteIDs limits the actor to sites, in order; empty means the whole tenant.
	SiteIDs []id.UUID
	// OnSites are further permissions of a person, each on the sites given alone.
	// Can does not count them; see Under.
	OnSites map[Permission][]id.UUID
	Locale  string // BCP 47 tag of the profile, "" when unknown
}

// Can reports whether the actor holds the permission wherever it acts.
func (a *Actor) Can(p Permission) bool { return a.Kind == System || a.Scopes.Has(p) }

// UserID returns the person's id, and false when the actor is no person.
func (a *Actor) UserID() (id.UUID, bool) { return a.ID, a.Kind == Person }

type actorKey struct{}

// With returns a context that carries the actor.
func With(ctx context.Context, a *Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// From returns the actor of the context, nil when there is none.
func From(ctx context.Context) *Actor {
	a, _ := ctx.Value(actorKey{}).(*Actor)
	return a
}

// Must returns the actor and panics when there is none: a door forgot to
// authenticate, which is a bug and never a user's mistake.
func Must(ctx context.Context) *Actor {
	a := From(ctx)
	if a == nil || a.TenantID == id.Nil {
		panic("tenancy: no actor in context")
	}
	return a
}

// ID returns the tenant of the context, and false when there is none.
func ID(ctx context.Context) (id.UUID, bool) {
	if a := From(ctx); a != nil && a.TenantID != id.Nil {
		return a.TenantID, true
	}
	return id.Nil, false
}

// AsSystem returns a context in which the product acts by itself inside one
// tenant: workers, schedules, seeding. It is the only way to act without a
// credential; grep for it to see every place.
func AsSystem(ctx context.Context, tenant id.UUID) context.Context {
	return With(ctx, &Actor{Kind: System, TenantID: tenant, Role: Admin, Scopes: RoleScopes(Admin)})
}
