package storetest

import (
	"errors"
	"math"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// countedVersions: what a version has predicted is counted by day, role and label.
func countedVersions(s *suite) {
	a, b, other := newSensor(), newSensor(), newSensor()
	b.Tenant = a.Tenant // of another site
	version, another := id.New(id.MLModelVersion), id.New(id.MLModelVersion)
	midnight := s.at(0).Truncate(24 * time.Hour)
	var docs []telemetry.FaultPrediction
	say := func(k telemetry.Key, at time.Time, role telemetry.Role, label string, p float64, of id.UUID) {
		d := prediction(reading(k, at, uint64(len(docs)+1)), role, label, p)
		d.VersionID = of
		docs = append(docs, d)
	}
	say(a, midnight, telemetry.Production, "cavitation", 0.9, version)
	say(a, midnight.Add(time.Second), telemetry.Production, "cavitation", 0.6, version)
	say(b, midnight.Add(2*time.Second), telemetry.Production, "cavitation", 0.3, version)
	say(a, midnight.Add(3*time.Second), telemetry.Production, telemetry.Normal, 0.5, version)
	say(a, midnight.Add(4*time.Second), telemetry.Shadow, "cavitation", 0.4, version)
	say(a, midnight.Add(-time.Second), telemetry.Production, "cavitation", 0.25, version) // the day before
	say(a, midnight.Add(5*time.Second), telemetry.Production, "cavitation", 0.4, another)
	say(other, midnight.Add(6*time.Second), telemetry.Production, "cavitation", 0.4, version) // another tenant's
	say(a, midnight.Add(-2*time.Hour), telemetry.Production, "cavitation", 0.4, version)      // before
	say(a, midnight.Add(time.Hour), telemetry.Production, "cavitation", 0.4, version)         // after
	s.writePredictions(docs...)
	type key struct {
		day   time.Time
		role  telemetry.Role
		label string
	}
	type figures struct {
		count int64
		mean  float64
	}
	yesterday := midnight.AddDate(0, 0, -1)
	q := telemetry.VersionQuery{Tenant: a.Tenant, Version: version, From: midnight.Add(-time.Hour), To: midnight.Add(time.Hour)}
	for name, c := range map[string]struct {
		scope telemetry.Scope
		want  map[key]figures
	}{
		"the tenant": {telemetry.Scope{}, map[key]figures{
			{midnight, telemetry.Production, "cavitation"}:     {3, 0.6},
			{midnight, telemetry.Production, telemetry.Normal}: {1, 0.5},
			{midnight, telemetry.Shadow, "cavitation"}:         {1, 0.4},
			{yesterday, telemetry.Production, "cavitation"}:    {1, 0.25},
		}},
		"a site":   {telemetry.Scope{Sites: []id.UUID{b.Site}}, map[key]figures{{midnight, telemetry.Production, "cavitation"}: {1, 0.3}}},
		"no sites": {telemetry.Scope{Sites: []id.UUID{}}, map[key]figures{}},
	} {
		q.Scope = c.scope
		got, err := s.store.VersionCounts(s.ctx(), q)
		if err != nil {
			s.Fatal(err)
		}
		for _, g := range got {
			k := key{g.Day, g.Role, g.Label}
			if w, ok := c.want[k]; !ok || g.Count != w.count || math.Abs(g.Probability-w.mean) > 1e-12 {
				s.Errorf("%s: counted %+v, want %+v", name, g, c.want[k])
			}
			delete(c.want, k)
		}
		for k := range c.want {
			s.Errorf("%s: not counted: %+v", name, k)
		}
	}
	q.Tenant = id.Nil
	if _, err := s.store.VersionCounts(s.ctx(), q); !errors.Is(err, telemetry.ErrNoTenant) {
		s.Errorf("got %v, want ErrNoTenant", err)
	}
}
