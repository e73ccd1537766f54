package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/field"

	"foresight/ent/enum"
	"foresight/ent/mixin"
	"foresight/internal/id"
)

// Connector exchanges assets, work orders and history with another system.
type Connector struct{ ent.Schema }

// Mixin of the entity.
func (Connector) Mixin() []ent.Mixin { return mixin.Soft(id.Connector) }

// Fields of the entity.
func (Connector) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(maxName).Comment("unique within the tenant"),
		field.Enum("kind").GoType(enum.ConnectorKind("")).Immutable().Comment("the other system"),
		field.JSON("config", map[string]any{}).Default(map[string]any{}).Annotations(entsql.DefaultExpr("'{}'::jsonb")).Comment("address, mapping and choices, nothing secret"),
		field.Bytes("secret_ciphertext").MaxLen(maxCiphertext).Optional().Sensitive().Comment("credentials, sealed"),
		field.String("schedule").MaxLen(maxCode).Optional().Nillable().Comment("cron expression in the tenant's time zone; null: runs when asked"),
		field.String("cursor").MaxLen(maxText).Optional().Nillable().Comment("place in the other system up to which was read; null: from the beginning"),
		field.Enum("status").GoType(enum.ConnectorStatus("")).Default(string(enum.ConnectorIdle)).Comment("how the last run ended"),
	}
}

// Indexes of the entity.
func (Connector) Indexes() []ent.Index { return []ent.Index{uniqueAlive("name")} }
