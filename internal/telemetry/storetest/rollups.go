package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

var rollupTests = []test{
	{"come back as they were written", rollupRoundTrip},
	{"more readings replace, fewer and as many do not", rollupGuard},
	{"lanes and resolutions are kept apart", rollupLanes},
	{"in the order of sensor, start and lane, within limits", rollupOrder},
	{"scope and sensors narrow", rollupScope},
	{"no method shows another tenant's", rollupTenants},
	{"many rows of many tenants in one call", rollupMany},
	{"written by several at once", rollupConcurrent},
	{"a query must be in order", rollupRefused},
	{"old ones go", rollupRetention},
}

// rolled returns the rollup of n readings of a bucket, ten seconds apart, whose log
// sequences begin behind seq.
func rolled(k telemetry.Key, r telemetry.Resolution, start time.Time, seq uint64, n int) telemetry.Rollup {
	out := telemetry.Rollup{Start: r.Start(start), Lane: telemetry.Lane(seq)}
	for i := range n {
		raw := reading(k, out.Start.Add(time.Duration(i)*10*time.Second), seq+uint64(i)+1)
		out.Add(&raw)
	}
	return out
}

func sameRollup(a, b *telemetry.Rollup) error {
	switch {
	case a.Key != b.Key || !a.Start.Equal(b.Start) || a.Lane != b.Lane:
		return fmt.Errorf("rollup of %v %v %d, want %v %v %d", a.Key, a.Start, a.Lane, b.Key, b.Start, b.Lane)
	case a.Start.Location() != time.UTC:
		return fmt.Errorf("start in %v, not in UTC", a.Start.Location())
	case a.LastSeq != b.LastSeq || a.Readings != b.Readings:
		return fmt.Errorf("%d readings up to %d, want %d up to %d", a.Readings, a.LastSeq, b.Readings, b.LastSeq)
	case a.Channels != b.Channels:
		return fmt.Errorf("channels %v, want %v", a.Channels, b.Channels)
	case !slices.Equal(a.Values, b.Values):
		return fmt.Errorf("values %v, want %v", a.Values, b.Values)
	}
	return nil
}

func (s *suite) writeRollups(r telemetry.Resolution, rows ...telemetry.Rollup) {
	s.Helper()
	if err := s.store.WriteRollups(s.ctx(), r, rows); err != nil {
		s.Fatalf("WriteRollups: %v", err)
	}
}

// rollups lists what a query finds.
func (s *suite) rollups(q telemetry.RollupQuery) []telemetry.Rollup {
	s.Helper()
	if q.Limit == 0 {
		q.Limit = 1000
	}
	if q.From.IsZero() {
		q.From, q.To = s.at(-48*time.Hour), s.at(48*time.Hour)
	}
	var out []telemetry.Rollup
	err := s.store.Rollups(s.ctx(), q, func(r *telemetry.Rollup) error {
		kept := *r
		kept.Values = slices.Clone(r.Values)
		out = append(out, kept)
		return nil
	})
	if err != nil {
		s.Fatalf("Rollups: %v", err)
	}
	return out
}

// at returns the one 5-minute rollup of a bucket, read by both methods.
func (s *suite) rollupAt(k telemetry.Key, start time.Time) *telemetry.Rollup {
	s.Helper()
	found, err := s.store.RollupsAt(s.ctx(), k.Tenant, []telemetry.BucketID{{Sensor: k.Sensor, Start: start}})
	if err != nil {
		s.Fatalf("RollupsAt: %v", err)
	}
	listed := s.rollups(telemetry.RollupQuery{Tenant: k.Tenant, From: start, To: start.Add(time.Second)})
	if len(found) != 1 || len(listed) != 1 {
		s.Fatalf("%d and %d rollups, want 1", len(found), len(listed))
	}
	if err := sameRollup(&found[0], &listed[0]); err != nil {
		s.Error(err)
	}
	return &found[0]
}

func rollupRoundTrip(s *suite) {
	k := newSensor()
	full := rolled(k, telemetry.M5, s.now, 1000, 30)
	bare := telemetry.Rollup{Start: s.at(5 * time.Minute)}
	raw := reading(k, bare.Start.Add(time.Minute), 7)
	raw.Channels, raw.Values = telemetry.NoChannels(), nil
	bare.Add(&raw) // a reading without values counts as well
	named := telemetry.Rollup{Start: s.at(10 * time.Minute)}
	raw.Timestamp, raw.LogSeq = named.Start.Add(299_999*time.Millisecond), 9
	raw.Values = []telemetry.Value{{Name: `Öl "x"`, Value: -1e300}, {Name: "flow", Value: 5e-324}}
	named.Add(&raw)
	s.writeRollups(telemetry.M5, named, full, bare)
	for _, want := range []*telemetry.Rollup{&full, &bare, &named} {
		if err := sameRollup(s.rollupAt(k, want.Start), want); err != nil {
			s.Error(err)
		}
	}
	if got, err := s.store.RollupsAt(s.ctx(), k.Tenant, []telemetry.BucketID{{Sensor: k.Sensor, Start: s.at(time.Hour)}, {Sensor: id.New(id.Sensor), Start: s.now}}); err != nil || len(got) != 0 {
		s.Errorf("of buckets that are not there: %d, %v", len(got), err)
	}
	if err := s.store.WriteRollups(s.ctx(), telemetry.M5, nil); err != nil {
		s.Error(err)
	}
}

func rollupGuard(s *suite) {
	k := newSensor()
	ten, twenty := rolled(k, telemetry.M5, s.now, 0, 10), rolled(k, telemetry.M5, s.now, 0, 20)
	other := rolled(k, telemetry.M5, s.now, 500, 10)
	moved := twenty
	moved.Site, moved.Asset, moved.Readings, moved.LastSeq = id.New(id.Site), id.New(id.Asset), 21, 21
	for _, step := range []struct {
		write, want *telemetry.Rollup
	}{{&ten, &ten}, {&ten, &ten}, {&other, &ten}, {&twenty, &twenty}, {&ten, &twenty}, {&twenty, &twenty}, {&moved, &moved}, {&twenty, &moved}} {
		s.writeRollups(telemetry.M5, *step.write)
		if err := sameRollup(s.rollupAt(k, s.now), step.want); err != nil {
			s.Error(err)
		}
	}
}

func rollupLanes(s *suite) {
	k := newSensor()
	live, filled := rolled(k, telemetry.M5, s.now, 0, 10), rolled(k, telemetry.M5, s.now, 1<<56, 3)
	if live.Lane != 0 || filled.Lane != 1 {
		s.Fatal("the fixture has no lanes")
	}
	hour := rolled(k, telemetry.H1, s.now, 0, 5)
	day := rolled(k, telemetry.D1, s.now, 0, 4)
	s.writeRollups(telemetry.M5, filled, live)
	s.writeRollups(telemetry.H1, hour)
	s.writeRollups(telemetry.D1, day)
	for r, want := range map[telemetry.Resolution][]telemetry.Rollup{telemetry.M5: {live, filled}, telemetry.H1: {hour}, telemetry.D1: {day}} {
		got := s.rollups(telemetry.RollupQuery{Tenant: k.Tenant, Resolution: r})
		if len(got) != len(want) {
			s.Fatalf("%s: %d rollups, want %d", r, len(got), len(want))
		}
		for i := range got {
			if err := sameRollup(&got[i], &want[i]); err != nil {
				s.Errorf("%s: %v", r, err)
			}
		}
	}
}

func rollupOrder(s *suite) {
	tenant := id.New(id.Tenant)
	var rows []telemetry.Rollup
	for range 5 {
		k := sensor(tenant)
		for i := range 4 {
			rows = append(rows, rolled(k, telemetry.M5, s.at(time.Duration(i)*5*time.Minute), 0, 1+i))
		}
	}
	want := slices.Clone(rows)
	slices.SortFunc(want, func(a, b telemetry.Rollup) int {
		if c := slices.Compare(a.Sensor[:], b.Sensor[:]); c != 0 {
			return c
		}
		return a.Start.Compare(b.Start)
	})
	rand.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	s.writeRollups(telemetry.M5, rows...)
	got := s.rollups(telemetry.RollupQuery{Tenant: tenant, Limit: 11})
	if len(got) != 11 {
		s.Fatalf("%d rows, want 11", len(got))
	}
	for i := range got {
		if err := sameRollup(&got[i], &want[i]); err != nil {
			s.Fatal(err)
		}
	}
	// [From, To) of the beginnings.
	if got := s.rollups(telemetry.RollupQuery{Tenant: tenant, From: s.at(5 * time.Minute), To: s.at(15 * time.Minute)}); len(got) != 10 {
		s.Errorf("%d rows in two buckets' time, want 10", len(got))
	}
	stop := fmt.Errorf("enough")
	n := 0
	err := s.store.Rollups(s.ctx(), telemetry.RollupQuery{Tenant: tenant, From: s.now, To: s.at(time.Hour), Limit: 100}, func(*telemetry.Rollup) error {
		n++
		return stop
	})
	if err != stop || n != 1 {
		s.Errorf("ended with %v after %d rows, want the caller's error after one", err, n)
	}
}

func rollupScope(s *suite) {
	a := newSensor()
	b := sensor(a.Tenant)
	s.writeRollups(telemetry.M5, rolled(a, telemetry.M5, s.now, 0, 3), rolled(b, telemetry.M5, s.now, 0, 3))
	for name, q := range map[string]telemetry.RollupQuery{
		"site":    {Scope: telemetry.Scope{Site: a.Site}},
		"asset":   {Scope: telemetry.Scope{Asset: a.Asset}},
		"sensor":  {Scope: telemetry.Scope{Sensor: a.Sensor}},
		"sites":   {Scope: telemetry.Scope{Sites: []id.UUID{a.Site}}},
		"sensors": {Sensors: []id.UUID{a.Sensor, id.New(id.Sensor)}},
	} {
		q.Tenant = a.Tenant
		if got := s.rollups(q); len(got) != 1 || got[0].Sensor != a.Sensor {
			s.Errorf("%s: %d rows", name, len(got))
		}
	}
	for name, q := range map[string]telemetry.RollupQuery{
		"no sites":         {Scope: telemetry.Scope{Sites: []id.UUID{}}},
		"no sensors":       {Sensors: []id.UUID{}},
		"of another site":  {Scope: telemetry.Scope{Asset: a.Asset, Sites: []id.UUID{b.Site}}},
		"another's sensor": {Scope: telemetry.Scope{Asset: a.Asset}, Sensors: []id.UUID{b.Sensor}},
	} {
		q.Tenant = a.Tenant
		if got := s.rollups(q); len(got) != 0 {
			s.Errorf("%s: %d rows", name, len(got))
		}
	}
}

func rollupTenants(s *suite) {
	a, b := twins()
	mine, theirs := rolled(a, telemetry.M5, s.now, 0, 3), rolled(b, telemetry.M5, s.now, 0, 2)
	s.writeRollups(telemetry.M5, mine)
	if got := s.rollups(telemetry.RollupQuery{Tenant: b.Tenant, Scope: telemetry.Scope{Sensor: a.Sensor}}); len(got) != 0 {
		s.Errorf("another tenant lists %d", len(got))
	}
	if got, err := s.store.RollupsAt(s.ctx(), b.Tenant, []telemetry.BucketID{{Sensor: a.Sensor, Start: s.now}}); err != nil || len(got) != 0 {
		s.Errorf("another tenant reads %d, %v", len(got), err)
	}
	s.writeRollups(telemetry.M5, theirs)
	for _, want := range []*telemetry.Rollup{&mine, &theirs} {
		if err := sameRollup(s.rollupAt(want.Key, s.now), want); err != nil {
			s.Error(err)
		}
	}
}

func rollupMany(s *suite) {
	tenants := []id.UUID{id.New(id.Tenant), id.New(id.Tenant), id.New(id.Tenant)}
	var rows []telemetry.Rollup
	for i := range 900 {
		rows = append(rows, rolled(sensor(tenants[i%3]), telemetry.M5, s.at(-time.Duration(i%3)*24*time.Hour), 0, 1+i%4))
	}
	s.writeRollups(telemetry.M5, rows...)
	for _, tenant := range tenants {
		if got := s.rollups(telemetry.RollupQuery{Tenant: tenant}); len(got) != 300 {
			s.Errorf("%d rows, want 300", len(got))
		}
	}
}

// rollupConcurrent has writers at different places of the same log; the furthest wins.
func rollupConcurrent(s *suite) {
	tenant := id.New(id.Tenant)
	keys := make([]telemetry.Key, 40)
	for i := range keys {
		keys[i] = sensor(tenant)
	}
	failures := make(chan error)
	const writers = 6
	for w := range writers {
		go func() {
			for n := 1; n <= 5; n++ {
				rows := make([]telemetry.Rollup, len(keys))
				for i, j := range rand.Perm(len(keys)) {
					rows[i] = rolled(keys[j], telemetry.M5, s.now, 0, n+w)
				}
				if err := s.store.WriteRollups(s.ctx(), telemetry.M5, rows); err != nil {
					failures <- err
					return
				}
			}
			failures <- nil
		}()
	}
	for range writers {
		if err := <-failures; err != nil {
			s.Error(err)
		}
	}
	for _, k := range keys {
		want := rolled(k, telemetry.M5, s.now, 0, 5+writers-1)
		got, err := s.store.RollupsAt(s.ctx(), tenant, []telemetry.BucketID{{Sensor: k.Sensor, Start: s.now}})
		if err != nil || len(got) != 1 {
			s.Fatalf("%d rows, %v", len(got), err)
		}
		if err := sameRollup(&got[0], &want); err != nil {
			s.Fatal(err)
		}
	}
}

func rollupRefused(s *suite) {
	k := newSensor()
	none := func(*telemetry.Rollup) error { return nil }
	q := telemetry.RollupQuery{Tenant: k.Tenant, From: s.now, To: s.at(time.Hour), Limit: 1}
	for name, c := range map[string]struct {
		err, want error
	}{
		"write without tenant": {s.store.WriteRollups(s.ctx(), telemetry.M5, []telemetry.Rollup{rolled(telemetry.Key{}, telemetry.M5, s.now, 0, 1)}), telemetry.ErrNoTenant},
		"read without tenant":  {s.store.Rollups(s.ctx(), telemetry.RollupQuery{From: q.From, To: q.To, Limit: 1}, none), telemetry.ErrNoTenant},
		"no limit":             {s.store.Rollups(s.ctx(), telemetry.RollupQuery{Tenant: k.Tenant, From: q.From, To: q.To}, none), telemetry.ErrLimit},
		"beyond the limit":     {s.store.Rollups(s.ctx(), telemetry.RollupQuery{Tenant: k.Tenant, From: q.From, To: q.To, Limit: telemetry.MaxRollups + 1}, none), telemetry.ErrLimit},
	} {
		s.is(name, c.err, c.want)
	}
	_, err := s.store.RollupsAt(s.ctx(), id.Nil, nil)
	s.is("buckets without tenant", err, telemetry.ErrNoTenant)
	ended, cancel := context.WithCancel(s.ctx())
	cancel()
	s.is("an ended context", s.store.WriteRollups(ended, telemetry.M5, []telemetry.Rollup{rolled(k, telemetry.M5, s.now, 0, 1)}), context.Canceled)
}

// rollupRetention works far in the past: other tests of the same server lose nothing.
func rollupRetention(s *suite) {
	r, ok := s.store.(Retainer)
	if !ok {
		s.Log("the server drops old data by itself")
		return
	}
	k := newSensor()
	day := s.now.Truncate(24*time.Hour).AddDate(-2, -2, 0)
	old, kept := rolled(k, telemetry.M5, day.Add(-5*time.Minute), 0, 3), rolled(k, telemetry.M5, day, 0, 3)
	s.writeRollups(telemetry.M5, old, kept)
	if err := r.DropRollupsBefore(s.ctx(), day); err != nil {
		s.Fatal(err)
	}
	got := s.rollups(telemetry.RollupQuery{Tenant: k.Tenant, From: day.AddDate(0, 0, -2), To: day.AddDate(0, 0, 2)})
	if len(got) != 1 || !got[0].Start.Equal(day) {
		s.Errorf("%d rollups are kept, want 1", len(got))
	}
}
