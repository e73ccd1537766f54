package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/ent/mixin"
	"foresight/ent/rule"
	"foresight/internal/id"
)

// Feedback is what a person says of a prediction, with the features that it was
// made from: the examples of the next training.
type Feedback struct{ ent.Schema }

// Mixin of the entity.
func (Feedback) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.Feedback}, mixin.Tenant{}}
}

// Annotations of the entity.
func (Feedback) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entsql.Table("feedback"),
		entsql.Checks(map[string]string{
			"feedback_placed":      "site_id IS NOT NULL OR (asset_id IS NULL AND sensor_id IS NULL)",
			"feedback_probability": "probability BETWEEN 0 AND 1",
		}),
	}
}

// Policy of the entity: an actor limited to sites also reads what belongs to
// none.
func (Feedback) Policy() ent.Policy {
	site := rule.On("site_id")
	return rule.Sites(rule.OrNull("site_id", site), site)
}

// Fields of the entity.
func (Feedback) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("site_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("where the asset stood; null: the example belongs to no machine"),
		field.UUID("asset_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("the machine"),
		field.UUID("sensor_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("the sensor"),
		field.UUID("model_version_id", uuid.UUID{}).Immutable().Comment("the version that predicted"),
		field.UUID("prediction_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("the prediction, in the telemetry store, which forgets it before the feedback is forgotten"),
		field.Enum("role").GoType(enum.BindingStage("")).Optional().Nillable().Immutable().Comment("part that the version played when it predicted; null: not known, of predictions of failures and of examples without a prediction"),
		field.JSON("features", document.Features{}).Optional().Immutable().Comment("features of the prediction, in the order of the model's feature list, null where one was missing; null: they could not be computed any more"),
		field.String("predicted_label").NotEmpty().MaxLen(maxCode).Immutable().Comment("fault that was predicted"),
		field.Float("probability").Range(0, 1).Immutable().Comment("probability that the model gave it"),
		field.String("new_label").NotEmpty().MaxLen(maxCode).Immutable().Comment("fault that it was, as far as the person knows"),
		field.String("correction").MaxLen(maxText).Optional().Nillable().Immutable().Comment("remark of the person"),
		field.Enum("feedback_type").GoType(enum.FeedbackType("")).Immutable().Comment("what the person says"),
		field.JSON("validation_data", map[string]any{}).Optional().Immutable().Comment("evidence: measurements, findings"),
		field.UUID("by", uuid.UUID{}).Optional().Nillable().Immutable().Comment("user id of the member who said it; null for what was imported"),
		field.Time("at").Default(mixin.Now).Immutable().Annotations(entsql.DefaultExpr("now()")).Comment("when, UTC"),
	}
}

// Edges of the entity.
func (Feedback) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("site", Site.Type).Field("site_id").Unique().Immutable(),
		edge.To("asset", Asset.Type).Field("asset_id").Unique().Immutable(),
		edge.To("sensor", Sensor.Type).Field("sensor_id").Unique().Immutable(),
		edge.To("model_version", MLModelVersion.Type).Field("model_version_id").Unique().Required().Immutable(),
	}
}

// Indexes of the entity.
func (Feedback) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "at").Annotations(entsql.DescColumns("at")),
		index.Fields("tenant_id", "asset_id", "at").Annotations(entsql.DescColumns("at")),
		index.Fields("tenant_id", "model_version_id", "at").Annotations(entsql.DescColumns("at")),
		// Of one prediction each person has one say, and machines have one together.
		index.Fields("tenant_id", "prediction_id", "by").Unique().StorageKey("feedback_one_say" + NullsNotDistinct).
			Annotations(entsql.IndexWhere("prediction_id IS NOT NULL")),
	}
}
