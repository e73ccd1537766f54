package bulk

import (
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
	"foresight/internal/tenancy"
)

// ImportRequest is what to do with an upload.
type ImportRequest struct {
	Upload   id.UUID
	DryRun   bool // judge everything, write nothing
	Partial  bool // write the rows that are right; otherwise all of the file or nothing
	Existing Existing
}

type importArgs struct {
	jobs.Behalf
	Job id.UUID `json:"job_id"`
}

// Kind implements river.JobArgs.
func (importArgs) Kind() string { return "import_assets" }

// StartImport adds the job of an import. The upload is used up, except by a dry run.
func (s *Service) StartImport(ctx context.Context, q ImportRequest) (*Import, error) {
	behalf, err := jobs.Of(ctx, tenancy.PlantWrite)
	if err != nil {
		return nil, err
	}
	if q.Existing == "" {
		q.Existing = RejectExisting
	}
	job := id.New(id.ImportJob)
	err = s.tx(ctx, func(tx pgx.Tx) error {
		name, err := uploadName(ctx, tx, q.Upload)
		if err != nil {
			return err
		}
		if err := s.room(ctx, tx, "import_jobs", "status IN ('queued', 'running')"); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO import_jobs (id, tenant_id, upload_id, file_name, dry_run, is_partial, existing, site_limit, "by")
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, job, behalf.TenantID, q.Upload, name, q.DryRun, q.Partial, string(q.Existing),
			orNull(behalf.SiteIDs), person(ctx)); err != nil {
			return fmt.Errorf("bulk: %w", err)
		}
		return errors.Join(s.Queue.Add(ctx, tx, importArgs{behalf, job}, time.Time{}),
			s.Queue.Add(ctx, tx, sweepArgs{behalf, job}, time.Now().Add(s.Limits.Keep)))
	})
	if err != nil {
		return nil, err
	}
	found, err := s.imports(ctx, s.App, []id.UUID{job})
	return one(found, err, job, "ImportJob")
}

// order is what an import was asked to do, with its file.
type order struct {
	dryRun, partial bool
	existing        Existing
	content         []byte
}

// errEnded says that the job has come to its end at an earlier attempt.
var errEnded = errors.New("bulk: the job has ended")

// runImport works an import. What it writes and what came of it are one transaction:
// an attempt that breaks off leaves nothing, and the next one begins again.
func (s *Service) runImport(ctx context.Context, args importArgs) error {
	o, err := s.beginImport(ctx, args.Job)
	if errors.Is(err, errEnded) {
		return nil
	}
	if err != nil {
		return err
	}
	r := s.Reporter(ctx, args.Job)
	r.Tell(Reading, 0, -1)
	sheet, f := read(o.content, s.Limits.MaxRows)
	if f != nil {
		return f
	}
	if len(sheet.rows) == 0 {
		return fault.New(fault.BadInput, "error.import.empty")
	}
	rows := make([]*row, len(sheet.rows))
	for i, l := range sheet.rows {
		rows[i] = parse(l, sheet.separator)
	}
	var out outcome
	err = s.tx(ctx, func(tx pgx.Tx) error {
		out, err = s.importRows(ctx, tx, args.Job, o, rows, r)
		return err
	})
	if errors.Is(err, errEnded) {
		return nil
	}
	if err != nil {
		return err
	}
	s.Announce(ctx, args.Job, out.status, "", int64(len(rows)), int64(len(rows)))
	return nil
}

// beginImport says that the job runs and reads what it is to do.
func (s *Service) beginImport(ctx context.Context, job id.UUID) (order, error) {
	var o order
	err := s.App.QueryRow(ctx, `UPDATE import_jobs j SET status = 'running' FROM uploads u
		WHERE j.tenant_id = $1 AND j.id = $2 AND j.status IN ('queued', 'running') AND u.tenant_id = j.tenant_id AND u.id = j.upload_id
		RETURNING j.dry_run, j.is_partial, j.existing, u.content`, tenancy.Must(ctx).TenantID, job).
		Scan(&o.dryRun, &o.partial, &o.existing, &o.content)
	if errors.Is(err, pgx.ErrNoRows) {
		err = errEnded
	}
	return o, err
}

// importRows judges the rows, writes them if it may, and stores what came of it.
func (s *Service) importRows(ctx context.Context, tx pgx.Tx, job id.UUID, o order, rows []*row, r *Reporter) (outcome, error) {
	tenant := tenancy.Must(ctx).TenantID
	var status string
	// Two attempts at once (the first was thought dead) end with one of them.
	if err := tx.QueryRow(ctx, `SELECT status FROM import_jobs WHERE tenant_id = $1 AND id = $2 FOR UPDATE`, tenant, job).Scan(&status); err != nil {
		return outcome{}, fmt.Errorf("bulk: %w", err)
	}
	if status != string(enum.JobRunning) {
		return outcome{}, errEnded
	}
	// Imports of a tenant follow each other: their codes must not race.
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('import of ' || $1::text, 0))`, tenant.String()); err != nil {
		return outcome{}, fmt.Errorf("bulk: %w", err)
	}
	all := int64(len(rows))
	r.Tell(Checking, 0, all)
	if err := resolve(ctx, tx, rows, o.existing, func(done int) { r.Tell(Checking, int64(done), all) }); err != nil {
		return outcome{}, err
	}
	good := make([]*row, 0, len(rows))
	for _, row := range rows {
		if row.wrong == nil && !row.skip {
			good = append(good, row)
		}
	}
	out := summarise(rows, good, o)
	if out.written {
		r.Tell(Writing, 0, int64(len(good)))
		if err := write(ctx, tx, good, func(done int) { r.Tell(Writing, int64(done), int64(len(good))) }); err != nil {
			return outcome{}, err
		}
	}
	return out, out.store(ctx, tx, job, o.dryRun)
}

// MaxMistakes is how many mistakes of an import are kept.
const MaxMistakes = 1000

// outcome is what came of an import.
type outcome struct {
	status   enum.JobStatus
	written  bool
	rows     int
	created  map[Kind]int
	skipped  int
	rejected int
	count    int
	mistakes []Mistake
	failure  []byte
}

// summarise decides and counts. Without partial, one row that is wrong keeps all others out.
func summarise(rows, good []*row, o order) outcome {
	out := outcome{status: enum.JobSucceeded, rows: len(rows), created: map[Kind]int{}, mistakes: []Mistake{}}
	for _, r := range rows {
		switch {
		case r.wrong != nil:
			out.rejected++
			out.count += len(r.wrong)
			out.mistakes = append(out.mistakes, r.wrong[:min(len(r.wrong), MaxMistakes-len(out.mistakes))]...)
		case r.skip:
			out.skipped++
		}
	}
	if out.rejected > 0 && !o.partial {
		out.status = enum.JobFailed
		out.failure = jobs.StoredFailure(fault.New(fault.BadInput, "error.import.mistakes").With("Count", out.rejected))
		return out
	}
	for _, r := range good {
		out.created[r.kind]++
	}
	out.written = !o.dryRun && len(good) > 0
	return out
}

// store writes the outcome to the job. A file that was to be written is used up; one
// of a dry run waits for its import.
func (o *outcome) store(ctx context.Context, tx pgx.Tx, job id.UUID, dryRun bool) error {
	created, err := json.Marshal(o.created)
	if err != nil {
		return err
	}
	mistakes, err := json.Marshal(o.mistakes)
	if err != nil {
		return err
	}
	tenant := tenancy.Must(ctx).TenantID
	if _, err := tx.Exec(ctx, `UPDATE import_jobs SET status = $3, read_rows = $4, created = $5, skipped_rows = $6, rejected_rows = $7,
			mistake_count = $8, mistakes = $9, error = $10, finished_at = now() WHERE tenant_id = $1 AND id = $2`,
		tenant, job, string(o.status), o.rows, created, o.skipped, o.rejected, o.count, mistakes, o.failure); err != nil {
		return fmt.Errorf("bulk: %w", err)
	}
	if dryRun {
		return nil
	}
	if o.written {
		changes, err := audit.Diff(nil, audit.Values{"created": o.created, "skipped_rows": o.skipped, "rejected_rows": o.rejected})
		if err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, audit.Entry{Action: "import", Entity: "ImportJob", ID: job, Changes: changes}); err != nil {
			return err
		}
	}
	return useUp(ctx, tx, job)
}

// useUp deletes the file of a job, unless another one still waits for it.
func useUp(ctx context.Context, tx pgx.Tx, job id.UUID) error {
	tenant := tenancy.Must(ctx).TenantID
	var upload *id.UUID
	if err := tx.QueryRow(ctx, `SELECT upload_id FROM import_jobs WHERE tenant_id = $1 AND id = $2`, tenant, job).Scan(&upload); err != nil || upload == nil {
		return err
	}
	return dropUpload(ctx, tx, *upload)
}

// dropUpload deletes a file that no unfinished job waits for.
func dropUpload(ctx context.Context, tx pgx.Tx, which id.UUID) error {
	tenant := tenancy.Must(ctx).TenantID
	if _, err := tx.Exec(ctx, `UPDATE import_jobs SET upload_id = NULL WHERE tenant_id = $1 AND upload_id = $2 AND status IN ('succeeded', 'failed')`,
		tenant, which); err != nil {
		return fmt.Errorf("bulk: %w", err)
	}
	if _, err := tx.Exec(ctx, `DELETE FROM uploads u WHERE tenant_id = $1 AND id = $2
		AND NOT EXISTS (SELECT FROM import_jobs j WHERE j.tenant_id = u.tenant_id AND j.upload_id = u.id)`, tenant, which); err != nil {
		return fmt.Errorf("bulk: %w", err)
	}
	return nil
}

// importGaveUp says why there is no further attempt.
func (s *Service) importGaveUp(ctx context.Context, args importArgs, cause error) {
	tenant := tenancy.Must(ctx).TenantID
	err := s.tx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE import_jobs SET status = 'failed', error = $3, finished_at = now()
			WHERE tenant_id = $1 AND id = $2 AND status IN ('queued', 'running')`, tenant, args.Job, jobs.StoredFailure(cause)); err != nil {
			return err
		}
		return useUp(ctx, tx, args.Job)
	})
	if err != nil {
		s.Log.ErrorContext(ctx, "a failed import was not told of", "job", args.Job, "error", err)
		return
	}
	s.Announce(ctx, args.Job, enum.JobFailed, "", 0, -1)
}
