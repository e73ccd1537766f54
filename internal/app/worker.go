package app

import (
	"context"

	"foresight/ingestion/pipeline"
	"foresight/ingestion/upkeep"
	"foresight/internal/alarms"
)

func (a *App) startWorker(ctx context.Context) error {
	store := a.store()
	var model pipeline.Model
	if a.cfg.Pipeline.Predict {
		model = a.models.service
	}
	w := pipeline.New(pipeline.Parts{Pool: a.db.worker, Log: a.bus.log, Backfill: a.landing.backfill, Beside: a.beside(), Store: a.took.Wrap(store), Model: model,
		Alarms: alarms.NewRecorder(a.alarms.source, a.alarms.metrics), Dead: pipeline.NewLetters(a.db.worker), Events: a.bus.hub,
		Tracer: a.tracer, Metrics: a.metrics, Logger: a.log}, pipeline.Options{Name: a.name, MaxBatch: a.cfg.Pipeline.BatchSize,
		ModelTimeout: 8 * a.cfg.Pipeline.PredictTimeout})
	if err := a.start(ctx, a.watchModels()); err != nil {
		return err
	}
	if err := a.startRetention(ctx); err != nil {
		return err
	}
	if err := a.start(ctx, w); err != nil {
		return err
	}
	if err := a.keepLanding(ctx); err != nil {
		return err
	}
	if err := a.compactLanding(ctx); err != nil {
		return err
	}
	if err := a.start(ctx, a.explainAlarms()); err != nil {
		return err
	}
	return a.start(ctx, upkeep.New(upkeep.Options{Pool: a.db.worker, Store: store, Readings: a.cfg.Pipeline.Retention,
		Registerer: a.metrics, Log: a.log}))
}
