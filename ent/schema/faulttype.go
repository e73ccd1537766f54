package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"foresight/ent/enum"
	"foresight/ent/mixin"
	"foresight/internal/id"
)

// FaultType is a class that fault models know: the 34 built-in ones, and a
// tenant's own, which retraining learns.
type FaultType struct{ ent.Schema }

// Mixin of the entity.
func (FaultType) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.FaultType}, mixin.CatalogueTenant{}, mixin.Audit{}}
}

// Annotations of the entity.
func (FaultType) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{"fault_types_code_form": codeCheck("code")})}
}

// Fields of the entity.
func (FaultType) Fields() []ent.Field {
	return []ent.Field{
		field.String("code").MaxLen(maxCode).Match(codePattern).Immutable().
			Comment("stable identifier; label of the classifier"),
		field.Enum("family").GoType(enum.FaultFamily("")).Comment("the part that fails"),
		field.String("iso14224_code").StorageKey("iso14224_code").MaxLen(10).Optional().Nillable().
			Comment("failure mode after ISO 14224 annex B, where one fits"),
		field.Enum("default_severity").GoType(enum.Severity("")).Default(string(enum.SeverityMedium)).Comment("severity of alarms on it unless a rule says otherwise"),
		field.Strings("aliases").Default([]string{}).Annotations(entsql.DefaultExpr("'[]'::jsonb")).Comment("other spellings that imports may use"),
		field.JSON("labels", map[string]string{}).Default(map[string]string{}).Annotations(entsql.DefaultExpr("'{}'::jsonb")).Comment("a tenant's own type: label by BCP 47 tag; built-in types are translated with the product"),
	}
}

// Indexes of the entity. (tenant_id, code) is unique with nulls not distinct.
func (FaultType) Indexes() []ent.Index { return []ent.Index{uniqueCatalogue("fault_types", "code")} }
