package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"foresight/ent/mixin"
	"foresight/ent/rule"
	"foresight/internal/id"
)

// UserRole gives a role to a member, in the whole tenant or on one site.
type UserRole struct{ ent.Schema }

// Mixin of the entity.
func (UserRole) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.UserRole}, mixin.Tenant{}}
}

// Policy of the entity: an actor limited to sites sees who may act on them, and
// grants nothing beyond them.
func (UserRole) Policy() ent.Policy {
	site := rule.On("site_id")
	return rule.Sites(rule.OrNull("site_id", site), site)
}

// Fields of the entity.
func (UserRole) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("user_id", uuid.UUID{}).Immutable().Comment("the member"),
		field.UUID("role_id", uuid.UUID{}).Immutable().Comment("what the member may do"),
		field.UUID("site_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("where; null: in the whole tenant"),
		field.Time("created_at").Default(mixin.Now).Immutable().Annotations(entsql.DefaultExpr("now()")).Comment("when it was granted, UTC"),
		field.UUID("granted_by", uuid.UUID{}).Optional().Nillable().Immutable().Comment("user id of the member who granted it; null when the product did"),
	}
}

// Edges of the entity.
func (UserRole) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("role", Role.Type).Field("role_id").Unique().Required().Immutable(),
		edge.To("site", Site.Type).Field("site_id").Unique().Immutable(),
	}
}

// Indexes of the entity.
func (UserRole) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "user_id", "role_id", "site_id").Unique().StorageKey("user_roles_once" + NullsNotDistinct),
		index.Fields("tenant_id", "role_id"),
	}
}
