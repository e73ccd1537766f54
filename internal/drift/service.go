package drift

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/ent"
	"foresight/inference/artifact"
	"foresight/inference/recall"
	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/telemetry"
)

// Limits bound a check. Zero values mean the defaults in brackets.
type Limits struct {
	Window      time.Duration // of predictions of fault classifiers [7 d]
	DailyWindow time.Duration // of those of failure predictors, which are one a day [28 d]
	Sample      int           // predictions looked at, of all versions of a type together [2,000]
	Rows        int           // fewer say nothing [200]; a quarter of it of failure predictions
	Machines    int           // fewer say nothing [8]
}

func (l Limits) withDefaults() Limits {
	if l.Window == 0 {
		l.Window = 7 * 24 * time.Hour
	}
	if l.DailyWindow == 0 {
		l.DailyWindow = 28 * 24 * time.Hour
	}
	if l.Sample == 0 {
		l.Sample = 2000
	}
	if l.Rows == 0 {
		l.Rows = 200
	}
	if l.Machines == 0 {
		l.Machines = 8
	}
	return l
}

// Bundles opens the artifacts of versions by what their rows name.
type Bundles interface {
	Bundle(ctx context.Context, artifact string) (*artifact.Bundle, error)
}

// Store is where readings and predictions are. A telemetry.Store is one.
type Store interface {
	recall.Readings
	Predictions(ctx context.Context, q telemetry.PredictionQuery) ([]telemetry.FaultPrediction, error)
}

// Trainer trains a model anew.
type Trainer interface {
	// Prepare looks whether a model of the context's tenant can be trained, on behalf of its
	// actor and because of a report.
	Prepare(ctx context.Context, model, report id.UUID) (Training, error)
}

// Training is one that can begin.
type Training interface {
	// Add adds its run within the transaction that says so. A fault.Conflict says that
	// another one of the model waits or is at work.
	Add(ctx context.Context, tx pgx.Tx) (run id.UUID, err error)
	// Begun is called behind the commit: it tells those who watch.
	Begun(ctx context.Context)
}

// Letters writes to the people who look after models.
type Letters interface {
	// Drifted queues letters about a model that should be trained anew, within the
	// transaction that proposes it.
	Drifted(ctx context.Context, tx pgx.Tx, version string) error
}

// Options of a Service.
type Options struct {
	App        *pgxpool.Pool // of the role of requests
	Ent        *ent.Client   // over it
	Queue      *jobs.Queue
	Store      Store
	Bundles    Bundles
	Trainer    Trainer // nil: nothing is trained here, and accepting a proposal says so
	Letters    Letters // nil: nobody is written to
	Events     event.Publisher
	Limits     Limits
	Registerer prometheus.Registerer // nil: no metrics
	Log        *slog.Logger          // slog.Default() when nil
	Now        func() time.Time      // time.Now when nil
}

// Service checks for drift and answers for what came of it. It is safe for concurrent
// use.
type Service struct {
	Options
	metrics *metrics
}

// New returns a service.
func New(o Options) *Service {
	o.Limits = o.Limits.withDefaults()
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{o, newMetrics(o.Registerer)}
}

// Work registers the jobs with a runner, in processes that work them.
func (s *Service) Work(r *jobs.Runner) {
	jobs.Handle(r, jobs.Work[checkArgs]{Do: s.run, GaveUp: s.gaveUp})
}

// tx runs f in a transaction of the context's tenant.
func (s *Service) tx(ctx context.Context, f func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.App, f)
}
