package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"foresight/ent/mixin"
	"foresight/internal/id"
)

// maxAgent is the longest name of a client that is kept, in characters.
const maxAgent = 300

// RefreshToken is one link of a rotating chain: used once, it is replaced by the
// next of its family; used twice, the whole family is revoked.
type RefreshToken struct{ ent.Schema }

// Mixin of the entity.
func (RefreshToken) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.RefreshToken}, mixin.Tenant{}}
}

// Fields of the entity.
func (RefreshToken) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("user_id", uuid.UUID{}).Immutable().Comment("the member whom it lets in"),
		field.Bytes("token_hash").MaxLen(64).Unique().Immutable().Sensitive().Comment("SHA-256 of the token"),
		field.UUID("family_id", uuid.UUID{}).Immutable().Comment("same for all tokens of one log-in"),
		field.Time("created_at").Default(mixin.Now).Immutable().Annotations(entsql.DefaultExpr("now()")).Comment("when it was given out, UTC"),
		field.Time("expires_at").Immutable().Comment("not accepted from this time on, UTC"),
		field.Time("used_at").Optional().Nillable().Comment("when it was exchanged, UTC"),
		field.Time("revoked_at").Optional().Nillable().Comment("when it was revoked, UTC"),
		field.String("address").MaxLen(45).Optional().Immutable().Comment("address of the client that it was given to; empty: unknown"),
		field.String("user_agent").MaxLen(maxAgent).Optional().Immutable().Comment("what that client calls itself, cut; empty: unknown"),
	}
}

// Indexes of the entity.
func (RefreshToken) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "user_id"),
		index.Fields("tenant_id", "family_id"),
		index.Fields("expires_at"),
	}
}
