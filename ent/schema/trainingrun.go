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

// TrainingRun is one training of a model, with all that is needed to judge and
// repeat it. Of each model at most one is waiting or at work.
type TrainingRun struct{ ent.Schema }

// Mixin of the entity.
func (TrainingRun) Mixin() []ent.Mixin { return mixin.Base(id.TrainingRun) }

// Annotations of the entity.
func (TrainingRun) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Checks(map[string]string{
		"training_runs_order":     "ended_at >= started_at",
		"training_runs_rows_sign": "rows >= 0 AND feedback_rows >= 0 AND attempts >= 0",
	})}
}

// Fields of the entity.
func (TrainingRun) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("model_id", uuid.UUID{}).Immutable().Comment("the model"),
		field.Enum("status").GoType(enum.JobStatus("")).Default(string(enum.JobQueued)).Comment("where it stands"),
		field.Enum("source").GoType(enum.TrainingSource("")).Default(string(enum.TrainingHistory)).Immutable().Comment("where its examples come from"),
		field.JSON("request", document.TrainingRequest{}).Default(document.TrainingRequest{}).Annotations(entsql.DefaultExpr("'{}'::jsonb")).Immutable().Comment("what was asked besides the hyper-parameters"),
		field.JSON("parameters", map[string]any{}).Default(map[string]any{}).Annotations(entsql.DefaultExpr("'{}'::jsonb")).Immutable().Comment("hyper-parameters, seed and split"),
		field.String("dataset_hash").MaxLen(64).Optional().Nillable().Comment("SHA-256 of the training set, hexadecimal; null: not gathered yet"),
		field.Int64("rows").Default(0).NonNegative().Comment("rows of the training set"),
		field.Int64("feedback_rows").Default(0).NonNegative().Comment("rows among them that come from people's feedback"),
		field.JSON("metrics", map[string]map[string]float64{}).Default(map[string]map[string]float64{}).Annotations(entsql.DefaultExpr("'{}'::jsonb")).Comment("metric by name, by split (train, validation, test)"),
		field.JSON("confusion_matrix", [][]int64{}).Optional().Comment("counts of the test split: row true class, column predicted class"),
		field.JSON("feature_importance", []document.Importance{}).Optional().Comment("gain, weight and cover by feature, largest gain first"),
		field.JSON("outcome", document.TrainingOutcome{}).Default(document.TrainingOutcome{}).Annotations(entsql.DefaultExpr("'{}'::jsonb")).Comment("what it came to, by booster: per-class metrics, calibration curve, importance; time and memory"),
		field.Int("attempts").Default(0).NonNegative().Comment("how often a process has begun to work it"),
		field.String("log_path").MaxLen(maxPath).Optional().Nillable().Comment("key of the log in the artifact store"),
		field.Time("started_at").Optional().Nillable().Comment("when work began, UTC"),
		field.Time("ended_at").Optional().Nillable().Comment("when it ended, UTC"),
		field.String("error").MaxLen(maxText).Optional().Nillable().Comment("why it failed"),
	}
}

// Edges of the entity.
func (TrainingRun) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("model", MLModel.Type).Field("model_id").Unique().Required().Immutable(),
	}
}

// Indexes of the entity.
func (TrainingRun) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("tenant_id", "model_id").Unique().StorageKey("training_runs_one_at_work").Annotations(entsql.IndexWhere("status IN ('queued', 'running')")),
		index.Fields("tenant_id", "model_id", "created_at").Annotations(entsql.DescColumns("created_at")),
	}
}
