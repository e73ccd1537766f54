package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"foresight/ent/enum"
	"foresight/ent/mixin"
	"foresight/internal/id"
)

// FaultAction is how one person wants to hear of faults, whatever the rules of
// the tenant do.
type FaultAction struct{ ent.Schema }

// Mixin of the entity.
func (FaultAction) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.FaultAction}, mixin.Tenant{}}
}

// Fields of the entity.
func (FaultAction) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("user_id", uuid.UUID{}).Immutable().Comment("the person"),
		field.Enum("type").GoType(enum.ChannelKind("")).Immutable().Comment("way of telling"),
		field.Bool("enabled").Default(true).Comment("false: kept, but does not fire"),
		field.JSON("config", map[string]any{}).Default(map[string]any{}).Annotations(entsql.DefaultExpr("'{}'::jsonb")).Comment("address and choices, nothing secret"),
		field.Bytes("secret_ciphertext").MaxLen(maxCiphertext).Optional().Sensitive().Comment("secret part of the configuration, sealed"),
		field.Time("created_at").Default(mixin.Now).Immutable().Annotations(entsql.DefaultExpr("now()")).Comment("when it was made, UTC"),
		field.Time("updated_at").Default(mixin.Now).UpdateDefault(mixin.Now).Annotations(entsql.DefaultExpr("now()")).Comment("when it was last changed, UTC"),
	}
}

// Indexes of the entity.
func (FaultAction) Indexes() []ent.Index { return []ent.Index{index.Fields("tenant_id", "user_id")} }
