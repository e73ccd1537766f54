package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
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

// Message is one turn of a conversation.
type Message struct{ ent.Schema }

// Mixin of the entity.
func (Message) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.Message}, mixin.Tenant{}}
}

// Policy of the entity: that of its conversation.
func (Message) Policy() ent.Policy {
	of := rule.Through("conversation", rule.OrNull("asset_id", rule.Through("asset", rule.On("site_id"))))
	return rule.SitesIfAny(of, of)
}

// Fields of the entity.
func (Message) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("conversation_id", uuid.UUID{}).Immutable().Comment("the conversation"),
		field.Enum("role").GoType(enum.MessageRole("")).Immutable().Comment("who speaks"),
		field.String("text").MaxLen(maxChunk).Immutable().Comment("what is said, Markdown"),
		field.JSON("citations", []document.Citation{}).Default([]document.Citation{}).Annotations(entsql.DefaultExpr("'[]'::jsonb")).Immutable().Comment("what an answer rests on"),
		field.Time("at").Default(mixin.Now).Immutable().Annotations(entsql.DefaultExpr("now()")).Comment("when, UTC"),
	}
}

// Edges of the entity.
func (Message) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("conversation", Conversation.Type).Field("conversation_id").Unique().Required().Immutable(),
	}
}

// Indexes of the entity.
func (Message) Indexes() []ent.Index {
	return []ent.Index{index.Fields("tenant_id", "conversation_id", "at")}
}
