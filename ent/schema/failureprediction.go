package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/ent/mixin"
	"foresight/ent/rule"
	"foresight/internal/id"
)

// FailurePrediction is the probability that a machine fails soon, as a model saw
// it on one day.
type FailurePrediction struct{ ent.Schema }

// Mixin of the entity.
func (FailurePrediction) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.FailurePrediction}, mixin.Tenant{}}
}

// Annotations of the entity.
func (FailurePrediction) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{
		"failure_predictions_7d":           "0 <= confidence_lower_7d AND confidence_lower_7d <= failure_prob_7d AND failure_prob_7d <= confidence_upper_7d AND confidence_upper_7d <= 1",
		"failure_predictions_30d":          "0 <= confidence_lower_30d AND confidence_lower_30d <= failure_prob_30d AND failure_prob_30d <= confidence_upper_30d AND confidence_upper_30d <= 1",
		"failure_predictions_health_score": "health_score BETWEEN 0 AND 100",
	})}
}

// Policy of the entity.
func (FailurePrediction) Policy() ent.Policy {
	onSite := rule.Through("asset", rule.On("site_id"))
	return rule.Sites(onSite, onSite)
}

// Fields of the entity.
func (FailurePrediction) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("asset_id", uuid.UUID{}).Immutable().Comment("the machine"),
		field.UUID("model_version_id", uuid.UUID{}).Immutable().Comment("the version that predicted"),
		field.Time("predicted_at").Default(mixin.Now).Immutable().Annotations(entsql.DefaultExpr("now()")).Comment("when, UTC"),
		field.Float("failure_prob_7d").StorageKey("failure_prob_7d").Range(0, 1).Immutable().Comment("probability of a failure within 7 days"),
		field.Float("failure_prob_30d").StorageKey("failure_prob_30d").Range(0, 1).Immutable().Comment("probability of a failure within 30 days"),
		field.Float("confidence_lower_7d").StorageKey("confidence_lower_7d").Range(0, 1).Immutable().Comment("lower bound of the 7-day probability"),
		field.Float("confidence_upper_7d").StorageKey("confidence_upper_7d").Range(0, 1).Immutable().Comment("upper bound of the 7-day probability"),
		field.Float("confidence_lower_30d").StorageKey("confidence_lower_30d").Range(0, 1).Immutable().Comment("lower bound of the 30-day probability"),
		field.Float("confidence_upper_30d").StorageKey("confidence_upper_30d").Range(0, 1).Immutable().Comment("upper bound of the 30-day probability"),
		field.Float("health_score").Range(0, 100).Immutable().Comment("the asset's health at the time, 0-100"),
		field.Enum("risk_level").GoType(enum.RiskLevel("")).Immutable().Comment("level by the tenant's limits at the time, weighed by criticality"),
		field.JSON("top_features", []document.Contribution{}).Default([]document.Contribution{}).Annotations(entsql.DefaultExpr("'[]'::jsonb")).Immutable().Comment("what moved the prediction most, largest first"),
	}
}

// Edges of the entity.
func (FailurePrediction) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("asset", Asset.Type).Field("asset_id").Unique().Required().Immutable(),
		edge.To("model_version", MLModelVersion.Type).Field("model_version_id").Unique().Required().Immutable(),
	}
}

// Indexes of the entity.
func (FailurePrediction) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "asset_id", "predicted_at").Annotations(entsql.DescColumns("predicted_at")),
		index.Fields("tenant_id", "predicted_at").Annotations(entsql.DescColumns("predicted_at")),
		index.Fields("tenant_id", "model_version_id", "predicted_at").Annotations(entsql.DescColumns("predicted_at")),
	}
}
