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

// Conversation is a person's talk with the assistant, about one machine or about
// none.
type Conversation struct{ ent.Schema }

// Mixin of the entity.
func (Conversation) Mixin() []ent.Mixin { return mixin.Base(id.Conversation) }

// Policy of the entity: it need not be about a machine. Whose it is, is the
// service's affair.
func (Conversation) Policy() ent.Policy {
	asset := rule.OrNull("asset_id", rule.Through("asset", rule.On("site_id")))
	return rule.SitesIfAny(asset, asset)
}

// Fields of the entity.
func (Conversation) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("user_id", uuid.UUID{}).Immutable().Comment("the person"),
		field.String("title").MaxLen(maxName).Default("").Comment("what it is about, in short"),
		field.UUID("asset_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("the machine that it is about"),
	}
}

// Edges of the entity.
func (Conversation) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("asset", Asset.Type).Field("asset_id").Unique().Immutable(),
		edge.From("messages", Message.Type).Ref("conversation"),
	}
}

// Indexes of the entity.
func (Conversation) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "user_id", "updated_at").Annotations(entsql.DescColumns("updated_at")),
		index.Fields("tenant_id", "asset_id"),
	}
}
