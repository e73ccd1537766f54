package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"foresight/ent/mixin"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Invite asks somebody to join the tenant; the link in the letter makes the
// account.
type Invite struct{ ent.Schema }

// Mixin of the entity.
func (Invite) Mixin() []ent.Mixin { return mixin.Base(id.Invite) }

// Annotations of the entity.
func (Invite) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{
		"invites_email_lower_case": "email = lower(email)",
	})}
}

// Fields of the entity.
func (Invite) Fields() []ent.Field {
	return []ent.Field{
		field.String("email").NotEmpty().MaxLen(320).Immutable().Comment("address that it was sent to, lower case"),
		field.Enum("role").GoType(tenancy.Role("")).Default(string(tenancy.Viewer)).Immutable().Comment("role of the new member"),
		field.Bytes("token_hash").MaxLen(64).Unique().Immutable().Sensitive().Comment("SHA-256 of the token in the letter"),
		field.Time("expires_at").Comment("not accepted from this time on, UTC"),
		field.Time("accepted_at").Optional().Nillable().Comment("when it was accepted, UTC"),
	}
}

// Indexes of the entity.
func (Invite) Indexes() []ent.Index { return []ent.Index{index.Fields("tenant_id", "email")} }
