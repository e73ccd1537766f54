// Package health looks after the daily feature store, and tells from it how likely each
// machine is to fail and how well it is.
//
// Once a day, when the readings of a UTC day have settled (daily.Settle), each tenant's
// fleet is scored by a job: the day's hourly rollups and predictions are summed up in
// asset_days, one row a machine; the 40 features of each machine are computed from the
// last 90 of them, alarms and maintenance, and stored in asset_features; and the
// tenant's failure predictor says from the stored features how likely a failure is
// within 7 and within 30 days. Predictions are kept in failure_predictions and the
// health that follows from them in asset_health.
//
// Alarm rules on failure probabilities and on health judge in the transaction that keeps
// the score, each score once: the newest of a machine, when it is made with its
// prediction. What is made up for an older day raises nothing, and neither does a health
// that waits for a model. Alarms that scores raised are no evidence of health and no
// features, which would make a low health keep itself low.
//
// Failure predictors that are tried as shadows judge the same features; what they say is
// kept in shadow_failure_predictions, and nothing follows from it.
//
// All of it bears repeating: features and predictions of a machine and day are written
// once and never changed, so that what was known then stays what was known then. Without
// a model, features are stored all the same; the job says how many machines are not
// scored, and they are as soon as there is one, from the features as they were.
package health

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/ent"
	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/telemetry"
)

// Options of a Service.
type Options struct {
	App       *pgxpool.Pool // of the role of requests
	Ent       *ent.Client   // over it
	Queue     *jobs.Queue   // nil in processes that add no jobs
	Store     telemetry.Store
	Predictor Predictor
	Shadows   ShadowPredictor // nil: none are asked
	Explainer Explainer       // nil: nothing is explained
	Alarms    Alarms          // nil: no rules judge scores
	Events    event.Publisher
	Log       *slog.Logger // slog.Default() when nil
}

// Service answers for features, failure predictions and health, and works their jobs.
// It is safe for concurrent use.
type Service struct {
	Options
}

// New returns a service.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Service{o}
}

// Alarms judges scores by alarm rules.
type Alarms interface {
	// Apply judges what happened in a tenant and records what comes of it in the
	// transaction; it returns the hints to publish after the commit.
	Apply(ctx context.Context, tx pgx.Tx, tenant id.UUID, happened []event.Event) ([]event.Event, error)
}

// tx runs f in a transaction of the context's tenant.
func (s *Service) tx(ctx context.Context, f func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.App, f)
}
