// Package storetest is the conformance suite of telemetry.Store: every
// implementation passes it, on its real server. A test names what the contract
// promises; nothing in it knows how a store keeps what it is given.
//
// Each test works with tenants of its own, so that one store may serve them all, in
// parallel and run after run.
package storetest

import (
	"context"
	"testing"
	"time"

	"foresight/internal/telemetry"
)

// Run tests the stores that open returns. It is called once per test and must
// register its own clean-up.
func Run(t *testing.T, open func(t *testing.T) telemetry.Store) {
	for _, group := range []struct {
		name  string
		tests []test
	}{
		{"write", writeTests},
		{"read", readTests},
		{"latest", latestTests},
		{"window", windowTests},
		{"predictions", predictionTests},
		{"tenants", tenantTests},
		{"retention", retentionTests},
		{"rollups", rollupTests},
		{"forget", forgetTests},
	} {
		for _, c := range group.tests {
			t.Run(group.name+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				c.run(&suite{T: t, store: open(t), now: time.Now().UTC().Truncate(time.Hour)})
			})
		}
	}
}

type test struct {
	name string
	run  func(*suite)
}

// suite is what one test works with. now is a whole hour not far from the present.
type suite struct {
	*testing.T
	store telemetry.Store
	now   time.Time
}

func (s *suite) ctx() context.Context { return s.Context() }

// at returns a time relative to now.
func (s *suite) at(d time.Duration) time.Time { return s.now.Add(d) }

// write stores documents that must all be accepted.
func (s *suite) write(docs ...telemetry.Raw) []uint64 {
	s.Helper()
	first, err := s.store.WriteReadings(s.ctx(), docs)
	if err != nil {
		s.Fatalf("WriteReadings: %v", err)
	}
	if len(first) != len(docs) {
		s.Fatalf("WriteReadings answers for %d of %d documents", len(first), len(docs))
	}
	return first
}

func (s *suite) readings(q telemetry.RangeQuery) []telemetry.Raw {
	s.Helper()
	out, err := s.store.Readings(s.ctx(), q)
	if err != nil {
		s.Fatalf("Readings: %v", err)
	}
	return out
}

func (s *suite) writePredictions(docs ...telemetry.FaultPrediction) {
	s.Helper()
	if err := s.store.WritePredictions(s.ctx(), docs); err != nil {
		s.Fatalf("WritePredictions: %v", err)
	}
}

func (s *suite) predictions(q telemetry.PredictionQuery) []telemetry.FaultPrediction {
	s.Helper()
	out, err := s.store.Predictions(s.ctx(), q)
	if err != nil {
		s.Fatalf("Predictions: %v", err)
	}
	return out
}
