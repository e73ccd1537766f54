package series

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/telemetry/pgstore"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// rig is a store with a tenant's sensor, which measures the flow.
type rig struct {
	*testing.T
	store *pgstore.Store
	key   telemetry.Key
	now   time.Time // a whole day's beginning
	seq   uint64
}

func newRig(t *testing.T) *rig {
	t.Helper()
	db := testkit.NewDB(t)
	open := func(dsn string) *pgxpool.Pool {
		p, err := pgxpool.New(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		return p
	}
	return &rig{T: t, store: pgstore.New(open(db.WorkerDSN), open(db.AppDSN)), key: telemetry.Key{Tenant: id.New(id.Tenant), Site: id.New(id.Site), Asset: id.New(id.Asset), Sensor: id.New(id.Sensor)},
		now: telemetry.D1.Start(time.Now())}
}

// measure stores readings with 5-minute rollups.
func (r *rig) measure(k telemetry.Key, at time.Time, flow float64) {
	r.Helper()
	r.seq++
	raw := telemetry.Raw{Reading: telemetry.Reading{Key: k, Timestamp: at, Channels: telemetry.NoChannels(), Values: []telemetry.Value{{Name: telemetry.Flow, Value: flow}}},
		IngestID: telemetry.IngestID(id.New(id.RawReading)), LogSeq: r.seq, ReceivedAt: at, Payload: []byte("{}")}
	raw.Channels[0], raw.Channels[1], raw.Channels[2], raw.Channels[3] = 1, 2, 2, 4 // whose root of the sum of squares is 5
	if _, err := r.store.WriteReadings(r.Context(), []telemetry.Raw{raw}); err != nil {
		r.Fatal(err)
	}
	row := telemetry.Rollup{Start: telemetry.M5.Start(at)}
	found, err := r.store.RollupsAt(r.Context(), k.Tenant, []telemetry.BucketID{{Sensor: k.Sensor, Start: row.Start}})
	if err != nil {
		r.Fatal(err)
	}
	if len(found) == 1 {
		row = found[0]
	}
	row.Add(&raw)
	if err := r.store.WriteRollups(r.Context(), telemetry.M5, []telemetry.Rollup{row}); err != nil {
		r.Fatal(err)
	}
}

// roll makes coarser rollups of what began before the time.
func (r *rig) roll(res telemetry.Resolution, before time.Time) {
	r.Helper()
	by := map[int64]*telemetry.Rollup{}
	err := r.store.Rollups(r.Context(), telemetry.RollupQuery{Tenant: r.key.Tenant, Scope: telemetry.Scope{Sensor: r.key.Sensor}, From: r.now.AddDate(-1, 0, 0), To: before, Limit: telemetry.MaxRollups, Resolution: telemetry.M5},
		func(f *telemetry.Rollup) error {
			start := res.Start(f.Start)
			if by[start.Unix()] == nil {
				by[start.Unix()] = &telemetry.Rollup{Start: start}
			}
			by[start.Unix()].Merge(f)
			return nil
		})
	if err != nil {
		r.Fatal(err)
	}
	for _, row := range by {
		if err := r.store.WriteRollups(r.Context(), res, []telemetry.Rollup{*row}); err != nil {
			r.Fatal(err)
		}
	}
}

func (r *rig) ask(res Resolution, from, to time.Time, parameters ...string) *Answer {
	r.Helper()
	a, err := Read(r.Context(), r.store, Query{Tenant: r.key.Tenant, Scope: telemetry.Scope{Asset: r.key.Asset}, Parameters: parameters, From: from, To: to, Resolution: res, Now: r.now})
	if err != nil {
		r.Fatal(err)
	}
	return a
}

func TestReadingsAsASeries(t *testing.T) {
	r := newRig(t)
	at := r.now.Add(-3 * time.Hour)
	r.measure(r.key, at.Add(2*time.Second), 20)
	r.measure(r.key, at.Add(time.Second), 10)
	r.measure(r.key, at.Add(time.Minute), 30) // beyond the end
	other := r.key
	other.Sensor = id.New(id.Sensor)
	r.measure(other, at, 5)
	a := r.ask(Raw, at, at.Add(time.Minute), telemetry.Flow, "speed", telemetry.VibrationRMS, telemetry.Flow)
	if a.Resolution != Raw || len(a.Series) != 4 {
		t.Fatalf("%d series in %d, want 2 parameters of 2 sensors", len(a.Series), a.Resolution)
	}
	for _, s := range a.Series {
		want := map[bool]map[string][]float64{true: {telemetry.Flow: {10, 20}, telemetry.VibrationRMS: {5, 5}}, false: {telemetry.Flow: {5}, telemetry.VibrationRMS: {5}}}[s.Sensor == r.key.Sensor][s.Parameter]
		for name, column := range map[string][]float64{"average": s.Average, "min": s.Min, "max": s.Max, "last": s.Last} {
			if !slices.Equal(column, want) {
				t.Errorf("%s of %s is %v, want %v", name, s.Parameter, column, want)
			}
		}
		if s.Key.Site != r.key.Site || len(s.Times) != len(want) || s.Count[0] != 1 || s.Deviation[0] != 0 {
			t.Errorf("%+v", s)
		}
	}
}

// What is not rolled up yet comes from the finer rollups, in every resolution.
func TestSeriesEndWithThePresent(t *testing.T) {
	r := newRig(t)
	begin := r.now.AddDate(0, 0, -3)
	n := 0
	for at := begin; at.Before(r.now.Add(10 * time.Hour)); at = at.Add(100 * time.Minute) {
		n++
		r.measure(r.key, at, float64(n))
		r.measure(r.key, at.Add(time.Second), float64(n)+0.5)
	}
	check := func(what string) {
		t.Helper()
		for _, res := range []Resolution{M5, H1, D1} {
			width := telemetry.Resolution(res - M5)
			a := r.ask(res, begin.Add(time.Minute), r.now.AddDate(0, 0, 2), telemetry.Flow)
			if len(a.Series) != 1 || a.Resolution != res {
				t.Fatalf("%s, %s: %d series", what, width, len(a.Series))
			}
			s := a.Series[0]
			total, sum := 0, 0.0
			for i := range s.Times {
				total += s.Count[i]
				sum += s.Average[i] * float64(s.Count[i])
				if i > 0 && !s.Times[i-1].Before(s.Times[i]) || !s.Times[i].Equal(width.Start(s.Times[i])) || s.Min[i] > s.Average[i] || s.Max[i] < s.Average[i] || s.Last[i] != s.Max[i] || !(s.Deviation[i] > 0) {
					t.Errorf("%s, %s: point %d of %+v", what, width, i, s)
				}
			}
			if want := float64(n*(n+1)) + float64(n)/2; total != 2*n || math.Abs(sum-want) > 1e-6*want {
				t.Errorf("%s, %s: %d values with the sum %v, want %d with %v", what, width, total, sum, 2*n, want)
			}
		}
	}
	check("nothing rolled up")
	r.roll(telemetry.H1, r.now.Add(-30*time.Hour))
	check("hours to the day before yesterday")
	r.roll(telemetry.D1, r.now.AddDate(0, 0, -2))
	check("and days")
	r.measure(r.key, begin.Add(3*100*time.Minute+2*time.Second), 0) // late, its hour not made again yet
	if got := r.ask(M5, begin, r.now, telemetry.Flow).Series[0]; slices.Max(got.Count) != 3 {
		t.Errorf("counts %v", got.Count)
	}
}

func TestAutoFitsTheSpan(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name      string
		ago, span time.Duration
		want      Resolution
	}{
		{"the last hour", time.Hour, time.Hour, Raw},
		{"an hour of last week", 8 * day, time.Hour, M5},
		{"a day", day, day, M5},
		{"a day of a quarter ago", 100 * day, day, H1},
		{"a week", 7 * day, 7 * day, H1},
		{"a month", 30 * day, 30 * day, H1},
		{"a quarter", 92 * day, 92 * day, D1},
		{"a day of two years ago", 730 * day, day, D1},
	} {
		if got := choose(now.Add(-c.ago), now.Add(-c.ago+c.span), now); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// many is a store whose sensor measures more often than an answer takes.
type many struct{ Store }

func (m many) Readings(context.Context, telemetry.RangeQuery) ([]telemetry.Raw, error) {
	return make([]telemetry.Raw, telemetry.MaxLimit), nil
}

func TestTooMuchForOneAnswer(t *testing.T) {
	r := newRig(t)
	at := r.now.Add(-2 * time.Hour)
	r.measure(r.key, at, 1)
	q := Query{Tenant: r.key.Tenant, Parameters: []string{telemetry.Flow}, From: at, To: at.Add(time.Minute), Resolution: Raw, Now: r.now}
	if _, err := Read(t.Context(), many{r.store}, q); !errors.Is(err, errPoints) || !fault.Is(err, fault.BadInput) {
		t.Errorf("raw: %v", err)
	}
	q.Resolution = Auto
	if a, err := Read(t.Context(), many{r.store}, q); err != nil || a.Resolution != M5 || len(a.Series) != 1 {
		t.Errorf("auto: %+v, %v", a, err)
	}
	var c collector
	c.answer, c.parameters, c.points = &Answer{}, q.Parameters, MaxPoints
	row := telemetry.Rollup{Values: []telemetry.NamedAggregate{{Name: telemetry.Flow, Aggregate: telemetry.Aggregate{Count: 1}}}}
	if err := c.add(&row, at); !errors.Is(err, errPoints) {
		t.Errorf("beyond the points: %v", err)
	}
	for name, spoil := range map[string]func(*Query){
		"no parameters": func(q *Query) { q.Parameters = nil },
		"too many":      func(q *Query) { q.Parameters = make([]string, MaxParameters+1) },
		"no time":       func(q *Query) { q.To = q.From },
	} {
		bad := q
		spoil(&bad)
		if _, err := Read(t.Context(), r.store, bad); !fault.Is(err, fault.BadInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
