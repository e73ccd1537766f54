// Package plant is the hierarchy of a tenant: sites, gateways, assets, sensors and
// the parameters they measure. All methods act for the actor of the context, check
// its permission and see only its tenant and sites; what lies elsewhere does not
// exist. They are safe for concurrent use.
package plant

import (
	"context"
	"database/sql"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/ent"
	"foresight/internal/blob"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

// Service answers for the plant. The pool serves hand-written reads; both run
// under row-level security.
type Service struct {
	db   *sql.DB
	ent  *ent.Client
	pool *pgxpool.Pool
	opt  Options
	// decoding has an element for each picture that is being decoded.
	decoding chan struct{}
}

// Options are what some of the service needs besides the database.
type Options struct {
	// Files keeps the pictures of machines, Links lets them be shown.
	Files *blob.Store
	Links *blob.Links
	// NewSecret returns a password that cannot be guessed, and its hash.
	NewSecret func() (secret, hash string)
	Log       *slog.Logger // nil: slog.Default()
}

// maxDecoding bounds the pictures that are decoded at once, each in some 120 MB.
const maxDecoding = 2

// New returns a service on the pool of the role foresight_app and database/sql over
// it, from postgres.OpenDB.
func New(db *sql.DB, app *pgxpool.Pool, o Options) *Service {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Service{db, postgres.Client(db), app, o, make(chan struct{}, maxDecoding)}
}

// Tenant returns the actor's tenant.
func (s *Service) Tenant(ctx context.Context) (*ent.Tenant, error) {
	a := tenancy.From(ctx)
	if a == nil {
		return nil, tenancy.Require(ctx, tenancy.PlantRead)
	}
	t, err := s.ent.Tenant.Get(ctx, a.TenantID)
	return t, missing(err, "Tenant")
}

// missing turns the ORM's not-found into the product's.
func missing(err error, entity string) error {
	if ent.IsNotFound(err) {
		return fault.Missing(entity)
	}
	return err
}

// sites returns the actor's site limit as a query argument: nil for none.
func sites(ctx context.Context) []id.UUID { return tenancy.Must(ctx).SiteIDs }
