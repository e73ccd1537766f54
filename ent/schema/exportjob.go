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

// ExportJob writes rows that somebody asked for into a file.
type ExportJob struct{ ent.Schema }

// Mixin of the entity.
func (ExportJob) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.ExportJob}, mixin.Tenant{}}
}

// Fields of the entity.
func (ExportJob) Fields() []ent.Field {
	return []ent.Field{
		field.String("kind").NotEmpty().MaxLen(maxCode).Immutable().Comment("what is exported"),
		// The method of a mutation for a field `filter` would hide that of the policies.
		field.JSON("selection", map[string]any{}).StorageKey("filter").Default(map[string]any{}).Annotations(entsql.DefaultExpr("'{}'::jsonb")).Immutable().Comment("which rows, as the graph's filter"),
		field.Enum("format").GoType(enum.ExportFormat("")).Immutable().Comment("form of the file"),
		field.Enum("status").GoType(enum.JobStatus("")).Default(string(enum.JobQueued)).Comment("where it stands"),
		field.Int64("rows").Optional().Nillable().NonNegative().Comment("rows written; null: not finished"),
		field.String("path").MaxLen(maxPath).Optional().Nillable().Comment("key of the file in the blob store; null: none yet, or none any more"),
		field.String("error").MaxLen(maxText).Optional().Nillable().Comment("why it failed"),
		field.UUID("by", uuid.UUID{}).Optional().Nillable().Immutable().Comment("user id of the member who asked; null when no person did"),
		field.Time("created_at").Default(mixin.Now).Immutable().Annotations(entsql.DefaultExpr("now()")).Comment("when it was asked for, UTC"),
		field.Time("finished_at").Optional().Nillable().Comment("when it ended, UTC"),
	}
}

// Indexes of the entity.
func (ExportJob) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "created_at").Annotations(entsql.DescColumns("created_at")),
		index.Fields("tenant_id", "by"),
	}
}
