package training

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/ent/trainingrun"
	"foresight/internal/bulk"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/keyset"
	"foresight/internal/page"
	"foresight/internal/tenancy"
)

// Run is a training run as it stands.
type Run struct {
	bulk.Common
	Model      id.UUID
	Source     enum.TrainingSource
	Parameters map[string]any // hyper-parameters and seed
	Request    document.TrainingRequest
	Dataset    *string // hash of the (first) training set; nil: not gathered yet
	Rows       uint64
	Feedback   uint64 // rows that come from people's feedback
	Metrics    map[string]map[string]float64
	Outcome    document.TrainingOutcome
	Version    *id.UUID // that came of it
	Begun      *time.Time
	attempts   int
	logPath    *string
}

const columns = `r.id, r.status, p.phase, coalesce(p.done, 0), p.total, r.error, r.created_by, r.created_at, r.ended_at,
	r.model_id, r.source, r.parameters, r.request, r.dataset_hash, r.rows, r.feedback_rows, r.metrics, r.outcome, r.started_at, r.attempts, r.log_path,
	(SELECT v.id FROM ml_model_versions v WHERE v.tenant_id = r.tenant_id AND v.training_run_id = r.id AND NOT v.is_deleted ORDER BY v.created_at LIMIT 1)`

// ByID loads runs in one statement; those that the actor does not see are absent.
func (s *Service) ByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*Run, error) {
	if err := tenancy.Require(ctx, tenancy.ModelsRead); err != nil {
		return nil, err
	}
	rows, err := s.App.Query(ctx, `SELECT `+columns+` FROM training_runs r
		LEFT JOIN job_progress p ON p.tenant_id = r.tenant_id AND p.job_id = r.id
		WHERE r.tenant_id = $1 AND r.id = ANY ($2)`, tenancy.Must(ctx).TenantID, ids)
	if err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	found, err := pgx.CollectRows(rows, scan)
	return keyset.ByID(found, err, func(r *Run) id.UUID { return r.ID })
}

func scan(row pgx.CollectableRow) (*Run, error) {
	var r Run
	var failure *string
	var by *id.UUID
	var request, outcome []byte
	err := row.Scan(&r.ID, &r.Status, &r.Phase, &r.Done, &r.Total, &failure, &by, &r.CreatedAt, &r.FinishedAt,
		&r.Model, &r.Source, &r.Parameters, &request, &r.Dataset, &r.Rows, &r.Feedback, &r.Metrics, &outcome, &r.Begun, &r.attempts, &r.logPath, &r.Version)
	if err != nil {
		return nil, err
	}
	r.By = by
	if failure != nil {
		r.Failure = jobs.ToldFailure([]byte(*failure))
	}
	if r.Status != enum.JobRunning {
		r.Phase = nil
	}
	if err := json.Unmarshal(request, &r.Request); err != nil {
		return nil, err
	}
	return &r, json.Unmarshal(outcome, &r.Outcome)
}

// Run returns a run of the actor's tenant.
func (s *Service) Run(ctx context.Context, which id.UUID) (*Run, error) {
	found, err := s.ByID(ctx, []id.UUID{which})
	if err != nil {
		return nil, err
	}
	if r := found[which]; r != nil {
		return r, nil
	}
	return nil, fault.Missing("TrainingRun")
}

// List lists the runs, the newest first; a nil model does not limit.
func (s *Service) List(ctx context.Context, a page.Args, of *id.UUID) (page.Page[*Run], error) {
	none := page.Page[*Run]{}
	w, apply, err := keyset.Begin(ctx, tenancy.ModelsRead, a, keyset.Newest(trainingrun.FieldCreatedAt))
	if err != nil {
		return none, err
	}
	q := s.ORM.TrainingRun.Query()
	if of != nil {
		q.Where(trainingrun.ModelID(*of))
	}
	total := 0
	if w.Total {
		if total, err = q.Clone().Count(ctx); err != nil {
			return none, fmt.Errorf("training: %w", err)
		}
	}
	rows, err := q.Where(apply).All(ctx)
	if err != nil {
		return none, fmt.Errorf("training: %w", err)
	}
	ids := make([]id.UUID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	found, err := s.ByID(ctx, ids)
	if err != nil {
		return none, err
	}
	runs := make([]*Run, 0, len(ids))
	for _, u := range ids {
		if r := found[u]; r != nil {
			runs = append(runs, r)
		}
	}
	return page.Of(w, runs, total, func(r *Run) page.Key { return keyset.Key(r.CreatedAt, r.ID) }), nil
}

// maxLogText bounds the text of a log that is shown, bytes.
const maxLogText = 32 << 10

// LogText returns the end of a run's log, "" when there is none yet.
func (s *Service) LogText(ctx context.Context, r *Run) (string, error) {
	if err := tenancy.Require(ctx, tenancy.ModelsRead); err != nil || r.logPath == nil {
		return "", err
	}
	f, err := s.Files.Get(ctx, *r.logPath)
	if fault.Is(err, fault.NotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	tail := &tailWriter{max: maxLogText}
	if _, err := io.Copy(tail, f); err != nil {
		return "", fmt.Errorf("training: %w", err)
	}
	return string(validText(tail.b)), nil
}

// sort is how runs are part of the list of jobs: for those who may read models.
func (s *Service) sort() bulk.Sort {
	return bulk.Sort{
		Table: "training_runs",
		Sees:  func(ctx context.Context) bool { return tenancy.Require(ctx, tenancy.ModelsRead) == nil },
		Load: func(ctx context.Context, ids []id.UUID) (map[id.UUID]bulk.Job, error) {
			found, err := s.ByID(ctx, ids)
			out := make(map[id.UUID]bulk.Job, len(found))
			for u, r := range found {
				out[u] = r
			}
			return out, err
		},
	}
}

// splits lists the splits of the metrics in order.
func (r *Run) splits() []string { return slices.Sorted(maps.Keys(r.Metrics)) }
