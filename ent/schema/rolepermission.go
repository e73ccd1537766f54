package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"foresight/ent/mixin"
	"foresight/internal/id"
)

// RolePermission gives a permission to a role.
type RolePermission struct{ ent.Schema }

// Mixin of the entity.
func (RolePermission) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.RolePermission}, mixin.Tenant{}}
}

// Fields of the entity.
func (RolePermission) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("role_id", uuid.UUID{}).Immutable().Comment("the role"),
		field.UUID("permission_id", uuid.UUID{}).Immutable().Comment("what it may do"),
	}
}

// Edges of the entity.
func (RolePermission) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("role", Role.Type).Field("role_id").Unique().Required().Immutable(),
		edge.To("permission", Permission.Type).Field("permission_id").Unique().Required().Immutable(),
	}
}

// Indexes of the entity.
func (RolePermission) Indexes() []ent.Index {
	return []ent.Index{index.Fields("tenant_id", "role_id", "permission_id").Unique()}
}
