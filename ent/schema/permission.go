package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"foresight/ent/mixin"
	"foresight/ent/rule"
	"foresight/internal/id"
)

// Permission is what a role may allow. The rows are the product's own, the same
// for all tenants and written by migrations only.
type Permission struct{ ent.Schema }

// Mixin of the entity.
func (Permission) Mixin() []ent.Mixin { return []ent.Mixin{mixin.ID{Kind: id.Permission}} }

// Annotations of the entity.
func (Permission) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{
		"permissions_resource_form": "resource ~ '^[a-z_]{1,64}$'",
		"permissions_action_form":   "action ~ '^[a-z_]{1,64}$'",
	})}
}

// Policy of the entity: all actors read, nobody writes.
func (Permission) Policy() ent.Policy {
	return rule.BuiltIn()
}

// Fields of the entity.
func (Permission) Fields() []ent.Field {
	return []ent.Field{
		field.String("resource").NotEmpty().MaxLen(64).Immutable().Comment("first part of `resource:action`"),
		field.String("action").NotEmpty().MaxLen(64).Immutable().Comment("second part of `resource:action`"),
	}
}

// Indexes of the entity.
func (Permission) Indexes() []ent.Index {
	return []ent.Index{index.Fields("resource", "action").Unique()}
}
