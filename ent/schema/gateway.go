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

// Gateway is a device on a site that speaks for sensors, and the holder of an
// MQTT credential.
type Gateway struct{ ent.Schema }

// Mixin of the entity.
func (Gateway) Mixin() []ent.Mixin { return mixin.Soft(id.Gateway) }

// Annotations of the entity.
func (Gateway) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{"gateways_gateway_code_form": codeCheck("gateway_code")})}
}

// Policy of the entity.
func (Gateway) Policy() ent.Policy { return rule.Sites(rule.On("site_id"), rule.On("site_id")) }

// Fields of the entity.
func (Gateway) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("site_id", uuid.UUID{}).Comment("where it stands; its credential may publish for this site only"),
		code("gateway_code", "unique within the tenant"),
		field.String("ip_address").MaxLen(45).Optional().Nillable().Comment("IPv4 or IPv6 address, informative"),
		field.String("firmware_version").MaxLen(maxCode).Optional().Nillable().Comment("as the device reports it"),
		field.String("mqtt_username").MaxLen(maxCode).Optional().Nillable().Comment("globally unique; null: no credential issued"),
		field.String("mqtt_password_hash").MaxLen(255).Optional().Nillable().Sensitive().Comment("hash of the MQTT password"),
	}
}

// Edges of the entity.
func (Gateway) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("site", Site.Type).Field("site_id").Unique().Required(),
		edge.From("assets", Asset.Type).Ref("gateway"),
		edge.From("sensors", Sensor.Type).Ref("gateway"),
	}
}

// Indexes of the entity.
func (Gateway) Indexes() []ent.Index {
	return []ent.Index{
		uniqueAlive("gateway_code"),
		index.Fields("tenant_id", "site_id"),
		index.Fields("mqtt_username").Unique().Annotations(entsql.IndexWhere("NOT is_deleted")),
	}
}
