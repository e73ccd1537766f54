package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"foresight/ent/mixin"
	"foresight/ent/rule"
	"foresight/internal/id"
)

// Site is a place with machines: a plant, a pumping station, a ship.
type Site struct{ ent.Schema }

// Mixin of the entity.
func (Site) Mixin() []ent.Mixin { return mixin.Soft(id.Site) }

// Annotations of the entity.
func (Site) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{
		"sites_site_code_form":     codeCheck("site_code"),
		"sites_latitude_on_earth":  "latitude BETWEEN -90 AND 90",
		"sites_longitude_on_earth": "longitude BETWEEN -180 AND 180",
	})}
}

// Policy of the entity.
func (Site) Policy() ent.Policy { return rule.Sites(rule.On("id"), rule.On("id")) }

// Fields of the entity.
func (Site) Fields() []ent.Field {
	return []ent.Field{
		code("site_code", "unique within the tenant, second level of MQTT topics"),
		field.String("name").NotEmpty().MaxLen(maxName).Comment("name of the site"),
		field.String("location").MaxLen(maxName).Default("").Comment("address or description of the place"),
		field.Float("latitude").Optional().Nillable().Range(-90, 90).Comment("degrees north, WGS 84"),
		field.Float("longitude").Optional().Nillable().Range(-180, 180).Comment("degrees east, WGS 84"),
		field.String("time_zone").MaxLen(64).Optional().Nillable().Comment("IANA time zone; null: the tenant's"),
	}
}

// Edges of the entity.
func (Site) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("gateways", Gateway.Type).Ref("site"),
		edge.From("assets", Asset.Type).Ref("site"),
	}
}

// Indexes of the entity.
func (Site) Indexes() []ent.Index { return []ent.Index{uniqueAlive("site_code")} }
