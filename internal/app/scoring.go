package app

import (
	"context"
	"fmt"

	"foresight/ent/document"
	"foresight/inference"
	"foresight/inference/daily"
	"foresight/inference/explain"
	"foresight/internal/alarms"
	"foresight/internal/config"
	"foresight/internal/health"
	"foresight/internal/id"
	"foresight/internal/jobs"
)

// openScoring opens features, failure predictions and health. Predictions are made on
// demand, too: every process follows the deployments.
func (a *App) openScoring(ctx context.Context, queue *jobs.Queue) error {
	a.health = health.New(health.Options{App: a.db.app, Ent: a.db.ent, Queue: queue, Store: a.took.Wrap(a.store()),
		Predictor: forecaster{a.models.service}, Shadows: forecaster{a.models.service}, Explainer: reasons{a.shelf}, Alarms: alarms.NewRecorder(a.alarms.source, a.alarms.metrics), Events: a.bus.hub, Log: a.log})
	if a.cfg.Runs(config.RoleWorker) { // the worker does so itself
		return nil
	}
	return a.start(ctx, a.watchModels())
}

// workScoring adds the jobs of each day to those that the runner works.
func (a *App) workScoring(ctx context.Context) error {
	return a.start(ctx, health.NewSchedule(a.health, a.db.worker, health.ScheduleOptions{}))
}

// forecaster lets the models that serve tell of failures.
type forecaster struct{ service *inference.Service }

// Forecast implements health.Predictor.
func (f forecaster) Forecast(ctx context.Context, tenant id.UUID, rows []health.Row) ([]health.Forecast, error) {
	assets, x := asked(rows)
	return forecasts(f.service.PredictFailures(ctx, tenant, assets, x))
}

// ForecastShadow implements health.ShadowPredictor.
func (f forecaster) ForecastShadow(ctx context.Context, tenant id.UUID, rows []health.Row) ([]health.Forecast, error) {
	assets, x := asked(rows)
	return forecasts(f.service.ShadowFailures(ctx, tenant, assets, x))
}

// asked takes rows apart.
func asked(rows []health.Row) ([]id.UUID, []daily.Vector) {
	assets, x := make([]id.UUID, len(rows)), make([]daily.Vector, len(rows))
	for i := range rows {
		assets[i], x[i] = rows[i].Asset, rows[i].Features
	}
	return assets, x
}

func forecasts(found []inference.FailurePrediction, failed []error, err error) ([]health.Forecast, error) {
	if err != nil {
		return nil, err
	}
	out := make([]health.Forecast, len(found))
	for i, p := range found {
		out[i] = health.Forecast{Version: p.VersionID, Label: p.VersionLabel, Artifact: p.Artifact, Err: failed[i],
			Within7: probability(p.Within7), Within30: probability(p.Within30)}
	}
	return out, nil
}

func probability(c inference.Chance) health.Probability {
	return health.Probability{Value: c.Probability, Lower: c.Low, Upper: c.High}
}

// reasons explain forecasts.
type reasons struct{ shelf *explain.Shelf }

// ExplainForecast implements health.Explainer.
func (r reasons) ExplainForecast(ctx context.Context, f *health.Forecast, x *daily.Vector, days, top int) ([]document.Contribution, error) {
	e, err := r.shelf.Explainer(ctx, f.Artifact)
	if err != nil {
		return nil, err
	}
	m, ok := e.Horizon(days)
	if !ok {
		return nil, fmt.Errorf("app: %s looks %d days ahead not at all", f.Label, days)
	}
	why, err := m.Explain(x[:], 0, top)
	if err != nil {
		return nil, err
	}
	return why.Named(func(i int) string { return daily.Columns()[i].Name }), nil
}
