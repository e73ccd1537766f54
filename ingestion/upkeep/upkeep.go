// Package upkeep keeps stored telemetry in order, beside the pipeline that writes it:
// it makes the hourly and daily rollups of the 5-minute ones, deletes what tenants do
// not want to keep as long as the installation does, and deletes all of a tenant.
//
// All of it may be done twice, or by two at once, and goes on where it stopped.
package upkeep

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/obs"
	"foresight/internal/postgres"
	"foresight/internal/telemetry"
)

// Store is what is kept in order. A telemetry.Store is one.
type Store interface {
	telemetry.RollupStore
	telemetry.Forgetter
}

// Options of an Upkeep; a zero field takes the value named.
type Options struct {
	// Pool connects as foresight_worker.
	Pool  *pgxpool.Pool
	Store Store
	// RollEvery is the time between two looks for rollups to be made (1 min).
	RollEvery time.Duration
	// RollAfter is how long after its end an hour or day is rolled up (5 min): most of
	// what is under way has come by then, and need not be made again. The clocks of
	// workers and database may differ by as much.
	RollAfter time.Duration
	// ForgetEvery is the time between two deletions (1 h).
	ForgetEvery time.Duration
	// Readings and Predictions are kept so long by the store itself (30 and 90 days):
	// tenants that want them shorter have a part deleted.
	Readings, Predictions time.Duration
	// RollupsM5 and RollupsH1 are how long those are kept (60 and 400 days).
	RollupsM5, RollupsH1 time.Duration
	Registerer           prometheus.Registerer // nil: no metrics
	Log                  *slog.Logger          // slog.Default() when nil
}

const day = 24 * time.Hour

func (o Options) withDefaults() Options {
	for _, f := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&o.RollEvery, time.Minute}, {&o.RollAfter, 5 * time.Minute}, {&o.ForgetEvery, time.Hour},
		{&o.Readings, 30 * day}, {&o.Predictions, 90 * day}, {&o.RollupsM5, 60 * day}, {&o.RollupsH1, 400 * day},
	} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// Upkeep does it at intervals. It is a lifecycle.Part; any number of processes may
// have one, and one of them works at a time.
type Upkeep struct {
	opt    Options
	log    *slog.Logger
	rolled *prometheus.CounterVec // rows by resolution
	forgot *prometheus.CounterVec // rows by class
	failed *prometheus.CounterVec // by task
	stop   context.CancelFunc
	done   chan struct{}
}

// New returns an upkeep that is not started.
func New(o Options) *Upkeep {
	o = o.withDefaults()
	return &Upkeep{opt: o, log: o.Log.With("part", "upkeep"), done: make(chan struct{}),
		rolled: obs.NewCounter(o.Registerer, "upkeep", "rollups_total", "Hourly and daily rollups made, those made again included.", "resolution"),
		forgot: obs.NewCounter(o.Registerer, "upkeep", "forgotten_total", "Documents deleted because their tenant keeps them no longer.", "class"),
		failed: obs.NewCounter(o.Registerer, "upkeep", "failures_total", "Failures by task: rollups, retention.", "task"),
	}
}

// Name implements lifecycle.Part.
func (*Upkeep) Name() string { return "upkeep" }

// Start begins with what is due.
func (u *Upkeep) Start(ctx context.Context) error {
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	u.stop = stop
	go u.run(run)
	return nil
}

// Stop ends what is being done; it goes on at the next start.
func (u *Upkeep) Stop(context.Context) error {
	u.stop()
	<-u.done
	return nil
}

func (u *Upkeep) run(ctx context.Context) {
	defer close(u.done)
	roll, forget := time.NewTicker(u.opt.RollEvery), time.NewTicker(u.opt.ForgetEvery)
	defer roll.Stop()
	defer forget.Stop()
	u.do(ctx, "rollups", u.Roll)
	u.do(ctx, "retention", u.Retain)
	for {
		select {
		case <-ctx.Done():
			return
		case <-roll.C:
			u.do(ctx, "rollups", u.Roll)
		case <-forget.C:
			u.do(ctx, "retention", u.Retain)
		}
	}
}

func (u *Upkeep) do(ctx context.Context, task string, f func(context.Context) error) {
	err := postgres.TryAlone(ctx, u.opt.Pool, task, f)
	if err != nil && ctx.Err() == nil {
		u.failed.WithLabelValues(task).Inc()
		u.log.Warn("will try again", "task", task, "error", err)
	}
}
