package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"foresight/ent/mixin"
	"foresight/internal/id"
)

// Webhook is an address of the tenant's to which events are sent, signed.
type Webhook struct{ ent.Schema }

// Mixin of the entity.
func (Webhook) Mixin() []ent.Mixin { return mixin.Base(id.Webhook) }

// Fields of the entity.
func (Webhook) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(maxName).Comment("unique within the tenant"),
		field.String("url").NotEmpty().MaxLen(maxText).Comment("https address; private networks are refused when it is called"),
		field.Strings("events").Default([]string{}).Annotations(entsql.DefaultExpr("'[]'::jsonb")).Comment("kinds of events that are sent"),
		field.Bytes("secret_ciphertext").MaxLen(maxCiphertext).Sensitive().Comment("key of the signatures, sealed"),
	}
}

// Indexes of the entity.
func (Webhook) Indexes() []ent.Index { return []ent.Index{index.Fields("tenant_id", "name").Unique()} }
