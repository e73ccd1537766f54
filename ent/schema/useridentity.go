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

// UserIdentity is how a person proves to be one by an OpenID Connect provider. It
// is kept in the tenant at home, as the user is.
type UserIdentity struct{ ent.Schema }

// Mixin of the entity.
func (UserIdentity) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.UserIdentity}, mixin.Tenant{}}
}

// Fields of the entity.
func (UserIdentity) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("user_id", uuid.UUID{}).Immutable().Comment("the person whom it lets in"),
		field.String("issuer").NotEmpty().MaxLen(maxPath).Immutable().Comment("`iss` of the provider's tokens, a URL"),
		field.String("subject").NotEmpty().MaxLen(255).Immutable().Comment("`sub` of the provider's tokens; with the issuer globally unique"),
		field.Time("created_at").Default(mixin.Now).Immutable().Annotations(entsql.DefaultExpr("now()")).Comment("when it was linked, UTC"),
		field.Time("last_login_at").Optional().Nillable().Comment("last log-in by it, UTC"),
	}
}

// Indexes of the entity.
func (UserIdentity) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("issuer", "subject").Unique(),
		index.Fields("tenant_id", "user_id"),
	}
}
