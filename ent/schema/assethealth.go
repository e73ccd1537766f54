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

// AssetHealth is the health of a machine at one time, with what it was made from,
// so that it can be explained.
type AssetHealth struct{ ent.Schema }

// Mixin of the entity.
func (AssetHealth) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.AssetHealth}, mixin.Tenant{}}
}

// Annotations of the entity.
func (AssetHealth) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entsql.Table("asset_health"),
		entsql.Checks(map[string]string{
			"asset_health_score": "health_score BETWEEN 0 AND 100",
		}),
	}
}

// Policy of the entity.
func (AssetHealth) Policy() ent.Policy {
	return rule.Sites(rule.On("site_id"), rule.On("site_id"))
}

// Fields of the entity.
func (AssetHealth) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("site_id", uuid.UUID{}).Immutable().Comment("where the asset stood"),
		field.UUID("asset_id", uuid.UUID{}).Immutable().Comment("the machine"),
		field.Float("health_score").Range(0, 100).Immutable().Comment("0 (broken) to 100 (as new)"),
		field.Enum("health_status").GoType(enum.HealthStatus("")).Immutable().Comment("state by the tenant's limits at the time"),
		field.String("method").NotEmpty().MaxLen(maxCode).Immutable().Comment("name and version of the formula"),
		field.JSON("inputs", map[string]any{}).Default(map[string]any{}).Annotations(entsql.DefaultExpr("'{}'::jsonb")).Immutable().Comment("what the formula was given"),
		field.Time("calculated_at").Default(mixin.Now).Immutable().Annotations(entsql.DefaultExpr("now()")).Comment("when, UTC"),
	}
}

// Edges of the entity.
func (AssetHealth) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("site", Site.Type).Field("site_id").Unique().Required().Immutable(),
		edge.To("asset", Asset.Type).Field("asset_id").Unique().Required().Immutable(),
	}
}

// Indexes of the entity.
func (AssetHealth) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "asset_id", "calculated_at").Annotations(entsql.DescColumns("calculated_at")),
		index.Fields("tenant_id", "site_id", "calculated_at").Annotations(entsql.DescColumns("calculated_at")),
	}
}
