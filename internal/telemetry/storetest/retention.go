package storetest

import (
	"context"
	"errors"
	"slices"
	"time"

	"foresight/internal/telemetry"
)

// Retainer is a store that drops old data when told to. A store whose server does
// so by itself (TTL) has no need of it.
type Retainer interface {
	DropReadingsBefore(ctx context.Context, before time.Time) error
	DropPredictionsBefore(ctx context.Context, before time.Time) error
	DropRollupsBefore(ctx context.Context, before time.Time) error // of 5 minutes
}

var retentionTests = []test{
	{"old readings go, and may come again", retention},
	{"old predictions go", predictionRetention},
}

// retention works far in the past: other tests of the same server lose nothing.
func retention(s *suite) {
	r, ok := s.store.(Retainer)
	if !ok {
		s.Log("the server drops old data by itself")
		return
	}
	k := newSensor()
	day := s.now.Truncate(24*time.Hour).AddDate(-2, 0, 0)
	old, kept := reading(k, day.Add(-time.Millisecond), 1), reading(k, day, 2)
	s.write(old, kept)
	if err := r.DropReadingsBefore(s.ctx(), day); err != nil {
		s.Fatal(err)
	}
	if got := seqs(s.readings(telemetry.RangeQuery{Tenant: k.Tenant, Limit: 10})); !slices.Equal(got, []uint64{2}) {
		s.Errorf("kept %v, want [2]", got)
	}
	old.LogSeq = 3
	if got := s.write(old); !slices.Equal(got, []uint64{3}) {
		s.Errorf("a dropped reading that comes again has first sequence %v, want [3]", got)
	}
}

func predictionRetention(s *suite) {
	r, ok := s.store.(Retainer)
	if !ok {
		s.Log("the server drops old data by itself")
		return
	}
	k := newSensor()
	day := s.now.Truncate(24*time.Hour).AddDate(-2, -1, 0)
	old := prediction(reading(k, day.Add(-time.Millisecond), 1), telemetry.Production, telemetry.Normal, 1)
	kept := prediction(reading(k, day, 2), telemetry.Production, telemetry.Normal, 1)
	s.writePredictions(old, kept)
	if err := r.DropPredictionsBefore(s.ctx(), day); err != nil {
		s.Fatal(err)
	}
	if _, err := s.store.Prediction(s.ctx(), k.Tenant, old.ID); !errors.Is(err, telemetry.ErrNotFound) {
		s.Errorf("old: %v", err)
	}
	if _, err := s.store.Prediction(s.ctx(), k.Tenant, kept.ID); err != nil {
		s.Errorf("kept: %v", err)
	}
}
