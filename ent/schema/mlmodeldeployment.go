package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"foresight/ent/enum"
	"foresight/ent/mixin"
	"foresight/internal/id"
)

// MLModelDeployment is a time in which a version served a tenant. Of each model
// at most one production deployment is open.
type MLModelDeployment struct{ ent.Schema }

// Mixin of the entity.
func (MLModelDeployment) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.MLModelDeployment}, mixin.Tenant{}}
}

// Annotations of the entity.
func (MLModelDeployment) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entsql.Table("ml_model_deployments"),
		entsql.Checks(map[string]string{
			"ml_model_deployments_order":   "deployment_end >= deployment_start",
			"ml_model_deployments_stage":   "is_production = (stage = 'production')",
			"ml_model_deployments_traffic": "traffic_percent BETWEEN 0 AND 100",
		}),
	}
}

// Fields of the entity.
func (MLModelDeployment) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("model_id", uuid.UUID{}).Immutable().Comment("the model"),
		field.UUID("model_version_id", uuid.UUID{}).Immutable().Comment("the version that serves"),
		field.Bool("is_production").Default(true).Immutable().Comment("whether the stage is `production`"),
		field.Enum("stage").GoType(enum.BindingStage("")).Default(string(enum.BindingProduction)).Immutable().Comment("the part that the version plays for the tenant"),
		field.Int("traffic_percent").Default(100).Range(0, 100).Comment("share of the tenant's assets that a canary or shadow serves, %"),
		field.Time("deployment_start").Default(mixin.Now).Immutable().Annotations(entsql.DefaultExpr("now()")).Comment("served from, UTC"),
		field.Time("deployment_end").Optional().Nillable().Comment("served until, UTC; null: still serves"),
		field.UUID("rollback_from_version_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("the version that this deployment rolled back; null: no rollback"),
		field.UUID("deployed_by", uuid.UUID{}).Optional().Nillable().Immutable().Comment("user id of the member who deployed; null when the product did"),
	}
}

// Edges of the entity.
func (MLModelDeployment) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("model", MLModel.Type).Field("model_id").Unique().Required().Immutable(),
		edge.To("model_version", MLModelVersion.Type).Field("model_version_id").Unique().Required().Immutable(),
		edge.To("rollback_from_version", MLModelVersion.Type).Field("rollback_from_version_id").Unique().Immutable(),
	}
}

// Indexes of the entity.
func (MLModelDeployment) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "model_id").Unique().StorageKey("ml_model_deployments_one_in_production").
			Annotations(entsql.IndexWhere("is_production AND deployment_end IS NULL")),
		index.Fields("tenant_id", "model_id", "deployment_start"),
		index.Fields("tenant_id", "model_version_id"),
	}
}
