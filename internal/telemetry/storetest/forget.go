package storetest

import (
	"context"
	"errors"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

var forgetTests = []test{
	{"what a tenant has before a time", forgetBefore},
	{"all of a tenant, and nothing of others", forgetTenant},
	{"without a tenant", forgetRefused},
}

// is compares an error with the one expected.
func (s *suite) is(what string, err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("%s: %v, want %v", what, err, want)
	}
}

// furnish writes a document of each class at each time.
func (s *suite) furnish(k telemetry.Key, at ...time.Time) {
	s.Helper()
	for i, t := range at {
		r := reading(k, t, uint64(i+1))
		s.write(r)
		s.writePredictions(prediction(r, telemetry.Production, telemetry.Normal, 1))
		for _, res := range telemetry.Resolutions {
			s.writeRollups(res, rolled(k, res, t, 0, 1))
		}
	}
}

// holds counts a tenant's documents by class.
func (s *suite) holds(tenant id.UUID) (n [len(telemetry.Classes)]int) {
	s.Helper()
	q := telemetry.RangeQuery{Tenant: tenant, Limit: 100}
	n[telemetry.ClassReadings] = len(s.readings(q))
	n[telemetry.ClassPredictions] = len(s.predictions(telemetry.PredictionQuery{RangeQuery: q}))
	for i, res := range telemetry.Resolutions {
		n[int(telemetry.ClassRollupsM5)+i] = len(s.rollups(telemetry.RollupQuery{Tenant: tenant, Resolution: res, From: s.at(-2000 * time.Hour), To: s.at(2000 * time.Hour)}))
	}
	return n
}

func forgetBefore(s *suite) {
	a, b := twins()
	today := s.now.Truncate(24 * time.Hour)
	times := []time.Time{today.AddDate(0, 0, -3), today.AddDate(0, 0, -2), today.AddDate(0, 0, -1)}
	s.furnish(a, times...)
	s.furnish(b, times...)
	for _, c := range telemetry.Classes {
		was := s.holds(a.Tenant)
		n, err := s.store.Forget(s.ctx(), a.Tenant, c, times[1])
		if err != nil || n != 1 {
			s.Fatalf("class %d: forgot %d, %v", c, n, err)
		}
		was[c]--
		if got := s.holds(a.Tenant); got != was {
			s.Errorf("class %d: it holds %v, want %v", c, got, was)
		}
		if n, err := s.store.Forget(s.ctx(), a.Tenant, c, times[1]); err != nil || n != 0 {
			s.Errorf("class %d: forgot %d once more, %v", c, n, err)
		}
	}
	if got := s.latest(a.Tenant, 10); len(got) != 1 {
		s.Errorf("%d sensors have a newest reading, want 1", len(got))
	}
	if got := s.holds(b.Tenant); got != [len(telemetry.Classes)]int{3, 3, 3, 3, 3} {
		s.Errorf("another tenant lost: %v", got)
	}
}

func forgetTenant(s *suite) {
	a, b := twins()
	s.furnish(a, s.now, s.at(-30*time.Hour))
	s.furnish(b, s.now)
	ended, cancel := context.WithCancel(s.ctx())
	cancel()
	if _, err := s.store.ForgetTenant(ended, a.Tenant); !errors.Is(err, context.Canceled) {
		s.Errorf("with an ended context: %v", err)
	}
	n, err := s.store.ForgetTenant(s.ctx(), a.Tenant)
	if err != nil || n != 10 {
		s.Fatalf("forgot %d, %v, want 10", n, err)
	}
	if got := s.holds(a.Tenant); got != [len(telemetry.Classes)]int{} {
		s.Errorf("it still holds %v", got)
	}
	if got := s.latest(a.Tenant, 10); len(got) != 0 {
		s.Errorf("%d newest readings are left", len(got))
	}
	if got := s.holds(b.Tenant); got != [len(telemetry.Classes)]int{1, 1, 1, 1, 1} {
		s.Errorf("another tenant holds %v", got)
	}
	if n, err := s.store.ForgetTenant(s.ctx(), a.Tenant); err != nil || n != 0 {
		s.Errorf("once more: %d, %v", n, err)
	}
	s.furnish(a, s.now) // who comes again begins anew
	if got := s.latest(a.Tenant, 10); len(got) != 1 {
		s.Errorf("%d newest readings, want 1", len(got))
	}
}

func forgetRefused(s *suite) {
	_, err := s.store.Forget(s.ctx(), id.Nil, telemetry.ClassReadings, s.now)
	s.is("Forget", err, telemetry.ErrNoTenant)
	_, err = s.store.ForgetTenant(s.ctx(), id.Nil)
	s.is("ForgetTenant", err, telemetry.ErrNoTenant)
}
