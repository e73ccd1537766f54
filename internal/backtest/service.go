// Package backtest answers what rules, or a version of a model, would have done in a
// past period. It judges stored readings by the very code that judges live ones: the
// state machine of internal/rules by way of alarms.Trial, windows of
// telemetry.Window, features and models by way of inference.Service. What comes of it
// goes into a result of its own (backtest_alarms, backtest_predictions); alarms,
// predictions and readings are read and never changed.
//
// A backtest is a job. The history is worked in parts, each of which holds all that
// its sensors sent: one sensor of the telemetry store, or one partition of the landing
// zone. What a part, or a few small ones, came to is written in one transaction with
// the place up to which the backtest has come, if that is still where it was when the
// part began: an attempt that is made again, or twice at once, writes nothing twice.
//
// In memory are the readings of a slice of time (maxSlice) or, of the landing zone, of
// a batch, the windows and rule states of a part, and the result of the parts that are
// not yet written, which Limits bound.
package backtest

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/ent"
	"foresight/inference"
	"foresight/internal/alarms"
	"foresight/internal/bulk"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/telemetry"
)

// Limits bound a backtest. Zero values mean the defaults in brackets.
type Limits struct {
	MaxPeriod      time.Duration // [92 d]
	MaxSensors     int           // [10,000]
	MaxAlarms      uint64        // kept in a result; further ones are counted only [100,000]
	MaxPredictions int           // rows of the predictions of one part [200,000]
	MaxPending     int           // rows of a result, about, that wait for being written [5,000]
	Keep           time.Duration // of results [90 d]
}

// The most rules that a backtest judges by, and drafts among them.
const (
	MaxRules  = 200
	MaxDrafts = 10
)

func (l Limits) withDefaults() Limits {
	if l.MaxPeriod == 0 {
		l.MaxPeriod = 92 * 24 * time.Hour
	}
	if l.MaxSensors == 0 {
		l.MaxSensors = 10_000
	}
	if l.MaxAlarms == 0 {
		l.MaxAlarms = 100_000
	}
	if l.MaxPredictions == 0 {
		l.MaxPredictions = 200_000
	}
	if l.MaxPending == 0 {
		l.MaxPending = 5000
	}
	if l.Keep == 0 {
		l.Keep = 90 * 24 * time.Hour
	}
	return l
}

// Model judges windows of the past. inference.Service implements it.
type Model interface {
	// Retrace judges a full window whose newest reading is given, by the version; the
	// zero Version is the one that serves the asset now.
	Retrace(ctx context.Context, v inference.Version, key telemetry.Key, w *telemetry.Window, newest *telemetry.Raw) (telemetry.FaultPrediction, error)
}

// Options of a Service.
type Options struct {
	ORM   *ent.Client   // of the role of requests
	App   *pgxpool.Pool // of the role of requests
	Queue *jobs.Queue
	Jobs  *bulk.Service // tells how far jobs are
	Rules *alarms.RuleService
	Store telemetry.Store
	// History is the landing zone; nil: there is none.
	History bulk.History
	// Retention is how long the store keeps the readings of the tenant; false for one that
	// is not known.
	Retention func(tenant id.UUID) (time.Duration, bool)
	Model     Model // nil: nothing is predicted
	Limits    Limits
	Log       *slog.Logger // slog.Default() when nil
}

// Service starts, works and shows backtests. It is safe for concurrent use.
type Service struct {
	Options
}

// New returns a service.
func New(o Options) *Service {
	o.Limits = o.Limits.withDefaults()
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Service{o}
}

// Work registers the jobs with a runner, in processes that work them.
func (s *Service) Work(r *jobs.Runner) {
	jobs.Handle(r, jobs.Work[args]{Do: s.run, GaveUp: s.gaveUp})
	jobs.Handle(r, jobs.Work[sweepArgs]{Do: s.sweep})
}

// tx runs f in a transaction of the context's tenant.
func (s *Service) tx(ctx context.Context, f func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.App, f)
}
