// Package series reads what sensors measured over time as columns, raw or rolled up,
// in a resolution that fits the span.
package series

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// Resolution is the width of a series' points.
type Resolution int

// The resolutions. A point of Raw is a reading, of the others a bucket, see
// telemetry.Resolution.
const (
	Auto Resolution = iota
	Raw
	M5
	H1
	D1
)

// What a query may ask for.
const (
	MaxParameters = 32
	MaxPoints     = 50_000 // of all series of an answer
	maxReadings   = 5_000  // of an answer in Raw
	maxRollups    = 50_000 // read for an answer
)

// What Auto chooses by the span, so that a series has at most about 1,500 points, and
// by how long ago it begins, since finer data is kept for a shorter time.
const (
	day     = 24 * time.Hour
	rawSpan = time.Hour
	m5Span  = 3 * day
	h1Span  = 62 * day
	rawAge  = 7 * day
	m5Age   = 60 * day
	h1Age   = 400 * day
)

// Query asks for the parameters of all sensors of a scope in [From, To). Buckets that
// hold a part of it are whole in the answer.
type Query struct {
	Tenant     id.UUID
	Scope      telemetry.Scope
	Parameters []string
	From, To   time.Time
	Resolution Resolution
	Now        time.Time
}

// Series is one parameter of one sensor, oldest first; all columns are equally long.
// A point where it was not measured is absent.
type Series struct {
	telemetry.Key // as of the last point
	Parameter     string
	Times         []time.Time // of the reading, or the beginning of the bucket
	Average       []float64
	Min, Max      []float64
	Last          []float64 // by event time
	Deviation     []float64 // standard deviation of the bucket's values as a population
	Count         []int
}

func (s *Series) add(at time.Time, a *telemetry.Aggregate) {
	s.Times = append(s.Times, at)
	s.Average, s.Deviation = append(s.Average, a.Mean()), append(s.Deviation, a.StdDev())
	s.Min, s.Max = append(s.Min, a.Min), append(s.Max, a.Max)
	s.Last, s.Count = append(s.Last, a.Last), append(s.Count, int(a.Count))
}

// Answer holds the series that have points, in the order of sensors and, within one,
// of the parameters asked for.
type Answer struct {
	Resolution Resolution // never Auto
	Series     []*Series
}

// errPoints says that the answer would be too long.
var errPoints = fault.Invalid("resolution", "error.series.points").With("Max", MaxPoints)

// Store is what is read; a telemetry.Store is one.
type Store interface {
	Readings(ctx context.Context, q telemetry.RangeQuery) ([]telemetry.Raw, error)
	Rollups(ctx context.Context, q telemetry.RollupQuery, each func(*telemetry.Rollup) error) error
}

// Read answers a query. Buckets that are not over, or were not rolled up yet, come
// from the finer ones: the answer ends with the newest reading that is rolled up at
// all, which is to say stored.
func Read(ctx context.Context, store Store, q Query) (*Answer, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	res := q.Resolution
	if res == Auto {
		res = choose(q.From, q.To, q.Now)
	}
	if res == Raw {
		a, err := raw(ctx, store, q)
		if q.Resolution != Auto || !errors.Is(err, errPoints) {
			return a, err
		}
		res = M5 // more readings than one answer takes
	}
	b := buckets{store: store, q: q}
	rows, err := b.read(ctx, telemetry.Resolution(res-M5), q.From)
	if err != nil {
		return nil, err
	}
	c := collector{answer: &Answer{Resolution: res}, parameters: q.Parameters}
	for _, r := range rows {
		if err := c.add(r, r.Start); err != nil {
			return nil, err
		}
	}
	return c.answer, nil
}

func (q *Query) check() error {
	var l fault.List
	if !q.From.Before(q.To) {
		l = append(l, fault.Invalid("to", "error.series.range"))
	}
	if n := len(q.Parameters); n < 1 || n > MaxParameters {
		l = append(l, fault.Invalid("parameters", "error.series.parameters").With("Max", MaxParameters))
	}
	if len(l) > 0 {
		return l
	}
	q.Parameters = unique(q.Parameters)
	return nil
}

func unique(names []string) []string {
	var out []string
	for _, n := range names {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// choose picks what Auto means.
func choose(from, to, now time.Time) Resolution {
	span, age := to.Sub(from), now.Sub(from)
	switch {
	case span <= rawSpan && age <= rawAge:
		return Raw
	case span <= m5Span && age <= m5Age:
		return M5
	case span <= h1Span && age <= h1Age:
		return H1
	}
	return D1
}

// raw reads the readings themselves.
func raw(ctx context.Context, store Store, q Query) (*Answer, error) {
	var found []telemetry.Raw
	rq := telemetry.RangeQuery{Tenant: q.Tenant, Scope: q.Scope, From: q.From, To: q.To, Limit: telemetry.MaxLimit}
	for {
		page, err := store.Readings(ctx, rq)
		if err != nil {
			return nil, err
		}
		if found = append(found, page...); len(found) > maxReadings {
			return nil, errPoints
		}
		if len(page) < rq.Limit {
			break
		}
		last := page[len(page)-1]
		rq.After = telemetry.Cursor{Timestamp: last.Timestamp, IngestID: last.IngestID}
	}
	slices.SortStableFunc(found, func(a, b telemetry.Raw) int {
		return cmp.Or(bytes.Compare(a.Sensor[:], b.Sensor[:]), a.Timestamp.Compare(b.Timestamp), cmp.Compare(a.LogSeq, b.LogSeq))
	})
	c := collector{answer: &Answer{Resolution: Raw}, parameters: q.Parameters}
	for i := range found {
		one := telemetry.Rollup{Start: found[i].Timestamp}
		one.Add(&found[i])
		if err := c.add(&one, found[i].Timestamp); err != nil {
			return nil, err
		}
	}
	return c.answer, nil
}

// collector turns rollups, sensor by sensor and in the order of time, into columns.
type collector struct {
	answer     *Answer
	parameters []string
	of         []*Series // of the present sensor, by parameter; nil without points
	sensor     id.UUID
	points     int
}

func (c *collector) add(r *telemetry.Rollup, at time.Time) error {
	if c.of == nil || c.sensor != r.Sensor {
		c.of, c.sensor = make([]*Series, len(c.parameters)), r.Sensor
	}
	for i, name := range c.parameters {
		a := r.Parameter(name)
		if a == nil {
			continue
		}
		if c.points++; c.points > MaxPoints {
			return errPoints
		}
		if c.of[i] == nil {
			c.of[i] = &Series{Parameter: name}
			c.answer.Series = append(c.answer.Series, c.of[i])
		}
		c.of[i].Key = r.Key
		c.of[i].add(at, a)
	}
	return nil
}

// buckets reads rollups, completed from finer ones.
type buckets struct {
	store Store
	q     Query
	seen  int
}

// place is one bucket of a sensor.
type place struct {
	sensor id.UUID
	start  int64
}

// read returns the rollups of the resolution from the bucket of a time on, lanes
// merged, in the order of sensor and start.
func (b *buckets) read(ctx context.Context, r telemetry.Resolution, from time.Time) ([]*telemetry.Rollup, error) {
	by := map[place]*telemetry.Rollup{}
	from = r.Start(from)
	newest := from
	err := b.each(ctx, r, from, func(f *telemetry.Rollup) {
		at := place{f.Sensor, f.Start.Unix()}
		if by[at] == nil {
			by[at] = &telemetry.Rollup{Start: f.Start}
		}
		by[at].Merge(f)
		if f.Start.After(newest) {
			newest = f.Start
		}
	})
	if err != nil {
		return nil, err
	}
	if r > telemetry.M5 {
		// All sensors of a tenant are rolled up together: behind the newest bucket of any
		// there may be some that are not made, and that one itself may be half done.
		rest, err := b.read(ctx, r-1, newest)
		if err != nil {
			return nil, err
		}
		made := map[place]*telemetry.Rollup{}
		for _, f := range rest {
			start := r.Start(f.Start)
			at := place{f.Sensor, start.Unix()}
			if made[at] == nil {
				made[at] = &telemetry.Rollup{Start: start}
			}
			made[at].Merge(f)
		}
		for at, m := range made {
			if by[at] == nil || by[at].Readings < m.Readings {
				by[at] = m
			}
		}
	}
	return slices.SortedFunc(maps.Values(by), func(x, y *telemetry.Rollup) int {
		return cmp.Or(bytes.Compare(x.Sensor[:], y.Sensor[:]), x.Start.Compare(y.Start))
	}), nil
}

func (b *buckets) each(ctx context.Context, r telemetry.Resolution, from time.Time, f func(*telemetry.Rollup)) error {
	q := telemetry.RollupQuery{Tenant: b.q.Tenant, Scope: b.q.Scope, Resolution: r, From: from, To: b.q.To, Limit: maxRollups}
	return b.store.Rollups(ctx, q, func(row *telemetry.Rollup) error {
		if b.seen++; b.seen >= maxRollups {
			return errPoints
		}
		f(row)
		return nil
	})
}
