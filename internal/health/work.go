package health

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/enum"
	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// slice is how long a job works at a time, after which others have their turn.
const slice = 2 * time.Minute

// needs are the permissions under which a fleet is scored.
var needs = []tenancy.Permission{tenancy.PlantRead, tenancy.TelemetryRead, tenancy.PredictionsRead, tenancy.PredictionsWrite}

type scoreArgs struct {
	jobs.Behalf
	Job id.UUID `json:"job_id"`
}

// Kind implements river.JobArgs.
func (scoreArgs) Kind() string { return "score" }

// Work registers the jobs with a runner, in processes that work them.
func (s *Service) Work(r *jobs.Runner) {
	jobs.Handle(r, jobs.Work[scoreArgs]{Do: s.run, GaveUp: s.gaveUp})
}

// run scores the fleet for the day of the job.
func (s *Service) run(ctx context.Context, args scoreArgs) error {
	tenant, until := tenancy.Must(ctx).TenantID, time.Now().Add(slice)
	var day time.Time
	rows, err := s.App.Query(ctx, `UPDATE scoring_jobs SET status = 'running', touched_at = now(), error = NULL, finished_at = NULL
		WHERE tenant_id = $1 AND id = $2 AND status IN ('queued', 'running') RETURNING day`, tenant, args.Job)
	if err == nil {
		day, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[time.Time])
	}
	if errors.Is(err, pgx.ErrNoRows) { // it has ended
		return nil
	}
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	s.announce(ctx, args.Job, enum.JobRunning)
	f, err := s.readFleet(ctx, tenant)
	if err != nil {
		return err
	}
	err = s.summarise(ctx, tenant, f, day, func(left int) error {
		if left > 0 && time.Now().After(until) {
			return jobs.ErrMore
		}
		return nil
	})
	if err != nil {
		return err
	}
	t, err := s.scoreFleet(ctx, tenant, f, day)
	if err != nil {
		return err
	}
	if err := s.forget(ctx, tenant, day); err != nil {
		return err
	}
	if _, err := s.App.Exec(ctx, `UPDATE scoring_jobs SET status = 'succeeded', touched_at = now(), finished_at = now(), assets = $3, scored = $4, unscored = $5
		WHERE tenant_id = $1 AND id = $2 AND status = 'running'`, tenant, args.Job, t.Assets, t.Scored, t.Unscored); err != nil {
		return fmt.Errorf("health: %w", err)
	}
	s.Log.InfoContext(ctx, "fleet scored", "day", day.Format(time.DateOnly), "assets", t.Assets, "scored", t.Scored, "unscored", t.Unscored)
	s.announce(ctx, args.Job, enum.JobSucceeded)
	return nil
}

// scoreFleet makes features and predictions of a day, a part of the fleet at a time.
func (s *Service) scoreFleet(ctx context.Context, tenant id.UUID, f *fleet, day time.Time) (all tally, err error) {
	limits, err := s.tenantLimits(ctx, tenant)
	if err != nil {
		return all, err
	}
	err = f.chunks(machinesAtOnce, func(machines []machine) error {
		if err := s.extract(ctx, tenant, machines, day); err != nil {
			return err
		}
		t, err := s.score(ctx, tenant, limits, machines, day)
		all.Assets, all.Scored, all.Unscored = all.Assets+t.Assets, all.Scored+t.Scored, all.Unscored+t.Unscored
		return err
	})
	return all, err
}

// gaveUp keeps why a job failed. What it did is kept, and it is tried again later.
func (s *Service) gaveUp(ctx context.Context, args scoreArgs, err error) {
	if _, err := s.App.Exec(ctx, `UPDATE scoring_jobs SET status = 'failed', touched_at = now(), finished_at = now(), error = $3
		WHERE tenant_id = $1 AND id = $2`, tenancy.Must(ctx).TenantID, args.Job, jobs.StoredFailure(err)); err != nil {
		s.Log.ErrorContext(ctx, "failure of a job was not kept", "job", args.Job, "error", err)
	}
	s.announce(ctx, args.Job, enum.JobFailed)
}

func (s *Service) announce(ctx context.Context, job id.UUID, status enum.JobStatus) {
	if err := s.Events.Publish(ctx, event.Event{Kind: event.Job, Key: telemetry.Key{Tenant: tenancy.Must(ctx).TenantID},
		Job: &event.JobProgress{ID: job, Status: string(status), Total: -1}}); err != nil {
		s.Log.WarnContext(ctx, "state of a job was not published", "job", job, "error", err)
	}
}
