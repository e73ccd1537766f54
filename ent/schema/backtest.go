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

// Backtest judges a past period by rules, or by a version of a model, that need not
// have been in use then, and changes nothing of what is live.
type Backtest struct{ ent.Schema }

// Mixin of the entity.
func (Backtest) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.ID{Kind: id.Backtest}, mixin.Tenant{}}
}

// Annotations of the entity.
func (Backtest) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{"backtests_period": "to_utc > from_utc"})}
}

// Fields of the entity.
func (Backtest) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").MaxLen(maxName).Default("").Immutable().Comment("what people call it"),
		field.Time("from_utc").Immutable().Comment("beginning of the period, event time, UTC"),
		field.Time("to_utc").Immutable().Comment("end of the period, exclusive, event time, UTC"),
		field.JSON("scope", document.BacktestScope{}).Default(document.BacktestScope{}).Annotations(entsql.DefaultExpr("'{}'::jsonb")).Immutable().Comment("what it is narrowed to"),
		field.JSON("sites", []uuid.UUID{}).Optional().Immutable().Comment("what it is confined to; null: the whole tenant"),
		field.JSON("rules", []document.BacktestRule{}).Default([]document.BacktestRule{}).Annotations(entsql.DefaultExpr("'[]'::jsonb")).Immutable().Comment("what it judges by, as it was when it was asked for"),
		field.Bool("predicts").Default(false).Immutable().Comment("whether windows are judged by a model"),
		field.UUID("model_version_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("the version that judges windows; null: the one that serves each machine"),
		field.Enum("source").GoType(enum.BacktestSource("")).Immutable().Comment("where the readings come from"),
		field.Enum("status").GoType(enum.JobStatus("")).Default(string(enum.JobQueued)).Comment("where it stands"),
		field.JSON("place", document.BacktestPlace{}).Default(document.BacktestPlace{}).Annotations(entsql.DefaultExpr("'{}'::jsonb")).Comment("how far it has come"),
		field.JSON("outcome", document.BacktestOutcome{}).Default(document.BacktestOutcome{}).Annotations(entsql.DefaultExpr("'{}'::jsonb")).Comment("what was counted"),
		field.String("error").MaxLen(maxText).Optional().Nillable().Comment("why it failed"),
		field.UUID("by", uuid.UUID{}).Optional().Nillable().Immutable().Comment("user id of the member who asked; null when no person did"),
		field.Time("created_at").Default(mixin.Now).Immutable().Annotations(entsql.DefaultExpr("now()")).Comment("when it was asked for, UTC"),
		field.Time("finished_at").Optional().Nillable().Comment("when it ended, UTC"),
	}
}

// Edges of the entity.
func (Backtest) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("model_version", MLModelVersion.Type).Field("model_version_id").Unique().Immutable(),
	}
}

// Indexes of the entity. Of each tenant one is at work.
func (Backtest) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "created_at").Annotations(entsql.DescColumns("created_at")),
		index.Fields("tenant_id", "by"),
		index.Fields("tenant_id", "model_version_id"),
		index.Fields("tenant_id").Unique().StorageKey("backtests_one_at_work").
			Annotations(entsql.IndexWhere("status IN ('queued', 'running')")),
	}
}
