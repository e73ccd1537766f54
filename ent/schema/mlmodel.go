package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"foresight/ent/enum"
	"foresight/ent/mixin"
	"foresight/internal/id"
)

// MLModel is a line of model versions that do one task for a tenant.
type MLModel struct{ ent.Schema }

// Mixin of the entity.
func (MLModel) Mixin() []ent.Mixin { return mixin.Soft(id.MLModel) }

// Annotations of the entity.
func (MLModel) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Table("ml_models")}
}

// Fields of the entity.
func (MLModel) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(maxCode).Comment("unique within the tenant, first part of version labels"),
		field.String("description").MaxLen(maxText).Default("").Comment("what it is for"),
		field.Enum("type").GoType(enum.ModelType("")).Immutable().Comment("the task"),
		field.String("feature_schema").NotEmpty().MaxLen(maxCode).Comment("name of the feature list that its versions read"),
	}
}

// Edges of the entity.
func (MLModel) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("versions", MLModelVersion.Type).Ref("model"),
		edge.From("deployments", MLModelDeployment.Type).Ref("model"),
	}
}

// Indexes of the entity.
func (MLModel) Indexes() []ent.Index { return []ent.Index{uniqueAlive("name")} }
