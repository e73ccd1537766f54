package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"foresight/ent/mixin"
	"foresight/internal/id"
)

// Parameter is an entry of the catalogue of measurable quantities: the built-in
// ones, and a tenant's own.
type Parameter struct{ ent.Schema }

// Mixin of the entity.
func (Parameter) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.Parameter}, mixin.CatalogueTenant{}, mixin.Audit{}}
}

// Annotations of the entity.
func (Parameter) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{
		"parameters_name_form":       "name ~ '^[A-Za-z0-9_-]{1,100}$'",
		"parameters_plausible_range": "min_plausible <= max_plausible",
	})}
}

// Fields of the entity.
func (Parameter) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(maxCode).Immutable().Comment("key in payloads, unique among the tenant's own"),
		field.String("unit").MaxLen(32).Comment("unit of measure, as shown"),
		field.Float("min_plausible").Optional().Nillable().Comment("least plausible value, inclusive; readings below are rejected"),
		field.Float("max_plausible").Optional().Nillable().Comment("largest plausible value, inclusive; readings above are rejected"),
		field.Bool("higher_is_worse").Default(true).Comment("whether a rise means harm"),
	}
}

// Indexes of the entity. (tenant_id, name) is unique with nulls not distinct.
func (Parameter) Indexes() []ent.Index { return []ent.Index{uniqueCatalogue("parameters", "name")} }
