package modelops

import (
	"context"
	"errors"
	"fmt"
	"time"

	"foresight/ent"
	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/ent/mlmodel"
	"foresight/ent/mlmodeldeployment"
	"foresight/ent/mlmodelversion"
	"foresight/ent/predicate"
	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

// Champion is a model that ships with the product.
type Champion struct {
	Model             string // name, `fault_classifier`
	Description       string
	Type              enum.ModelType
	Version           string // semantic version
	Artifact          string // content address
	FeatureSchemaHash string
	DatasetHash       string
	Threshold         float64 // probability from which on a binary model says yes
	Classes           []string
	Metrics           map[string]float64
	Card              *document.ModelCard
}

// Label is the full version label, `fault_classifier:1.0.0`.
func (c Champion) Label() string { return c.Model + ":" + c.Version }

// EnsureChampion registers the shipped model as the tenant's own: model, version
// and, where nothing or an older shipped version is in production, the deployment.
// It changes nothing when all of it is there. What people have trained or deployed
// stays in production. Several processes may do it at once.
func EnsureChampion(ctx context.Context, client *ent.Client, tenant id.UUID, c Champion) error {
	ctx = tenancy.AsSystem(ctx, tenant)
	for try := 1; ; try++ {
		found, err := client.MLModelVersion.Query().Where(mlmodelversion.ArtifactPath(c.Artifact)).Exist(ctx)
		if err != nil {
			return err
		}
		if found {
			return c.describe(ctx, client)
		}
		if err = c.registerAtOnce(ctx, client); err == nil {
			return nil
		}
		if _, taken := postgres.Unique(err); !taken || try == tries {
			return fmt.Errorf("modelops: register %s: %w", c.Label(), err)
		}
		// Another process was faster: it has registered this version, or another one.
	}
}

// describe gives the card to versions that were registered before cards were kept.
func (c Champion) describe(ctx context.Context, client *ent.Client) error {
	if c.Card == nil {
		return nil
	}
	bare := []predicate.MLModelVersion{mlmodelversion.ArtifactPath(c.Artifact), mlmodelversion.CardIsNil()}
	if found, err := client.MLModelVersion.Query().Where(bare...).Exist(ctx); err != nil || !found {
		return err
	}
	return client.MLModelVersion.Update().Where(bare...).SetCard(c.Card).Exec(ctx)
}

// tries bounds how often faster processes are looked at.
const tries = 5

// registerAtOnce registers in one transaction.
func (c Champion) registerAtOnce(ctx context.Context, client *ent.Client) error {
	tx, err := client.Tx(ctx)
	if err != nil {
		return err
	}
	if err := c.Register(ctx, tx.Client()); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// Register registers the model in the transaction of the client, for a tenant that lacks
// this version of it; see EnsureChampion.
func (c Champion) Register(ctx context.Context, client *ent.Client) error {
	m, err := client.MLModel.Query().Where(mlmodel.Name(c.Model)).Only(ctx)
	if ent.IsNotFound(err) {
		m, err = client.MLModel.Create().SetName(c.Model).SetDescription(c.Description).SetType(c.Type).SetFeatureSchema(c.FeatureSchemaHash).Save(ctx)
	}
	if err != nil {
		return err
	}
	open, err := client.MLModelDeployment.Query().Where(mlmodeldeployment.ModelID(m.ID), mlmodeldeployment.IsProduction(true),
		mlmodeldeployment.DeploymentEndIsNil()).WithModelVersion().Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return err
	}
	if tenantsOwn(open) { // the tenant's own choice, or that of its rules
		_, err := c.version(ctx, client, m, enum.StageStaging)
		return err
	}
	// The version first: its label is unique, so that of several processes all but one wait here.
	v, err := c.version(ctx, client, m, enum.StageProduction)
	if err != nil {
		return err
	}
	if open != nil {
		if err := client.MLModelDeployment.UpdateOne(open).SetDeploymentEnd(time.Now().UTC()).Exec(ctx); err != nil {
			return err
		}
		if err := client.MLModelVersion.UpdateOneID(open.ModelVersionID).SetStage(enum.StageArchived).Exec(ctx); err != nil {
			return err
		}
	}
	return client.MLModelDeployment.Create().SetModelID(m.ID).SetModelVersionID(v.ID).Exec(ctx)
}

// version makes the version. A version never changes its artifact: where
// the label is taken by another one (a build between releases), the new one gets
// the artifact's address as build metadata.
func (c Champion) version(ctx context.Context, client *ent.Client, m *ent.MLModel, stage enum.ModelStage) (*ent.MLModelVersion, error) {
	taken, err := client.MLModelVersion.Query().Where(mlmodelversion.FullVersionLabel(c.Label()), mlmodelversion.ArtifactPathNEQ(c.Artifact)).Exist(ctx)
	if err != nil {
		return nil, err
	}
	if taken {
		c.Version += "+" + c.Artifact[:8]
	}
	q := client.MLModelVersion.Create().SetModelID(m.ID).SetSemanticVersion(c.Version).SetFullVersionLabel(c.Label()).
		SetStage(stage).SetArtifactPath(c.Artifact).SetFeatureSchemaHash(c.FeatureSchemaHash).
		SetDatasetHash(c.DatasetHash).SetDecisionThreshold(c.Threshold).SetClasses(c.Classes).SetMetrics(c.Metrics)
	if c.Card != nil {
		q.SetCard(c.Card)
	}
	return q.Save(ctx)
}

// tenantsOwn reports whether a person deployed it, or its version is none that shipped:
// one that was trained, or that a person uploaded.
func tenantsOwn(d *ent.MLModelDeployment) bool {
	return d != nil && (d.DeployedBy != nil || d.Edges.ModelVersion.TrainingRunID != nil || d.Edges.ModelVersion.CreatedBy != nil)
}
