// Package plant is the hierarchy of a tenant: sites, gateways, assets, sensors and
// the parameters they measure. All methods act for the actor of the context, check
// its permission and see only its tenant and sites; what lies elsewhere does not
// exist. They are safe for concurrent use.
package plant

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/ent"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Service answers for the plant. The pool serves hand-written reads; both run
// under row-level security.
type Service struct {
	ent  *ent.Client
	pool *pgxpool.Pool
}

// New returns a service on the ORM and the pool of the role foresight_app.
func New(client *ent.Client, app *pgxpool.Pool) *Service { return &Service{client, app} }

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

// constraint says which unique or foreign key a change broke, nil for other errors.
func constraint(err error, taken, absent *fault.Error) error {
	var pg interface{ SQLState() string }
	if !errors.As(err, &pg) {
		return err
	}
	switch pg.SQLState() {
	case "23505":
		return taken.Because(err)
	case "23503":
		return absent.Because(err)
	}
	return err
}
