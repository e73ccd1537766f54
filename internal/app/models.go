package app

import (
	"context"
	"sync"

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
		m.registry, err = inference.NewRegistry(inference.RegistryConfig{MaxModels: a.cfg.MaxLoadedModels}, deployments{a}, a.artifacts, a.metrics, a.log)
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
		Name: "deployments", Tables: []string{"ml_model_deployments", "asset_model_versions", "tenants"}, Listen: a.listen,
		Load:    func(ctx context.Context, _ []id.UUID) error { return a.models.registry.Refresh(ctx) },
		Refresh: a.cfg.Pipeline.RegistryRefresh, Log: a.log,
	})
}

// deployments reads which version serves whom.
type deployments struct{ a *App }

// Assignments implements inference.Deployments.
func (d deployments) Assignments(ctx context.Context) (inference.Assignments, error) {
	found, err := modelops.Assignments(ctx, d.a.db.worker)
	if err != nil {
		return nil, err
	}
	out := inference.Assignments{}
	for _, f := range found { // the newest first
		kind, ok := modelops.Kinds[f.Type]
		if !ok {
			continue
		}
		subject := inference.Subject{Kind: kind, Tenant: f.Tenant, Asset: f.Asset}
		v := inference.Version{ID: f.Version, Tenant: f.Tenant, Label: f.Label, Artifact: f.Artifact, Threshold: f.Threshold}
		trial := inference.Trial{ID: f.ID, Version: v, Percent: f.Percent}
		s := out[subject]
		switch f.Stage {
		case enum.BindingCanary:
			s.Canaries = append(s.Canaries, trial)
		case enum.BindingShadow:
			s.Shadows = append(s.Shadows, trial)
		case enum.BindingProduction:
			if s.Production.ID == id.Nil {
				s.Production = v
			}
		}
		out[subject] = s
	}
	return out, nil
}

// about tells people what the built-in models of a kind are for.
var about = map[string]string{
	artifact.FaultClassifier:  "Names one of the fault types from a window of 14 readings.",
	artifact.FailurePredictor: "Tells from the features of a day how likely a failure is within 7 and 30 days.",
}

// shippedChampions describes the built-in models for the tenants' registers, once in a
// process.
var shippedChampions = sync.OnceValues(func() ([]modelops.Champion, error) {
	var out []modelops.Champion
	for _, c := range champion.All() {
		b, err := artifact.Open(c.Bundle)
		if err != nil {
			return nil, err
		}
		m := &b.Manifest
		described := modelops.Champion{
			Model: m.Kind, Description: about[m.Kind], Version: m.Version, Artifact: c.Hash(), FeatureSchemaHash: m.FeatureSchemaHash,
			DatasetHash: m.Training.DatasetHash, Threshold: inference.Threshold(m.Kind), Classes: m.Classes, Metrics: modelops.Measures(b), Card: modelops.Card(b, len(c.Bundle)),
		}
		for t, kind := range modelops.Kinds {
			if kind == m.Kind {
				described.Type = t
			}
		}
		out = append(out, described)
	}
	return out, nil
})

// ensureChampions registers the shipped models for every tenant that lacks them.
func (a *App) ensureChampions(ctx context.Context) error {
	champions, err := shippedChampions()
	if err != nil {
		return err
	}
	tenants, err := postgres.Tenants(ctx, a.db.worker)
	if err != nil {
		return err
	}
	for _, t := range tenants {
		for _, c := range champions {
			if err := modelops.EnsureChampion(ctx, a.db.ent, t, c); err != nil {
				return err
			}
		}
	}
	return nil
}
