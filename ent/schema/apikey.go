package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"foresight/ent/mixin"
	"foresight/internal/id"
)

// APIKey lets a service of the tenant in, with permissions of its own. The key is
// `prefix.secret` and shown once.
type APIKey struct{ ent.Schema }

// Mixin of the entity.
func (APIKey) Mixin() []ent.Mixin { return mixin.Base(id.APIKey) }

// Annotations of the entity.
func (APIKey) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Table("api_keys")}
}

// Fields of the entity.
func (APIKey) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(maxName).Comment("what the key is for"),
		field.String("prefix").NotEmpty().MaxLen(32).Unique().Immutable().Comment("public part of the key, globally unique"),
		field.Bytes("key_hash").MaxLen(64).Immutable().Sensitive().Comment("SHA-256 of the whole key, which is random enough for a fast hash"),
		field.Strings("scopes").Default([]string{}).Annotations(entsql.DefaultExpr("'[]'::jsonb")).Comment("permissions, `resource:action`"),
		field.Time("expires_at").Optional().Nillable().Comment("not accepted from this time on, UTC; null: no end"),
		field.Time("last_used_at").Optional().Nillable().Comment("last use, UTC; written now and then only"),
	}
}

// Indexes of the entity.
func (APIKey) Indexes() []ent.Index { return []ent.Index{index.Fields("tenant_id", "name")} }
