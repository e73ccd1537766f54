package storetest

import (
	"context"
	"errors"
	"slices"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

var readTests = []test{
	{"newest first by event time", newestFirst},
	{"a range holds its beginning and not its end", halfOpen},
	{"scopes narrow", scopes},
	{"cursors continue", cursors},
	{"limits", limits},
	{"a query without a tenant is refused", noTenant},
}

func contextEnded(s *suite) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(s.ctx())
	cancel()
	return ctx, cancel
}

func newestFirst(s *suite) {
	k := newSensor()
	s.write(reading(k, s.at(2*time.Second), 1), reading(k, s.at(0), 2), reading(k, s.at(3*time.Second), 3))
	s.write(reading(k, s.at(time.Second), 4))
	if got := seqs(s.readings(telemetry.RangeQuery{Tenant: k.Tenant, Limit: 10})); !slices.Equal(got, []uint64{3, 1, 4, 2}) {
		s.Errorf("order %v", got)
	}
}

func halfOpen(s *suite) {
	k := newSensor()
	for i := range 5 {
		s.write(reading(k, s.at(time.Duration(i)*time.Millisecond), uint64(i+1)))
	}
	for _, c := range []struct {
		name     string
		from, to time.Time
		want     []uint64
	}{
		{"both ends", s.at(time.Millisecond), s.at(3 * time.Millisecond), []uint64{3, 2}},
		{"from only", s.at(3 * time.Millisecond), time.Time{}, []uint64{5, 4}},
		{"to only", time.Time{}, s.at(2 * time.Millisecond), []uint64{2, 1}},
		{"empty", s.at(time.Millisecond), s.at(time.Millisecond), nil},
		{"backwards", s.at(time.Hour), s.at(0), nil},
	} {
		got := seqs(s.readings(telemetry.RangeQuery{Tenant: k.Tenant, From: c.from, To: c.to, Limit: 10}))
		if !slices.Equal(got, c.want) {
			s.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func scopes(s *suite) {
	tenant := id.New(id.Tenant)
	a := sensor(tenant)
	b := a
	b.Sensor = id.New(id.Sensor) // same asset
	c := a
	c.Asset, c.Sensor = id.New(id.Asset), id.New(id.Sensor) // same site
	d := sensor(tenant)
	for i, k := range []telemetry.Key{a, b, c, d} {
		s.write(reading(k, s.at(-time.Duration(i)*time.Second), uint64(i+1)))
	}
	for _, x := range []struct {
		name  string
		scope telemetry.Scope
		want  []uint64
	}{
		{"tenant", telemetry.Scope{}, []uint64{1, 2, 3, 4}},
		{"site", telemetry.Scope{Site: a.Site}, []uint64{1, 2, 3}},
		{"asset", telemetry.Scope{Asset: a.Asset}, []uint64{1, 2}},
		{"sensor", telemetry.Scope{Sensor: b.Sensor}, []uint64{2}},
		{"sensor of another asset", telemetry.Scope{Asset: c.Asset, Sensor: b.Sensor}, nil},
		{"asset of another site", telemetry.Scope{Site: d.Site, Asset: a.Asset}, nil},
		{"sites of the actor", telemetry.Scope{Sites: []id.UUID{d.Site, id.New(id.Site)}}, []uint64{4}},
		{"several sites", telemetry.Scope{Sites: []id.UUID{a.Site, d.Site}}, []uint64{1, 2, 3, 4}},
		{"no sites", telemetry.Scope{Sites: []id.UUID{}}, nil},
		{"asset outside the actor's sites", telemetry.Scope{Asset: a.Asset, Sites: []id.UUID{d.Site}}, nil},
		{"unknown", telemetry.Scope{Asset: id.New(id.Asset)}, nil},
	} {
		got := seqs(s.readings(telemetry.RangeQuery{Tenant: tenant, Scope: x.scope, Limit: 10}))
		if !slices.Equal(got, x.want) {
			s.Errorf("Readings of %s: %v, want %v", x.name, got, x.want)
		}
		latest, err := s.store.Latest(s.ctx(), tenant, x.scope, 10)
		if err != nil {
			s.Fatal(err)
		}
		got = seqs(latest)
		slices.Sort(got)
		if !slices.Equal(got, x.want) {
			s.Errorf("Latest of %s: %v, want %v", x.name, got, x.want)
		}
	}
}

// cursors: pages of any size, laid end to end, are the whole list, equal times included.
func cursors(s *suite) {
	tenant := id.New(id.Tenant)
	var docs []telemetry.Raw
	for i := range 40 {
		k := sensor(tenant)
		docs = append(docs, reading(k, s.at(time.Duration(i/7)*time.Hour), uint64(i+1)))
	}
	s.write(docs...)
	whole := seqs(s.readings(telemetry.RangeQuery{Tenant: tenant, Limit: 100}))
	if len(whole) != len(docs) {
		s.Fatalf("%d readings", len(whole))
	}
	for _, size := range []int{1, 3, 7, 40, 41} {
		var got []uint64
		q := telemetry.RangeQuery{Tenant: tenant, Limit: size}
		for {
			page := s.readings(q)
			got = append(got, seqs(page)...)
			if len(page) < size {
				break
			}
			last := page[len(page)-1]
			q.After = telemetry.Cursor{Timestamp: last.Timestamp, IngestID: last.IngestID}
		}
		if !slices.Equal(got, whole) {
			s.Errorf("pages of %d: %v, want %v", size, got, whole)
		}
	}
}

func limits(s *suite) {
	k := newSensor()
	s.write(reading(k, s.at(0), 1), reading(k, s.at(time.Second), 2))
	if got := s.readings(telemetry.RangeQuery{Tenant: k.Tenant, Limit: 1}); len(got) != 1 {
		s.Errorf("limit 1 gives %d", len(got))
	}
	for _, n := range []int{-1, 0, telemetry.MaxLimit + 1} {
		q := telemetry.RangeQuery{Tenant: k.Tenant, Limit: n}
		if _, err := s.store.Readings(s.ctx(), q); !errors.Is(err, telemetry.ErrLimit) {
			s.Errorf("Readings with limit %d: %v", n, err)
		}
		if _, err := s.store.Predictions(s.ctx(), telemetry.PredictionQuery{RangeQuery: q}); !errors.Is(err, telemetry.ErrLimit) {
			s.Errorf("Predictions with limit %d: %v", n, err)
		}
	}
	for _, n := range []int{-1, 0, telemetry.MaxLatest + 1} {
		if _, err := s.store.Latest(s.ctx(), k.Tenant, telemetry.Scope{}, n); !errors.Is(err, telemetry.ErrLimit) {
			s.Errorf("Latest with limit %d: %v", n, err)
		}
	}
}

func noTenant(s *suite) {
	q := telemetry.RangeQuery{Limit: 1}
	for name, ask := range map[string]func() error{
		"Readings": func() error { _, err := s.store.Readings(s.ctx(), q); return err },
		"Predictions": func() error {
			_, err := s.store.Predictions(s.ctx(), telemetry.PredictionQuery{RangeQuery: q})
			return err
		},
		"Prediction": func() error { _, err := s.store.Prediction(s.ctx(), id.Nil, id.New(id.Prediction)); return err },
		"Latest":     func() error { _, err := s.store.Latest(s.ctx(), id.Nil, telemetry.Scope{}, 1); return err },
		"Window": func() error {
			_, err := s.store.Window(s.ctx(), id.Nil, []id.UUID{id.New(id.Sensor)}, 1, 1, s.now)
			return err
		},
	} {
		if err := ask(); !errors.Is(err, telemetry.ErrNoTenant) {
			s.Errorf("%s: got %v, want ErrNoTenant", name, err)
		}
	}
}
