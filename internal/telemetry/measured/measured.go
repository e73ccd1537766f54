// Package measured tells how long a telemetry store takes.
package measured

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/id"
	"foresight/internal/obs"
	"foresight/internal/telemetry"
)

// Metrics of all stores of a process.
type Metrics struct{ took *prometheus.HistogramVec }

// NewMetrics registers the metrics; a nil registerer takes none.
func NewMetrics(r prometheus.Registerer) *Metrics {
	return &Metrics{obs.NewHistogram(r, "store", "seconds", "Time of a call of the telemetry store, by operation and outcome (ok, failed).",
		[]float64{.0005, .001, .002, .005, .01, .02, .05, .1, .25, .5, 1, 2.5, 10}, "operation", "outcome")}
}

// Store measures the calls of another store. What it does not name goes through unmeasured.
type Store struct {
	telemetry.Store
	m *Metrics
}

// Wrap returns the store, measured.
func (m *Metrics) Wrap(s telemetry.Store) *Store { return &Store{s, m} }

func (s *Store) done(operation string, begin time.Time, err *error) {
	outcome := "ok"
	if *err != nil {
		outcome = "failed"
	}
	s.m.took.WithLabelValues(operation, outcome).Observe(time.Since(begin).Seconds())
}

// WriteReadings implements telemetry.Store.
func (s *Store) WriteReadings(ctx context.Context, docs []telemetry.Raw) (first []uint64, err error) {
	defer s.done("write_readings", time.Now(), &err)
	return s.Store.WriteReadings(ctx, docs)
}

// WritePredictions implements telemetry.Store; a call without any is none.
func (s *Store) WritePredictions(ctx context.Context, docs []telemetry.FaultPrediction) (err error) {
	if len(docs) > 0 {
		defer s.done("write_predictions", time.Now(), &err)
	}
	return s.Store.WritePredictions(ctx, docs)
}

// WriteRollups implements telemetry.Store.
func (s *Store) WriteRollups(ctx context.Context, r telemetry.Resolution, rows []telemetry.Rollup) (err error) {
	if len(rows) > 0 {
		defer s.done("write_rollups", time.Now(), &err)
	}
	return s.Store.WriteRollups(ctx, r, rows)
}

// RollupsAt implements telemetry.Store.
func (s *Store) RollupsAt(ctx context.Context, tenant id.UUID, at []telemetry.BucketID) (out []telemetry.Rollup, err error) {
	defer s.done("rollups_at", time.Now(), &err)
	return s.Store.RollupsAt(ctx, tenant, at)
}

// Rollups implements telemetry.Store. The time holds that of each.
func (s *Store) Rollups(ctx context.Context, q telemetry.RollupQuery, each func(*telemetry.Rollup) error) (err error) {
	defer s.done("rollups", time.Now(), &err)
	return s.Store.Rollups(ctx, q, each)
}

// Readings implements telemetry.Store.
func (s *Store) Readings(ctx context.Context, q telemetry.RangeQuery) (out []telemetry.Raw, err error) {
	defer s.done("readings", time.Now(), &err)
	return s.Store.Readings(ctx, q)
}

// Latest implements telemetry.Store.
func (s *Store) Latest(ctx context.Context, tenant id.UUID, scope telemetry.Scope, limit int) (out []telemetry.Raw, err error) {
	defer s.done("latest", time.Now(), &err)
	return s.Store.Latest(ctx, tenant, scope, limit)
}

// Window implements telemetry.Store.
func (s *Store) Window(ctx context.Context, tenant id.UUID, sensors []id.UUID, n int, maxSeq uint64, since time.Time) (out map[id.UUID][]telemetry.Raw, err error) {
	defer s.done("window", time.Now(), &err)
	return s.Store.Window(ctx, tenant, sensors, n, maxSeq, since)
}

// Predictions implements telemetry.Store.
func (s *Store) Predictions(ctx context.Context, q telemetry.PredictionQuery) (out []telemetry.FaultPrediction, err error) {
	defer s.done("predictions", time.Now(), &err)
	return s.Store.Predictions(ctx, q)
}

// LatestPredictions implements telemetry.Store.
func (s *Store) LatestPredictions(ctx context.Context, tenant id.UUID, assets []id.UUID, since time.Time) (out map[id.UUID]telemetry.FaultPrediction, err error) {
	defer s.done("latest_predictions", time.Now(), &err)
	return s.Store.LatestPredictions(ctx, tenant, assets, since)
}

// VersionCounts implements telemetry.Store.
func (s *Store) VersionCounts(ctx context.Context, q telemetry.VersionQuery) (out []telemetry.VersionCount, err error) {
	defer s.done("version_counts", time.Now(), &err)
	return s.Store.VersionCounts(ctx, q)
}

// PredictionCounts implements telemetry.Store.
func (s *Store) PredictionCounts(ctx context.Context, tenant id.UUID, from, to time.Time) (out []telemetry.PredictionCount, err error) {
	defer s.done("prediction_counts", time.Now(), &err)
	return s.Store.PredictionCounts(ctx, tenant, from, to)
}
