package training

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/enum"
	"foresight/internal/audit"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

type args struct {
	jobs.Behalf
	jobs.Lengthy
	Run id.UUID `json:"run_id"`
}

// Kind implements river.JobArgs.
func (args) Kind() string { return "train" }

// oneAtWork is the index that lets one run of a model wait or be at work.
const oneAtWork = "training_runs_one_at_work"

// Start adds a run and its job. While another one of the model waits or is at work it is
// a fault.Conflict, in whichever process it was asked for.
func (s *Service) Start(ctx context.Context, q Request) (*Run, error) {
	p, err := s.plan(ctx, q)
	if err != nil {
		return nil, err
	}
	which := id.New(id.TrainingRun)
	if p.file != nil {
		p.keep.Upload = uploadKey(which)
		if err := s.Files.Put(ctx, p.keep.Upload, "application/octet-stream", bytes.NewReader(p.file), int64(len(p.file))); err != nil {
			return nil, err
		}
	}
	err = s.tx(ctx, func(tx pgx.Tx) error { return s.insert(ctx, tx, p, which) })
	if err != nil {
		if p.file != nil {
			err = errors.Join(err, s.Files.Delete(ctx, p.keep.Upload))
		}
		return nil, err
	}
	s.begun(ctx, which)
	return s.Run(ctx, which)
}

// Prepared is a run that was looked through, to be added in a transaction together with
// what it comes of.
type Prepared struct {
	service *Service
	plan    *plan
	run     id.UUID
}

// Prepare looks a request through as Start does, and adds nothing yet. The source is none
// that has a file, which no transaction takes back.
func (s *Service) Prepare(ctx context.Context, q Request) (*Prepared, error) {
	if q.Source == enum.TrainingUpload {
		return nil, fault.Invalid("input.source", "error.training.source")
	}
	p, err := s.plan(ctx, q)
	if err != nil {
		return nil, err
	}
	return &Prepared{s, p, id.New(id.TrainingRun)}, nil
}

// Add adds the run and its job within a transaction of the actor's tenant: they are there
// when it commits, and never without. It needs no other connection. The errors are those
// of Start.
func (p *Prepared) Add(ctx context.Context, tx pgx.Tx) (run id.UUID, err error) {
	return p.run, p.service.insert(ctx, tx, p.plan, p.run)
}

// Begun is to be called behind the commit: it tells those who watch.
func (p *Prepared) Begun(ctx context.Context) { p.service.begun(ctx, p.run) }

// begun tells those who watch that a run waits.
func (s *Service) begun(ctx context.Context, which id.UUID) {
	s.Jobs.Announce(ctx, which, enum.JobQueued, "", 0, -1)
}

// insert adds the row, the entry in the audit log and the job.
func (s *Service) insert(ctx context.Context, tx pgx.Tx, p *plan, which id.UUID) error {
	parameters, err := json.Marshal(p.Recipe)
	if err != nil {
		return err
	}
	request, err := json.Marshal(p.keep)
	if err != nil {
		return err
	}
	var by *id.UUID
	if u, ok := tenancy.Must(ctx).UserID(); ok {
		by = &u
	}
	_, err = tx.Exec(ctx, `INSERT INTO training_runs (id, tenant_id, model_id, source, parameters, request, created_by, updated_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)`,
		which, p.behalf.TenantID, p.Model, string(p.Source), parameters, request, by)
	if index, taken := postgres.Unique(err); taken && index == oneAtWork {
		return fault.New(fault.Conflict, "error.training.running").At("input.modelId")
	}
	if err != nil {
		return fmt.Errorf("training: %w", err)
	}
	values := audit.Values{"model_id": p.Model, "source": p.Source, "base_version_id": p.base.ID, "parameters": string(parameters)}
	if p.Drift != nil {
		values["drift_report_id"] = *p.Drift
	}
	changes, err := audit.Diff(nil, values)
	if err != nil {
		return err
	}
	return errors.Join(audit.Record(ctx, tx, audit.Entry{Action: "start", Entity: "TrainingRun", ID: which, Changes: changes}),
		s.Queue.Add(ctx, tx, args{Behalf: p.behalf, Run: which}, time.Time{}))
}

// uploadKey names the uploaded file of a run, logKey its log.
func uploadKey(run id.UUID) string { return "training/" + run.String() + "/upload" }
func logKey(run id.UUID) string    { return "training/" + run.String() + "/log.txt" }

// Cancel ends a run that has not ended; the trainer is killed wherever it runs. One that
// has ended is a fault.Conflict.
func (s *Service) Cancel(ctx context.Context, which id.UUID) (*Run, error) {
	if err := tenancy.Require(ctx, tenancy.ModelsWrite); err != nil {
		return nil, err
	}
	if len(tenancy.Must(ctx).SiteIDs) > 0 {
		return nil, fault.Denied(string(tenancy.ModelsWrite))
	}
	r, err := s.Run(ctx, which)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Missing("TrainingRun").At("input.id")
	}
	if err != nil {
		return nil, err
	}
	if err := s.tx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE training_runs SET status = 'cancelled', ended_at = now(), updated_at = now()
			WHERE tenant_id = $1 AND id = $2 AND status IN ('queued', 'running')`, tenancy.Must(ctx).TenantID, which)
		if err != nil {
			return fmt.Errorf("training: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return fault.New(fault.Conflict, "error.training.ended").At("input.id")
		}
		changes, err := audit.Diff(audit.Values{"status": r.Status}, audit.Values{"status": enum.JobCancelled})
		if err != nil {
			return err
		}
		return errors.Join(audit.Record(ctx, tx, audit.Entry{Action: "cancel", Entity: "TrainingRun", ID: which, Changes: changes}), s.mirrored(ctx, tx, which))
	}); err != nil {
		return nil, err
	}
	s.dropUpload(ctx, &r.Request)
	s.Jobs.Announce(ctx, which, enum.JobCancelled, "", 0, -1)
	return s.Run(ctx, which)
}
