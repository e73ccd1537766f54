package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/field"

	"foresight/ent/enum"
	"foresight/ent/mixin"
	"foresight/internal/id"
)

// NotificationChannel is a way to tell people of the tenant something: a mailing
// list, a chat room, an address of another system.
type NotificationChannel struct{ ent.Schema }

// Mixin of the entity.
func (NotificationChannel) Mixin() []ent.Mixin { return mixin.Soft(id.NotificationChannel) }

// Fields of the entity.
func (NotificationChannel) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(maxName).Comment("unique within the tenant"),
		field.Enum("kind").GoType(enum.ChannelKind("")).Immutable().Comment("way of telling"),
		field.JSON("config", map[string]any{}).Default(map[string]any{}).Annotations(entsql.DefaultExpr("'{}'::jsonb")).Comment("recipients and choices, nothing secret"),
		field.Bytes("secret_ciphertext").MaxLen(maxCiphertext).Optional().Sensitive().Comment("secret part of the configuration, sealed"),
	}
}

// Indexes of the entity.
func (NotificationChannel) Indexes() []ent.Index { return []ent.Index{uniqueAlive("name")} }
