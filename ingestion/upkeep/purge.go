package upkeep

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// pipelineTables hold what the pipeline knows of a tenant's sensors beside the store.
var pipelineTables = [...]string{"rollup_due", "rollup_progress", "rule_states", "sensor_states"}

// Purge deletes all telemetry of a tenant that is locked: readings, predictions,
// rollups and what the pipeline remembers of its sensors. It returns the number of
// documents. What people entered stays, and alarms with it.
//
// A locked tenant's devices are refused, so nothing new comes; what still stood in the
// log when it was locked is written by the pipeline within seconds, or when it has
// caught up: purging again is harmless. A purge that was ended goes on when it is
// called again.
func Purge(ctx context.Context, pool *pgxpool.Pool, store telemetry.Forgetter, tenant id.UUID) (int64, error) {
	var active bool
	err := pool.QueryRow(ctx, `SELECT is_active AND NOT is_deleted FROM tenants WHERE id = $1`, tenant).Scan(&active)
	switch {
	case err == pgx.ErrNoRows:
		return 0, fault.Missing("Tenant")
	case err != nil:
		return 0, fmt.Errorf("purge: %w", err)
	case active:
		return 0, fault.New(fault.Conflict, "error.access.tenantActive")
	}
	err = inTenant(ctx, pool, tenant, func(tx pgx.Tx) error {
		for _, table := range pipelineTables {
			if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE tenant_id = $1`, tenant); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("purge: %w", err)
	}
	return store.ForgetTenant(ctx, tenant)
}

// inTenant runs f in a transaction of the tenant.
func inTenant(ctx context.Context, pool *pgxpool.Pool, tenant id.UUID, f func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, setTenant, tenant.String()); err != nil {
			return err
		}
		return f(tx)
	})
}
