package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"foresight/ent/mixin"
	"foresight/internal/id"
)

// Role is a set of permissions of a tenant: the four system roles, and those that
// the tenant made.
type Role struct{ ent.Schema }

// Mixin of the entity.
func (Role) Mixin() []ent.Mixin { return mixin.Base(id.Role) }

// Fields of the entity.
func (Role) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(maxCode).Comment("unique within the tenant; of system roles that of tenancy.Role"),
		field.String("description").MaxLen(maxText).Default("").Comment("whom it is for"),
		field.Bool("is_system").Default(false).Immutable().Comment("true: kept by the product, its permissions are the code's"),
	}
}

// Edges of the entity.
func (Role) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("permissions", RolePermission.Type).Ref("role"),
	}
}

// Indexes of the entity.
func (Role) Indexes() []ent.Index { return []ent.Index{index.Fields("tenant_id", "name").Unique()} }
