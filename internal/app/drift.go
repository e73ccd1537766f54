package app

import (
	"context"

	"github.com/jackc/pgx/v5"

	"foresight/ent/enum"
	"foresight/inference/artifact"
	"foresight/internal/access"
	"foresight/internal/drift"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/mail"
	"foresight/internal/tenancy"
	"foresight/internal/training"
)

// openDrift opens what compares models' input with their training.
func (a *App) openDrift(queue *jobs.Queue) {
	a.drift = drift.New(drift.Options{App: a.db.app, Ent: a.db.ent, Queue: queue, Store: a.took.Wrap(a.store()), Bundles: bundles{a},
		Trainer: retraining{a.training}, Letters: driftLetters{a}, Events: a.bus.hub, Registerer: a.metrics, Log: a.log})
	a.bulk.List(a.drift.Sort())
}

// workDrift adds the check of each day to the jobs that the runner works.
func (a *App) workDrift(ctx context.Context) error {
	return a.start(ctx, drift.NewSchedule(a.drift, a.db.worker, 0))
}

// driftLetters are written by the post of the process, which is opened later.
type driftLetters struct{ a *App }

// Drifted implements drift.Letters.
func (l driftLetters) Drifted(ctx context.Context, tx pgx.Tx, version string) error {
	return l.a.letters.OfModel(ctx, tx, access.ModelNews{Kind: mail.Drift, Needs: tenancy.ModelsWrite, Version: version})
}

// bundles opens artifacts by their content address.
type bundles struct{ a *App }

// Bundle implements drift.Bundles.
func (b bundles) Bundle(ctx context.Context, hash string) (*artifact.Bundle, error) {
	content, err := b.a.artifacts.Artifact(ctx, hash)
	if err != nil {
		return nil, err
	}
	return artifact.Open(content)
}

// retraining trains models that have drifted from the history of the plant.
type retraining struct{ service *training.Service }

// Prepare implements drift.Trainer.
func (r retraining) Prepare(ctx context.Context, model, report id.UUID) (drift.Training, error) {
	return r.service.Prepare(ctx, training.Request{Model: model, Source: enum.TrainingHistory, Drift: &report})
}
