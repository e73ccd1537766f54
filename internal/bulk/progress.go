package bulk

import (
	"context"
	"time"

	"foresight/ent/enum"
	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// tellEvery is the least time between two tellings of a phase.
const tellEvery = 200 * time.Millisecond

// Reporter tells how far a job is: in the database, for those who look, and through
// the hub, for those who watch. Neither may hold the job up: what fails is logged.
type Reporter struct {
	s     *Service
	ctx   context.Context
	job   id.UUID
	phase Phase
	last  time.Time
}

// Reporter returns one for a job.
func (s *Service) Reporter(ctx context.Context, job id.UUID) *Reporter {
	return &Reporter{s: s, ctx: ctx, job: job}
}

// Tell reports rows of a phase; total is -1 when it is not known. The beginning and the
// end of a phase are always told, what is between now and then.
func (r *Reporter) Tell(p Phase, done, total int64) {
	if now := time.Now(); p != r.phase || done == total || now.Sub(r.last) >= tellEvery {
		r.phase, r.last = p, now
	} else {
		return
	}
	tenant := tenancy.Must(r.ctx).TenantID
	if _, err := r.s.App.Exec(r.ctx, `INSERT INTO job_progress AS p (tenant_id, job_id, phase, done, total) VALUES ($1, $2, $3, $4, nullif($5::bigint, -1))
		ON CONFLICT (tenant_id, job_id) DO UPDATE SET phase = excluded.phase, done = excluded.done, total = excluded.total, updated_at = now()`,
		tenant, r.job, string(p), done, total); err != nil {
		r.s.Log.WarnContext(r.ctx, "progress of a job was not kept", "job", r.job, "error", err)
	}
	r.s.Announce(r.ctx, r.job, enum.JobRunning, p, done, total)
}

// Announce publishes the state of a job, after the commit of it; total is -1 when it is not known.
func (s *Service) Announce(ctx context.Context, job id.UUID, status enum.JobStatus, p Phase, done, total int64) {
	err := s.Events.Publish(ctx, event.Event{Kind: event.Job, Key: telemetry.Key{Tenant: tenancy.Must(ctx).TenantID},
		Job: &event.JobProgress{ID: job, Status: string(status), Phase: string(p), Done: done, Total: total}})
	if err != nil {
		s.Log.WarnContext(ctx, "progress of a job was not published", "job", job, "error", err)
	}
}
