// Package mixin holds the fields and behaviour that entities share: typed ids,
// the tenant, audit columns with the optimistic lock, and soft deletion. Every
// entity of a tenant includes Tenant, and with it the policy that confines it.
package mixin

import (
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/mixin"
	"github.com/google/uuid"

	"foresight/ent/rule"
	"foresight/internal/id"
)

// Base is what most entities of a tenant include: id, tenant and audit columns.
func Base(k id.Kind) []ent.Mixin { return []ent.Mixin{ID{Kind: k}, Tenant{}, Audit{}} }

// Soft is Base with soft deletion.
func Soft(k id.Kind) []ent.Mixin { return append(Base(k), SoftDelete{}) }

// ID adds the typed identifier.
type ID struct {
	mixin.Schema
	Kind id.Kind
}

// Fields of the mixin.
func (m ID) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Default(id.Maker(m.Kind)).Immutable().
			Comment("UUID version 8: creation time in ms, kind of the entity, random bits"),
	}
}

// Tenant adds the tenant that a row belongs to for good, filled from the actor,
// and the policy that lets nobody past it.
type Tenant struct{ mixin.Schema }

// Fields of the mixin.
func (Tenant) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("tenant_id", uuid.UUID{}).Immutable().
			Comment("the tenant that owns the row; the actor's when not given"),
	}
}

// Hooks of the mixin.
func (Tenant) Hooks() []ent.Hook { return []ent.Hook{fillTenant} }

// Policy of the mixin.
func (Tenant) Policy() ent.Policy { return rule.Tenant() }

// CatalogueTenant is Tenant for catalogues that hold built-in rows beside those
// of tenants: all read the built-in ones, nobody writes them through the ORM.
type CatalogueTenant struct{ mixin.Schema }

// Fields of the mixin.
func (CatalogueTenant) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("tenant_id", uuid.UUID{}).Optional().Nillable().Immutable().
			Comment("the tenant that owns the row; null for built-in rows, which all tenants read"),
	}
}

// Hooks of the mixin.
func (CatalogueTenant) Hooks() []ent.Hook { return []ent.Hook{fillTenant} }

// Policy of the mixin.
func (CatalogueTenant) Policy() ent.Policy { return rule.Catalogue() }

// Audit adds who made and changed a row and when, and the version of the
// optimistic lock, which every update through the ORM raises by one.
type Audit struct{ mixin.Schema }

// Fields of the mixin.
func (Audit) Fields() []ent.Field {
	return []ent.Field{
		field.Bool("is_active").Default(true).Comment("false: kept, but out of use"),
		field.Time("created_at").Default(Now).Immutable().
			Annotations(entsql.DefaultExpr("now()")).Comment("when the row was made, UTC"),
		field.UUID("created_by", uuid.UUID{}).Optional().Nillable().Immutable().
			Comment("user id of the member who made the row; null when no person did"),
		field.Time("updated_at").Default(Now).UpdateDefault(Now).
			Annotations(entsql.DefaultExpr("now()")).Comment("when the row was last changed, UTC"),
		field.UUID("updated_by", uuid.UUID{}).Optional().Nillable().
			Comment("user id of the member who last changed the row; null when no person did"),
		field.Int("version").Default(1).Positive().
			Comment("optimistic lock: raised by one on every update"),
	}
}

// Hooks of the mixin.
func (Audit) Hooks() []ent.Hook { return []ent.Hook{stampAudit} }

// Now returns the present time in UTC at the precision that PostgreSQL keeps
// (microseconds), so that a value just written equals the value read back.
func Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
