package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/ent/mixin"
	"foresight/internal/id"
)

// AuditLog is one thing that somebody did. The table is append-only and outlives
// what it names, so it has no keys to it.
type AuditLog struct{ ent.Schema }

// Mixin of the entity.
func (AuditLog) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.AuditLog}, mixin.Tenant{}}
}

// Fields of the entity.
func (AuditLog) Fields() []ent.Field {
	return []ent.Field{
		field.Enum("actor_kind").GoType(enum.ActorKind("")).Immutable().Comment("sort of credential"),
		field.UUID("actor_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("user, client, key or gateway; null for the product itself"),
		field.String("action").NotEmpty().MaxLen(maxCode).Immutable().Comment("what was done, `resource:action` or the operation's name"),
		field.String("entity").NotEmpty().MaxLen(maxCode).Immutable().Comment("kind of the thing that it was done to"),
		field.UUID("entity_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("the thing; null when it is not one"),
		field.JSON("changes", map[string]document.Change{}).Default(map[string]document.Change{}).Annotations(entsql.DefaultExpr("'{}'::jsonb")).Immutable().Comment("value before and after by field; secrets are named without values"),
		field.String("ip").MaxLen(45).Optional().Nillable().Immutable().Comment("address of the caller; null for the product itself"),
		field.String("request_id").MaxLen(64).Optional().Nillable().Immutable().Comment("the request in which it was done, as in the log"),
		field.Time("at").Default(mixin.Now).Immutable().Annotations(entsql.DefaultExpr("now()")).Comment("when, UTC"),
	}
}

// Indexes of the entity.
func (AuditLog) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "at").Annotations(entsql.DescColumns("at")),
		index.Fields("tenant_id", "entity", "entity_id", "at").Annotations(entsql.DescColumns("at")),
		index.Fields("tenant_id", "actor_id", "at").Annotations(entsql.DescColumns("at")),
	}
}
