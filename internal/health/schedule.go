package health

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

// catchUp is how many days back missed ones are made up. A tenant that was never scored
// begins with the newest day.
const catchUp = 14

// Schedule adds the jobs of days that have settled, of all tenants. It is a
// lifecycle.Part; any number of processes may have one, since a day has one job.
type Schedule struct {
	lifecycle.Part
	service *Service
	worker  *pgxpool.Pool
	opt     ScheduleOptions
}

// ScheduleOptions of a Schedule; a zero field takes the value named.
type ScheduleOptions struct {
	Every time.Duration    // between two looks, 1 min
	Again time.Duration    // after which a failed or incomplete day is tried again, 30 min
	Lost  time.Duration    // after which a job that is not worked at counts as lost, 6 h
	Now   func() time.Time // time.Now
}

// NewSchedule returns a schedule that is not started. worker is of the role
// foresight_worker, which sees all tenants.
func NewSchedule(s *Service, worker *pgxpool.Pool, o ScheduleOptions) *Schedule {
	if o.Every == 0 {
		o.Every = time.Minute
	}
	if o.Again == 0 {
		o.Again = 30 * time.Minute
	}
	if o.Lost == 0 {
		o.Lost = 6 * time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	schedule := &Schedule{service: s, worker: worker, opt: o}
	schedule.Part = lifecycle.Every("scoring schedule", o.Every, s.Log, schedule.Look)
	return schedule
}

// Look adds the jobs that are due now. What fails for one tenant keeps no other back.
func (s *Schedule) Look(ctx context.Context) error {
	return postgres.EachTenant(ctx, s.worker, s.tenant)
}

// due makes the rows of missing days, and takes up again what failed, waits for a model,
// or was lost. It returns the jobs to add.
const due = `WITH newest AS (
	SELECT max(day) AS day FROM scoring_jobs WHERE tenant_id = $1
), added AS (
	INSERT INTO scoring_jobs (id, tenant_id, day)
	SELECT ($3::uuid[])[$4::int - n], $1, $2::date - n FROM generate_series($4::int - 1, 0, -1) AS n, newest
	WHERE n = 0 OR newest.day IS NOT NULL AND $2::date - n > newest.day
	ON CONFLICT (tenant_id, day) DO NOTHING RETURNING id, day
), again AS (
	UPDATE scoring_jobs SET status = 'queued', touched_at = now()
	WHERE tenant_id = $1 AND day > $2::date - $4::int AND (
		(status = 'failed' OR status = 'succeeded' AND unscored > 0) AND finished_at < now() - $5::interval
		OR status IN ('queued', 'running') AND touched_at < now() - $6::interval)
	RETURNING id, day
)
SELECT id FROM (TABLE added UNION ALL TABLE again) x ORDER BY day`

func (s *Schedule) tenant(ctx context.Context) error {
	tenant := tenancy.Must(ctx).TenantID
	behalf, err := jobs.Of(ctx, needs...)
	if err != nil {
		return err
	}
	last := daily.LastDay(s.opt.Now())
	names := make([]id.UUID, catchUp)
	for i := range names {
		names[i] = id.New(id.ScoringJob)
	}
	return s.service.tx(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, due, tenant, last, names, catchUp, s.opt.Again, s.opt.Lost)
		if err != nil {
			return err
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[id.UUID])
		if err != nil {
			return err
		}
		for _, job := range found {
			if err := s.service.Queue.Add(ctx, tx, scoreArgs{behalf, job}, time.Time{}); err != nil {
				return err
			}
		}
		return nil
	})
}
