package inference

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/inference/features"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// ErrNoModel is in the chain when no model could answer: it cannot be loaded, or
// its breaker is open. A stream stores the reading without a prediction and goes on.
var ErrNoModel = fault.New(fault.Unavailable, "error.inference.noModel")

// ErrNotFull says that a window lacks readings.
var ErrNotFull = errors.New("inference: the window is not full")

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

	took    prometheus.Histogram
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
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "foresight_prediction_seconds", Help: "Features and classification of one window.",
			Buckets: []float64{50e-6, 100e-6, 200e-6, 400e-6, 800e-6, 2e-3, 5e-3, 20e-3, 100e-3, 500e-3},
		}),
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
// serves the asset in production. The id follows from the reading: the same reading
// always makes the same prediction id. It fails with ErrNotFull, with ErrNoModel, or
// with the context's error.
func (s *Service) Predict(ctx context.Context, key telemetry.Key, w *telemetry.Window, newest *telemetry.Raw) (telemetry.FaultPrediction, error) {
	if !w.Full() {
		return telemetry.FaultPrediction{}, ErrNotFull
	}
	p, err := s.predict(ctx, key, w, topInStream)
	if err != nil {
		return telemetry.FaultPrediction{}, err
	}
	p.Timestamp, p.IngestID = newest.Timestamp, newest.IngestID
	p.ID = PredictionID(key, newest.Timestamp, newest.IngestID, p.Role)
	return p, nil
}

// PredictionID returns the id of the prediction for a reading in a role.
func PredictionID(key telemetry.Key, at time.Time, ingest telemetry.IngestID, role telemetry.Role) id.UUID {
	return id.Derive(id.Prediction, at, key.Tenant[:], key.Sensor[:], ingest[:], []byte(role))
}

// PredictReadings judges readings that a caller holds, oldest first, by their newest
// telemetry.WindowSize ones; a channel that is NaN is missing. The answer carries
// the topK most probable classes, a fresh id, and the present time as Timestamp. Too
// few readings, or a topK outside 1 to 100, is a fault.BadInput.
func (s *Service) PredictReadings(ctx context.Context, key telemetry.Key, readings [][telemetry.Channels]float64, topK int) (telemetry.FaultPrediction, error) {
	if len(readings) < telemetry.WindowSize {
		return telemetry.FaultPrediction{}, fault.Invalid("input.readings", "error.inference.tooFewReadings").
			With("Need", telemetry.WindowSize).With("Got", len(readings))
	}
	if topK < 1 || topK > 100 {
		return telemetry.FaultPrediction{}, fault.Invalid("input.topK", "error.inference.topK").With("Max", 100)
	}
	var w telemetry.Window
	for i := range readings {
		w.Add(time.Unix(int64(i), 0), &readings[i]) // features do not look at times
	}
	p, err := s.predict(ctx, key, &w, topK)
	if err != nil {
		return telemetry.FaultPrediction{}, err
	}
	p.ID, p.Timestamp = id.New(id.Prediction), time.Now().UTC().Truncate(time.Millisecond)
	return p, nil
}

// predict is the one way from a window to a judgement.
func (s *Service) predict(ctx context.Context, key telemetry.Key, w *telemetry.Window, topK int) (p telemetry.FaultPrediction, err error) {
	v := s.registry.Resolve(key.Tenant, key.Asset)
	l, err := s.model(ctx, v)
	if err != nil {
		if ctx.Err() != nil {
			return p, ctx.Err()
		}
		s.outcome.WithLabelValues("no_model").Inc()
		return p, fmt.Errorf("%w: %w", ErrNoModel, err)
	}
	begin := time.Now()
	if !l.guard.allow(begin) {
		s.outcome.WithLabelValues("breaker_open").Inc()
		return p, fmt.Errorf("%w: the breaker of %s is open", ErrNoModel, v.Label)
	}
	x := s.vectors.Get().(*features.Vector)
	features.Extract(w, x)
	top := make([]telemetry.LabelProbability, topK)
	n, outside, err := classify(l.model, x, top)
	s.vectors.Put(x)
	end := time.Now()
	took := end.Sub(begin)
	l.guard.done(end, err == nil && took < s.config.Slow)
	s.took.Observe(took.Seconds())
	if err != nil {
		s.outcome.WithLabelValues("failed").Inc()
		return p, fmt.Errorf("%w: %s: %w", ErrNoModel, v.Label, err)
	}
	s.outcome.WithLabelValues("ok").Inc()
	return telemetry.FaultPrediction{
		Key: key, Label: top[0].Label, Probability: top[0].Probability, Top: top[:n],
		VersionID: v.ID, VersionLabel: v.Label, Role: telemetry.Production, OutOfDistribution: outside,
	}, nil
}

// model finds the version's model, waiting a while for a load.
func (s *Service) model(ctx context.Context, v Version) (*loaded, error) {
	if v.Artifact == s.registry.champion.model.hash {
		return s.registry.champion, nil
	}
	if l, err := s.registry.cached(v.Artifact); l != nil || err != nil {
		return l, err
	}
	wait, cancel := context.WithTimeout(ctx, s.config.LoadWait)
	defer cancel()
	return s.registry.get(wait, v)
}

// classify turns a panic of the model into an error: one bad model must not end
// the process.
func classify(m *Model, x *features.Vector, top []telemetry.LabelProbability) (n int, outside bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("inference: panic in the model: %v", p)
		}
	}()
	return m.Classify(x, top)
}
