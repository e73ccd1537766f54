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

// MLModelVersion is one trained model. A retraining raises the patch number, a
// new class the minor, a new feature schema the major.
type MLModelVersion struct{ ent.Schema }

// Mixin of the entity.
func (MLModelVersion) Mixin() []ent.Mixin { return mixin.Soft(id.MLModelVersion) }

// Annotations of the entity.
func (MLModelVersion) Annotations() []schema.Annotation {
	return []schema.Annotation{
		entsql.Table("ml_model_versions"),
		entsql.Checks(map[string]string{"ml_model_versions_threshold": "decision_threshold BETWEEN 0 AND 1"}),
	}
}

// Fields of the entity.
func (MLModelVersion) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("model_id", uuid.UUID{}).Immutable().Comment("the model that it is a version of"),
		field.String("semantic_version").NotEmpty().MaxLen(32).Immutable().Comment("`major.minor.patch`"),
		field.String("full_version_label").NotEmpty().MaxLen(150).Immutable().Comment("`fault_classifier:1.0.3`, unique within the tenant"),
		field.Enum("stage").GoType(enum.ModelStage("")).Default(string(enum.StageStaging)).Comment("where it stands in its life"),
		field.String("artifact_path").NotEmpty().MaxLen(maxPath).Immutable().Comment("key of its files in the artifact store"),
		field.String("dataset_hash").MaxLen(64).Immutable().Comment("SHA-256 of the training set, hexadecimal"),
		field.String("feature_schema_hash").NotEmpty().MaxLen(64).Immutable().Comment("SHA-256 of the feature list, hexadecimal; another one than the code's is refused at load"),
		field.UUID("training_run_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("the run that made it; null for uploaded and built-in versions"),
		field.Float("decision_threshold").Default(0.5).Range(0, 1).Comment("probability from which a binary model says yes; 0.3 for failure prediction"),
		field.JSON("metrics", map[string]float64{}).Default(map[string]float64{}).Annotations(entsql.DefaultExpr("'{}'::jsonb")).Comment("accuracy, balanced_accuracy, precision, recall, f1, false_alarm_rate, auc_roc, auc_pr, log_loss on held-out data"),
		field.Strings("classes").Default([]string{}).Immutable().Annotations(entsql.DefaultExpr("'[]'::jsonb")).Comment("class list in the order of the model's outputs"),
		field.JSON("card", &document.ModelCard{}).Optional().Comment("what the artifact says of itself; null of versions that were registered before it was kept"),
		field.String("docker_image_tag").MaxLen(maxName).Optional().Nillable().Comment("image of an external runner, if one serves it"),
	}
}

// Edges of the entity.
func (MLModelVersion) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("model", MLModel.Type).Field("model_id").Unique().Required().Immutable(),
		edge.To("training_run", TrainingRun.Type).Field("training_run_id").Unique().Immutable(),
		edge.From("deployments", MLModelDeployment.Type).Ref("model_version"),
	}
}

// Indexes of the entity.
func (MLModelVersion) Indexes() []ent.Index {
	return []ent.Index{
		uniqueAlive("full_version_label"),
		index.Fields("tenant_id", "model_id"),
	}
}
