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

// NotificationLog is one notification to one recipient. Only what became of it
// changes.
type NotificationLog struct{ ent.Schema }

// Mixin of the entity.
func (NotificationLog) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.NotificationLog}, mixin.Tenant{}}
}

// Annotations of the entity.
func (NotificationLog) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{
		"notification_logs_attempts_sign": "attempts >= 0",
		"notification_logs_by_something":  "num_nonnulls(channel_id, user_id) >= 1",
	})}
}

// Policy of the entity: that of its event. What has none is no matter of a site only
// when it is about no prediction either, whose machine is not known here.
func (NotificationLog) Policy() ent.Policy {
	onSite := rule.Through("event", rule.On("site_id"))
	return rule.Sites(rule.Any(onSite, rule.All(rule.Null("event_id"), rule.Null("prediction_id"))), onSite)
}

// Fields of the entity.
func (NotificationLog) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("event_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("the alarm; null: a person's own action on a prediction, or a test"),
		field.UUID("prediction_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("the prediction, in the telemetry store, on which a person's own action fired"),
		field.UUID("channel_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("the channel; null: a person's own action"),
		field.UUID("user_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("the person whose own action it is; null: of a channel"),
		field.Enum("kind").GoType(enum.ChannelKind("")).Immutable().Comment("way of telling"),
		field.String("recipient").NotEmpty().MaxLen(maxPath).Immutable().Comment("address; of addresses that are secrets only what is safe to show"),
		field.Enum("status").GoType(enum.DeliveryStatus("")).Default(string(enum.DeliveryPending)).Comment("what became of it"),
		field.Int("attempts").Default(0).NonNegative().Comment("times that sending was tried"),
		field.Time("sent_at").Optional().Nillable().Comment("when it was accepted by the other side, UTC"),
		field.String("error").MaxLen(maxText).Optional().Nillable().Comment("why the last attempt failed, or what suppressed it"),
		field.Time("created_at").Default(mixin.Now).Immutable().Annotations(entsql.DefaultExpr("now()")).Comment("when it was due, UTC"),
	}
}

// Edges of the entity.
func (NotificationLog) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("event", AlarmEvent.Type).Field("event_id").Unique().Immutable(),
		edge.To("channel", NotificationChannel.Type).Field("channel_id").Unique().Immutable(),
	}
}

// Indexes of the entity.
func (NotificationLog) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "created_at").Annotations(entsql.DescColumns("created_at")),
		index.Fields("tenant_id", "event_id"),
		index.Fields("tenant_id", "channel_id", "created_at").Annotations(entsql.DescColumns("created_at")),
	}
}
