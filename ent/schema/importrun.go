package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"

	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/ent/mixin"
	"foresight/internal/id"
)

// ImportRun is one run of a connector.
type ImportRun struct{ ent.Schema }

// Mixin of the entity.
func (ImportRun) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.ImportRun}, mixin.Tenant{}}
}

// Annotations of the entity.
func (ImportRun) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{
		"import_runs_order":       "ended_at >= started_at",
		"import_runs_counts_sign": "read_count >= 0 AND created_count >= 0 AND updated_count >= 0 AND rejected_count >= 0",
	})}
}

// Fields of the entity.
func (ImportRun) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("connector_id", uuid.UUID{}).Immutable().Comment("the connector"),
		field.Enum("status").GoType(enum.JobStatus("")).Default(string(enum.JobRunning)).Comment("where it stands"),
		field.Time("started_at").Default(mixin.Now).Immutable().Annotations(entsql.DefaultExpr("now()")).Comment("when it began, UTC"),
		field.Time("ended_at").Optional().Nillable().Comment("when it ended, UTC; null: runs"),
		field.Int64("read_count").Default(0).NonNegative().Comment("records read"),
		field.Int64("created_count").Default(0).NonNegative().Comment("rows made of them"),
		field.Int64("updated_count").Default(0).NonNegative().Comment("rows changed by them"),
		field.Int64("rejected_count").Default(0).NonNegative().Comment("records not understood"),
		field.JSON("rejects", []document.Reject{}).Default([]document.Reject{}).Annotations(entsql.DefaultExpr("'[]'::jsonb")).Comment("the first of them, with the reason"),
		field.String("error").MaxLen(maxText).Optional().Nillable().Comment("why the run failed as a whole"),
		field.UUID("by", uuid.UUID{}).Optional().Nillable().Immutable().Comment("user id of the member who started it; null when the schedule did"),
	}
}

// Edges of the entity.
func (ImportRun) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("connector", Connector.Type).Field("connector_id").Unique().Required().Immutable(),
	}
}

// Indexes of the entity.
func (ImportRun) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "connector_id", "started_at").Annotations(entsql.DescColumns("started_at")),
	}
}
