package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"foresight/ent/mixin"
	"foresight/ent/rule"
	"foresight/internal/id"
)

// AlarmRuleChannel sends the alarms of a rule to a channel.
type AlarmRuleChannel struct{ ent.Schema }

// Mixin of the entity.
func (AlarmRuleChannel) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.AlarmRuleChannel}, mixin.Tenant{},
		mixin.LivesWith{Column: "rule_id", Table: "alarm_rules"}, mixin.LivesWith{Column: "channel_id", Table: "notification_channels"}}
}

// Policy of the entity: that of its rule.
func (AlarmRuleChannel) Policy() ent.Policy {
	onSite := rule.Through("rule", AlarmRule{}.written())
	return rule.Sites(rule.Through("rule", AlarmRule{}.seen()), onSite)
}

// Fields of the entity.
func (AlarmRuleChannel) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("rule_id", uuid.UUID{}).Immutable().Comment("the rule"),
		field.UUID("channel_id", uuid.UUID{}).Immutable().Comment("where its alarms are told"),
	}
}

// Edges of the entity.
func (AlarmRuleChannel) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("rule", AlarmRule.Type).Field("rule_id").Unique().Required().Immutable(),
		edge.To("channel", NotificationChannel.Type).Field("channel_id").Unique().Required().Immutable(),
	}
}

// Indexes of the entity.
func (AlarmRuleChannel) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "rule_id", "channel_id").Unique(),
		index.Fields("tenant_id", "channel_id"),
	}
}
