package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"foresight/ent/mixin"
	"foresight/ent/rule"
	"foresight/internal/id"
)

// BacktestPrediction counts the windows of a sensor in a span of time of which a
// backtest says one fault, and of which was said one fault when they came.
type BacktestPrediction struct{ ent.Schema }

// Mixin of the entity.
func (BacktestPrediction) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.BacktestPrediction}, mixin.Tenant{}}
}

// Annotations of the entity.
func (BacktestPrediction) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{
		"backtest_predictions_windows_sign": "windows >= 1",
		"backtest_predictions_probability":  "probability BETWEEN 0 AND 1 AND stored_probability BETWEEN 0 AND 1",
	})}
}

// Policy of the entity.
func (BacktestPrediction) Policy() ent.Policy {
	return rule.Sites(rule.On("site_id"), rule.On("site_id"))
}

// Fields of the entity.
func (BacktestPrediction) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("backtest_id", uuid.UUID{}).Immutable().Comment("the backtest"),
		field.UUID("site_id", uuid.UUID{}).Immutable().Comment("where the asset stood"),
		field.UUID("asset_id", uuid.UUID{}).Immutable().Comment("the machine"),
		field.UUID("sensor_id", uuid.UUID{}).Immutable().Comment("the sensor"),
		field.Time("begins_at").Immutable().Comment("beginning of the span, event time, UTC"),
		field.String("fault_code").NotEmpty().MaxLen(maxCode).Immutable().Comment("the fault that the backtest names"),
		field.String("stored_code").MaxLen(maxCode).Optional().Nillable().Immutable().Comment("the fault that was named when the window came; null: no prediction is stored"),
		field.Uint64("windows").Positive().Immutable().Comment("windows"),
		field.Uint64("out_of_distribution").Default(0).Immutable().Comment("of these far from what the model was trained on"),
		field.Float("probability").Range(0, 1).Immutable().Comment("mean probability of the fault, 0-1"),
		field.Float("stored_probability").Range(0, 1).Optional().Nillable().Immutable().Comment("mean probability of the stored predictions, 0-1"),
	}
}

// Edges of the entity.
func (BacktestPrediction) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("backtest", Backtest.Type).Field("backtest_id").Unique().Required().Immutable(),
		edge.To("site", Site.Type).Field("site_id").Unique().Required().Immutable(),
		edge.To("asset", Asset.Type).Field("asset_id").Unique().Required().Immutable(),
		edge.To("sensor", Sensor.Type).Field("sensor_id").Unique().Required().Immutable(),
	}
}

// Indexes of the entity.
func (BacktestPrediction) Indexes() []ent.Index {
	return []ent.Index{index.Fields("tenant_id", "backtest_id", "begins_at")}
}
