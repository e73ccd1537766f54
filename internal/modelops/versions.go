package modelops

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/ent/faulttype"
	"foresight/ent/mixin"
	"foresight/ent/mlmodel"
	"foresight/ent/mlmodelversion"
	"foresight/inference"
	"foresight/inference/artifact"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

// Artifacts keeps what versions are made of. An artifacts.Store is one.
type Artifacts interface {
	// Put keeps a bundle for the tenant of the context and returns its content address.
	Put(ctx context.Context, bundle []byte) (hash string, err error)
	// Delete removes one of the tenant; one that there is not is no error.
	Delete(ctx context.Context, hash string) error
}

// Uploads gives files that people have sent.
type Uploads interface {
	// ModelFile returns the content; an upload that there is not for the actor, or that is
	// not meant as a model, is fault.NotFound.
	ModelFile(ctx context.Context, upload id.UUID) ([]byte, error)
	// DropModelFile forgets the upload.
	DropModelFile(ctx context.Context, upload id.UUID) error
}

// Versions registers versions of models. It is safe for concurrent use.
type Versions struct {
	db        *sql.DB
	artifacts Artifacts
	uploads   Uploads
	judging   chan struct{} // holds one while a bundle is judged
}

// NewVersions returns the registrar; uploads may be nil where none come in.
func NewVersions(db *sql.DB, a Artifacts, u Uploads) *Versions {
	return &Versions{db, a, u, make(chan struct{}, 1)}
}

// Kinds are the kinds of models that types of the register are served as.
var Kinds = map[enum.ModelType]string{
	enum.ModelFaultClassification: artifact.FaultClassifier,
	enum.ModelFailurePrediction:   artifact.FailurePredictor,
}

// NewVersion is a trained model to be registered.
type NewVersion struct {
	Model       id.UUID
	Bundle      []byte  // as package artifact packs it
	DatasetHash string  // SHA-256 of the training set, hexadecimal; "": as the bundle says
	TrainingRun id.UUID // Nil: uploaded
}

// Register judges a bundle as before a deployment (sizes first, then the whole gate with
// its golden rows), keeps it, and makes the next version of the model from it, in staging.
// It refuses with a fault.BadInput what cannot be served, is of another kind than the
// model, or names faults that the tenant does not know.
//
// A version follows the newest of its model: another feature schema raises the major
// number, a class that the newest does not know the minor, anything else the patch. A
// training run has one version: registering it again returns that. The same artifact
// uploaded again, and a version beyond what the tenant's plan allows, is a fault.Conflict.
//
// Judging a large bundle takes some hundred megabytes, so that one is judged at a time.
func (v *Versions) Register(ctx context.Context, n NewVersion) (*ent.MLModelVersion, error) {
	m, err := v.model(ctx, n.Model)
	if err != nil {
		return nil, err
	}
	var b *artifact.Bundle
	err = v.alone(ctx, func() (err error) {
		if b, err = artifact.Open(n.Bundle); err != nil {
			return err
		}
		_, err = inference.Activate(b)
		return err
	})
	if err != nil {
		return nil, err
	}
	return v.register(ctx, m, n, b)
}

// alone judges a model that may come from anywhere, after whoever does so now. What the
// caller can mend is a fault.
func (v *Versions) alone(ctx context.Context, judge func() error) error {
	select {
	case v.judging <- struct{}{}:
		defer func() { <-v.judging }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return refusal(judge())
}

// model finds the model of a version to be.
func (v *Versions) model(ctx context.Context, which id.UUID) (m *ent.MLModel, err error) {
	if err := mayWrite(ctx, tenancy.ModelsWrite); err != nil {
		return nil, err
	}
	err = postgres.InTx(ctx, v.db, func(ctx context.Context, c *ent.Client, _ pgx.Tx) (err error) {
		m, err = c.MLModel.Query().Where(mlmodel.ID(which)).Only(ctx)
		return err
	})
	switch {
	case ent.IsNotFound(err):
		return nil, fault.Missing("Model").At("input.modelId")
	case err != nil:
		return nil, err
	case Kinds[m.Type] == "":
		return nil, fault.Invalid("input.modelId", "error.version.notServed")
	}
	return m, nil
}

// mayWrite refuses actors limited to sites what concerns the whole tenant.
func mayWrite(ctx context.Context, p tenancy.Permission) error {
	if err := tenancy.Require(ctx, p); err != nil {
		return err
	}
	if len(tenancy.Must(ctx).SiteIDs) > 0 {
		return fault.Denied(string(p))
	}
	return nil
}

// register makes the version of a bundle that was judged.
func (v *Versions) register(ctx context.Context, m *ent.MLModel, n NewVersion, b *artifact.Bundle) (*ent.MLModelVersion, error) {
	if want := Kinds[m.Type]; b.Manifest.Kind != want {
		return nil, fault.Invalid("input.modelId", "error.version.kind").With("Need", want).With("Got", b.Manifest.Kind)
	}
	if n.DatasetHash == "" {
		n.DatasetHash = b.Manifest.Training.DatasetHash
	}
	if len(n.DatasetHash) > 64 {
		return nil, fault.New(fault.BadInput, "error.inference.upload").With("Reason", "the hash of the dataset is longer than one of SHA-256")
	}
	hash, err := v.artifacts.Put(ctx, n.Bundle)
	if err != nil {
		return nil, err
	}
	var made *ent.MLModelVersion
	err = postgres.InTx(ctx, v.db, func(ctx context.Context, c *ent.Client, tx pgx.Tx) error {
		// Registrations of one model wait also for champions, so that numbers are given once.
		tenant := tenancy.Must(ctx).TenantID
		if err := lockVersions(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `SELECT FROM ml_models WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE`, tenant, m.ID); err != nil {
			return fmt.Errorf("modelops: %w", err)
		}
		if err := knownFaults(ctx, c, m.Type, b.Manifest.Classes); err != nil {
			return err
		}
		before, err := c.MLModelVersion.Query().Where(mlmodelversion.ModelID(m.ID)).All(mixin.WithDeleted(ctx)) // labels stay taken
		if err != nil {
			return err
		}
		for _, old := range before {
			switch {
			case n.TrainingRun != id.Nil && old.TrainingRunID != nil && *old.TrainingRunID == n.TrainingRun:
				made = old
				return nil
			case n.TrainingRun == id.Nil && old.ArtifactPath == hash && !old.IsDeleted:
				return fault.New(fault.Conflict, "error.version.already").With("Label", old.FullVersionLabel)
			}
		}
		if err := room(ctx, c, tx, int64(len(n.Bundle))); err != nil {
			return err
		}
		// Since it was put, the deletion of a version that shared it may have taken it.
		shared, err := c.MLModelVersion.Query().Where(mlmodelversion.ArtifactPath(hash), mlmodelversion.IsDeleted(true)).Exist(mixin.WithDeleted(ctx))
		if err != nil {
			return err
		}
		if shared {
			if _, err := v.artifacts.Put(ctx, n.Bundle); err != nil {
				return err
			}
		}
		made, err = v.create(ctx, c, m, n, b, hash, following(before, b.Manifest.FeatureSchemaHash, b.Manifest.Classes).String())
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

func (v *Versions) create(ctx context.Context, c *ent.Client, m *ent.MLModel, n NewVersion, b *artifact.Bundle, hash, number string) (*ent.MLModelVersion, error) {
	q := c.MLModelVersion.Create().SetModelID(m.ID).SetSemanticVersion(number).SetFullVersionLabel(m.Name + ":" + number).
		SetStage(enum.StageStaging).SetArtifactPath(hash).SetFeatureSchemaHash(b.Manifest.FeatureSchemaHash).SetDatasetHash(n.DatasetHash).
		SetDecisionThreshold(inference.Threshold(b.Manifest.Kind)).SetClasses(b.Manifest.Classes).SetMetrics(Measures(b)).SetCard(Card(b, len(n.Bundle)))
	if n.TrainingRun != id.Nil {
		q.SetTrainingRunID(n.TrainingRun)
	}
	made, err := q.Save(ctx)
	if err != nil {
		return nil, err
	}
	if m.FeatureSchema != b.Manifest.FeatureSchemaHash {
		err = c.MLModel.UpdateOneID(m.ID).SetFeatureSchema(b.Manifest.FeatureSchemaHash).Exec(ctx)
	}
	return made, err
}

// knownFaults refuses classes of a fault classifier that are no fault types of the tenant:
// nobody could tell what they are, nor make a rule for them.
func knownFaults(ctx context.Context, c *ent.Client, t enum.ModelType, classes []string) error {
	if t != enum.ModelFaultClassification {
		return nil
	}
	known, err := c.FaultType.Query().Where(faulttype.CodeIn(classes...)).Select(faulttype.FieldCode).Strings(ctx)
	if err != nil {
		return err
	}
	have := make(map[string]bool, len(known))
	for _, k := range known {
		have[k] = true
	}
	var unknown []string
	for _, class := range classes {
		if !have[class] {
			unknown = append(unknown, class)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return fault.Invalid("input.classes", "error.version.classUnknown").With("Codes", abridged(unknown))
}

// told is how many names a message lists.
const told = 10

func abridged(names []string) string {
	if len(names) > told {
		names = append(names[:told:told], "…")
	}
	return strings.Join(names, ", ")
}

// taken turns the refusal of a unique index into a conflict at the field.
func taken(err error, field, key string) error {
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	if _, is := postgres.Unique(err); is {
		return fault.New(fault.Conflict, key).At(field).Because(err)
	}
	return err
}
