package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"foresight/ent/enum"
	"foresight/ent/mixin"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// User is a person, kept in the tenant that employs the person. What a person may
// do in a tenant, at home too, is said by a Membership.
type User struct{ ent.Schema }

// Mixin of the entity.
func (User) Mixin() []ent.Mixin { return mixin.Soft(id.User) }

// Annotations of the entity.
func (User) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{"users_email_lower_case": "email = lower(email)"})}
}

// Fields of the entity.
func (User) Fields() []ent.Field {
	return []ent.Field{
		field.String("username").NotEmpty().MaxLen(maxCode).Comment("unique within the tenant"),
		field.String("email").NotEmpty().MaxLen(320).Comment("address for logging in, lower case; unique within the tenant, not across tenants"),
		field.String("full_name").MaxLen(maxName).Comment("name as people write it"),
		field.String("password_hash").MaxLen(255).Sensitive().Comment("argon2id in PHC form; empty: no log-in by password"),
		field.Enum("role").GoType(tenancy.Role("")).Default(string(tenancy.Viewer)).Comment("role at home"),
		field.String("locale").MaxLen(35).Optional().Comment("BCP 47 tag; empty: the tenant's"),
		field.Enum("status").GoType(enum.UserStatus("")).Default(string(enum.UserActive)).Comment("whether the person may log in"),
		field.Int("failed_logins").Default(0).NonNegative().Comment("wrong passwords in a row since the last right one"),
		field.Time("locked_until").Optional().Nillable().Comment("no log-in before this time after too many wrong passwords"),
		field.Time("last_login_at").Optional().Nillable().Comment("last log-in, UTC"),
	}
}

// Indexes of the entity.
func (User) Indexes() []ent.Index {
	return []ent.Index{
		uniqueAlive("username"),
		uniqueAlive("email"),
		index.Fields("email"), // log-in, before the tenant is known
	}
}
