package drift

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/enum"
	"foresight/inference/daily"
	"foresight/inference/features"
	"foresight/internal/bulk"
	"foresight/internal/event"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/keyset"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// needs are the permissions under which a check looks, and may propose.
var needs = []tenancy.Permission{tenancy.PlantRead, tenancy.TelemetryRead, tenancy.PredictionsRead, tenancy.ModelsRead, tenancy.ModelsWrite}

// lost is after how long without progress a check counts as lost.
const lost = time.Hour

type checkArgs struct {
	jobs.Behalf
	Check id.UUID `json:"check_id"`
}

// Kind implements river.JobArgs.
func (checkArgs) Kind() string { return "check_drift" }

// Request asks for a check now, and returns its id. While one waits or works, another is
// a fault.Conflict. It is of the whole tenant, and so not for actors of some sites.
func (s *Service) Request(ctx context.Context) (check id.UUID, err error) {
	if err := manages(ctx); err != nil {
		return check, err
	}
	a := tenancy.Must(ctx)
	// The check reads on behalf of the product: who may ask for it need not see readings.
	behalf, err := jobs.Of(tenancy.AsSystem(ctx, a.TenantID), needs...)
	if err != nil {
		return check, err
	}
	check = id.New(id.DriftCheck)
	var by *id.UUID
	if u, ok := a.UserID(); ok {
		by = &u
	}
	return check, s.tx(ctx, func(tx pgx.Tx) error {
		// One at a time: the lock ends with the transaction.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('drift:' || $1::text, 0))`, a.TenantID); err != nil {
			return fmt.Errorf("drift: %w", err)
		}
		var busy bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM drift_checks WHERE tenant_id = $1 AND status IN ('queued', 'running') AND touched_at > now() - $2::interval)`,
			a.TenantID, lost).Scan(&busy); err != nil {
			return fmt.Errorf("drift: %w", err)
		}
		if busy {
			return fault.New(fault.Conflict, "error.drift.running")
		}
		if _, err := tx.Exec(ctx, `INSERT INTO drift_checks (id, tenant_id, by) VALUES ($1, $2, $3)`, check, a.TenantID, by); err != nil {
			return fmt.Errorf("drift: %w", err)
		}
		if err := record(ctx, tx, "check", "DriftCheck", check, nil, nil); err != nil {
			return err
		}
		return s.Queue.Add(ctx, tx, checkArgs{behalf, check}, time.Time{})
	})
}

// run does a check. What it wrote before it died stays; a second attempt adds the reports
// that are missing.
func (s *Service) run(ctx context.Context, args checkArgs) error {
	tenant := tenancy.Must(ctx).TenantID
	tag, err := s.App.Exec(ctx, `UPDATE drift_checks SET status = 'running', touched_at = now(), error = NULL, finished_at = NULL
		WHERE tenant_id = $1 AND id = $2 AND status IN ('queued', 'running')`, tenant, args.Check)
	if err != nil {
		return fmt.Errorf("drift: %w", err)
	}
	if tag.RowsAffected() == 0 { // it has ended
		return nil
	}
	s.announce(ctx, args.Check, enum.JobRunning)
	reports, err := s.Check(ctx, args.Check)
	if err != nil {
		return err
	}
	if err := s.forget(ctx, tenant); err != nil {
		return err
	}
	if _, err := s.App.Exec(ctx, `UPDATE drift_checks SET status = 'succeeded', touched_at = now(), finished_at = now(), reports = $3
		WHERE tenant_id = $1 AND id = $2`, tenant, args.Check, len(reports)); err != nil {
		return fmt.Errorf("drift: %w", err)
	}
	s.announce(ctx, args.Check, enum.JobSucceeded)
	return nil
}

// Check looks at the predictions of the context's tenant and stores a report on each
// version that made some. The seed draws the sample and names the reports: of one seed
// and version there is one.
func (s *Service) Check(ctx context.Context, seed id.UUID) ([]*Report, error) {
	tenant, now := tenancy.Must(ctx).TenantID, s.Now().UTC()
	var all []*Report
	for _, one := range []struct {
		draw  func(ctx context.Context, tenant, seed id.UUID, now time.Time) (*drawn, error)
		names []string
		slack time.Duration // how much later than the window the first prediction may be in a full one
	}{
		{s.windows, features.Names(), s.Limits.Window / 7},
		{s.days, daily.Names(), s.Limits.DailyWindow / 7},
	} {
		d, err := one.draw(ctx, tenant, seed, now)
		if err != nil {
			return all, err
		}
		for _, v := range d.sorted() {
			if len(v.seen.missing) != len(one.names) {
				continue // of another feature schema; no build that serves it computes it
			}
			r, err := s.report(ctx, tenant, seed, v, d, one.names, one.slack)
			if err != nil {
				return all, err
			}
			all = append(all, r)
		}
	}
	return all, nil
}

// sorted lists the versions in the order of their ids.
func (d *drawn) sorted() (out []*version) {
	for _, v := range d.versions {
		if v != nil {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b *version) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return out
}

// report judges a version, stores what came of it, and proposes what follows.
func (s *Service) report(ctx context.Context, tenant, seed id.UUID, v *version, d *drawn, names []string, slack time.Duration) (*Report, error) {
	reference, since, err := s.reference(ctx, tenant, v)
	if err != nil {
		return nil, err
	}
	r := s.judge(v, d, names, reference, !since.IsZero() && !since.After(d.from.Add(slack)))
	r.ID = id.Derive(id.DriftReport, id.TimeOf(seed), tenant[:], seed[:], v.ID[:])
	if err := s.truth(ctx, tenant, v, r); err != nil {
		return nil, err
	}
	p, isNew, err := s.keep(ctx, tenant, r)
	if err != nil || !isNew {
		return r, err
	}
	s.metrics.reports.WithLabelValues(string(r.Verdict)).Inc()
	s.Log.InfoContext(ctx, "drift looked for", "version", r.Label, "verdict", string(r.Verdict), "reasons", r.Reasons, "rows", r.Rows, "machines", r.Machines,
		"drifted", len(r.Drifted), "label_shift", r.LabelShift, "out_of_distribution", r.OutOfDistribution)
	if p != id.Nil {
		s.metrics.proposals.WithLabelValues(string(Open)).Inc()
		s.automatic(ctx, tenant, p, r)
	}
	return r, nil
}

// gaveUp keeps why a check failed.
func (s *Service) gaveUp(ctx context.Context, args checkArgs, err error) {
	if _, err := s.App.Exec(ctx, `UPDATE drift_checks SET status = 'failed', touched_at = now(), finished_at = now(), error = $3
		WHERE tenant_id = $1 AND id = $2`, tenancy.Must(ctx).TenantID, args.Check, jobs.StoredFailure(err)); err != nil {
		s.Log.ErrorContext(ctx, "failure of a job was not kept", "job", args.Check, "error", err)
	}
	s.announce(ctx, args.Check, enum.JobFailed)
}

func (s *Service) announce(ctx context.Context, check id.UUID, status enum.JobStatus) {
	if err := s.Events.Publish(ctx, event.Event{Kind: event.Job, Key: telemetry.Key{Tenant: tenancy.Must(ctx).TenantID},
		Job: &event.JobProgress{ID: check, Status: string(status), Total: -1}}); err != nil {
		s.Log.WarnContext(ctx, "state of a job was not published", "job", check, "error", err)
	}
}

// Checked is a check as it stands.
type Checked struct {
	bulk.Common
	Reports int        // that it has made
	Day     *time.Time // of a scheduled one; nil when somebody asked
}

// Sort lists the checks among all jobs. They are of the whole tenant.
func (s *Service) Sort() bulk.Sort {
	return bulk.Sort{Table: "drift_checks",
		Sees: func(ctx context.Context) bool {
			a := tenancy.Must(ctx)
			return len(a.SiteIDs) == 0 && tenancy.Require(ctx, tenancy.ModelsRead) == nil
		},
		Load: func(ctx context.Context, ids []id.UUID) (map[id.UUID]bulk.Job, error) {
			found, err := s.ChecksByID(ctx, ids)
			out := make(map[id.UUID]bulk.Job, len(found))
			for u, c := range found {
				out[u] = c
			}
			return out, err
		},
	}
}

// ChecksByID loads checks; those that the actor does not see are absent.
func (s *Service) ChecksByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*Checked, error) {
	if err := tenancy.Require(ctx, tenancy.ModelsRead); err != nil {
		return nil, err
	}
	a := tenancy.Must(ctx)
	if len(a.SiteIDs) > 0 {
		return nil, nil
	}
	rows, err := s.App.Query(ctx, `SELECT id, status, reports, error, by, created_at, finished_at, day FROM drift_checks WHERE tenant_id = $1 AND id = ANY ($2)`, a.TenantID, ids)
	if err != nil {
		return nil, fmt.Errorf("drift: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (*Checked, error) {
		var c Checked
		var failure []byte
		err := r.Scan(&c.ID, &c.Status, &c.Reports, &failure, &c.By, &c.CreatedAt, &c.FinishedAt, &c.Day)
		c.Failure = jobs.ToldFailure(failure)
		c.Done = uint64(c.Reports)
		return &c, err
	})
	return keyset.ByID(found, err, func(c *Checked) id.UUID { return c.ID })
}

// CheckOf returns a check.
func (s *Service) CheckOf(ctx context.Context, which id.UUID) (*Checked, error) {
	found, err := s.ChecksByID(ctx, []id.UUID{which})
	if err != nil {
		return nil, err
	}
	if c := found[which]; c != nil {
		return c, nil
	}
	return nil, fault.Missing("DriftCheck")
}
