package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"foresight/ent/enum"
	"foresight/ent/mixin"
	"foresight/internal/id"
)

// KnowledgeDocument is a text that answers rest on: a manual, a procedure, a
// report.
type KnowledgeDocument struct{ ent.Schema }

// Mixin of the entity.
func (KnowledgeDocument) Mixin() []ent.Mixin { return mixin.Soft(id.KnowledgeDocument) }

// Fields of the entity.
func (KnowledgeDocument) Fields() []ent.Field {
	return []ent.Field{
		field.String("title").NotEmpty().MaxLen(maxName).Comment("title of the text"),
		field.String("source").MaxLen(maxPath).Comment("file name or address that it came from"),
		field.String("language").MaxLen(35).Default("en").Comment("BCP 47 tag of the text"),
		field.Strings("tags").Default([]string{}).Annotations(entsql.DefaultExpr("'[]'::jsonb")).Comment("words to find it by"),
		field.Enum("asset_type").GoType(enum.AssetType("")).Optional().Nillable().Comment("sort of machine that it is about; null: any"),
		field.String("content_hash").MaxLen(64).Optional().Nillable().Comment("SHA-256 of the text, hexadecimal; the same text is not taken twice"),
	}
}

// Edges of the entity.
func (KnowledgeDocument) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("chunks", KnowledgeChunk.Type).Ref("document"),
	}
}

// Indexes of the entity.
func (KnowledgeDocument) Indexes() []ent.Index { return []ent.Index{uniqueAlive("content_hash")} }
