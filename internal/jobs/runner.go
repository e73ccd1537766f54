package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// Options of a Runner.
type Options struct {
	// Pool is of the role of the pipeline, which sees the jobs of all tenants.
	Pool *pgxpool.Pool
	// AtOnce is how many jobs this process works at a time, and as many of those that are
	// Outward; 4.
	AtOnce int
	// Timeout ends a job that takes longer; 10 min. A job whose process died is taken
	// up again after this time and a little more.
	Timeout time.Duration
	// Lengthy is how many Lengthy jobs this process works at a time; none when 0. Each may
	// take LengthyTimeout, 12 h.
	Lengthy        int
	LengthyTimeout time.Duration

	Log        *slog.Logger          // slog.Default() when nil
	Registerer prometheus.Registerer // nil: no metrics
}

// stopWithin is how long running jobs may go on when the process stops; then they are
// cancelled and tried again elsewhere.
const stopWithin = 10 * time.Second

// Runner works jobs. It is a lifecycle.Part; sorts of jobs are registered by Handle
// before it starts.
type Runner struct {
	opt     Options
	workers *river.Workers
	metrics *metrics
	client  *river.Client[pgx.Tx]
	cancel  context.CancelFunc
}

// NewRunner returns a runner without work.
func NewRunner(o Options) *Runner {
	if o.AtOnce == 0 {
		o.AtOnce = 4
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Minute
	}
	if o.LengthyTimeout == 0 {
		o.LengthyTimeout = 12 * time.Hour
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Runner{opt: o, workers: river.NewWorkers(), metrics: newMetrics(o.Registerer)}
}

// Name names the part.
func (*Runner) Name() string { return "jobs" }

// Start begins to fetch jobs.
func (r *Runner) Start(ctx context.Context) (err error) {
	queues := map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: r.opt.AtOnce}, outward: {MaxWorkers: r.opt.AtOnce}}
	if r.opt.Lengthy > 0 {
		queues[lengthy] = river.QueueConfig{MaxWorkers: r.opt.Lengthy}
	}
	r.client, err = river.NewClient(riverpgxv5.New(r.opt.Pool), &river.Config{
		Schema: Schema, Workers: r.workers, MaxAttempts: MaxAttempts,
		Queues:     queues,
		JobTimeout: r.opt.Timeout, RescueStuckJobsAfter: r.opt.Timeout + r.opt.Timeout/10 + time.Second,
		SoftStopTimeout:   stopWithin,
		FetchPollInterval: 500 * time.Millisecond, // where a notice comes between two fetches
		ReindexerSchedule: river.NeverSchedule(),  // needs the owner; autovacuum suffices for so few rows
		Logger:            slog.New(quiet{r.opt.Log.Handler()}),
	})
	if err != nil {
		return fmt.Errorf("jobs: %w", err)
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx)) // ctx bounds the start only
	if err := r.client.Start(run); err != nil {
		cancel()
		return fmt.Errorf("jobs: %w", err)
	}
	r.cancel = cancel
	return nil
}

// Stop fetches no more jobs and waits for those that run, which are cancelled when
// they do not end soon.
func (r *Runner) Stop(ctx context.Context) error {
	defer r.cancel()
	err := r.client.Stop(ctx)
	if ctx.Err() != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		err = errors.Join(err, r.client.StopAndCancel(ctx))
	}
	return err
}
