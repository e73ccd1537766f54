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

// BacktestAlarm is an alarm that a backtest would have raised, or opened again: from
// the sample that opens it to the one that clears it.
type BacktestAlarm struct{ ent.Schema }

// Mixin of the entity.
func (BacktestAlarm) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.BacktestAlarm}, mixin.Tenant{}}
}

// Annotations of the entity.
func (BacktestAlarm) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{
		"backtest_alarms_occurrences_sign": "occurrences >= 1",
		"backtest_alarms_rule_number_sign": "rule_number >= 0",
	})}
}

// Policy of the entity.
func (BacktestAlarm) Policy() ent.Policy { return rule.Sites(rule.On("site_id"), rule.On("site_id")) }

// Fields of the entity.
func (BacktestAlarm) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("backtest_id", uuid.UUID{}).Immutable().Comment("the backtest"),
		field.UUID("site_id", uuid.UUID{}).Immutable().Comment("where the asset stood"),
		field.UUID("asset_id", uuid.UUID{}).Immutable().Comment("the machine"),
		field.UUID("sensor_id", uuid.UUID{}).Immutable().Comment("the sensor"),
		field.Int("rule_number").NonNegative().Immutable().Comment("place of the rule among those of the backtest, from 0"),
		field.String("fault_code").MaxLen(maxCode).Optional().Nillable().Immutable().Comment("the predicted fault that opened it; null for rules on readings"),
		field.Enum("severity").GoType(enum.Severity("")).Immutable().Comment("the rule's"),
		field.Float("triggered_value").Immutable().Comment("the value that opened it, in the parameter's unit"),
		field.Time("triggered_at").Immutable().Comment("event time of the sample that opened it, UTC"),
		field.Time("last_triggered_at").Immutable().Comment("event time of the newest sample that met the condition, UTC"),
		field.Int("occurrences").Positive().Immutable().Comment("samples that met the condition, the one that opened it included"),
		field.Time("cleared_at").Optional().Nillable().Immutable().Comment("when the condition went, UTC; null: it stood at the end of the period"),
		field.Bool("reopened").Default(false).Immutable().Comment("the condition of an alarm that nobody had closed came back"),
		field.UUID("alarm_event_id", uuid.UUID{}).Optional().Nillable().Comment("the first alarm that really stood meanwhile, of the rule that it is compared with; null: none"),
	}
}

// Edges of the entity.
func (BacktestAlarm) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("backtest", Backtest.Type).Field("backtest_id").Unique().Required().Immutable(),
		edge.To("site", Site.Type).Field("site_id").Unique().Required().Immutable(),
		edge.To("asset", Asset.Type).Field("asset_id").Unique().Required().Immutable(),
		edge.To("sensor", Sensor.Type).Field("sensor_id").Unique().Required().Immutable(),
		edge.To("alarm_event", AlarmEvent.Type).Field("alarm_event_id").Unique(),
	}
}

// Indexes of the entity.
func (BacktestAlarm) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "backtest_id", "triggered_at"),
		index.Fields("tenant_id", "backtest_id", "rule_number", "sensor_id"),
	}
}
