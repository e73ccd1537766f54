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
	"foresight/internal/id"
)

// DriftReport compares what a model version meets in a window of time with what
// it was trained on.
type DriftReport struct{ ent.Schema }

// Mixin of the entity.
func (DriftReport) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.DriftReport}, mixin.Tenant{}}
}

// Annotations of the entity.
func (DriftReport) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{
		"drift_reports_order":         "window_end > window_start",
		"drift_reports_label_shift":   "label_shift >= 0",
		"drift_reports_samples_sign":  "samples >= 0",
		"drift_reports_machines_sign": "machines >= 0",
		"drift_reports_shares":        "telemetry_coverage >= 0 AND telemetry_coverage <= 1 AND out_of_distribution >= 0 AND out_of_distribution <= 1",
	})}
}

// Fields of the entity.
func (DriftReport) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("model_version_id", uuid.UUID{}).Immutable().Comment("the version"),
		field.Time("window_start").Immutable().Comment("first event time looked at, UTC"),
		field.Time("window_end").Immutable().Comment("event time up to which was looked, exclusive, UTC"),
		field.Int64("samples").Default(0).NonNegative().Immutable().Comment("predictions looked at"),
		field.JSON("psi", map[string]float64{}).Default(map[string]float64{}).Annotations(entsql.DefaultExpr("'{}'::jsonb")).Immutable().Comment("population stability index by feature, less what the choice of machines explains; from 0.1 on moderate, from 0.25 on severe"),
		field.Int64("machines").Default(0).NonNegative().Immutable().Comment("machines that the predictions are of"),
		field.Strings("drifted").Default([]string{}).Annotations(entsql.DefaultExpr("'[]'::jsonb")).Immutable().Comment("features from 0.1 on, the farthest first"),
		field.Float("label_shift").Default(0).Min(0).Immutable().Comment("population stability index of the predicted labels; 0 without a reference"),
		field.JSON("labels", map[string]document.LabelShare{}).Default(map[string]document.LabelShare{}).Annotations(entsql.DefaultExpr("'{}'::jsonb")).Immutable().Comment("shares of the predicted labels"),
		field.Bool("is_reference").Default(false).Immutable().Comment("whether later reports on the version compare their labels with these"),
		field.JSON("coverage", map[string]float64{}).Default(map[string]float64{}).Annotations(entsql.DefaultExpr("'{}'::jsonb")).Immutable().Comment("share of values that were there, by feature, 0-1"),
		field.Float("telemetry_coverage").Default(0).Range(0, 1).Immutable().Comment("share of sensors, or machines, with a prediction"),
		field.Float("out_of_distribution").Default(0).Range(0, 1).Immutable().Comment("share of predictions far from the training data"),
		field.JSON("label_sets", document.LabelSets{}).Default(document.LabelSets{}).Annotations(entsql.DefaultExpr("'{}'::jsonb")).Immutable().Comment("what was seen of a classifier's label sets"),
		field.Enum("verdict").GoType(enum.DriftVerdict("")).Immutable().Comment("what it amounts to"),
		field.Strings("reasons").Default([]string{}).Annotations(entsql.DefaultExpr("'[]'::jsonb")).Immutable().Comment("what moved a verdict: features, labels, out_of_distribution"),
		field.Time("created_at").Default(mixin.Now).Immutable().Annotations(entsql.DefaultExpr("now()")).Comment("when it was made, UTC"),
	}
}

// Edges of the entity.
func (DriftReport) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("model_version", MLModelVersion.Type).Field("model_version_id").Unique().Required().Immutable(),
	}
}

// Indexes of the entity.
func (DriftReport) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "model_version_id", "created_at").Annotations(entsql.DescColumns("created_at")),
	}
}
