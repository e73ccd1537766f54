package deploy

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/internal/event"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// Gate loads a version as it would be loaded to serve.
type Gate interface {
	// Activate reads the artifact, checks it and keeps the model ready. The error says
	// why the version cannot serve models of the type.
	Activate(ctx context.Context, t enum.ModelType, v Artifact) error
}

// Artifact is where a version's model is.
type Artifact struct {
	Version id.UUID
	Label   string // `fault_classifier:1.0.3`
	Hash    string // content address
}

// Options of a Service.
type Options struct {
	App    *pgxpool.Pool // of the role of requests
	Ent    *ent.Client   // over it
	Queue  *jobs.Queue   // nil in processes that ask for no evaluations
	Store  telemetry.Store
	Gate   Gate
	Events event.Publisher
	// Letters writes of requests and of what the rules decide; nil: nobody is written to.
	Letters Letters
	Now     func() time.Time // time.Now when nil
	Log     *slog.Logger     // slog.Default() when nil
}

// Service deploys, binds, compares and decides, for the actor of the context and within
// its tenant. It is safe for concurrent use.
type Service struct {
	Options
}

// New returns a service.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Service{o}
}

// now is the present at the precision that PostgreSQL keeps.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// tx runs f in a transaction of the context's tenant.
func (s *Service) tx(ctx context.Context, f func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.App, f)
}

// querier reads: the pool, or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// execer writes: a transaction.
type execer interface {
	querier
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// may checks that the actor holds the permission in the whole tenant: a deployment
// concerns all of its machines.
func may(ctx context.Context, p tenancy.Permission) error {
	if err := tenancy.Require(ctx, p); err != nil {
		return err
	}
	if len(tenancy.Must(ctx).SiteIDs) > 0 {
		return fault.Denied(string(p))
	}
	return nil
}

// person is the acting member, nil when no person acts.
func person(ctx context.Context) *id.UUID {
	if u, ok := tenancy.Must(ctx).UserID(); ok {
		return &u
	}
	return nil
}
