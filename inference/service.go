package inference

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/inference/artifact"
	"foresight/inference/features"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/obs"
	"foresight/internal/telemetry"
)

// ErrNoModel is in the chain when no model could answer: it cannot be loaded, or
// its breaker is open. A stream stores the reading without a prediction and goes on.
var ErrNoModel = fault.New(fault.Unavailable, "error.inference.noModel")

// errNone says that there is no version at all.
var errNone = fmt.Errorf("%w: none ships and none is deployed", ErrNoModel)

// ErrNotFull says that a window lacks readings.
var ErrNotFull = errors.New("inference: the window is not full")

// tenantsMeasured bounds the tenants whose predictions are measured apart.
const tenantsMeasured = 50

// topInStream is the number of classes that a streamed prediction carries.
const topInStream = 3

// ServiceConfig bounds a prediction. Zero fields take the defaults.
type ServiceConfig struct {
	// LoadWait is how long a prediction waits for a model that is being loaded, 5 s.
	// The load goes on, and the next prediction finds the model.
	LoadWait time.Duration
	// Slow is the time of a classification from which on it counts as failed for the
	// model's breaker, 250 ms. Its answer is still used: a checked model has no
	// loops, so it always comes.
	Slow time.Duration
}

// Service answers predictions.
type Service struct {
	config   ServiceConfig
	registry *Registry
	vectors  sync.Pool // *features.Vector
	tops     tops

	took    *prometheus.HistogramVec // by tenant
	tenants *obs.Bounded[id.UUID]
	outcome *prometheus.CounterVec
}

// NewService returns a service over the registry.
func NewService(c ServiceConfig, r *Registry, reg prometheus.Registerer) (*Service, error) {
	if c.LoadWait <= 0 {
		c.LoadWait = 5 * time.Second
	}
	if c.Slow <= 0 {
		c.Slow = 250 * time.Millisecond
	}
	s := &Service{
		config: c, registry: r,
		tenants: obs.NewBounded[id.UUID](tenantsMeasured),
		took: prometheus.NewHistogramVec(obs.Native(prometheus.HistogramOpts{
			Name: "foresight_prediction_seconds", Help: "Features and classification of one window, by the id of the tenant; those beyond the first 50 that come are other.",
			Buckets: []float64{50e-6, 100e-6, 200e-6, 400e-6, 800e-6, 2e-3, 5e-3, 20e-3, 100e-3, 500e-3},
		}), []string{"tenant"}),
		outcome: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "foresight_predictions_total", Help: "Windows judged, by outcome.",
		}, []string{"outcome"}),
	}
	s.vectors.New = func() any { return new(features.Vector) }
	for _, m := range []prometheus.Collector{s.took, s.outcome} {
		if err := reg.Register(m); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Predict judges a full window whose newest reading is given, by the version that
// serves the asset. The id follows from the reading: the same reading always makes the
// same prediction id. It fails with ErrNotFull, with ErrNoModel, or with the context's
// error.
func (s *Service) Predict(ctx context.Context, key telemetry.Key, w *telemetry.Window, newest *telemetry.Raw) (telemetry.FaultPrediction, error) {
	v, ok := s.registry.Resolve(artifact.FaultClassifier, key.Tenant, key.Asset)
	if !ok {
		return telemetry.FaultPrediction{}, s.none()
	}
	return s.streamed(ctx, v, telemetry.Production, key, w, newest)
}

// Shadow judges the window by the version that is tried beside the one that serves the
// asset, as Predict does; false when there is none. Nothing may follow from what it says.
func (s *Service) Shadow(ctx context.Context, key telemetry.Key, w *telemetry.Window, newest *telemetry.Raw) (p telemetry.FaultPrediction, tried bool, err error) {
	v, ok := s.registry.Shadow(artifact.FaultClassifier, key.Tenant, key.Asset)
	if !ok {
		return p, false, nil
	}
	p, err = s.streamed(ctx, v, telemetry.Shadow, key, w, newest)
	return p, true, err
}

func (s *Service) streamed(ctx context.Context, v Version, role telemetry.Role, key telemetry.Key, w *telemetry.Window, newest *telemetry.Raw) (telemetry.FaultPrediction, error) {
	if !w.Full() {
		return telemetry.FaultPrediction{}, ErrNotFull
	}
	p, err := s.predict(ctx, v, role, key, w, s.tops.take())
	if err != nil {
		return telemetry.FaultPrediction{}, err
	}
	return of(p, newest), nil
}

// of names the prediction after the reading that it is of.
func of(p telemetry.FaultPrediction, newest *telemetry.Raw) telemetry.FaultPrediction {
	p.Timestamp, p.IngestID = newest.Timestamp, newest.IngestID
	p.ID = PredictionID(p.Key, newest.Timestamp, newest.IngestID, p.Role)
	return p
}

// Retrace is Predict for a reading of the past by any version; the zero
// Version is the one that serves the asset now. It counts neither in the metrics of
// predictions nor for the breaker of the model: these are about what is live. It fails
// like Predict.
func (s *Service) Retrace(ctx context.Context, v Version, key telemetry.Key, w *telemetry.Window, newest *telemetry.Raw) (telemetry.FaultPrediction, error) {
	if !w.Full() {
		return telemetry.FaultPrediction{}, ErrNotFull
	}
	if v.ID == id.Nil {
		var ok bool
		if v, ok = s.registry.Resolve(artifact.FaultClassifier, key.Tenant, key.Asset); !ok {
			return telemetry.FaultPrediction{}, errNone
		}
	}
	m, err := s.registry.Model(ctx, artifact.FaultClassifier, v)
	if err == nil {
		var p telemetry.FaultPrediction
		if p, err = s.judge(m, v, telemetry.Production, key, w, s.tops.take()); err == nil {
			return of(p, newest), nil
		}
		err = fmt.Errorf("%s: %w", v.Label, err)
	}
	if ctx.Err() != nil {
		return telemetry.FaultPrediction{}, ctx.Err()
	}
	return telemetry.FaultPrediction{}, fmt.Errorf("%w: %w", ErrNoModel, err)
}

// PredictionID returns the id of the prediction for a reading in a role.
func PredictionID(key telemetry.Key, at time.Time, ingest telemetry.IngestID, role telemetry.Role) id.UUID {
	return id.Derive(id.Prediction, at, key.Tenant[:], key.Sensor[:], ingest[:], []byte(role))
}

// predict is the one way from a window to a judgement. It fills top.
func (s *Service) predict(ctx context.Context, v Version, role telemetry.Role, key telemetry.Key, w *telemetry.Window, top []telemetry.LabelProbability) (p telemetry.FaultPrediction, err error) {
	l, begin, err := s.begin(ctx, artifact.FaultClassifier, v)
	if err != nil {
		return p, err
	}
	p, err = s.judge(l.model, v, role, key, w, top)
	if err := s.end(l, v, key.Tenant, begin, 1, err); err != nil {
		return telemetry.FaultPrediction{}, err
	}
	return p, nil
}

// judge is what a model says of a window. It fills top.
func (s *Service) judge(m *Model, v Version, role telemetry.Role, key telemetry.Key, w *telemetry.Window, top []telemetry.LabelProbability) (telemetry.FaultPrediction, error) {
	x := s.vectors.Get().(*features.Vector)
	features.Extract(w, x)
	n, outside, err := classify(m, x, top)
	s.vectors.Put(x)
	if err != nil {
		return telemetry.FaultPrediction{}, err
	}
	return telemetry.FaultPrediction{
		Key: key, Label: top[0].Label, Probability: top[0].Probability, Top: top[:n],
		VersionID: v.ID, VersionLabel: v.Label, Role: role, OutOfDistribution: outside,
	}, nil
}

// none counts a prediction for which there is no version at all.
func (s *Service) none() error {
	s.outcome.WithLabelValues("no_model").Inc()
	return errNone
}

// begin finds the version's model for a computation that ends with end, unless its
// breaker is open.
func (s *Service) begin(ctx context.Context, kind string, v Version) (*loaded, time.Time, error) {
	l, err := s.model(ctx, kind, v)
	if err != nil {
		if ctx.Err() != nil {
			return nil, time.Time{}, ctx.Err()
		}
		s.outcome.WithLabelValues("no_model").Inc()
		return nil, time.Time{}, fmt.Errorf("%w: %w", ErrNoModel, err)
	}
	now := time.Now()
	if !l.guard.allow(now) {
		s.outcome.WithLabelValues("breaker_open").Inc()
		return nil, now, fmt.Errorf("%w: the breaker of %s is open", ErrNoModel, v.Label)
	}
	return l, now, nil
}

// end tells the breaker and the metrics how a computation of so many rows went, and
// returns its error as one of the service.
func (s *Service) end(l *loaded, v Version, tenant id.UUID, begin time.Time, rows int, err error) error {
	end := time.Now()
	took := end.Sub(begin)
	l.guard.done(end, err == nil && took < time.Duration(rows)*s.config.Slow)
	s.took.WithLabelValues(s.tenants.Value(tenant, id.UUID.String)).Observe(took.Seconds() / float64(rows))
	if err != nil {
		s.outcome.WithLabelValues("failed").Inc()
		return fmt.Errorf("%w: %s: %w", ErrNoModel, v.Label, err)
	}
	s.outcome.WithLabelValues("ok").Add(float64(rows))
	return nil
}

// model finds the version's model, waiting a while for a load.
func (s *Service) model(ctx context.Context, kind string, v Version) (*loaded, error) {
	if l, err := s.registry.known(kind, v); l != nil || err != nil {
		s.registry.hit.Inc()
		return l, err
	}
	s.registry.miss.Inc()
	wait, cancel := context.WithTimeout(ctx, s.config.LoadWait)
	defer cancel()
	return s.registry.get(wait, kind, v)
}

// classify turns a panic of the model into an error: one bad model must not end
// the process.
func classify(m *Model, x *features.Vector, top []telemetry.LabelProbability) (n int, outside bool, err error) {
	defer recovered(&err)
	return m.Classify(x, top)
}

func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", ErrPanic, p)
	}
}

// tops hands out room for the classes of streamed predictions, which live as long as the
// prediction is needed. It asks for memory once in many predictions.
type tops struct{ free sync.Pool } // *[]telemetry.LabelProbability

// topsAtOnce is how many predictions share one allocation.
const topsAtOnce = 64

func (t *tops) take() []telemetry.LabelProbability {
	room, _ := t.free.Get().(*[]telemetry.LabelProbability)
	if room == nil {
		room = new([]telemetry.LabelProbability)
	}
	if len(*room) == 0 {
		*room = make([]telemetry.LabelProbability, topsAtOnce*topInStream)
	}
	out := (*room)[:topInStream:topInStream]
	*room = (*room)[topInStream:]
	t.free.Put(room)
	return out
}
