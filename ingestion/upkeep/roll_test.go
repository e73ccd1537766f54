package upkeep

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

func TestHoursAndDaysFollowFromFiveMinutes(t *testing.T) {
	r := newRig(t)
	mine, other := id.New(id.Tenant), id.New(id.Tenant)
	a, b, c := r.sensor(mine), r.sensor(mine), r.sensor(other)
	today := telemetry.D1.Start(r.now)
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, k := range []telemetry.Key{a, b, c} {
		for range 40 {
			r.measure(k, today.Add(-time.Duration(rnd.IntN(3*24*3600))*time.Second))
		}
	}
	r.measure(a, r.now) // an hour that is not over
	r.ok(r.upkeep.Roll(t.Context()))
	hour, midnight := telemetry.H1.Start(r.now.Add(-5*time.Minute)), telemetry.D1.Start(r.now.Add(-5*time.Minute))
	for _, tenant := range []id.UUID{mine, other} {
		if n := r.complete(tenant, telemetry.H1, hour); n < 10 {
			t.Fatalf("%d hours", n)
		}
		r.complete(tenant, telemetry.D1, midnight)
	}
	before := r.rows(mine, telemetry.H1)
	r.ok(r.upkeep.Roll(t.Context())) // nothing is due
	if after := r.rows(mine, telemetry.H1); len(after) != len(before) {
		t.Errorf("%d hours, were %d", len(after), len(before))
	}
}

// A worker was away for days: what came meanwhile is made at its next look.
func TestRollupsCatchUp(t *testing.T) {
	r := newRig(t)
	tenant := id.New(id.Tenant)
	k := r.sensor(tenant)
	late := r.now.AddDate(0, 0, -4)
	r.ok(r.upkeep.rollTenant(t.Context(), tenant, late))
	for i := range 80 {
		r.measure(k, late.Add(time.Duration(i)*47*time.Minute))
	}
	r.ok(r.upkeep.Roll(t.Context()))
	r.complete(tenant, telemetry.H1, telemetry.H1.Start(r.now.Add(-5*time.Minute)))
	r.complete(tenant, telemetry.D1, telemetry.D1.Start(r.now.Add(-5*time.Minute)))
}

func TestLateReadingsAreRolledUpAgain(t *testing.T) {
	r := newRig(t)
	tenant := id.New(id.Tenant)
	k, silent := r.sensor(tenant), r.sensor(tenant)
	day := telemetry.D1.Start(r.now).AddDate(0, 0, -2)
	r.measure(k, day.Add(90*time.Minute), day.Add(91*time.Minute), day.Add(5*time.Hour))
	r.ok(r.upkeep.Roll(t.Context()))
	r.measure(k, day.Add(92*time.Minute), day.Add(9*time.Hour))
	r.measure(silent, day.Add(time.Hour)) // whose first reading is late
	hour, midnight := telemetry.H1.Start(r.now.Add(-5*time.Minute)), telemetry.D1.Start(r.now.Add(-5*time.Minute))
	r.ok(r.upkeep.Roll(t.Context()))
	if n := r.complete(tenant, telemetry.H1, hour); n != 4 {
		t.Errorf("%d hours, want 4", n)
	}
	if n := r.complete(tenant, telemetry.D1, midnight); n != 2 {
		t.Errorf("%d days, want 2", n)
	}
	var left int
	r.ok(r.owner.QueryRow(t.Context(), `SELECT count(*) FROM rollup_due`).Scan(&left))
	if left != 0 {
		t.Errorf("%d marks are left", left)
	}
}

// hooked does something at every read of rollups, or fails.
type hooked struct {
	Store
	read  func(telemetry.RollupQuery) error
	write func(telemetry.Resolution) error
}

func (h hooked) Rollups(ctx context.Context, q telemetry.RollupQuery, each func(*telemetry.Rollup) error) error {
	err := h.Store.Rollups(ctx, q, each)
	if err == nil && h.read != nil {
		err = h.read(q)
	}
	return err
}

func (h hooked) WriteRollups(ctx context.Context, r telemetry.Resolution, rows []telemetry.Rollup) error {
	if h.write != nil {
		if err := h.write(r); err != nil {
			return err
		}
	}
	return h.Store.WriteRollups(ctx, r, rows)
}

// A reading that comes while its hour is being made, behind the reader's back, is in it
// in the end.
func TestAReadingBehindTheReadersBack(t *testing.T) {
	r := newRig(t)
	tenant := id.New(id.Tenant)
	k := r.sensor(tenant)
	day := telemetry.D1.Start(r.now).AddDate(0, 0, -1)
	r.measure(k, day.Add(10*time.Minute), day.Add(70*time.Minute))
	n := 0
	r.upkeep.opt.Store = hooked{Store: r.store, read: func(q telemetry.RollupQuery) error {
		if n++; n <= 5 { // the first pass, and again while the marks of that are worked off
			r.measure(k, day.Add(time.Duration(10+n)*time.Minute))
		}
		return nil
	}}
	for range 3 {
		r.ok(r.upkeep.Roll(t.Context()))
	}
	r.complete(tenant, telemetry.H1, telemetry.H1.Start(r.now.Add(-5*time.Minute)))
	r.complete(tenant, telemetry.D1, telemetry.D1.Start(r.now.Add(-5*time.Minute)))
}

// Wherever it is killed, it goes on.
func TestRollingUpGoesOnAfterFailures(t *testing.T) {
	r := newRig(t)
	tenant := id.New(id.Tenant)
	begin := telemetry.D1.Start(r.now).AddDate(0, 0, -3)
	keys := []telemetry.Key{r.sensor(tenant), r.sensor(tenant), r.sensor(tenant)}
	rnd := rand.New(rand.NewPCG(3, 4))
	broken := errors.New("broken")
	spoil := true
	fail := func() error {
		if spoil && rnd.IntN(12) == 0 {
			return broken
		}
		return nil
	}
	r.upkeep.opt.Store = hooked{Store: r.store, read: func(telemetry.RollupQuery) error { return fail() }, write: func(telemetry.Resolution) error { return fail() }}
	failures := 0
	for round := range 30 {
		if round < 15 {
			for range 4 {
				r.measure(keys[rnd.IntN(3)], begin.Add(time.Duration(rnd.IntN(2*24*3600))*time.Second))
			}
		}
		spoil = round < 29
		if err := r.upkeep.Roll(t.Context()); errors.Is(err, broken) {
			failures++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if failures < 5 {
		t.Errorf("only %d failures", failures)
	}
	r.complete(tenant, telemetry.H1, telemetry.H1.Start(r.now.Add(-5*time.Minute)))
	r.complete(tenant, telemetry.D1, telemetry.D1.Start(r.now.Add(-5*time.Minute)))
}

// The part looks by itself, and two do not disturb each other.
func TestUpkeepRunsByItself(t *testing.T) {
	r := newRig(t)
	tenant := id.New(id.Tenant)
	k := r.sensor(tenant)
	day := telemetry.D1.Start(r.now).AddDate(0, 0, -2) // yesterday is not over in the first minutes of a day
	r.measure(k, day)
	for range 2 {
		u := New(Options{Pool: r.pool, Store: r.store, RollEvery: 10 * time.Millisecond})
		r.ok(u.Start(t.Context()))
		defer func() { r.ok(u.Stop(context.Background())) }()
	}
	for i := range 10 {
		want := uint32(i + 1)
		if i > 0 {
			r.measure(k, day.Add(time.Duration(i)*time.Second))
		}
		deadline := time.Now().Add(testkit.Patience)
		for {
			rows := r.rows(tenant, telemetry.D1)
			if len(rows) == 1 && rows[0].Readings == want {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("the day has %v, want %d readings", rows, want)
			}
		}
	}
}
