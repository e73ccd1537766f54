package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"foresight/ent/mixin"
	"foresight/ent/rule"
	"foresight/internal/id"
)

// AssetFeatures is one asset's row of the daily feature store, from which failure
// predictors learn.
type AssetFeatures struct{ ent.Schema }

// Mixin of the entity.
func (AssetFeatures) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.AssetFeatures}, mixin.Tenant{}}
}

// Policy of the entity.
func (AssetFeatures) Policy() ent.Policy {
	onSite := rule.Through("asset", rule.On("site_id"))
	return rule.Sites(onSite, onSite)
}

// Fields of the entity.
func (AssetFeatures) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("asset_id", uuid.UUID{}).Immutable().Comment("the machine"),
		field.Time("day").SchemaType(dateOnly).Immutable().Comment("UTC day; nothing known only later is in the features"),
		field.JSON("features", map[string]float64{}).Default(map[string]float64{}).Annotations(entsql.DefaultExpr("'{}'::jsonb")).Comment("value by the feature's name; a missing one is left out"),
		field.String("feature_schema_hash").NotEmpty().MaxLen(64).Immutable().Comment("SHA-256 of the feature list, hexadecimal"),
		field.Time("calculated_at").Default(mixin.Now).UpdateDefault(mixin.Now).Annotations(entsql.DefaultExpr("now()")).Comment("when, UTC"),
	}
}

// Edges of the entity.
func (AssetFeatures) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("asset", Asset.Type).Field("asset_id").Unique().Required().Immutable(),
	}
}

// Indexes of the entity.
func (AssetFeatures) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "asset_id", "day", "feature_schema_hash").Unique(),
		index.Fields("tenant_id", "day"),
	}
}
