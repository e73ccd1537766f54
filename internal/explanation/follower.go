package explanation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/lifecycle"
	"foresight/internal/obs"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// FollowerOptions tune a Follower; zero fields take the values named.
type FollowerOptions struct {
	Sources // the pool connects as foresight_worker
	// Every is the time between two looks for alarms to explain (1 s).
	Every time.Duration
	// Pause is how long after a failure, or the death of who was at it, an explanation
	// is tried again; it grows with the tries (10 s).
	Pause time.Duration
	// MaxTries ends the tries (100: with growing pauses some days).
	MaxTries   int
	Registerer prometheus.Registerer // nil: no metrics
	Log        *slog.Logger          // slog.Default() when nil
}

// batch is how many alarms are taken at once.
const batch = 50

// longestPause bounds the pause between tries.
const longestPause = time.Hour

// Follower explains alarms after they were raised. It is a lifecycle.Part; any number
// of processes may have one, and share the work.
type Follower struct {
	lifecycle.Part
	opt       FollowerOptions
	log       *slog.Logger
	explained *prometheus.CounterVec // by result
}

// NewFollower returns a follower that is not started.
func NewFollower(o FollowerOptions) *Follower {
	if o.Every == 0 {
		o.Every = time.Second
	}
	if o.Pause == 0 {
		o.Pause = 10 * time.Second
	}
	if o.MaxTries == 0 {
		o.MaxTries = 100
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	f := &Follower{opt: o, log: o.Log.With("part", "explanations"),
		explained: obs.NewCounter(o.Registerer, "explanations", "alarms_total", "Alarms looked at to explain them, by result: ready, unavailable, failed (to be tried again).", "result"),
	}
	f.Part = lifecycle.Every("explanations", o.Every, o.Log, f.explainAll)
	return f
}

// explainAll explains what is due.
func (f *Follower) explainAll(ctx context.Context) error {
	for {
		if n, err := f.Explain(ctx); n < batch || err != nil {
			return err
		}
	}
}

// taken is an alarm that waits for its explanation.
type taken struct {
	Tenant, Event, Prediction id.UUID
	Tries                     int
}

// Explain explains alarms that are due, at most some dozens, and returns how many it
// took. What fails by itself is tried again later, and is no error here.
func (f *Follower) Explain(ctx context.Context) (int, error) {
	rows, err := f.opt.Pool.Query(ctx, `SELECT tenant_id, event_id, prediction_id, tries FROM foresight_take_explanations($1, $2)`, batch, f.opt.Pause)
	if err != nil {
		return 0, fmt.Errorf("explanation: take: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[taken])
	if err != nil {
		return 0, fmt.Errorf("explanation: take: %w", err)
	}
	for i := range all {
		if err := f.one(tenancy.AsSystem(ctx, all[i].Tenant), &all[i]); err != nil {
			return i, err
		}
	}
	return len(all), nil
}

// one explains one alarm and stores what came of it.
func (f *Follower) one(ctx context.Context, t *taken) error {
	e, err := f.explain(ctx, t)
	if err == nil {
		f.explained.WithLabelValues("ready").Inc()
		return f.ready(ctx, t, e)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if reason, ok := final(err); ok || t.Tries >= f.opt.MaxTries {
		f.explained.WithLabelValues("unavailable").Inc()
		f.log.WarnContext(obs.WithAbout(ctx, obs.About{Tenant: t.Tenant}), "alarm cannot be explained", "event_id", t.Event, "error", err)
		return f.unavailable(ctx, t, reason)
	}
	f.explained.WithLabelValues("failed").Inc()
	f.log.WarnContext(obs.WithAbout(ctx, obs.About{Tenant: t.Tenant}), "alarm not explained, it is tried again", "event_id", t.Event, "tries", t.Tries, "error", err)
	return f.later(ctx, t)
}

func (f *Follower) explain(ctx context.Context, t *taken) (e *Explanation, err error) {
	defer func() {
		if v := recover(); v != nil { // one bad model must not end the process
			err = fmt.Errorf("explanation: panic: %v", v)
		}
	}()
	p, err := f.opt.Store.Prediction(ctx, t.Tenant, t.Prediction)
	if err != nil {
		return nil, err
	}
	return f.opt.prediction(ctx, &p, "", alarmTop)
}

// reasons are the errors after which trying again is of no use, by their keys.
var reasons = map[string]string{
	ErrVersionGone.Key:   "version_gone",
	ErrReadingsGone.Key:  "readings_gone",
	ErrNotReproduced.Key: "not_reproduced",
}

// final returns the reason for which trying again is of no use, and false when it is.
func final(err error) (reason string, ok bool) {
	if errors.Is(err, telemetry.ErrNotFound) {
		return "prediction_gone", true
	}
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		if reason, ok = reasons[f.Key]; ok {
			return reason, true
		}
	}
	return "failed", false
}

func (f *Follower) ready(ctx context.Context, t *taken, e *Explanation) error {
	return f.set(ctx, t, `state = 'ready', fault_code = $3, version_label = $4, margin = $5, bias = $6, others = $7, features = $8`,
		e.Code, e.VersionLabel, e.Margin, e.Bias, e.Others, e.Features)
}

func (f *Follower) unavailable(ctx context.Context, t *taken, reason string) error {
	return f.set(ctx, t, `state = 'unavailable', reason = $3`, reason)
}

// later has it tried again after a pause that grows with the tries.
func (f *Follower) later(ctx context.Context, t *taken) error {
	return f.set(ctx, t, `due_at = now() + $3::interval`, min(time.Duration(t.Tries)*f.opt.Pause, longestPause))
}

// set changes a row that still waits: who was slower than the pause finds it done.
func (f *Follower) set(ctx context.Context, t *taken, what string, args ...any) error {
	_, err := f.opt.Pool.Exec(ctx, `UPDATE alarm_explanations SET changed_at = now(), `+what+`
		WHERE tenant_id = $1 AND event_id = $2 AND state = 'pending'`, append([]any{t.Tenant, t.Event}, args...)...)
	if err != nil {
		return fmt.Errorf("explanation: store: %w", err)
	}
	return nil
}
