package training

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/enum"
	"foresight/ent/mlmodel"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/tenancy"
)

// runTag names a run of ours among those of the MLflow server.
const runTag = "foresight_run"

type mirrorArgs struct {
	jobs.Behalf
	jobs.Outward
	Run id.UUID `json:"run_id"`
}

// Kind implements river.JobArgs.
func (mirrorArgs) Kind() string { return "mirror_training" }

// mirrored adds the job that mirrors a run which ends in the transaction.
func (s *Service) mirrored(ctx context.Context, tx pgx.Tx, which id.UUID) error {
	if s.Mirror == nil {
		return nil
	}
	behalf, err := jobs.Of(ctx, tenancy.ModelsRead)
	if err != nil {
		return err
	}
	return s.Queue.Add(ctx, tx, mirrorArgs{Behalf: behalf, Run: which}, time.Time{})
}

// statuses are MLflow's words.
var statuses = map[enum.JobStatus]string{enum.JobSucceeded: "FINISHED", enum.JobFailed: "FAILED", enum.JobCancelled: "KILLED"}

// mirror tells an MLflow server of a run that has ended. An attempt that is made again
// goes on with the run that the one before has made.
func (s *Service) mirror(ctx context.Context, a mirrorArgs) error {
	if s.Mirror == nil { // of a process with other settings
		return nil
	}
	r, err := s.Run(ctx, a.Run)
	if err != nil {
		return err
	}
	if !r.Ended() || r.FinishedAt == nil {
		return nil
	}
	err = s.mirrorRun(ctx, s.Mirror, r)
	var told *MLflowError
	if errors.As(err, &told) && told.Status >= 400 && told.Status < 500 && told.Status != http.StatusTooManyRequests && told.Status != http.StatusRequestTimeout &&
		told.Status != http.StatusUnauthorized && told.Status != http.StatusForbidden { // credentials may be mended
		return fmt.Errorf("%w: %w", jobs.ErrHopeless, err)
	}
	return err
}

func (s *Service) mirrorRun(ctx context.Context, m *MLflow, r *Run) error {
	model, err := s.ORM.MLModel.Query().Where(mlmodel.ID(r.Model)).Only(ctx)
	if err != nil {
		return fmt.Errorf("training: %w", err)
	}
	actor := tenancy.Must(ctx)
	experiment, err := m.experiment(ctx, "foresight/"+actor.TenantID.String()+"/"+model.Name)
	if err != nil {
		return err
	}
	run, err := m.started(ctx, experiment, r.ID.String())
	if err != nil {
		return err
	}
	began := r.CreatedAt
	if r.Begun != nil {
		began = *r.Begun
	}
	if run == "" {
		tags := []keyValue{{runTag, r.ID.String()}, {"foresight_tenant", actor.TenantID.String()}, {"foresight_source", string(r.Source)}}
		if run, err = m.create(ctx, experiment, r.ID.String(), began, tags); err != nil {
			return err
		}
	}
	if err := m.log(ctx, run, r.mlflowParams(), r.mlflowMetrics(began)); err != nil {
		return err
	}
	return m.end(ctx, run, statuses[r.Status], *r.FinishedAt)
}

func (r *Run) mlflowParams() (out []keyValue) {
	add := func(name string, v any) { out = append(out, keyValue{name, short(fmt.Sprint(v), maxParam-1)}) }
	for _, name := range slices.Sorted(maps.Keys(r.Parameters)) {
		add(name, r.Parameters[name])
	}
	add("source", r.Source)
	add("base_version_id", r.Request.Base)
	add("rows", r.Rows)
	add("feedback_rows", r.Feedback)
	if r.Dataset != nil {
		add("dataset_hash", *r.Dataset)
	}
	if r.Failure != nil {
		add("error", r.Failure.Key)
	}
	return out
}

// mlflowMetrics are those of the splits, and the learning curve by round.
func (r *Run) mlflowMetrics(began time.Time) (out []metric) {
	at := began.UnixMilli()
	for _, split := range r.splits() {
		for _, name := range slices.Sorted(maps.Keys(r.Metrics[split])) {
			out = append(out, metric{split + "/" + name, r.Metrics[split][name], at, 0})
		}
	}
	if r.Outcome.Seconds > 0 {
		out = append(out, metric{"seconds", r.Outcome.Seconds, at, 0}, metric{"peak_memory_bytes", float64(r.Outcome.PeakMemory), at, 0})
	}
	for _, b := range r.Outcome.Boosters {
		name := "validation/curve"
		if b.Name != "" {
			name += "_" + b.Name
		}
		for round, v := range b.Curve {
			out = append(out, metric{name, v, at, int64(round)})
		}
	}
	return out
}
