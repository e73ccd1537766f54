// Package training makes new versions of models: from what people said of predictions,
// from failures that maintenance confirmed, from a file, or from simulated machines.
//
// A run is a row and a job. Of each model at most one waits or is at work: a unique index
// says so, and whoever works a run holds an advisory lock of PostgreSQL on the model for
// as long, which goes with the process. The examples are gathered into a file, of which
// the trainer (tools/trainer) makes a model as a child process with bounded memory and
// time; the version goes into the register, where it serves nobody yet. What is needed
// to judge and to repeat the run stays with it: parameters, data set, metrics, log.
//
// The features of an example are those that the model would have seen at the time: of
// readings they are made from what the log held at the prediction, of days from the daily
// features as they were stored. What became known later is in the labels alone.
package training

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/ent"
	"foresight/inference"
	"foresight/internal/blob"
	"foresight/internal/bulk"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/telemetry"
)

// Candidate is a trained model that becomes a version.
type Candidate struct {
	Model       id.UUID
	Bundle      []byte
	DatasetHash string // of its first booster
	Run         id.UUID
}

// Versions is the register of versions.
type Versions interface {
	// Register checks the candidate as the gate of serving does and makes it the model's next
	// version, in staging. What is wrong with it is a fault.Error.
	Register(ctx context.Context, c Candidate) (*ent.MLModelVersion, error)
	// Room is a fault.Error when the tenant may have no further version.
	Room(ctx context.Context) error
}

// Limits bound runs. Zero values mean the defaults in brackets.
type Limits struct {
	MinFeedback int           // corrections and new faults before feedback may train [10]
	MaxRows     int           // of gathered examples, the original's not counted [500,000]
	Attempts    int           // that processes may die over one run [3]
	Lost        time.Duration // after which a run that nobody works is taken up again [15 s]
	Wait        time.Duration // for a process that can train [30 min]
	Threads     int           // of the trainer [2]
}

func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		v        *int
		fallback int
	}{{&l.MinFeedback, 10}, {&l.MaxRows, 500_000}, {&l.Attempts, 3}, {&l.Threads, 2}} {
		if *d.v == 0 {
			*d.v = d.fallback
		}
	}
	if l.Lost == 0 {
		l.Lost = 15 * time.Second
	}
	if l.Wait == 0 {
		l.Wait = 30 * time.Minute
	}
	return l
}

// Options of a Service.
type Options struct {
	ORM   *ent.Client   // of the role of requests
	App   *pgxpool.Pool // of the role of requests
	Queue *jobs.Queue
	Jobs  *bulk.Service // tells how far jobs are, and keeps uploads
	Store telemetry.Store
	Files *blob.Store // data sets and logs
	// Artifacts are the models that runs go on from.
	Artifacts inference.Artifacts
	Versions  Versions
	// Trainer of this process.
	Trainer *Trainer
	// Elsewhere says whether some other process can train; nil: none can.
	Elsewhere func(context.Context) (bool, error)
	// Dir is where runs are worked; it is made when absent. Shipped data sets that were made
	// anew are kept there, too.
	Dir    string
	Mirror *MLflow // nil: runs are not mirrored
	Limits Limits
	Log    *slog.Logger // slog.Default() when nil
}

// Service starts, works and shows training runs. It is safe for concurrent use.
type Service struct {
	Options
}

// New returns a service.
func New(o Options) *Service {
	o.Limits = o.Limits.withDefaults()
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Trainer == nil {
		o.Trainer = &Trainer{}
	}
	s := &Service{o}
	o.Jobs.List(s.sort())
	return s
}

// Work registers the jobs with a runner, in processes that work them. Runs themselves are
// worked only by a runner of jobs.Lengthy, where there is a trainer.
func (s *Service) Work(r *jobs.Runner) {
	jobs.Handle(r, jobs.Work[args]{Do: s.run, GaveUp: s.gaveUp})
	jobs.Handle(r, jobs.Work[mirrorArgs]{Do: s.mirror})
}

// Trains reports whether this process can train.
func (s *Service) Trains() bool {
	_, err := s.Trainer.Find()
	return err == nil
}

// tx runs f in a transaction of the context's tenant.
func (s *Service) tx(ctx context.Context, f func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.App, f)
}
