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
	"foresight/ent/rule"
	"foresight/internal/id"
)

// AssetModelVersion binds a model version to one asset, in place of or beside the
// tenant's deployment. Of each asset and model at most one active binding is
// production.
type AssetModelVersion struct{ ent.Schema }

// Mixin of the entity.
func (AssetModelVersion) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.AssetModelVersion}, mixin.Tenant{}}
}

// Annotations of the entity.
func (AssetModelVersion) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{
		"asset_model_versions_traffic": "traffic_percent BETWEEN 0 AND 100",
		"asset_model_versions_order":   "deployment_end >= deployment_start",
		"asset_model_versions_ended":   "NOT (is_active AND deployment_end IS NOT NULL)",
	})}
}

// Policy of the entity.
func (AssetModelVersion) Policy() ent.Policy {
	onSite := rule.Through("asset", rule.On("site_id"))
	return rule.Sites(onSite, onSite)
}

// Fields of the entity.
func (AssetModelVersion) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("asset_id", uuid.UUID{}).Immutable().Comment("the machine"),
		field.UUID("model_id", uuid.UUID{}).Immutable().Comment("the model"),
		field.UUID("model_version_id", uuid.UUID{}).Immutable().Comment("the version that serves the machine"),
		field.Enum("stage").GoType(enum.BindingStage("")).Default(string(enum.BindingProduction)).Immutable().Comment("the part that the version plays"),
		field.Int("traffic_percent").Default(100).Range(0, 100).Comment("share of readings that it predicts, %"),
		field.Time("deployment_start").Default(mixin.Now).Immutable().Annotations(entsql.DefaultExpr("now()")).Comment("bound from, UTC"),
		field.Time("deployment_end").Optional().Nillable().Comment("bound until, UTC; null: still bound"),
		field.Bool("is_active").Default(true).Comment("false: ended"),
		field.UUID("deployed_by", uuid.UUID{}).Optional().Nillable().Immutable().Comment("user id of the member who bound it; null when the product did"),
	}
}

// Edges of the entity.
func (AssetModelVersion) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("asset", Asset.Type).Field("asset_id").Unique().Required().Immutable(),
		edge.To("model", MLModel.Type).Field("model_id").Unique().Required().Immutable(),
		edge.To("model_version", MLModelVersion.Type).Field("model_version_id").Unique().Required().Immutable(),
	}
}

// Indexes of the entity.
func (AssetModelVersion) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "asset_id", "model_id").Unique().StorageKey("asset_model_versions_one_in_production").Annotations(entsql.IndexWhere("is_active AND stage = 'production'")),
		index.Fields("tenant_id", "asset_id", "deployment_start").Annotations(entsql.DescColumns("deployment_start")),
		index.Fields("tenant_id", "model_version_id"),
	}
}
