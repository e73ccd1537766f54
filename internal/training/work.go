package training

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/ent/mlmodelversion"
	"foresight/inference/artifact"
	"foresight/internal/bulk"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/tenancy"
)

// errOver says that the run was ended, or is at work elsewhere.
var errOver = errors.New("training: over")

// run works a run. A process that dies over it leaves a row that is found by the
// schedule, which adds the job anew.
func (s *Service) run(ctx context.Context, a args) error {
	r, err := s.Run(ctx, a.Run)
	if err != nil || r.Ended() {
		return err
	}
	err = s.alone(ctx, r, s.work)
	if errors.Is(err, errOver) {
		return nil
	}
	return err
}

// begin counts the attempt.
func (s *Service) begin(ctx context.Context, which id.UUID) (*Run, error) {
	tenant := tenancy.Must(ctx).TenantID
	tag, err := s.App.Exec(ctx, `UPDATE training_runs SET status = 'running', started_at = coalesce(started_at, now()), updated_at = now(), attempts = attempts + 1
		WHERE tenant_id = $1 AND id = $2 AND status IN ('queued', 'running')`, tenant, which)
	if err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return nil, errOver
	}
	return s.Run(ctx, which)
}

// task is a run at work.
type task struct {
	*Service
	*Run
	kind   string
	base   *ent.MLModelVersion
	bundle *artifact.Bundle // the base's
	dir    string
	log    *runLog
	report *bulk.Reporter
	recipe Recipe
	sets   []set
	used   usage
	when   *moments // of the days that were gathered; nil: not known

	flushed time.Time // when the log was stored last
}

// work makes the version of a run.
func (s *Service) work(ctx context.Context, r *Run) (err error) {
	t := &task{Service: s, Run: r, log: &runLog{}, report: s.Jobs.Reporter(ctx, r.ID)}
	t.log.say("run %s, attempt %d", r.ID, r.attempts)
	defer func() { err = t.keepLog(ctx, err) }()
	if r.Version != nil { // the attempt before ended just behind the registration
		return t.succeed(ctx)
	}
	if err := t.prepare(ctx); err != nil {
		return err
	}
	defer os.RemoveAll(t.dir)
	t.report.Tell(bulk.Reading, 0, -1)
	if err := t.gather(ctx); err != nil {
		return err
	}
	parts, err := t.train(ctx)
	if err != nil {
		return err
	}
	t.report.Tell(bulk.Writing, 0, 1)
	bundle, err := t.pack(parts)
	if err != nil {
		return err
	}
	if err := t.keep(ctx, bundle); err != nil {
		return err
	}
	v, err := s.Versions.Register(ctx, Candidate{Model: r.Model, Bundle: bundle, DatasetHash: t.sets[0].hash, Run: r.ID})
	if err != nil {
		return err
	}
	t.log.say("registered as %s", v.FullVersionLabel)
	t.report.Tell(bulk.Writing, 1, 1)
	return t.succeed(ctx)
}

// prepare finds what the run goes on from, and makes its folder.
func (t *task) prepare(ctx context.Context) (err error) {
	if t.recipe, err = t.Run.Recipe(); err != nil {
		return err
	}
	t.base, err = t.ORM.MLModelVersion.Query().Where(mlmodelversion.ID(t.Request.Base)).WithModel().Only(ctx)
	if ent.IsNotFound(err) {
		return fault.Missing("ModelVersion")
	}
	if err != nil {
		return fmt.Errorf("training: %w", err)
	}
	t.kind = kindOf(t.base.Edges.Model.Type)
	if t.bundle, err = t.Service.bundle(ctx, t.base); err != nil {
		return err
	}
	t.log.say("source %s, base %s", t.Source, t.base.FullVersionLabel)
	if t.Request.Drift != nil {
		t.log.say("because of the drift report %s", t.Request.Drift)
	}
	t.dir = filepath.Join(t.Dir, folder(tenancy.Must(ctx).TenantID, t.ID))
	if err := os.RemoveAll(t.dir); err != nil {
		return err
	}
	return os.MkdirAll(t.dir, 0o700)
}

// folder names the folder of a run.
func folder(tenant, run id.UUID) string { return tenant.String() + "." + run.String() }

// train runs the trainer on each data set.
func (t *task) train(ctx context.Context) (parts []artifact.Part, err error) {
	total := int64(t.recipe.Rounds) * int64(len(t.sets))
	for i := range t.sets {
		d := &t.sets[i]
		done := int64(t.recipe.Rounds) * int64(i)
		t.report.Tell(bulk.Training, done, total)
		q, err := t.recipe.request(t.kind, t.bundle.Manifest.Objective, t.nextVersion(d), filepath.Base(d.path), "artifact"+d.Name)
		if err != nil {
			return nil, fault.New(fault.BadInput, "error.training.refused").With("Reason", err.Error())
		}
		t.log.say("training %s on %d rows", cmp.Or(d.Name, t.kind), d.rows)
		u, err := t.Trainer.run(ctx, t.dir, q, t.log, func(round int, metric float64) {
			d.curve = append(d.curve, metric)
			t.report.Tell(bulk.Training, done+min(int64(round)+1, int64(t.recipe.Rounds)), total)
			t.flush(ctx)
		})
		t.used.add(u)
		t.log.say("the trainer took %.1f s and %d MiB", u.wall.Seconds(), u.peak>>20)
		if err != nil {
			return nil, err
		}
		t.report.Tell(bulk.Training, done+int64(t.recipe.Rounds), total) // it may have stopped early
		if err := d.read(filepath.Join(t.dir, q.Out)); err != nil {
			return nil, fault.New(fault.BadInput, "error.training.crashed").With("Reason", "no artifact").Because(err)
		}
		if err := t.warn(d); err != nil {
			return nil, err
		}
		parts = append(parts, artifact.Part{Entry: artifact.Entry{Name: d.Name, Horizon: d.Horizon}, Files: d.files})
	}
	return parts, nil
}

func (t *task) pack(parts []artifact.Part) ([]byte, error) {
	if len(parts) == 1 && parts[0].Name == "" {
		return artifact.PackFiles(parts[0].Files)
	}
	return artifact.PackParts(t.kind, t.sets[0].manifest.Version, parts...)
}

// flushEvery is how often the log of a running trainer is stored.
const flushEvery = 10 * time.Second

// flush stores the log now and then, for those who watch.
func (t *task) flush(ctx context.Context) {
	if time.Since(t.flushed) < flushEvery {
		return
	}
	t.flushed = time.Now()
	if err := t.storeLog(ctx); err != nil && ctx.Err() == nil {
		t.Log.WarnContext(ctx, "the log of a training was not kept", "run", t.ID, "error", err)
	}
}

// keepLog stores the log, with why the run failed, whatever became of it. The tenant
// reads it: of an internal error it tells nothing.
func (t *task) keepLog(ctx context.Context, err error) error {
	var told *fault.Error
	switch {
	case errors.Is(err, errOver):
		t.log.say("ended: cancelled, or at work elsewhere")
	case errors.As(err, &told) && told.Kind != fault.Internal:
		t.log.say("failed: %s %v", told.Key, told.Args)
	case err != nil:
		t.log.say("failed: an internal error")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if lerr := t.storeLog(ctx); lerr != nil {
		t.Log.WarnContext(ctx, "the log of a training was not kept", "run", t.ID, "error", lerr)
	}
	return err
}

// succeed ends the run, and has it mirrored.
func (t *task) succeed(ctx context.Context) error {
	if err := t.storeLog(ctx); err != nil { // whoever sees the end finds the log
		return err
	}
	err := t.tx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE training_runs SET status = 'succeeded', ended_at = now(), updated_at = now()
			WHERE tenant_id = $1 AND id = $2 AND status = 'running'`, tenancy.Must(ctx).TenantID, t.ID)
		if err != nil {
			return fmt.Errorf("training: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return errOver
		}
		return t.mirrored(ctx, tx, t.ID)
	})
	if err != nil {
		return err
	}
	t.dropUpload(ctx, &t.Run.Request)
	t.Jobs.Announce(ctx, t.ID, enum.JobSucceeded, "", 0, -1)
	return nil
}

const failed = `UPDATE training_runs SET status = 'failed', error = $3, ended_at = now(), updated_at = now()
	WHERE tenant_id = $1 AND id = $2 AND status IN ('queued', 'running')`

// gaveUp says why there is no further attempt.
func (s *Service) gaveUp(ctx context.Context, a args, cause error) {
	if err := s.fail(ctx, a.Run, cause); err != nil {
		s.Log.ErrorContext(ctx, "a failed training was not told of", "run", a.Run, "error", err)
	}
}

// fail ends a run with a reason.
func (s *Service) fail(ctx context.Context, which id.UUID, cause error) error {
	err := s.tx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, failed, tenancy.Must(ctx).TenantID, which, string(jobs.StoredFailure(cause)))
		if err != nil {
			return fmt.Errorf("training: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
		return s.mirrored(ctx, tx, which)
	})
	if err != nil {
		return err
	}
	if r, err := s.Run(ctx, which); err == nil {
		s.dropUpload(ctx, &r.Request)
	}
	s.Jobs.Announce(ctx, which, enum.JobFailed, "", 0, -1)
	return nil
}

// asJSON marshals what always can be.
func asJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
