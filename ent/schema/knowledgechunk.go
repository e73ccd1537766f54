package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"foresight/ent/mixin"
	"foresight/internal/id"
)

// KnowledgeChunk is a passage of a document, short enough to be cited.
type KnowledgeChunk struct{ ent.Schema }

// Mixin of the entity.
func (KnowledgeChunk) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.KnowledgeChunk}, mixin.Tenant{}, mixin.LivesWith{Column: "document_id", Table: "knowledge_documents"}}
}

// Annotations of the entity.
func (KnowledgeChunk) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{
		"knowledge_chunks_ordinal_sign":   "ordinal >= 0",
		"knowledge_chunks_embedding_form": "octet_length(embedding) % 4 = 0 AND (embedding IS NULL) = (embedding_model IS NULL)",
	})}
}

// Fields of the entity.
func (KnowledgeChunk) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("document_id", uuid.UUID{}).Immutable().Comment("the document"),
		field.Int("ordinal").NonNegative().Immutable().Comment("place within the document, from 0"),
		field.String("text").NotEmpty().MaxLen(maxChunk).Immutable().Comment("the passage"),
		field.Bytes("embedding").MaxLen(maxChunk).Optional().Comment("vector of the passage: 32-bit floats, little-endian; null: found by words only"),
		field.String("embedding_model").MaxLen(maxCode).Optional().Nillable().Comment("what made the vector; those of different makers do not compare"),
	}
}

// Edges of the entity.
func (KnowledgeChunk) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("document", KnowledgeDocument.Type).Field("document_id").Unique().Required().Immutable(),
	}
}

// Indexes of the entity.
func (KnowledgeChunk) Indexes() []ent.Index {
	return []ent.Index{index.Fields("tenant_id", "document_id", "ordinal").Unique()}
}
