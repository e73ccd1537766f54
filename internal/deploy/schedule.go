package deploy

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/lifecycle"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

// Schedule asks for evaluations of models with a policy, of all tenants. It is a
// lifecycle.Part; any number of processes may have one, since whoever takes a policy
// first has it until the next time.
type Schedule struct {
	lifecycle.Part
	service *Service
	worker  *pgxpool.Pool
	opt     ScheduleOptions
}

// ScheduleOptions of a Schedule; a zero field takes the value named.
type ScheduleOptions struct {
	Look  time.Duration // between two looks for policies that are due, 1 min
	Every time.Duration // between two evaluations of a model, 10 min
}

// NewSchedule returns a schedule that is not started. worker is of the role
// foresight_worker, which sees the policies of all tenants.
func NewSchedule(s *Service, worker *pgxpool.Pool, o ScheduleOptions) *Schedule {
	if o.Look == 0 {
		o.Look = time.Minute
	}
	if o.Every == 0 {
		o.Every = 10 * time.Minute
	}
	schedule := &Schedule{service: s, worker: worker, opt: o}
	schedule.Part = lifecycle.Every("deployment schedule", o.Look, s.Log, schedule.Look)
	return schedule
}

// Look adds the jobs that are due now. What fails for one tenant keeps no other back.
func (s *Schedule) Look(ctx context.Context) error {
	now := s.service.now()
	rows, err := s.worker.Query(ctx, `SELECT DISTINCT p.tenant_id FROM deployment_policies p JOIN tenants t ON t.id = p.tenant_id AND t.is_active AND NOT t.is_deleted
		WHERE p.looked_at <= $1 ORDER BY p.tenant_id`, now.Add(-s.opt.Every))
	if err != nil {
		return fmt.Errorf("deploy: policies: %w", err)
	}
	tenants, err := pgx.CollectRows(rows, pgx.RowTo[id.UUID])
	if err != nil {
		return fmt.Errorf("deploy: policies: %w", err)
	}
	return postgres.Within(ctx, tenants, func(ctx context.Context) error { return s.tenant(ctx, now) })
}

func (s *Schedule) tenant(ctx context.Context, now time.Time) error {
	behalf, err := jobs.Of(ctx, needs...)
	if err != nil {
		return err
	}
	return s.service.tx(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `UPDATE deployment_policies SET looked_at = $2 WHERE tenant_id = $1 AND looked_at <= $3 RETURNING model_id`,
			tenancy.Must(ctx).TenantID, now, now.Add(-s.opt.Every))
		if err != nil {
			return err
		}
		due, err := pgx.CollectRows(rows, pgx.RowTo[id.UUID])
		if err != nil {
			return err
		}
		for _, model := range due {
			if err := s.service.Queue.Add(ctx, tx, evaluateArgs{behalf, model}, time.Time{}); err != nil {
				return err
			}
		}
		return nil
	})
}
