package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Tenants lists the ids of all tenants that are in use. worker is of the role
// foresight_worker, which sees them.
func Tenants(ctx context.Context, worker *pgxpool.Pool) ([]id.UUID, error) {
	rows, err := worker.Query(ctx, `SELECT id FROM tenants WHERE is_active AND NOT is_deleted ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("tenants: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[id.UUID])
	if err != nil {
		return nil, fmt.Errorf("tenants: %w", err)
	}
	return all, nil
}

// EachTenant calls f as the system within each tenant that is in use. What fails for one
// keeps no other back; the error joins all, with the tenants' ids.
func EachTenant(ctx context.Context, worker *pgxpool.Pool, f func(context.Context) error) error {
	tenants, err := Tenants(ctx, worker)
	if err != nil {
		return err
	}
	return Within(ctx, tenants, f)
}

// Within calls f as the system within each of the tenants, as EachTenant does.
func Within(ctx context.Context, tenants []id.UUID, f func(context.Context) error) error {
	var errs []error
	for _, t := range tenants {
		if err := f(tenancy.AsSystem(ctx, t)); err != nil {
			errs = append(errs, fmt.Errorf("tenant %s: %w", t, err))
		}
	}
	return errors.Join(errs...)
}
