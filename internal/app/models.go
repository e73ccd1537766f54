package app

import (
	"context"
	"fmt"

	"foresight/ent/enum"
	"foresight/inference"
	"foresight/inference/artifact"
	"foresight/inference/champion"
	"foresight/internal/id"
	"foresight/internal/lifecycle"
	"foresight/internal/modelops"
	"foresight/internal/postgres"
)

// models serve predictions.
type models struct {
	registry *inference.Registry
	service  *inference.Service
}

func (a *App) startModels(ctx context.Context) error {
	m := &a.models
	return a.part(ctx, "models", func(ctx context.Context) (err error) {
		if err := a.ensureChampions(ctx); err != nil {
			return err
		}
		m.registry, err = inference.NewRegistry(inference.RegistryConfig{MaxModels: a.cfg.MaxLoadedModels}, deployments{a}, shipped{}, a.metrics, a.log)
		if err != nil {
			return err
		}
		if m.service, err = inference.NewService(inference.ServiceConfig{Slow: a.cfg.Pipeline.PredictTimeout}, m.registry, a.metrics); err != nil {
			return err
		}
		return m.registry.Refresh(ctx)
	}, nil)
}

// watchModels returns the part that keeps the deployments current.
func (a *App) watchModels() lifecycle.Part {
	return postgres.NewFollower(postgres.FollowOptions{
		Name: "deployments", Tables: []string{"ml_model_deployments", "tenants"}, Listen: a.listen,
		Load:    func(ctx context.Context, _ []id.UUID) error { return a.models.registry.Refresh(ctx) },
		Refresh: a.cfg.Pipeline.RegistryRefresh, Log: a.log,
	})
}

// deployments reads which version serves whom.
type deployments struct{ a *App }

// Assignments implements inference.Deployments.
func (d deployments) Assignments(ctx context.Context) (*inference.Assignments, error) {
	found, err := modelops.Production(ctx, d.a.db.worker)
	if err != nil {
		return nil, err
	}
	out := &inference.Assignments{Tenants: make(map[id.UUID]inference.Version, len(found))}
	for _, f := range found {
		out.Tenants[f.Tenant] = inference.Version{ID: f.Version, Label: f.Label, Artifact: f.Artifact}
	}
	return out, nil
}

// shipped gives the artifacts that are part of the binary.
type shipped struct{}

// Artifact implements inference.Artifacts.
func (shipped) Artifact(_ context.Context, hash string) ([]byte, error) {
	if hash == champion.Hash() {
		return champion.Bundle(), nil
	}
	return nil, fmt.Errorf("app: no artifact %s", hash)
}

// shippedChampion describes the built-in fault classifier for the tenants' registers.
func shippedChampion() (modelops.Champion, error) {
	b, err := artifact.Open(champion.Bundle())
	if err != nil {
		return modelops.Champion{}, err
	}
	m := b.Manifest
	return modelops.Champion{
		Model: m.Kind, Description: "Names one of the fault types from a window of 14 readings.", Type: enum.ModelFaultClassification,
		Version: m.Version, Artifact: champion.Hash(), FeatureSchemaHash: m.FeatureSchemaHash, DatasetHash: m.Training.DatasetHash,
		Classes: m.Classes, Metrics: map[string]float64{
			"accuracy": m.Metrics.Accuracy, "balanced_accuracy": m.Metrics.BalancedAccuracy, "f1": m.Metrics.MacroF1, "log_loss": m.Metrics.LogLoss,
		},
	}, nil
}

// ensureChampions registers the shipped model for every tenant that lacks it.
func (a *App) ensureChampions(ctx context.Context) error {
	c, err := shippedChampion()
	if err != nil {
		return err
	}
	tenants, err := modelops.Tenants(ctx, a.db.worker)
	if err != nil {
		return err
	}
	for _, t := range tenants {
		if err := modelops.EnsureChampion(ctx, a.db.ent, t, c); err != nil {
			return err
		}
	}
	return nil
}
