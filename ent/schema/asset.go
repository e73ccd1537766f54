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

// Asset is a machine, or a set of machines that are its children.
type Asset struct{ ent.Schema }

// Mixin of the entity.
func (Asset) Mixin() []ent.Mixin { return mixin.Soft(id.Asset) }

// Annotations of the entity.
func (Asset) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{
		"assets_asset_code_form":       codeCheck("asset_code"),
		"assets_not_its_own_parent":    "parent_id <> id",
		"assets_iso_machine_group_1_2": "iso_machine_group IN (1, 2)",
		"assets_rated_power_kw_sign":   "rated_power_kw >= 0",
		"assets_replacement_cost_sign": "replacement_cost >= 0",
		"assets_downtime_cost_sign":    "downtime_cost_per_hour >= 0",
	})}
}

// Policy of the entity.
func (Asset) Policy() ent.Policy { return rule.Sites(rule.On("site_id"), rule.On("site_id")) }

// Fields of the entity.
func (Asset) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("site_id", uuid.UUID{}).Comment("where it stands"),
		field.UUID("gateway_id", uuid.UUID{}).Optional().Nillable().Comment("the gateway that serves it, if one does"),
		field.UUID("parent_id", uuid.UUID{}).Optional().Nillable().Comment("the set that it is part of"),
		code("asset_code", "unique within the tenant"),
		field.String("name").NotEmpty().MaxLen(maxName).Comment("name of the machine"),
		field.Enum("asset_type").GoType(enum.AssetType("")).Comment("sort of machine"),
		field.Enum("criticality").GoType(enum.Criticality("")).Default(string(enum.CriticalityMedium)).Comment("how much the plant depends on it"),
		field.String("manufacturer").MaxLen(maxName).Optional().Nillable().Comment("maker"),
		field.String("model").MaxLen(maxName).Optional().Nillable().Comment("the maker's type designation"),
		field.String("serial_number").MaxLen(maxCode).Optional().Nillable().Comment("the maker's serial number"),
		field.Time("installed_on").SchemaType(dateOnly).Optional().Nillable().Comment("date of installation"),
		field.String("location").MaxLen(maxName).Optional().Nillable().Comment("place within the site"),
		field.String("image_path").MaxLen(maxPath).Optional().Nillable().Comment("key of the picture in the blob store"),
		field.Int("iso_machine_group").Optional().Nillable().Range(1, 2).Comment("ISO 20816-3 group: 1 above 300 kW, 2 for 15-300 kW; null: unknown, no zone is given"),
		field.Enum("iso_support_type").GoType(enum.SupportType("")).Optional().Nillable().Comment("ISO 20816-3 support; null: unknown, no zone is given"),
		field.Float("rated_power_kw").Optional().Nillable().Min(0).Comment("rated power in kW"),
		field.Float("replacement_cost").Optional().Nillable().Min(0).Comment("cost of a new one, in the tenant's currency"),
		field.Float("downtime_cost_per_hour").Optional().Nillable().Min(0).Comment("cost of an hour of standstill, in the tenant's currency"),
		field.String("external_ref").MaxLen(maxName).Optional().Nillable().Comment("`source:id` in the system that it was imported from"),
	}
}

// Edges of the entity.
func (Asset) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("site", Site.Type).Field("site_id").Unique().Required(),
		edge.To("gateway", Gateway.Type).Field("gateway_id").Unique(),
		edge.To("children", Asset.Type).From("parent").Field("parent_id").Unique(),
		edge.From("sensors", Sensor.Type).Ref("asset"),
	}
}

// Indexes of the entity.
func (Asset) Indexes() []ent.Index {
	return []ent.Index{
		uniqueAlive("asset_code"),
		index.Fields("tenant_id", "site_id"),
		index.Fields("tenant_id", "parent_id"),
		index.Fields("tenant_id", "gateway_id"),
		index.Fields("tenant_id", "external_ref").Unique().Annotations(entsql.IndexWhere("NOT is_deleted")),
	}
}
