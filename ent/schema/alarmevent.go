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

// AlarmEvent is one occurrence of a rule's condition from its first sample to its
// resolution. Of each rule, asset and sensor at most one is active.
type AlarmEvent struct{ ent.Schema }

// Mixin of the entity.
func (AlarmEvent) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.AlarmEvent}, mixin.Tenant{}}
}

// Annotations of the entity.
func (AlarmEvent) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{"alarm_events_occurrences_sign": "occurrences >= 1"})}
}

// Policy of the entity.
func (AlarmEvent) Policy() ent.Policy { return rule.Sites(rule.On("site_id"), rule.On("site_id")) }

// Fields of the entity.
func (AlarmEvent) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("site_id", uuid.UUID{}).Immutable().Comment("where the asset stood"),
		field.UUID("asset_id", uuid.UUID{}).Immutable().Comment("the machine"),
		field.UUID("sensor_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("the sensor; null: the rule speaks of the asset"),
		field.UUID("rule_id", uuid.UUID{}).Immutable().Comment("the rule that fired"),
		field.UUID("prediction_id", uuid.UUID{}).Optional().Nillable().Comment("the prediction that fired it, in the telemetry store; null for rules on readings"),
		field.UUID("model_version_id", uuid.UUID{}).Optional().Nillable().Comment("the version that predicted; null for rules on readings"),
		field.String("fault_code").MaxLen(maxCode).Optional().Nillable().Immutable().Comment("the predicted fault that fired it; null for rules on readings"),
		field.Enum("severity").GoType(enum.Severity("")).Comment("the rule's at the time"),
		field.Float("triggered_value").Comment("the value that fired it, in the parameter's unit"),
		field.Time("triggered_at").Immutable().Comment("event time of the first sample, UTC"),
		field.Time("last_triggered_at").Comment("event time of the newest sample, UTC"),
		field.Int("occurrences").Default(1).Positive().Comment("samples that met the condition"),
		field.Time("cleared_at").Optional().Nillable().Comment("when the condition went, UTC"),
		field.Enum("status").GoType(enum.AlarmStatus("")).Default(string(enum.AlarmOpen)).Comment("state after ISA-18.2"),
		field.UUID("acknowledged_by", uuid.UUID{}).Optional().Nillable().Comment("user id of the member who acknowledged"),
		field.Time("acknowledged_at").Optional().Nillable().Comment("when it was acknowledged, UTC"),
		field.UUID("resolved_by", uuid.UUID{}).Optional().Nillable().Comment("user id of the member who resolved; null when the product did"),
		field.Time("resolved_at").Optional().Nillable().Comment("when it was resolved, UTC"),
		field.String("correction_plan").MaxLen(2 * maxText).Optional().Nillable().Comment("what is done about it"),
	}
}

// Edges of the entity.
func (AlarmEvent) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("site", Site.Type).Field("site_id").Unique().Required().Immutable(),
		edge.To("asset", Asset.Type).Field("asset_id").Unique().Required().Immutable(),
		edge.To("sensor", Sensor.Type).Field("sensor_id").Unique().Immutable(),
		edge.To("rule", AlarmRule.Type).Field("rule_id").Unique().Required().Immutable(),
		edge.To("model_version", MLModelVersion.Type).Field("model_version_id").Unique(),
		edge.From("transitions", AlarmTransition.Type).Ref("event"),
	}
}

// Indexes of the entity.
func (AlarmEvent) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "rule_id", "asset_id", "sensor_id").Unique().
			StorageKey("alarm_events_one_active" + NullsNotDistinct).
			Annotations(entsql.IndexWhere("status IN ('open', 'acknowledged', 'cleared')")),
		index.Fields("tenant_id", "sensor_id").StorageKey("alarm_events_active_sensor").
			Annotations(entsql.IndexWhere("status IN ('open', 'acknowledged', 'cleared')")),
		index.Fields("tenant_id", "status", "triggered_at").Annotations(entsql.DescColumns("triggered_at")),
		index.Fields("tenant_id", "triggered_at").Annotations(entsql.DescColumns("triggered_at")),
		index.Fields("tenant_id", "asset_id", "triggered_at").Annotations(entsql.DescColumns("triggered_at")),
		index.Fields("tenant_id", "site_id", "triggered_at").Annotations(entsql.DescColumns("triggered_at")),
	}
}
