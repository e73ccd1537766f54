package upkeep

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/telemetry/pgstore"
	"foresight/internal/testkit"
)

// rig is a database with two tenants, a store, and workers that write to it as the
// pipeline does: the rollup first, then the mark of its hour.
type rig struct {
	testing.TB
	db     *testkit.DB
	pool   *pgxpool.Pool // of the worker
	owner  *pgxpool.Pool
	store  *pgstore.Store
	upkeep *Upkeep
	now    time.Time // of the database, more or less
	seq    uint64
}

func newRig(t testing.TB) *rig {
	t.Helper()
	db := testkit.NewDB(t)
	r := &rig{TB: t, db: db, now: time.Now().UTC()}
	r.pool, r.owner = r.open(db.WorkerDSN), r.open(db.OwnerDSN)
	r.store = pgstore.New(r.pool, r.open(db.AppDSN))
	r.upkeep = New(Options{Pool: r.pool, Store: r.store, Log: slog.New(slog.DiscardHandler)})
	return r
}

func (r *rig) open(dsn string) *pgxpool.Pool {
	p, err := pgxpool.New(context.Background(), dsn)
	r.ok(err)
	r.Cleanup(p.Close)
	return p
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// sensor makes one that has been heard.
func (r *rig) sensor(tenant id.UUID) telemetry.Key {
	r.Helper()
	k := telemetry.Key{Tenant: tenant, Site: id.New(id.Site), Asset: id.New(id.Asset), Sensor: id.New(id.Sensor)}
	_, err := r.owner.Exec(r.Context(), `INSERT INTO sensor_states (tenant_id, sensor_id, site_id, asset_id, partition, last_seen_at, is_online, window_fill, latest_at, latest)
		VALUES ($1, $2, $3, $4, 0, now(), true, 0, now(), '{}')`, k.Tenant, k.Sensor, k.Site, k.Asset)
	r.ok(err)
	return k
}

// measure adds readings to their 5-minute rollups, and marks their hours as the
// pipeline's commit does.
func (r *rig) measure(k telemetry.Key, at ...time.Time) {
	r.Helper()
	for _, t := range at {
		start := telemetry.M5.Start(t)
		row := telemetry.Rollup{Start: start}
		found, err := r.store.RollupsAt(r.Context(), k.Tenant, []telemetry.BucketID{{Sensor: k.Sensor, Start: start}})
		r.ok(err)
		if len(found) == 1 {
			row = found[0]
		}
		r.seq++
		raw := telemetry.Raw{Reading: telemetry.Reading{Key: k, Timestamp: t, Channels: telemetry.NoChannels(),
			Values: []telemetry.Value{{Name: telemetry.Flow, Value: float64(r.seq)}}}, LogSeq: r.seq}
		raw.Channels[3] = float64(r.seq) / 3
		row.Add(&raw)
		r.ok(r.store.WriteRollups(r.Context(), telemetry.M5, []telemetry.Rollup{row}))
		r.mark(k, t)
	}
}

func (r *rig) mark(k telemetry.Key, at time.Time) {
	r.Helper()
	_, err := r.owner.Exec(r.Context(), `INSERT INTO rollup_due AS d (tenant_id, sensor_id, start_utc)
		SELECT $1, $2, $3 WHERE $3 < (SELECT begun_until FROM rollup_progress WHERE tenant_id = $1 AND resolution = 'h1')
		ON CONFLICT (tenant_id, sensor_id, start_utc) DO UPDATE SET marks = d.marks + 1`, k.Tenant, k.Sensor, telemetry.H1.Start(at))
	r.ok(err)
}

func (r *rig) rows(tenant id.UUID, res telemetry.Resolution) []telemetry.Rollup {
	r.Helper()
	var out []telemetry.Rollup
	q := telemetry.RollupQuery{Tenant: tenant, Resolution: res, From: r.now.AddDate(-3, 0, 0), To: r.now.AddDate(0, 0, 7), Limit: telemetry.MaxRollups}
	r.ok(r.store.Rollups(r.Context(), q, func(f *telemetry.Rollup) error {
		kept := *f
		kept.Values = slices.Clone(f.Values)
		out = append(out, kept)
		return nil
	}))
	return out
}

// complete compares a coarser resolution with what the 5-minute rollups come to, for
// all that began before the time.
func (r *rig) complete(tenant id.UUID, res telemetry.Resolution, before time.Time) int {
	r.Helper()
	type place struct {
		sensor id.UUID
		start  int64
	}
	want := map[place]*telemetry.Rollup{}
	for _, f := range r.rows(tenant, telemetry.M5) {
		start := res.Start(f.Start)
		if !start.Before(before) {
			continue
		}
		at := place{f.Sensor, start.Unix()}
		if want[at] == nil {
			want[at] = &telemetry.Rollup{Start: start}
		}
		want[at].Merge(&f)
	}
	n := len(want)
	for _, got := range r.rows(tenant, res) {
		at := place{got.Sensor, got.Start.Unix()}
		w := want[at]
		delete(want, at)
		switch {
		case w == nil:
			r.Errorf("%s from %s is not to be", res, got.Start)
		case got.Readings != w.Readings || got.LastSeq != w.LastSeq || got.Key != w.Key || got.Lane != 0:
			r.Errorf("%s from %s: %d readings up to %d, want %d up to %d", res, got.Start, got.Readings, got.LastSeq, w.Readings, w.LastSeq)
		case !near(got.Parameter(telemetry.Flow), w.Parameter(telemetry.Flow)) || !near(&got.Channels[3], &w.Channels[3]):
			r.Errorf("%s from %s: %v, want %v", res, got.Start, got.Values, w.Values)
		}
	}
	for _, w := range want {
		r.Errorf("no %s from %s, of %d readings", res, w.Start, w.Readings)
	}
	return n
}

// near allows sums that were added in another order.
func near(a, b *telemetry.Aggregate) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, y := *a, *b
	d := max(x.Sum-y.Sum, y.Sum-x.Sum) / (1 + y.Sum)
	e := max(x.SumSquares-y.SumSquares, y.SumSquares-x.SumSquares) / (1 + y.SumSquares)
	x.Sum, y.Sum, x.SumSquares, y.SumSquares = 0, 0, 0, 0
	return x == y && d < 1e-12 && e < 1e-12
}
