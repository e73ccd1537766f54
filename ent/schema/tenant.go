package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"foresight/ent/enum"
	"foresight/ent/mixin"
	"foresight/ent/rule"
	"foresight/ent/settings"
	"foresight/internal/id"
)

// Tenant is a customer: the border that no row, message or query crosses.
type Tenant struct{ ent.Schema }

// Mixin of the entity. A tenant has no tenant_id: it is one.
func (Tenant) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.Tenant}, mixin.Audit{}, mixin.SoftDelete{}}
}

// Annotations of the entity.
func (Tenant) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{"tenants_code_form": codeCheck("code")})}
}

// Policy of the entity.
func (Tenant) Policy() ent.Policy { return rule.Self() }

// Fields of the entity.
func (Tenant) Fields() []ent.Field {
	return []ent.Field{
		field.String("code").MaxLen(maxCode).Match(codePattern).Unique().Immutable().
			Comment("globally unique, first level of MQTT topics; lower-case letters, digits, _ and -"),
		field.String("name").NotEmpty().MaxLen(maxName).Comment("name of the organisation"),
		field.Enum("plan").GoType(enum.Plan("")).Default(string(enum.PlanStandard)).Comment("commercial plan; limits follow from it"),
		field.String("default_locale").MaxLen(35).Default("en").Comment("BCP 47 tag for people without one of their own"),
		field.String("time_zone").MaxLen(64).Default("UTC").Comment("IANA time zone of reports"),
		field.String("currency").MaxLen(3).MinLen(3).Default("EUR").Comment("ISO 4217 code of costs"),
		field.JSON("settings", settings.Tenant{}).Default(settings.DefaultTenant()).Annotations(entsql.DefaultExpr("'{}'::jsonb")).Comment("limits and choices of the tenant"),
	}
}
