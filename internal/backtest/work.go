package backtest

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/ent/mlmodelversion"
	"foresight/inference"
	"foresight/internal/bulk"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

const (
	workSlice  = 2 * time.Minute // of work, after which other jobs have their turn
	writeEvery = 2 * time.Second // between two transactions, unless there is much to write
	lookEvery  = time.Second     // whether it is still wanted
	askAtOnce  = 500             // stored predictions
	maxTruths  = 100_000         // predictions that people spoke about
)

// errOver says that the backtest was ended, or is at work elsewhere.
var errOver = errors.New("backtest: over")

// run works what is left of a backtest.
func (s *Service) run(ctx context.Context, a args) error {
	tag, err := s.App.Exec(ctx, `UPDATE backtests SET status = 'running' WHERE tenant_id = $1 AND id = $2 AND status IN ('queued', 'running')`,
		tenancy.Must(ctx).TenantID, a.Backtest)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	b, err := s.Backtest(ctx, a.Backtest)
	if err != nil {
		return err
	}
	r := &run{Service: s, Backtest: b, report: s.Jobs.Reporter(ctx, b.ID), begun: time.Now().UTC(), types: map[id.UUID]string{}}
	switch err := r.work(ctx); {
	case errors.Is(err, errOver):
		return nil
	case err != nil:
		return err
	}
	s.Jobs.Announce(ctx, b.ID, enum.JobSucceeded, "", 0, -1)
	return nil
}

// run is a backtest at work.
type run struct {
	*Service
	*Backtest
	report  *bulk.Reporter
	begun   time.Time
	types   map[id.UUID]string // of assets
	version inference.Version
	truth   map[id.UUID]string // what people say of predictions
	hours   int64              // of a part
	looked  time.Time
	wrote   time.Time

	pending *result // of parts that are done and not written
	done    int     // such parts
	last    string  // the last of them
}

func (r *run) work(ctx context.Context) error {
	sensors, err := r.sensors(ctx, r.Backtest)
	if err != nil {
		return err
	}
	if err := errors.Join(r.assetTypes(ctx), r.prepare(ctx)); err != nil {
		return err
	}
	parts, err := r.parts(ctx, r.Backtest, sensors)
	if err != nil {
		return err
	}
	r.place.Total = len(parts)
	r.hours = int64(r.To.Sub(r.From)/time.Hour) + 1
	if parts, err = r.left(parts); err != nil {
		return err
	}
	r.reset()
	r.wrote = time.Now()
	for _, p := range parts {
		if err := r.part(ctx, p); err != nil {
			return err
		}
		if time.Since(r.wrote) > writeEvery || r.pending.rows() >= r.Limits.MaxPending {
			if err := r.write(ctx); err != nil {
				return err
			}
			if time.Since(r.begun) > workSlice {
				return jobs.ErrMore
			}
		}
	}
	if r.done > 0 {
		if err := r.write(ctx); err != nil {
			return err
		}
	}
	return r.finish(ctx)
}

// left is what is behind the place. A sensor that is no more does not matter; of the
// landing zone the place must be there, or nobody knows what is behind it.
func (r *run) left(parts []part) ([]part, error) {
	at := r.place.Part
	if at == "" {
		return parts, nil
	}
	behind := func(p part) bool { return p.name > at }
	if r.Source == enum.BacktestLanding {
		behind = func(p part) bool { return p.name == at }
	}
	i := slices.IndexFunc(parts, behind)
	switch {
	case r.Source == enum.BacktestLanding && i < 0:
		return nil, fmt.Errorf("backtest: the landing zone has no part %s any more", at)
	case r.Source == enum.BacktestLanding:
		return parts[i+1:], nil
	case i < 0:
		return nil, nil
	}
	return parts[i:], nil
}

// assetTypes reads what kind of machine each asset is, if a rule asks: also of those
// where a sensor was before.
func (r *run) assetTypes(ctx context.Context) error {
	if !slices.ContainsFunc(r.Rules, func(x document.BacktestRule) bool { return x.Rule.Scope.AssetType != "" }) {
		return nil
	}
	rows, err := r.App.Query(ctx, `SELECT id, asset_type FROM assets WHERE tenant_id = $1`, tenancy.Must(ctx).TenantID)
	if err != nil {
		return fmt.Errorf("backtest: %w", err)
	}
	var asset id.UUID
	var kind string
	if _, err := pgx.ForEachRow(rows, []any{&asset, &kind}, func() error { r.types[asset] = kind; return nil }); err != nil {
		return fmt.Errorf("backtest: %w", err)
	}
	return nil
}

// prepare reads what is needed to predict.
func (r *run) prepare(ctx context.Context) error {
	if !r.Predicts {
		return nil
	}
	if r.Model == nil {
		return fault.New(fault.Unavailable, "error.inference.noModel")
	}
	if r.Version != nil {
		v, err := r.ORM.MLModelVersion.Query().Where(mlmodelversion.ID(*r.Version)).Only(ctx)
		if err != nil {
			return fmt.Errorf("backtest: %w", err)
		}
		r.version = inference.Version{ID: v.ID, Tenant: v.TenantID, Label: v.FullVersionLabel, Artifact: v.ArtifactPath}
	}
	// The time of a prediction stands at the beginning of its id.
	low, high := firstID(r.From), firstID(r.To)
	rows, err := r.App.Query(ctx, `SELECT DISTINCT ON (prediction_id) prediction_id, new_label FROM feedback
		WHERE tenant_id = $1 AND prediction_id >= $2 AND prediction_id < $3 ORDER BY prediction_id, at DESC LIMIT $4`,
		tenancy.Must(ctx).TenantID, low, high, maxTruths)
	if err != nil {
		return fmt.Errorf("backtest: %w", err)
	}
	r.truth = map[id.UUID]string{}
	var which id.UUID
	var label string
	if _, err := pgx.ForEachRow(rows, []any{&which, &label}, func() error { r.truth[which] = label; return nil }); err != nil {
		return fmt.Errorf("backtest: %w", err)
	}
	return nil
}

// firstID is not above any id of the time or later.
func firstID(at time.Time) (u id.UUID) {
	ms := uint64(at.UnixMilli())
	binary.BigEndian.PutUint16(u[0:2], uint16(ms>>32))
	binary.BigEndian.PutUint32(u[2:6], uint32(ms))
	return u
}

func (r *run) reset() {
	r.pending, r.done = newResult(r.Limits, len(r.Rules)), 0
}

// part judges a part and takes its result in.
func (r *run) part(ctx context.Context, p part) error {
	j := r.newJudge()
	asked := make([]*telemetry.FaultPrediction, 0, askAtOnce)
	n := 0
	for raw, err := range p.read(ctx, j.begin, r.To) {
		if err != nil {
			return err
		}
		predicted, err := j.judge(ctx, raw)
		if err != nil {
			return err
		}
		if predicted != nil {
			if asked = append(asked, predicted); len(asked) == askAtOnce {
				if err := r.compare(ctx, j, asked); err != nil {
					return err
				}
				asked = asked[:0]
			}
		}
		if n++; n%256 == 0 {
			if err := r.look(ctx, raw.Timestamp); err != nil {
				return err
			}
		}
	}
	if err := r.compare(ctx, j, asked); err != nil {
		return err
	}
	j.end()
	r.pending.add(j.out)
	r.done, r.last = r.done+1, p.name
	return r.look(ctx, r.From)
}

// compare holds predictions against those that are stored, and what people say.
func (r *run) compare(ctx context.Context, j *judge, asked []*telemetry.FaultPrediction) error {
	if len(asked) == 0 {
		return nil
	}
	ids := make([]id.UUID, len(asked))
	for i, p := range asked {
		ids[i] = p.ID
	}
	stored, err := r.Store.PredictionsByID(ctx, tenancy.Must(ctx).TenantID, ids)
	if err != nil {
		return err
	}
	for _, p := range asked {
		var then *telemetry.FaultPrediction
		if s, ok := stored[p.ID]; ok {
			then = &s
		}
		j.out.prediction(p, then, r.truth[p.ID], r.Span())
	}
	return nil
}

// look tells how far it is, in a part at the time, and finds out whether it was ended.
func (r *run) look(ctx context.Context, at time.Time) error {
	if time.Since(r.looked) < lookEvery {
		return ctx.Err()
	}
	r.looked = time.Now()
	var status enum.JobStatus
	if err := r.App.QueryRow(ctx, `SELECT status FROM backtests WHERE tenant_id = $1 AND id = $2`, tenancy.Must(ctx).TenantID, r.ID).Scan(&status); err != nil {
		return fmt.Errorf("backtest: %w", err)
	}
	if status != enum.JobRunning {
		return errOver
	}
	within := max(0, int64(at.Sub(r.From)/time.Hour))
	r.report.Tell(bulk.Reading, int64(r.place.Parts+r.done)*r.hours+min(within, r.hours), int64(r.place.Total)*r.hours)
	return nil
}

// write writes what is pending with the place behind it, unless somebody else is
// further, or it was ended.
func (r *run) write(ctx context.Context) error {
	outcome, place := r.pending.onto(r.Outcome), r.place
	place.Part, place.Parts = r.last, place.Parts+r.done
	err := r.tx(ctx, func(tx pgx.Tx) error {
		o, err := json.Marshal(outcome)
		if err != nil {
			return err
		}
		at, err := json.Marshal(place)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `UPDATE backtests SET place = $3, outcome = $4
			WHERE tenant_id = $1 AND id = $2 AND status = 'running' AND coalesce((place ->> 'parts')::int, 0) = $5`,
			tenancy.Must(ctx).TenantID, r.ID, at, o, r.place.Parts)
		if err != nil {
			return fmt.Errorf("backtest: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return errOver
		}
		return r.pending.write(ctx, tx, r.ID)
	})
	if err != nil {
		return err
	}
	r.Outcome, r.place, r.wrote = outcome, place, time.Now()
	r.reset()
	return nil
}

const failed = `UPDATE backtests SET status = 'failed', error = $3, finished_at = now()
	WHERE tenant_id = $1 AND id = $2 AND status IN ('queued', 'running')`

// gaveUp says why there is no further attempt.
func (s *Service) gaveUp(ctx context.Context, a args, cause error) {
	if _, err := s.App.Exec(ctx, failed, tenancy.Must(ctx).TenantID, a.Backtest, string(jobs.StoredFailure(cause))); err != nil {
		s.Log.ErrorContext(ctx, "a failed backtest was not told of", "backtest", a.Backtest, "error", err)
		return
	}
	s.Jobs.Announce(ctx, a.Backtest, enum.JobFailed, "", 0, -1)
}
