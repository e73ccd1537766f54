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

// AlarmTransition is a change of an event's state. The table is append-only and
// the outbox of alarm subscriptions: a reader follows it by seq.
type AlarmTransition struct{ ent.Schema }

// Mixin of the entity.
func (AlarmTransition) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.AlarmTransition}, mixin.Tenant{}}
}

// Annotations of the entity.
func (AlarmTransition) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{"alarm_transitions_seq_sign": "seq >= 1"})}
}

// Policy of the entity. A transition is written beside its event, which the
// actor must be able to see.
func (AlarmTransition) Policy() ent.Policy {
	onSite := rule.Through("event", rule.On("site_id"))
	return rule.Sites(onSite, onSite)
}

// Fields of the entity.
func (AlarmTransition) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("event_id", uuid.UUID{}).Immutable().Comment("the event"),
		field.Int64("seq").Positive().Immutable().Comment("number within the tenant, without gaps, in order of commit; from alarm_sequences"),
		field.Enum("from_status").GoType(enum.AlarmStatus("")).Optional().Nillable().Immutable().Comment("state before; null: the event is new"),
		field.Enum("to_status").GoType(enum.AlarmStatus("")).Immutable().Comment("state after"),
		field.UUID("by", uuid.UUID{}).Optional().Nillable().Immutable().Comment("user id of the member who did it; null when the product did"),
		field.String("note").MaxLen(maxText).Optional().Nillable().Immutable().Comment("remark of the person"),
		field.Time("at").Default(mixin.Now).Immutable().Annotations(entsql.DefaultExpr("now()")).Comment("when, UTC"),
	}
}

// Edges of the entity.
func (AlarmTransition) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("event", AlarmEvent.Type).Field("event_id").Unique().Required().Immutable(),
	}
}

// Indexes of the entity.
func (AlarmTransition) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "seq").Unique(),
		index.Fields("tenant_id", "event_id"),
	}
}
