package storetest

import (
	"errors"
	"reflect"
	"slices"
	"sync"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

var predictionTests = []test{
	{"nothing is fine", func(s *suite) { s.writePredictions() }},
	{"a prediction comes back as it was", predictionRoundTrip},
	{"the first write wins", firstPredictionWins},
	{"filters", predictionFilters},
	{"pages", predictionPages},
	{"of many tenants in one call, by many writers", predictionsConcurrently},
	{"the latest of each asset", latestPredictions},
	{"counts by asset and label", countedPredictions},
	{"counts of a version by day, role and label", countedVersions},
	{"an unknown id is not found", func(s *suite) {
		if _, err := s.store.Prediction(s.ctx(), id.New(id.Tenant), id.New(id.Prediction)); !errors.Is(err, telemetry.ErrNotFound) {
			s.Errorf("got %v, want ErrNotFound", err)
		}
	}},
	{"one without a tenant is refused", func(s *suite) {
		p := prediction(reading(newSensor(), s.now, 1), telemetry.Production, telemetry.Normal, 1)
		p.Tenant = id.Nil
		if err := s.store.WritePredictions(s.ctx(), []telemetry.FaultPrediction{p}); !errors.Is(err, telemetry.ErrNoTenant) {
			s.Errorf("got %v, want ErrNoTenant", err)
		}
	}},
}

func predictionRoundTrip(s *suite) {
	k := newSensor()
	full := prediction(reading(k, s.at(5*time.Millisecond), 1), telemetry.Production, "cavitation", 0.1+0.2)
	full.OutOfDistribution = true
	bare := prediction(reading(k, s.at(time.Second), 2), telemetry.Production, telemetry.Normal, 0)
	bare.Top = nil
	own := prediction(reading(k, s.at(2*time.Second), 3), telemetry.Production, "تآكل \"x\"", 1)
	want := []telemetry.FaultPrediction{own, bare, full}
	s.writePredictions(full, bare, own)
	got := s.predictions(telemetry.PredictionQuery{RangeQuery: telemetry.RangeQuery{Tenant: k.Tenant, Limit: 10}})
	if !reflect.DeepEqual(got, want) {
		s.Errorf("got  %+v\nwant %+v", got, want)
	}
	for _, w := range want {
		got, err := s.store.Prediction(s.ctx(), k.Tenant, w.ID)
		if err != nil || !reflect.DeepEqual(got, w) {
			s.Errorf("by id: got %+v, %v\nwant %+v", got, err, w)
		}
	}
	several, err := s.store.PredictionsByID(s.ctx(), k.Tenant, []id.UUID{own.ID, id.New(id.Prediction), full.ID, full.ID})
	if err != nil || !reflect.DeepEqual(several, map[id.UUID]telemetry.FaultPrediction{own.ID: own, full.ID: full}) {
		s.Errorf("by ids: got %+v, %v", several, err)
	}
}

func firstPredictionWins(s *suite) {
	r := reading(newSensor(), s.now, 1)
	first := prediction(r, telemetry.Production, "cavitation", 0.9)
	second := prediction(r, telemetry.Production, telemetry.Normal, 0.8)
	s.writePredictions(first)
	s.writePredictions(second)
	s.writePredictions(second, first)
	got, err := s.store.Prediction(s.ctx(), r.Tenant, first.ID)
	if err != nil || !reflect.DeepEqual(got, first) {
		s.Errorf("got %+v, %v", got, err)
	}
}

func predictionFilters(s *suite) {
	tenant := id.New(id.Tenant)
	a, b := sensor(tenant), sensor(tenant)
	for i, c := range []struct {
		key   telemetry.Key
		role  telemetry.Role
		label string
		p     float64
	}{
		{a, telemetry.Production, telemetry.Normal, 0.99}, // 0
		{a, telemetry.Production, "cavitation", 0.5},      // 1
		{b, telemetry.Production, "soft_foot", 0.9},       // 2
		{b, telemetry.Canary, "cavitation", 0.95},         // 3
		{b, telemetry.Shadow, telemetry.Normal, 0.1},      // 4
	} {
		s.writePredictions(prediction(reading(c.key, s.at(time.Duration(i)*time.Second), uint64(i)), c.role, c.label, c.p))
	}
	all := []telemetry.Role{telemetry.Production, telemetry.Canary, telemetry.Shadow}
	for _, c := range []struct {
		name string
		q    telemetry.PredictionQuery
		want []int
	}{
		{"production by default", telemetry.PredictionQuery{}, []int{2, 1, 0}},
		{"all roles", telemetry.PredictionQuery{Roles: all}, []int{4, 3, 2, 1, 0}},
		{"one role", telemetry.PredictionQuery{Roles: []telemetry.Role{telemetry.Canary}}, []int{3}},
		{"abnormal", telemetry.PredictionQuery{OnlyAbnormal: true, Roles: all}, []int{3, 2, 1}},
		{"labels", telemetry.PredictionQuery{Labels: []string{"cavitation", telemetry.Normal}, Roles: all}, []int{4, 3, 1, 0}},
		{"one label", telemetry.PredictionQuery{Labels: []string{"soft_foot"}}, []int{2}},
		{"abnormal of labels with normal", telemetry.PredictionQuery{OnlyAbnormal: true, Labels: []string{"soft_foot", telemetry.Normal}}, []int{2}},
		{"probability, inclusive", telemetry.PredictionQuery{MinProbability: 0.9}, []int{2, 0}},
		{"asset", telemetry.PredictionQuery{RangeQuery: telemetry.RangeQuery{Scope: telemetry.Scope{Asset: a.Asset}}}, []int{1, 0}},
		{"actor's sites", telemetry.PredictionQuery{RangeQuery: telemetry.RangeQuery{Scope: telemetry.Scope{Sites: []id.UUID{b.Site}}}}, []int{2}},
		{"no sites", telemetry.PredictionQuery{RangeQuery: telemetry.RangeQuery{Scope: telemetry.Scope{Sites: []id.UUID{}}}}, nil},
		{"range", telemetry.PredictionQuery{RangeQuery: telemetry.RangeQuery{From: s.at(time.Second), To: s.at(2 * time.Second)}}, []int{1}},
	} {
		c.q.Tenant, c.q.Limit = tenant, 10
		var got []int
		for _, p := range s.predictions(c.q) {
			got = append(got, int(p.Timestamp.Sub(s.now)/time.Second))
		}
		if !slices.Equal(got, c.want) {
			s.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func predictionPages(s *suite) {
	tenant := id.New(id.Tenant)
	for i := range 20 {
		s.writePredictions(prediction(reading(sensor(tenant), s.at(time.Duration(i/6)*time.Second), uint64(i)), telemetry.Production, "cavitation", 0.5))
	}
	ids := func(ps []telemetry.FaultPrediction) (out []id.UUID) {
		for _, p := range ps {
			out = append(out, p.ID)
		}
		return out
	}
	q := telemetry.PredictionQuery{RangeQuery: telemetry.RangeQuery{Tenant: tenant, Limit: 100}, OnlyAbnormal: true}
	whole := ids(s.predictions(q))
	q.Limit = 3
	var got []id.UUID
	for {
		page := s.predictions(q)
		got = append(got, ids(page)...)
		if len(page) < q.Limit {
			break
		}
		last := page[len(page)-1]
		q.After = telemetry.Cursor{Timestamp: last.Timestamp, IngestID: last.IngestID}
	}
	if len(whole) != 20 || !slices.Equal(got, whole) {
		s.Errorf("pages give %d predictions, want the %d in order", len(got), len(whole))
	}
}

func predictionsConcurrently(s *suite) {
	keys := []telemetry.Key{newSensor(), newSensor(), newSensor()}
	var docs []telemetry.FaultPrediction
	for i := range 90 {
		docs = append(docs, prediction(reading(keys[i%3], s.at(time.Duration(i)*time.Second), uint64(i)), telemetry.Production, "cavitation", 0.5))
	}
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			mine := slices.Clone(docs)
			if w%2 == 1 {
				slices.Reverse(mine)
			}
			if err := s.store.WritePredictions(s.ctx(), mine); err != nil {
				s.Error(err)
			}
		})
	}
	wg.Wait()
	for _, k := range keys {
		q := telemetry.PredictionQuery{RangeQuery: telemetry.RangeQuery{Tenant: k.Tenant, Limit: 1000}}
		if got := s.predictions(q); len(got) != 30 {
			s.Errorf("%d predictions, want 30", len(got))
		}
	}
}

func latestPredictions(s *suite) {
	a, b := newSensor(), newSensor()
	b.Tenant = a.Tenant
	other := newSensor()
	other.Asset = a.Asset // the same id in another tenant
	old := prediction(reading(a, s.at(0), 1), telemetry.Production, "cavitation", 0.9)
	newest := prediction(reading(a, s.at(2*time.Second), 3), telemetry.Production, telemetry.Normal, 0.8)
	late := prediction(reading(a, s.at(time.Second), 4), telemetry.Production, "cavitation", 0.9)
	shadow := prediction(reading(a, s.at(3*time.Second), 5), telemetry.Shadow, "cavitation", 0.9)
	foreign := prediction(reading(other, s.at(4*time.Second), 6), telemetry.Production, "cavitation", 0.9)
	tooOld := prediction(reading(b, s.at(-time.Hour), 7), telemetry.Production, "cavitation", 0.9)
	s.writePredictions(old, newest, late, shadow, foreign, tooOld)
	got, err := s.store.LatestPredictions(s.ctx(), a.Tenant, []id.UUID{a.Asset, b.Asset, id.New(id.Asset)}, s.at(-time.Minute))
	if err != nil {
		s.Fatal(err)
	}
	want := map[id.UUID]telemetry.FaultPrediction{a.Asset: newest}
	if !reflect.DeepEqual(got, want) {
		s.Errorf("got %+v, want %+v", got, want)
	}
	if _, err := s.store.LatestPredictions(s.ctx(), id.Nil, []id.UUID{a.Asset}, s.now); !errors.Is(err, telemetry.ErrNoTenant) {
		s.Errorf("got %v, want ErrNoTenant", err)
	}
}

func countedPredictions(s *suite) {
	a, b := newSensor(), newSensor()
	b.Tenant = a.Tenant
	second := newSensor()
	second.Tenant, second.Asset = a.Tenant, a.Asset // another sensor of the asset
	other := newSensor()
	other.Asset = a.Asset // the same id in another tenant
	var docs []telemetry.FaultPrediction
	n := uint64(0)
	say := func(k telemetry.Key, at time.Duration, role telemetry.Role, label string) {
		n++
		docs = append(docs, prediction(reading(k, s.at(at), n), role, label, 0.5))
	}
	say(a, 0, telemetry.Production, "cavitation")
	say(a, time.Second, telemetry.Production, "cavitation")
	say(second, 2*time.Second, telemetry.Production, "cavitation")
	say(a, 3*time.Second, telemetry.Production, telemetry.Normal)
	say(b, 3*time.Second, telemetry.Production, telemetry.Normal)
	say(a, 4*time.Second, telemetry.Shadow, "cavitation")
	say(other, 5*time.Second, telemetry.Production, "cavitation")
	say(a, -time.Millisecond, telemetry.Production, "cavitation") // before
	say(a, time.Minute, telemetry.Production, "cavitation")       // after
	s.writePredictions(docs...)
	got, err := s.store.PredictionCounts(s.ctx(), a.Tenant, s.at(0), s.at(time.Minute))
	if err != nil {
		s.Fatal(err)
	}
	want := map[telemetry.PredictionCount]bool{{Asset: a.Asset, Label: "cavitation", Count: 3}: true,
		{Asset: a.Asset, Label: telemetry.Normal, Count: 1}: true, {Asset: b.Asset, Label: telemetry.Normal, Count: 1}: true}
	for _, c := range got {
		if !want[c] {
			s.Errorf("counted %+v", c)
		}
		delete(want, c)
	}
	for c := range want {
		s.Errorf("not counted: %+v", c)
	}
	if _, err := s.store.PredictionCounts(s.ctx(), id.Nil, s.at(0), s.at(1)); !errors.Is(err, telemetry.ErrNoTenant) {
		s.Errorf("got %v, want ErrNoTenant", err)
	}
}
