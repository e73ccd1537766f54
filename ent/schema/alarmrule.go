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

// AlarmRule compares one parameter of a scope with a threshold (ISA-18.2). The
// scope fields that are set are and-ed; none set is the whole tenant.
type AlarmRule struct{ ent.Schema }

// Mixin of the entity.
func (AlarmRule) Mixin() []ent.Mixin { return mixin.Soft(id.AlarmRule) }

// Annotations of the entity.
func (AlarmRule) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{
		"alarm_rules_deadband_sign":        "deadband >= 0",
		"alarm_rules_delays_sign":          "on_delay_sec >= 0 AND off_delay_sec >= 0",
		"alarm_rules_min_consecutive_sign": "min_consecutive >= 1",
		"alarm_rules_remind_every_sign":    "remind_every_min > 0",
		"alarm_rules_escalate_after_sign":  "escalate_after_min > 0",
	})}
}

// Policy of the entity: an actor limited to sites sees the rules of these sites
// and of the whole tenant, and changes the former only.
func (r AlarmRule) Policy() ent.Policy { return rule.Sites(r.seen(), r.written()) }

// seen matches the rules that speak of nothing beyond the sites.
func (AlarmRule) seen() rule.Where {
	site, asset, sensor := scopes()
	return rule.All(rule.OrNull("site_id", site), rule.OrNull("asset_id", asset), rule.OrNull("sensor_id", sensor))
}

// written matches the rules of which also something lies on the sites.
func (r AlarmRule) written() rule.Where {
	site, asset, sensor := scopes()
	return rule.All(r.seen(), rule.Any(site, asset, sensor))
}

// scopes match what a rule is limited to.
func scopes() (site, asset, sensor rule.Where) {
	site = rule.On("site_id")
	asset = rule.Through("asset", site)
	return site, asset, rule.Through("sensor", asset)
}

// Fields of the entity.
func (AlarmRule) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(maxName).Comment("what people call it"),
		field.UUID("site_id", uuid.UUID{}).Optional().Nillable().Comment("only sensors of this site"),
		field.Enum("asset_type").GoType(enum.AssetType("")).Optional().Nillable().Comment("only assets of this type"),
		field.UUID("asset_id", uuid.UUID{}).Optional().Nillable().Comment("only this asset"),
		field.UUID("sensor_id", uuid.UUID{}).Optional().Nillable().Comment("only this sensor"),
		field.String("parameter").NotEmpty().MaxLen(maxCode).Comment("a reading parameter, `confidence`, `failure_prob_7d`, `failure_prob_30d`, `health_score` or `silence` (s)"),
		field.Enum("operator").GoType(enum.Operator("")).Comment("how the value is compared with the threshold"),
		field.Float("threshold").Comment("in the parameter's unit"),
		field.Strings("fault_codes").Default([]string{}).Annotations(entsql.DefaultExpr("'[]'::jsonb")).Comment("for `confidence`: only these predicted faults; empty: every fault but normal"),
		field.Bool("only_in_distribution").Default(false).Comment("ignore predictions on windows far from the training data"),
		field.Enum("severity").GoType(enum.Severity("")).Comment("severity of its alarms"),
		field.Float("deadband").Default(0).Min(0).Comment("hysteresis for clearing, in the parameter's unit"),
		field.Int("on_delay_sec").Default(0).NonNegative().Comment("seconds that the condition must hold before the alarm"),
		field.Int("off_delay_sec").Default(0).NonNegative().Comment("seconds that the condition must be gone before clearing"),
		field.Int("min_consecutive").Default(1).Positive().Comment("samples in a row that must meet the condition"),
		field.Bool("latching").Default(false).Comment("true: an acknowledged alarm whose condition is gone stays until resolved by hand"),
		field.Int("remind_every_min").Optional().Nillable().Positive().Comment("minutes between reminders; null: none"),
		field.Int("escalate_after_min").Optional().Nillable().Positive().Comment("minutes without acknowledgement until escalation; null: never"),
		field.JSON("escalate_to", []uuid.UUID{}).Default([]uuid.UUID{}).Annotations(entsql.DefaultExpr("'[]'::jsonb")).Comment("ids of the further notification channels"),
	}
}

// Edges of the entity.
func (AlarmRule) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("site", Site.Type).Field("site_id").Unique(),
		edge.To("asset", Asset.Type).Field("asset_id").Unique(),
		edge.To("sensor", Sensor.Type).Field("sensor_id").Unique(),
		edge.From("events", AlarmEvent.Type).Ref("rule"),
	}
}

// Indexes of the entity.
func (AlarmRule) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "name"),
		index.Fields("tenant_id", "site_id"),
		index.Fields("tenant_id", "asset_id"),
		index.Fields("tenant_id", "sensor_id"),
	}
}
