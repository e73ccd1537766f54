package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"foresight/ent/mixin"
	"foresight/internal/id"
)

// OAuthClient is a partner's service account for the client-credentials grant,
// bound to one tenant.
type OAuthClient struct{ ent.Schema }

// Mixin of the entity.
func (OAuthClient) Mixin() []ent.Mixin { return mixin.Base(id.OAuthClient) }

// Annotations of the entity.
func (OAuthClient) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Table("oauth_clients")}
}

// Fields of the entity.
func (OAuthClient) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(maxName).Comment("what the client is for"),
		field.String("client_id").NotEmpty().MaxLen(maxCode).Unique().Immutable().Comment("public identifier, globally unique"),
		field.String("secret_hash").NotEmpty().MaxLen(255).Sensitive().Comment("argon2id of the secret in PHC form"),
		field.Strings("scopes").Default([]string{}).Annotations(entsql.DefaultExpr("'[]'::jsonb")).Comment("permissions, `resource:action`"),
		field.Time("last_used_at").Optional().Nillable().Comment("last token given out, UTC"),
	}
}
