package backtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/tenancy"
)

type sweepArgs struct {
	jobs.Behalf
	Backtest id.UUID `json:"backtest_id"`
}

// Kind implements river.JobArgs.
func (sweepArgs) Kind() string { return "sweep_backtest" }

// sweepEvery is when to look again after a backtest that has not ended; one that did
// not get on for as long is lost.
const sweepEvery = time.Hour

// sweep ends a backtest that nobody works any more, so that the tenant's next one may
// begin, and deletes one whose time is over.
func (s *Service) sweep(ctx context.Context, a sweepArgs) error {
	tenant := tenancy.Must(ctx).TenantID
	return s.tx(ctx, func(tx pgx.Tx) error {
		var made time.Time
		var ended, going bool
		err := tx.QueryRow(ctx, `SELECT created_at, status NOT IN ('queued', 'running'),
				EXISTS (SELECT FROM job_progress WHERE tenant_id = b.tenant_id AND job_id = b.id AND updated_at > now() - $3::interval)
			FROM backtests b WHERE tenant_id = $1 AND id = $2 FOR UPDATE`, tenant, a.Backtest, sweepEvery).Scan(&made, &ended, &going)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return nil
		case err != nil:
			return fmt.Errorf("backtest: %w", err)
		case !ended && going:
			return s.Queue.Add(ctx, tx, a, time.Now().Add(sweepEvery))
		case ended && time.Since(made) >= s.Limits.Keep:
			return drop(ctx, tx, a.Backtest)
		}
		if !ended {
			if _, err := tx.Exec(ctx, failed, tenant, a.Backtest, string(jobs.StoredFailure(fault.New(fault.Unavailable, "error.job.lost")))); err != nil {
				return fmt.Errorf("backtest: %w", err)
			}
		}
		return s.Queue.Add(ctx, tx, a, made.Add(s.Limits.Keep))
	})
}

// drop deletes a backtest with its result.
func drop(ctx context.Context, tx pgx.Tx, which id.UUID) error {
	tenant := tenancy.Must(ctx).TenantID
	for _, statement := range []string{
		`DELETE FROM backtest_alarms WHERE tenant_id = $1 AND backtest_id = $2`,
		`DELETE FROM backtest_predictions WHERE tenant_id = $1 AND backtest_id = $2`,
		`DELETE FROM job_progress WHERE tenant_id = $1 AND job_id = $2`,
		`DELETE FROM backtests WHERE tenant_id = $1 AND id = $2`,
	} {
		if _, err := tx.Exec(ctx, statement, tenant, which); err != nil {
			return fmt.Errorf("backtest: %w", err)
		}
	}
	return nil
}
