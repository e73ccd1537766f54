package mixin

import (
	"context"

	"entgo.io/ent"
	"github.com/google/uuid"

	"foresight/internal/tenancy"
)

// fillTenant gives a new row the actor's tenant when none was set; the policy
// has already refused another one.
func fillTenant(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
		if m.Op().Is(ent.OpCreate) {
			if _, set := m.Field("tenant_id"); !set {
				if t, ok := tenancy.ID(ctx); ok {
					if err := m.SetField("tenant_id", t); err != nil {
						return nil, err
					}
				}
			}
		}
		return next.Mutate(ctx, m)
	})
}

// audited is what the mutations of entities with Audit have in common.
type audited interface {
	SetCreatedBy(uuid.UUID)
	SetUpdatedBy(uuid.UUID)
	ClearUpdatedBy()
	AddVersion(int)
}

// stampAudit records the person behind the change and raises the version.
func stampAudit(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
		a := m.(audited)
		user, person := actingPerson(ctx)
		switch {
		case m.Op().Is(ent.OpCreate):
			if person {
				a.SetCreatedBy(user)
				a.SetUpdatedBy(user)
			}
		case m.Op().Is(ent.OpUpdate | ent.OpUpdateOne):
			a.AddVersion(1)
			if person {
				a.SetUpdatedBy(user)
			} else {
				a.ClearUpdatedBy()
			}
		}
		return next.Mutate(ctx, m)
	})
}

func actingPerson(ctx context.Context) (uuid.UUID, bool) {
	if actor := tenancy.From(ctx); actor != nil {
		return actor.UserID()
	}
	return uuid.Nil, false
}
