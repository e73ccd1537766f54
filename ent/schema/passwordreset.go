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

// PasswordReset lets a person who has forgotten the password set another one,
// once and for a short time.
type PasswordReset struct{ ent.Schema }

// Mixin of the entity.
func (PasswordReset) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.PasswordReset}, mixin.Tenant{}}
}

// Fields of the entity.
func (PasswordReset) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("user_id", uuid.UUID{}).Immutable().Comment("the person"),
		field.Bytes("token_hash").MaxLen(64).Unique().Immutable().Sensitive().Comment("SHA-256 of the token in the letter"),
		field.Time("created_at").Default(mixin.Now).Immutable().Annotations(entsql.DefaultExpr("now()")).Comment("when it was asked for, UTC"),
		field.Time("expires_at").Immutable().Comment("not accepted from this time on, UTC"),
		field.Time("used_at").Optional().Nillable().Comment("when the password was set, UTC"),
	}
}

// Indexes of the entity.
func (PasswordReset) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "user_id"),
		index.Fields("expires_at"),
	}
}
