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

// IdempotencyKey remembers the outcome of a creating operation, so that repeating
// it makes nothing twice.
type IdempotencyKey struct{ ent.Schema }

// Mixin of the entity.
func (IdempotencyKey) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.IdempotencyKey}, mixin.Tenant{}}
}

// Fields of the entity.
func (IdempotencyKey) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("actor_id", uuid.UUID{}).Immutable().Comment("user, client or key that chose the key"),
		field.String("key").NotEmpty().MaxLen(255).Immutable().Comment("as the caller chose it, unique for the actor"),
		field.String("operation").NotEmpty().MaxLen(maxCode).Immutable().Comment("name of the operation"),
		field.Bytes("request_hash").MaxLen(64).Immutable().Comment("SHA-256 of the arguments; the same key with others is refused"),
		field.JSON("result", map[string]any{}).Optional().Comment("outcome; null while the operation runs"),
		field.Time("created_at").Default(mixin.Now).Immutable().Annotations(entsql.DefaultExpr("now()")).Comment("when it was first used, UTC"),
		field.Time("expires_at").Immutable().Comment("forgotten from this time on, UTC"),
	}
}

// Indexes of the entity.
func (IdempotencyKey) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "actor_id", "key").Unique(),
		index.Fields("expires_at"),
	}
}
