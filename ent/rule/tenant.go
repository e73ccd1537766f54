// Package rule is the ORM's own layer of tenant isolation, one of three that each
// suffice alone (the others are PostgreSQL's row-level security and the composite
// keys). It denies by default: without an actor in the context nothing is read or
// written, and with one every query and mutation is narrowed to the actor's tenant
// and, for actors limited to sites, to what lies on them.
//
// There is no way past the tenant. What the product does by itself it does as
// tenancy.AsSystem, inside one tenant; ent's privacy.DecisionContext is used
// nowhere, which a test checks. Permissions are the services' affair.
package rule

import (
	"context"

	"entgo.io/ent"
	"entgo.io/ent/entql"
	"github.com/google/uuid"

	"foresight/ent/privacy"
	"foresight/internal/tenancy"
)

// Tenant is the policy of entities that carry a tenant_id.
func Tenant() ent.Policy {
	return confine(narrow("tenant_id", func(t uuid.UUID) entql.P { return entql.FieldEQ("tenant_id", t) }), ownTenant)
}

// Self is the policy of the tenant itself: an actor sees its own only, and makes
// one only under the id that it acts for.
func Self() ent.Policy {
	return confine(narrow("id", func(t uuid.UUID) entql.P { return entql.FieldEQ("id", t) }), ownID)
}

// Catalogue is the policy of entities whose built-in rows have no tenant: all
// actors read those, none changes them.
func Catalogue() ent.Policy {
	own := func(t uuid.UUID) entql.P { return entql.FieldEQ("tenant_id", t) }
	read := narrow("tenant_id", func(t uuid.UUID) entql.P { return entql.Or(entql.FieldNil("tenant_id"), own(t)) })
	return privacy.Policy{
		Query:    privacy.QueryPolicy{actorRequired(), read},
		Mutation: privacy.MutationPolicy{actorRequired(), privacy.MutationRuleFunc(shape), privacy.MutationRuleFunc(ownTenant), narrow("tenant_id", own)},
	}
}

// BuiltIn is the policy of entities that are the product's own and the same for
// all tenants: all actors read them, nobody writes them.
func BuiltIn() ent.Policy {
	return privacy.Policy{
		Query:    privacy.QueryPolicy{actorRequired()},
		Mutation: privacy.MutationPolicy{actorRequired(), privacy.AlwaysDenyRule()},
	}
}

func confine(n privacy.QueryMutationRule, own func(context.Context, ent.Mutation) error) ent.Policy {
	return privacy.Policy{
		Query:    privacy.QueryPolicy{actorRequired(), n},
		Mutation: privacy.MutationPolicy{actorRequired(), privacy.MutationRuleFunc(shape), privacy.MutationRuleFunc(own), n},
	}
}

func actorRequired() privacy.QueryMutationRule {
	return privacy.ContextQueryMutationRule(func(ctx context.Context) error {
		if _, ok := tenancy.ID(ctx); !ok {
			return privacy.Denyf("rule: no actor in the context")
		}
		return privacy.Skip
	})
}

// narrow adds the predicate to every query, update and delete.
func narrow(column string, p func(tenant uuid.UUID) entql.P) privacy.QueryMutationRule {
	return privacy.FilterFunc(func(ctx context.Context, f privacy.Filter) error {
		t, ok := tenancy.ID(ctx)
		if !ok {
			return privacy.Denyf("rule: no tenant to narrow %s to", column)
		}
		f.Where(p(t))
		return privacy.Skip
	})
}

// ownTenant refuses a new row that names another tenant than the actor's.
func ownTenant(ctx context.Context, m ent.Mutation) error { return own(ctx, m, "tenant_id", false) }

// ownID refuses a new tenant under another id than the actor's tenant.
func ownID(ctx context.Context, m ent.Mutation) error { return own(ctx, m, "id", true) }

func own(ctx context.Context, m ent.Mutation, column string, required bool) error {
	if !m.Op().Is(ent.OpCreate) {
		return privacy.Skip
	}
	t, _ := tenancy.ID(ctx)
	got, set := m.Field(column)
	if !set && column == "id" {
		got, set = createdID(m)
	}
	switch {
	case !set && !required:
		return privacy.Skip
	case !set || got != any(t):
		return privacy.Denyf("rule: a new %s belongs to another tenant than its maker", m.Type())
	}
	return privacy.Skip
}

// createdID returns the id that a creating mutation will use.
func createdID(m ent.Mutation) (any, bool) {
	if i, ok := m.(interface{ ID() (uuid.UUID, bool) }); ok {
		return i.ID()
	}
	return nil, false
}
