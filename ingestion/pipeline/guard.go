package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// A tenant whose model fails so many times in a row is left alone for the pause; then
// one call tries again.
const (
	breakAfter = 5
	breakPause = 5 * time.Second
)

// guard keeps the model's failures away from the readings: it limits time, catches
// panics and stops asking for a tenant whose model does not answer.
type guard struct {
	model   Model
	now     func() time.Time
	metrics *metrics
	broken  map[id.UUID]*breaker
}

type breaker struct {
	failures int // in a row
	until    time.Time
}

func newGuard(m Model, now func() time.Time, metrics *metrics) *guard {
	return &guard{model: m, now: now, metrics: metrics, broken: map[id.UUID]*breaker{}}
}

// predict asks the model, and returns false when there is no answer. What went wrong
// is counted; a batch whose time for the model is over asks no more.
func (g *guard) predict(ctx context.Context, w *telemetry.Window, r *telemetry.Raw) (telemetry.FaultPrediction, bool) {
	br := g.broken[r.Tenant]
	if br != nil && br.failures >= breakAfter && g.now().Before(br.until) {
		g.metrics.model.WithLabelValues("breaker_open").Inc()
		return telemetry.FaultPrediction{}, false
	}
	if ctx.Err() != nil {
		g.metrics.model.WithLabelValues("no_time").Inc()
		return telemetry.FaultPrediction{}, false
	}
	p, err := g.call(ctx, w, r)
	if err == nil {
		if br != nil {
			delete(g.broken, r.Tenant)
		}
		g.metrics.model.WithLabelValues("ok").Inc()
		return p, true
	}
	if br == nil {
		br = &breaker{}
		g.broken[r.Tenant] = br
	}
	br.failures++
	br.until = g.now().Add(breakPause)
	g.metrics.model.WithLabelValues(kindOf(err)).Inc()
	return telemetry.FaultPrediction{}, false
}

// shadow asks the model that is tried beside the one that counts, after that one has
// answered. Its failures are counted and have no other effect.
func (g *guard) shadow(ctx context.Context, w *telemetry.Window, r *telemetry.Raw) (p telemetry.FaultPrediction, ok bool) {
	if ctx.Err() != nil {
		return p, false
	}
	err := protect(func() (err error) {
		if p, ok, err = g.model.Shadow(ctx, r.Key, w, r); err == nil && ok {
			err = check(&p, r)
		}
		return err
	})
	switch {
	case err != nil:
		g.metrics.model.WithLabelValues("shadow_failed").Inc()
		return p, false
	case ok:
		g.metrics.model.WithLabelValues("shadow").Inc()
	}
	return p, ok
}

func (g *guard) call(ctx context.Context, w *telemetry.Window, r *telemetry.Raw) (p telemetry.FaultPrediction, err error) {
	err = protect(func() (err error) {
		if p, err = g.model.Predict(ctx, r.Key, w, r); err != nil {
			return err
		}
		return check(&p, r)
	})
	return p, err
}

// protect turns a panic of the model into an error.
func protect(ask func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w in the model: %v", errPanic, v)
		}
	}()
	return ask()
}

// check refuses what the store would refuse, which must not cost the reading.
func check(p *telemetry.FaultPrediction, r *telemetry.Raw) error {
	if p.Key != r.Key || p.IngestID != r.IngestID || !p.Timestamp.Equal(r.Timestamp) || p.ID == id.Nil || !(p.Probability >= 0 && p.Probability <= 1) {
		return errAnswer
	}
	return nil
}

// errAnswer is a prediction that is not one of the reading.
var errAnswer = errors.New("pipeline: the model's answer is of no use")

func kindOf(err error) string {
	switch {
	case errors.Is(err, errPanic):
		return "panic"
	case errors.Is(err, context.DeadlineExceeded):
		return "no_time"
	case fault.Is(err, fault.Unavailable):
		return "unavailable"
	}
	return "failed"
}
