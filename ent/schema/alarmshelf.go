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

// AlarmShelf silences a rule, a sensor or an asset for a time, without losing
// events (ISA-18.2 shelving). What is set is and-ed.
type AlarmShelf struct{ ent.Schema }

// Mixin of the entity.
func (AlarmShelf) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.AlarmShelf}, mixin.Tenant{}}
}

// Annotations of the entity.
func (AlarmShelf) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entsql.Table("alarm_shelves"),
		entsql.Checks(map[string]string{
			"alarm_shelves_of_something": "num_nonnulls(rule_id, sensor_id, asset_id) >= 1",
			"alarm_shelves_order":        "until > at",
		}),
	}
}

// Policy of the entity: an actor limited to sites silences nothing beyond them.
func (AlarmShelf) Policy() ent.Policy {
	asset := rule.Through("asset", rule.On("site_id"))
	sensor := rule.Through("sensor", asset)
	of := rule.Through("rule", AlarmRule{}.seen())
	read := rule.All(rule.OrNull("asset_id", asset), rule.OrNull("sensor_id", sensor), rule.OrNull("rule_id", of))
	return rule.Sites(read, rule.All(read, rule.Any(asset, sensor, rule.Through("rule", AlarmRule{}.written()))))
}

// Fields of the entity.
func (AlarmShelf) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("rule_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("only alarms of this rule"),
		field.UUID("sensor_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("only alarms of this sensor"),
		field.UUID("asset_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("only alarms of this asset"),
		field.Time("until").Comment("silent until, UTC"),
		field.String("reason").NotEmpty().MaxLen(maxText).Immutable().Comment("why"),
		field.UUID("by", uuid.UUID{}).Optional().Nillable().Immutable().Comment("user id of the member who did it; null when the product did"),
		field.Time("at").Default(mixin.Now).Immutable().Annotations(entsql.DefaultExpr("now()")).Comment("silent from, UTC"),
		field.Time("lifted_at").Optional().Nillable().Comment("when it was taken back before its time, UTC"),
		field.UUID("lifted_by", uuid.UUID{}).Optional().Nillable().Comment("user id of the member who took it back"),
	}
}

// Edges of the entity.
func (AlarmShelf) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("rule", AlarmRule.Type).Field("rule_id").Unique().Immutable(),
		edge.To("sensor", Sensor.Type).Field("sensor_id").Unique().Immutable(),
		edge.To("asset", Asset.Type).Field("asset_id").Unique().Immutable(),
	}
}

// Indexes of the entity.
func (AlarmShelf) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "until"),
		index.Fields("tenant_id", "asset_id"),
		index.Fields("tenant_id", "sensor_id"),
		index.Fields("tenant_id", "rule_id"),
	}
}
