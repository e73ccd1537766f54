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

// Sensor is what sends readings, mounted on one asset.
type Sensor struct{ ent.Schema }

// Mixin of the entity.
func (Sensor) Mixin() []ent.Mixin { return mixin.Soft(id.Sensor) }

// Annotations of the entity.
func (Sensor) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{
		"sensors_sensor_code_form":       codeCheck("sensor_code"),
		"sensors_position_on_image":      "position_x BETWEEN 0 AND 100 AND position_y BETWEEN 0 AND 100",
		"sensors_expected_interval_sign": "expected_interval_sec > 0",
	})}
}

// Policy of the entity.
func (Sensor) Policy() ent.Policy {
	onSite := rule.Through("asset", rule.On("site_id"))
	return rule.Sites(onSite, onSite)
}

// Fields of the entity.
func (Sensor) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("asset_id", uuid.UUID{}).Comment("the machine that it is mounted on"),
		field.UUID("gateway_id", uuid.UUID{}).Optional().Nillable().Comment("the gateway that speaks for it; null: it talks to the broker itself"),
		code("sensor_code", "unique within the tenant, last level of MQTT topics"),
		field.Enum("sensor_type").GoType(enum.SensorType("")).Default(string(enum.SensorMachine)).Comment("what it measures"),
		field.String("mount_location").MaxLen(maxName).Optional().Nillable().Comment("place on the machine"),
		field.String("mqtt_topic").MaxLen(maxPath).Optional().Nillable().Comment("topic of its own; null: `{tenant}/{site}/sensors/{sensor}`"),
		field.Float("position_x").Default(50).Range(0, 100).Comment("% of the asset's image from the left"),
		field.Float("position_y").Default(50).Range(0, 100).Comment("% of the asset's image from the top"),
		field.Time("installation_date").SchemaType(dateOnly).Optional().Nillable().Comment("date of installation"),
		field.JSON("validation_data", map[string]any{}).Default(map[string]any{}).Annotations(entsql.DefaultExpr("'{}'::jsonb")).Comment("calibration data as delivered"),
		field.Int("expected_interval_sec").Optional().Nillable().Positive().Comment("seconds between readings; null: irregular"),
	}
}

// Edges of the entity.
func (Sensor) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("asset", Asset.Type).Field("asset_id").Unique().Required(),
		edge.To("gateway", Gateway.Type).Field("gateway_id").Unique(),
	}
}

// Indexes of the entity.
func (Sensor) Indexes() []ent.Index {
	return []ent.Index{
		uniqueAlive("sensor_code"),
		uniqueAlive("mqtt_topic"),
		index.Fields("tenant_id", "asset_id"),
		index.Fields("tenant_id", "gateway_id"),
	}
}
