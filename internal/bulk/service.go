// Package bulk takes a whole plant in from one file and gives out everything of a sort
// in one file; and it brings in again what was admitted before. All are jobs: they outlive the request, tell how far they are, and end
// as rows that the tenant reads.
//
// An import is one transaction, with its entries in the audit log and its own outcome:
// after a crash nothing of it is there, and the job begins again. Rows are judged by
// the rules of single changes (package plant). An export is written as it is read, and
// never held in memory as a whole: from one snapshot of the database through a cursor,
// readings page by page from their store.
//
// A replay reads the landing zone (History) and appends what may still enter (Gate) to
// the log of history, which workers take behind the live readings. What is stored
// already is found to be there.
//
// Jobs act for who asked: in its tenant, on its sites, in the role of requests.
package bulk

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/blob"
	"foresight/internal/event"
	"foresight/internal/jobs"
	"foresight/internal/telemetry"
)

// Limits bound what comes in and how much goes on at once. Zero values mean the
// defaults in brackets.
type Limits struct {
	MaxUpload  int64         // bytes of a file to import [16 MiB]
	MaxModel   int64         // bytes of a model file [64 MiB]
	MaxRows    int           // rows of a file to import [50,000]
	MaxExport  int64         // bytes of an exported file [4 GiB]
	MaxPending int           // unfinished jobs, and files that wait, of a tenant [10]
	Keep       time.Duration // how long files wait for their import or download [24 h]
}

func (l Limits) withDefaults() Limits {
	if l.MaxUpload == 0 {
		l.MaxUpload = 16 << 20
	}
	if l.MaxModel == 0 {
		l.MaxModel = 64 << 20
	}
	if l.MaxRows == 0 {
		l.MaxRows = 50_000
	}
	if l.MaxExport == 0 {
		l.MaxExport = 4 << 30
	}
	if l.MaxPending == 0 {
		l.MaxPending = 10
	}
	if l.Keep == 0 {
		l.Keep = 24 * time.Hour
	}
	return l
}

// Options of a Service.
type Options struct {
	App    *pgxpool.Pool // of the role of requests
	Queue  *jobs.Queue
	Events interface {
		event.Publisher
		event.Subscriber
	}
	Files *blob.Store
	// History and Gate bring history in again; nil: there is none.
	History History
	Gate    Gate
	Store   telemetry.Store
	Limits  Limits
	Log     *slog.Logger // slog.Default() when nil
}

// Service answers for imports and exports, and works them. It is safe for concurrent use.
type Service struct {
	Options
	others []Sort
}

// New returns a service.
func New(o Options) *Service {
	o.Limits = o.Limits.withDefaults()
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Service{Options: o}
}

// Work registers the jobs with a runner, in processes that work them.
func (s *Service) Work(r *jobs.Runner) {
	jobs.Handle(r, jobs.Work[importArgs]{Do: s.runImport, GaveUp: s.importGaveUp})
	jobs.Handle(r, jobs.Work[exportArgs]{Do: s.runExport, GaveUp: s.exportGaveUp})
	jobs.Handle(r, jobs.Work[replayArgs]{Do: s.runReplay, GaveUp: s.replayGaveUp})
	jobs.Handle(r, jobs.Work[sweepArgs]{Do: s.sweep})
}

// tx runs f in a transaction of the context's tenant.
func (s *Service) tx(ctx context.Context, f func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.App, f)
}
