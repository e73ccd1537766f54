package training

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/lifecycle"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

// Schedule starts the weekly runs of all tenants, takes up again the runs whose process
// died, and clears what such a process left in the folder. It is a lifecycle.Part; any
// number of processes may have one.
type Schedule struct {
	lifecycle.Part
	service *Service
	worker  *pgxpool.Pool
	opt     ScheduleOptions
}

// ScheduleOptions of a Schedule; a zero field takes the value named.
type ScheduleOptions struct {
	Every time.Duration    // between two looks, 10 s
	Now   func() time.Time // time.Now
}

// NewSchedule returns a schedule that is not started. worker is of the role
// foresight_worker, which sees all tenants.
func NewSchedule(s *Service, worker *pgxpool.Pool, o ScheduleOptions) *Schedule {
	if o.Every == 0 {
		o.Every = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	schedule := &Schedule{service: s, worker: worker, opt: o}
	schedule.Part = lifecycle.Every("training schedule", o.Every, s.Log, schedule.Look)
	return schedule
}

// Look does what is due now. What fails for one tenant keeps no other back.
func (s *Schedule) Look(ctx context.Context) error {
	err := postgres.EachTenant(ctx, s.worker, func(ctx context.Context) error {
		return errors.Join(s.service.due(ctx, s.opt.Now()), s.service.revive(ctx))
	})
	return errors.Join(err, s.service.clear(ctx))
}

// revive adds the jobs anew of runs that nobody works though they began, or that wait
// for very long, and ends those over which too many processes died, or that no process
// can work.
func (s *Service) revive(ctx context.Context) error {
	tenant := tenancy.Must(ctx).TenantID
	behalf, err := jobs.Of(ctx, needs...)
	if err != nil {
		return err
	}
	rows, err := s.App.Query(ctx, `SELECT id, attempts, status = 'running' FROM training_runs WHERE tenant_id = $1
		AND (status = 'running' AND updated_at < now() - $2::interval OR status = 'queued' AND updated_at < now() - $3::interval)`,
		tenant, s.Limits.Lost, s.Limits.Wait)
	if err != nil {
		return fmt.Errorf("training: %w", err)
	}
	type stuck struct {
		id       id.UUID
		attempts int
		began    bool
	}
	all, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (x stuck, err error) {
		return x, r.Scan(&x.id, &x.attempts, &x.began)
	})
	if err != nil {
		return fmt.Errorf("training: %w", err)
	}
	var errs []error
	for _, x := range all {
		switch {
		case !x.began && fault.Is(s.trainable(ctx), fault.TrainerUnavailable):
			err = s.fail(ctx, x.id, ErrNoTrainer)
		case x.attempts >= s.Limits.Attempts:
			err = s.fail(ctx, x.id, fault.New(fault.Unavailable, "error.job.lost"))
		default:
			err = s.again(ctx, behalf, x.id, x.began)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// again adds the job of a lost run, unless another process was faster. One job too many
// finds nothing to do.
func (s *Service) again(ctx context.Context, behalf jobs.Behalf, which id.UUID, began bool) error {
	after := s.Limits.Wait
	if began {
		after = s.Limits.Lost
	}
	return s.tx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE training_runs SET updated_at = now() WHERE tenant_id = $1 AND id = $2 AND status IN ('queued', 'running') AND updated_at < now() - $3::interval`,
			behalf.TenantID, which, after)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		s.Log.WarnContext(ctx, "a training is taken up again", "run", which)
		return s.Queue.Add(ctx, tx, args{Behalf: behalf, Run: which}, time.Time{})
	})
}

// clear removes the folders of runs that are not at work: this process left them when
// it died.
func (s *Service) clear(ctx context.Context) error {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		tenant, run, ok := strings.Cut(e.Name(), ".")
		t, terr := id.Parse(tenant)
		r, rerr := id.Parse(run)
		if !ok || terr != nil || rerr != nil {
			continue
		}
		ctx := tenancy.AsSystem(ctx, t)
		var at bool
		if err := s.App.QueryRow(ctx, `SELECT EXISTS (SELECT FROM training_runs WHERE tenant_id = $1 AND id = $2 AND (status IN ('queued', 'running') OR updated_at > now() - interval '1 minute'))`,
			t, r).Scan(&at); err != nil {
			errs = append(errs, err)
		} else if !at {
			errs = append(errs, os.RemoveAll(filepath.Join(s.Dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}
