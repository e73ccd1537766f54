package bulk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/enum"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/keyset"
	"foresight/internal/tenancy"
)

// Phase is what a running job does.
type Phase string

// The phases. An export only writes; a replay reads, and writes while it waits for the
// workers; a backtest only reads; a training reads, trains and writes the version.
const (
	Reading  Phase = "reading"
	Checking Phase = "checking"
	Training Phase = "training"
	Writing  Phase = "writing"
)

// Common is what all jobs have in common.
type Common struct {
	ID         id.UUID
	Status     enum.JobStatus
	Phase      *Phase  // nil when it does not run
	Done       uint64  // rows of the phase
	Total      *uint64 // rows of the phase; nil: not known
	Failure    *fault.Error
	By         *id.UUID // user id of who asked; nil when no person did
	CreatedAt  time.Time
	FinishedAt *time.Time
}

// Base implements Job.
func (c *Common) Base() *Common { return c }

// Ended reports whether the job has come to its end.
func (c *Common) Ended() bool {
	return c.Status != enum.JobQueued && c.Status != enum.JobRunning
}

// Job is an *Import, an *Export, a *Replay, a *Scoring or a backtest.
type Job interface{ Base() *Common }

// Import is an import as it stands.
type Import struct {
	Common
	FileName     string
	DryRun       bool
	Partial      bool
	Existing     Existing
	ReadRows     int
	Created      map[Kind]int // in a dry run: what would be
	SkippedRows  int
	RejectedRows int
	MistakeCount int
	Mistakes     []Mistake // the first of them
}

// Export is an export as it stands.
type Export struct {
	Common
	Kind   ExportKind
	Format enum.ExportFormat
	Filter ExportFilter
	Rows   *uint64 // nil: not finished
	path   *string
	keep   time.Duration
}

// ExpiresAt is when the file is deleted; nil when there is none, or none any more.
func (e *Export) ExpiresAt() *time.Time {
	if e.path == nil || e.FinishedAt == nil {
		return nil
	}
	t := e.CreatedAt.Add(e.keep)
	if !time.Now().Before(t) {
		return nil
	}
	return &t
}

const importColumns = `j.id, j.status, p.phase, coalesce(p.done, 0), p.total, j.error, j."by", j.created_at, j.finished_at,
	j.file_name, j.dry_run, j.is_partial, j.existing, j.read_rows, j.created, j.skipped_rows, j.rejected_rows, j.mistake_count, j.mistakes`

func (s *Service) imports(ctx context.Context, q querier, ids []id.UUID) (map[id.UUID]*Import, error) {
	a := tenancy.Must(ctx)
	rows, err := q.Query(ctx, `SELECT `+importColumns+` FROM import_jobs j
		LEFT JOIN job_progress p ON p.tenant_id = j.tenant_id AND p.job_id = j.id
		WHERE j.tenant_id = $1 AND j.id = ANY ($2) AND `+within("j.site_limit", "$3"), a.TenantID, ids, list(a.SiteIDs))
	if err != nil {
		return nil, fmt.Errorf("bulk: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (*Import, error) {
		var i Import
		var failure, created, mistakes []byte
		err := r.Scan(&i.ID, &i.Status, &i.Phase, &i.Done, &i.Total, &failure, &i.By, &i.CreatedAt, &i.FinishedAt,
			&i.FileName, &i.DryRun, &i.Partial, &i.Existing, &i.ReadRows, &created, &i.SkippedRows, &i.RejectedRows, &i.MistakeCount, &mistakes)
		if err == nil {
			err = errors.Join(json.Unmarshal(created, &i.Created), json.Unmarshal(mistakes, &i.Mistakes))
		}
		i.Failure = jobs.ToldFailure(failure)
		i.settle()
		return &i, err
	})
	return keyset.ByID(found, err, func(i *Import) id.UUID { return i.ID })
}

const exportColumns = `j.id, j.status, p.phase, coalesce(p.done, 0), p.total, j.error, j."by", j.created_at, j.finished_at,
	j.kind, j.format, j.filter, j.rows, j.path`

func (s *Service) exports(ctx context.Context, q querier, ids []id.UUID) (map[id.UUID]*Export, error) {
	a := tenancy.Must(ctx)
	rows, err := q.Query(ctx, `SELECT `+exportColumns+` FROM export_jobs j
		LEFT JOIN job_progress p ON p.tenant_id = j.tenant_id AND p.job_id = j.id
		WHERE j.tenant_id = $1 AND j.id = ANY ($2) AND `+seesExport("$3"), a.TenantID, ids, list(a.SiteIDs))
	if err != nil {
		return nil, fmt.Errorf("bulk: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (*Export, error) {
		e := Export{keep: s.Limits.Keep}
		var failure *string
		var filter []byte
		err := r.Scan(&e.ID, &e.Status, &e.Phase, &e.Done, &e.Total, &failure, &e.By, &e.CreatedAt, &e.FinishedAt,
			&e.Kind, &e.Format, &filter, &e.Rows, &e.path)
		if err == nil {
			err = json.Unmarshal(filter, &e.Filter)
		}
		if failure != nil {
			e.Failure = jobs.ToldFailure([]byte(*failure))
		}
		e.settle()
		return &e, err
	})
	return keyset.ByID(found, err, func(e *Export) id.UUID { return e.ID })
}

// settle takes the progress from a job that does not run.
func (c *Common) settle() {
	if c.Status != enum.JobRunning {
		c.Phase = nil
	}
}

// seesExport is the condition that an actor with the sites of the parameter sees an
// export: what it holds is of no other sites.
func seesExport(sites string) string {
	return `(cardinality(` + sites + `::uuid[]) = 0 OR j.filter -> 'sites' <@ to_jsonb(` + sites + `::uuid[]))`
}

// readable are the kinds of exports that the actor may read, each with the sites where it
// may; none are the whole tenant.
func readable(a *tenancy.Actor) map[ExportKind][]id.UUID {
	out := map[ExportKind][]id.UUID{}
	for _, k := range exportKinds {
		if at, err := a.Under(tenancy.PlantRead, k.permission()); err == nil {
			out[k] = list(at.SiteIDs)
		}
	}
	return out
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// ImportsByID loads imports in one statement; those that the actor does not see are absent.
func (s *Service) ImportsByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*Import, error) {
	if err := tenancy.Require(ctx, tenancy.PlantRead); err != nil {
		return nil, err
	}
	return s.imports(ctx, s.App, ids)
}

// ExportsByID loads exports in one statement; those that hold what the actor may not
// read are absent.
func (s *Service) ExportsByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*Export, error) {
	found, err := s.exports(ctx, s.App, ids)
	maps.DeleteFunc(found, func(_ id.UUID, e *Export) bool { return mayRead(ctx, e) != nil })
	return found, err
}

// Import returns an import of the actor's tenant and sites.
func (s *Service) Import(ctx context.Context, which id.UUID) (*Import, error) {
	found, err := s.ImportsByID(ctx, []id.UUID{which})
	return one(found, err, which, "ImportJob")
}

// Export returns an export of the actor's tenant and of the sites where it may read
// what the export holds.
func (s *Service) Export(ctx context.Context, which id.UUID) (*Export, error) {
	if tenancy.From(ctx) == nil {
		return nil, tenancy.Require(ctx, tenancy.PlantRead)
	}
	found, err := s.exports(ctx, s.App, []id.UUID{which})
	e, err := one(found, err, which, "ExportJob")
	if err != nil {
		return nil, err
	}
	if err := mayRead(ctx, e); err != nil {
		return nil, err
	}
	return e, nil
}

// mayRead says why the actor may not read what an export holds.
func mayRead(ctx context.Context, e *Export) error {
	a, err := tenancy.Must(ctx).Under(tenancy.PlantRead, e.Kind.permission())
	if err == nil && !covers(a.SiteIDs, e.Filter.Sites) {
		err = fault.Missing("ExportJob")
	}
	return err
}

func one[T any](found map[id.UUID]*T, err error, which id.UUID, entity string) (*T, error) {
	if err != nil {
		return nil, err
	}
	if v := found[which]; v != nil {
		return v, nil
	}
	return nil, fault.Missing(entity)
}

// covers reports whether an actor of the sites sees what is confined to others; none
// are the whole tenant.
func covers(sites, confined []id.UUID) bool {
	if len(sites) == 0 {
		return true
	}
	return len(confined) > 0 && !slices.ContainsFunc(confined, func(u id.UUID) bool { return !slices.Contains(sites, u) })
}
