package bulk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/enum"
	"foresight/internal/audit"
	"foresight/internal/blob"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/tenancy"
)

// ExportFilter narrows an export; nil fields do not.
type ExportFilter struct {
	Site  *id.UUID   `json:"site,omitempty"`
	Asset *id.UUID   `json:"asset,omitempty"`
	From  *time.Time `json:"from,omitempty"`  // inclusive; of alarms and readings only
	To    *time.Time `json:"to,omitempty"`    // exclusive
	Sites []id.UUID  `json:"sites,omitempty"` // what the export is confined to; empty: the whole tenant
}

// ExportRequest is what to export.
type ExportRequest struct {
	Kind   ExportKind
	Format enum.ExportFormat // CSV or NDJSON
	Filter ExportFilter      // Sites is set from the actor
}

// maxRange is the longest time of which readings are exported at once.
const maxRange = 366 * 24 * time.Hour

type exportArgs struct {
	jobs.Behalf
	Job id.UUID `json:"job_id"`
}

// Kind implements river.JobArgs.
func (exportArgs) Kind() string { return "export" }

// StartExport adds the job of an export.
func (s *Service) StartExport(ctx context.Context, q ExportRequest) (*Export, error) {
	behalf, err := jobs.Of(ctx, tenancy.PlantRead, q.Kind.permission())
	if err != nil {
		return nil, err
	}
	if err := q.check(); err != nil {
		return nil, err
	}
	job := id.New(id.ExportJob)
	err = s.tx(ctx, func(tx pgx.Tx) error {
		if err := q.confine(ctx, tx, behalf); err != nil {
			return err
		}
		if err := s.room(ctx, tx, "export_jobs", "status IN ('queued', 'running')"); err != nil {
			return err
		}
		filter, err := json.Marshal(q.Filter)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO export_jobs (id, tenant_id, kind, filter, format, status, "by", created_at)
			VALUES ($1, $2, $3, $4, $5, 'queued', $6, now())`, job, behalf.TenantID, string(q.Kind), filter, string(q.Format), person(ctx)); err != nil {
			return fmt.Errorf("bulk: %w", err)
		}
		changes, err := audit.Diff(nil, audit.Values{"kind": q.Kind, "format": q.Format, "filter": q.Filter})
		if err != nil {
			return err
		}
		return errors.Join(audit.Record(ctx, tx, audit.Entry{Action: "export", Entity: "ExportJob", ID: job, Changes: changes}),
			s.Queue.Add(ctx, tx, exportArgs{behalf, job}, time.Time{}),
			s.Queue.Add(ctx, tx, sweepArgs{behalf, job}, time.Now().Add(s.Limits.Keep)))
	})
	if err != nil {
		return nil, err
	}
	found, err := s.exports(ctx, s.App, []id.UUID{job})
	return one(found, err, job, "ExportJob")
}

// check refuses what does not fit the kind.
func (q *ExportRequest) check() error {
	f := q.Filter
	switch {
	case q.Kind != ExportReadings && sources[q.Kind].query == "":
		return fault.Invalid("input.kind", "error.export.kind")
	case q.Format != enum.ExportCSV && q.Format != enum.ExportNDJSON:
		return fault.Invalid("input.format", "error.export.format")
	case !q.Kind.inTime() && (f.From != nil || f.To != nil):
		return fault.Invalid("input.filter.from", "error.export.noTime")
	case f.Asset != nil && (q.Kind == ExportSites || q.Kind == ExportGateways):
		return fault.Invalid("input.filter.assetId", "error.export.noAsset")
	case q.Kind == ExportReadings && (f.From == nil || f.To == nil):
		return fault.Invalid("input.filter.from", "error.export.range")
	case f.From != nil && f.To != nil && (!f.To.After(*f.From) || f.To.Sub(*f.From) > maxRange):
		return fault.Invalid("input.filter.to", "error.export.rangeLength").With("Max", int(maxRange.Hours()/24))
	}
	return nil
}

// confine verifies what the filter names and narrows it to the actor's sites.
func (q *ExportRequest) confine(ctx context.Context, tx pgx.Tx, behalf jobs.Behalf) error {
	sites, err := narrowed(ctx, tx, behalf, q.Filter.Site, q.Filter.Asset, "input.filter.")
	q.Filter.Sites = sites
	return err
}

// narrowed verifies a site and an asset that were named, and returns the sites that
// what is asked for is confined to; none are the whole tenant.
func narrowed(ctx context.Context, tx pgx.Tx, behalf jobs.Behalf, site, asset *id.UUID, blame string) (sites []id.UUID, err error) {
	sites = behalf.SiteIDs
	for _, r := range []struct {
		of                    *id.UUID
		query, entity, blamed string
	}{
		{site, "SELECT id FROM sites WHERE tenant_id = $1 AND id = $2 AND NOT is_deleted", "Site", "siteId"},
		{asset, "SELECT site_id FROM assets WHERE tenant_id = $1 AND id = $2 AND NOT is_deleted", "Asset", "assetId"},
	} {
		if r.of == nil {
			continue
		}
		var at id.UUID
		err := tx.QueryRow(ctx, r.query, behalf.TenantID, *r.of).Scan(&at)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && len(sites) > 0 && !slices.Contains(sites, at) {
			return nil, fault.Missing(r.entity).At(blame + r.blamed)
		}
		if err != nil {
			return nil, fmt.Errorf("bulk: %w", err)
		}
		sites = []id.UUID{at}
	}
	return sites, nil
}

// exportFile is the name of an export in the blob store.
func exportFile(job id.UUID) string { return "exports/" + job.String() }

// runExport writes the file of an export as it is read. An attempt that breaks off
// leaves no file.
func (s *Service) runExport(ctx context.Context, args exportArgs) error {
	tenant := tenancy.Must(ctx).TenantID
	tag, err := s.App.Exec(ctx, `UPDATE export_jobs SET status = 'running' WHERE tenant_id = $1 AND id = $2 AND status IN ('queued', 'running')`, tenant, args.Job)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	found, err := s.exports(ctx, s.App, []id.UUID{args.Job})
	e, err := one(found, err, args.Job, "ExportJob")
	if err != nil {
		return err
	}
	rows, err := s.writeExport(ctx, e)
	if err != nil {
		return err
	}
	if _, err := s.App.Exec(ctx, `UPDATE export_jobs SET status = 'succeeded', rows = $3, path = $4, finished_at = now()
		WHERE tenant_id = $1 AND id = $2 AND status = 'running'`, tenant, args.Job, rows, exportFile(args.Job)); err != nil {
		return fmt.Errorf("bulk: %w", err)
	}
	s.Announce(ctx, args.Job, enum.JobSucceeded, "", rows, rows)
	return nil
}

// writeExport joins the reader of the rows and the writer of the file by a pipe, and
// returns the number of rows.
func (s *Service) writeExport(ctx context.Context, e *Export) (rows int64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pr, pw := io.Pipe()
	type result struct {
		rows int64
		err  error
	}
	done := make(chan result, 1)
	go func() {
		w := newFileWriter(pw, e.Format)
		n, err := s.produce(ctx, e, w, s.Reporter(ctx, e.ID))
		if err == nil {
			err = w.flush()
		}
		_ = pw.CloseWithError(err) // never fails
		done <- result{n, err}
	}()
	err = s.Files.Put(ctx, exportFile(e.ID), contentType(e.Format), pr, s.Limits.MaxExport)
	if err != nil {
		cancel()
		_ = pr.CloseWithError(err) // never fails; the producer's next write does
	}
	r := <-done
	switch {
	case errors.Is(err, blob.ErrTooLarge):
		return 0, fault.New(fault.BadInput, "error.export.tooLarge").With("Max", s.Limits.MaxExport>>20).Because(err)
	case r.err != nil && !errors.Is(r.err, err):
		return 0, errors.Join(r.err, err)
	}
	return r.rows, err
}

// exportGaveUp says why there is no further attempt.
func (s *Service) exportGaveUp(ctx context.Context, args exportArgs, cause error) {
	if _, err := s.App.Exec(ctx, `UPDATE export_jobs SET status = 'failed', error = $3, finished_at = now()
		WHERE tenant_id = $1 AND id = $2 AND status IN ('queued', 'running')`, tenancy.Must(ctx).TenantID, args.Job, string(jobs.StoredFailure(cause))); err != nil {
		s.Log.ErrorContext(ctx, "a failed export was not told of", "job", args.Job, "error", err)
		return
	}
	s.Announce(ctx, args.Job, enum.JobFailed, "", 0, -1)
}

// Download is an open file of an export. It must be closed.
type Download struct {
	io.ReadCloser
	Name        string // to save it as
	ContentType string
	Size        int64 // bytes
}

// Open opens the file of an export that the actor sees and whose content it may read.
// What is not finished, has expired or is another's is not there.
func (s *Service) Open(ctx context.Context, which id.UUID) (*Download, error) {
	e, err := s.Export(ctx, which)
	if err != nil {
		return nil, err
	}
	if e.ExpiresAt() == nil {
		return nil, fault.Missing("ExportJob")
	}
	f, err := s.Files.Get(ctx, *e.path)
	if err != nil {
		return nil, err
	}
	return &Download{ReadCloser: f, Name: fmt.Sprintf("%s-%s.%s", e.Kind, e.CreatedAt.Format(time.DateOnly), e.Format),
		ContentType: contentType(e.Format), Size: f.Size}, nil
}
