package app

import (
	"context"

	"foresight/ingestion/pipeline"
	"foresight/internal/alarms"
	"foresight/internal/telemetry/pgstore"
)

// store returns the telemetry store. It is in the cluster of the checkpoints, whose
// commit flushes what the store has written.
func (a *App) store() *pgstore.Store {
	return pgstore.New(a.db.worker, a.db.app, pgstore.WithDeferredSync())
}

func (a *App) startWorker(ctx context.Context) error {
	store := a.store()
	w := pipeline.New(pipeline.Parts{Pool: a.db.worker, Log: a.bus.log, Store: store, Model: a.models.service,
		Alarms: alarms.NewRecorder(a.alarms.source, a.alarms.metrics), Dead: pipeline.NewLetters(a.db.worker), Events: a.bus.hub,
		Metrics: a.metrics, Logger: a.log}, pipeline.Options{MaxBatch: a.cfg.Pipeline.BatchSize})
	if err := a.start(ctx, a.watchModels()); err != nil {
		return err
	}
	keep := pgstore.Retention{Readings: a.cfg.Pipeline.Retention}
	if err := a.start(ctx, pgstore.NewKeeper(store, keep, a.log)); err != nil {
		return err
	}
	return a.start(ctx, w)
}
