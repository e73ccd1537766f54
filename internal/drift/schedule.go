package drift

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/inference/daily"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/lifecycle"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

// Schedule adds a check for each tenant and day, once the fleet of the day is scored or
// should have been. It is a lifecycle.Part; any number of processes may have one, since
// a day has one check.
type Schedule struct {
	lifecycle.Part
	service *Service
	worker  *pgxpool.Pool
}

// after is how long after a day's features could be made its check is due: the night's
// scoring is over by then.
const after = 2 * time.Hour

// NewSchedule returns a schedule that is not started. worker is of the role
// foresight_worker, which sees all tenants; every is the time between two looks, 5 min
// when 0.
func NewSchedule(s *Service, worker *pgxpool.Pool, every time.Duration) *Schedule {
	if every == 0 {
		every = 5 * time.Minute
	}
	schedule := &Schedule{service: s, worker: worker}
	schedule.Part = lifecycle.Every("drift schedule", every, s.Log, schedule.Look)
	return schedule
}

// Look adds the checks that are due now. What fails for one tenant keeps no other back.
func (s *Schedule) Look(ctx context.Context) error {
	return postgres.EachTenant(ctx, s.worker, s.tenant)
}

// again is after how long a failed check is tried anew.
const again = time.Hour

// due makes the row of the day, or takes it up again when it failed or was lost.
const due = `INSERT INTO drift_checks (id, tenant_id, day) VALUES ($3, $1, $2)
ON CONFLICT (tenant_id, day) DO UPDATE SET status = 'queued', touched_at = now()
WHERE drift_checks.status = 'failed' AND drift_checks.finished_at < now() - $4::interval
	OR drift_checks.status IN ('queued', 'running') AND drift_checks.touched_at < now() - $5::interval
RETURNING id`

func (s *Schedule) tenant(ctx context.Context) error {
	tenant := tenancy.Must(ctx).TenantID
	behalf, err := jobs.Of(ctx, needs...)
	if err != nil {
		return err
	}
	day := daily.LastDay(s.service.Now().Add(-after))
	return s.service.tx(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, due, tenant, day, id.New(id.DriftCheck), again, lost)
		if err != nil {
			return err
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[id.UUID])
		if err != nil {
			return err
		}
		for _, check := range found {
			if err := s.service.Queue.Add(ctx, tx, checkArgs{behalf, check}, time.Time{}); err != nil {
				return err
			}
		}
		return nil
	})
}
