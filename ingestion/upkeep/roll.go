package upkeep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

const (
	// readAtOnce bounds the finer rollups of one query, about 1.4 kB each.
	readAtOnce = 20_000
	// sensorsAtOnce bounds the sensors of one query.
	sensorsAtOnce = 500
	// writeAtOnce is how many rollups are written at a time.
	writeAtOnce = 200
	// dueAtOnce is how many marked hours are made again at a time.
	dueAtOnce = 500
)

var errTooMany = errors.New("upkeep: more rollups than a sensor can have")

// Roll makes the hourly and daily rollups of what is over, of all tenants, and makes
// those again into which late readings came.
//
// The order makes sure that nothing is missed. Before hours are read, begun_until says
// so, and is committed. A worker stores a 5-minute rollup, then marks its hour as due
// if the hour is before begun_until. So a rollup that was not there to be read belongs
// to a worker that finds begun_until, and marks the hour. A mark is removed after the
// hour was made again, and only if it is the mark that was seen before.
func (u *Upkeep) Roll(ctx context.Context) error {
	var now time.Time
	if err := u.opt.Pool.QueryRow(ctx, `SELECT now()`).Scan(&now); err != nil {
		return err
	}
	tenants, err := u.ids(ctx, `SELECT DISTINCT tenant_id FROM sensor_states UNION SELECT tenant_id FROM rollup_due`)
	if err != nil {
		return err
	}
	var errs []error
	for _, tenant := range tenants {
		if err := u.rollTenant(ctx, tenant, now.Add(-u.opt.RollAfter)); err != nil {
			errs = append(errs, fmt.Errorf("rollups of tenant %s: %w", tenant, err))
		}
	}
	return errors.Join(errs...)
}

func (u *Upkeep) ids(ctx context.Context, sql string, args ...any) ([]id.UUID, error) {
	rows, err := u.opt.Pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[id.UUID])
}

func (u *Upkeep) rollTenant(ctx context.Context, tenant id.UUID, now time.Time) error {
	if err := u.advance(ctx, tenant, telemetry.H1, now); err != nil {
		return err
	}
	if err := u.again(ctx, tenant); err != nil {
		return err
	}
	return u.advance(ctx, tenant, telemetry.D1, now)
}

// finer is what a resolution is made of, and how long that is kept.
func (u *Upkeep) finer(r telemetry.Resolution) (telemetry.Resolution, time.Duration) {
	if r == telemetry.D1 {
		return telemetry.H1, u.opt.RollupsH1
	}
	return telemetry.M5, u.opt.RollupsM5
}

// advance makes the rollups of the buckets that are over and were not made.
func (u *Upkeep) advance(ctx context.Context, tenant id.UUID, r telemetry.Resolution, now time.Time) error {
	until := r.Start(now)
	_, done, err := u.progress(ctx, tenant, r)
	if err != nil || !done.Before(until) {
		return err
	}
	if err := u.begin(ctx, tenant, r, until); err != nil {
		return err
	}
	sensors, err := u.ids(ctx, `SELECT sensor_id FROM sensor_states WHERE tenant_id = $1 ORDER BY sensor_id`, tenant)
	if err != nil {
		return err
	}
	finer, kept := u.finer(r)
	if oldest := r.Start(now.Add(-kept)); done.Before(oldest) {
		done = oldest
	}
	perSensor := int(until.Sub(done)/finer.Width()) + 1
	step := min(max(readAtOnce/perSensor, 1), sensorsAtOnce)
	for from := 0; from < len(sensors); from += step {
		if err := u.compose(ctx, tenant, r, sensors[from:min(from+step, len(sensors))], done, until); err != nil {
			return err
		}
	}
	return u.tx(ctx, tenant, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE rollup_progress SET done_until = greatest(done_until, $3) WHERE tenant_id = $1 AND resolution = $2`, tenant, r.String(), until)
		return err
	})
}

// progress returns the times before which the buckets are being made, and have been;
// zero when nothing was.
func (u *Upkeep) progress(ctx context.Context, tenant id.UUID, r telemetry.Resolution) (begun, done time.Time, err error) {
	err = u.tx(ctx, tenant, func(tx pgx.Tx) error {
		var at *time.Time
		err := tx.QueryRow(ctx, `SELECT begun_until, nullif(done_until, '-infinity') FROM rollup_progress WHERE tenant_id = $1 AND resolution = $2`,
			tenant, r.String()).Scan(&begun, &at)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if at != nil {
			done = *at
		}
		return err
	})
	return begun, done, err
}

// begin says that the buckets before the time are about to be read. Transactions of
// workers that have looked whether it says so (see lockDue there) are waited for: what
// they commit, sensors that were never heard before too, is there to be read.
func (u *Upkeep) begin(ctx context.Context, tenant id.UUID, r telemetry.Resolution, until time.Time) error {
	return u.tx(ctx, tenant, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('rollups of ' || $1::text, 0))`, tenant.String()); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO rollup_progress AS p (tenant_id, resolution, begun_until) VALUES ($1, $2, $3)
			ON CONFLICT (tenant_id, resolution) DO UPDATE SET begun_until = greatest(p.begun_until, excluded.begun_until)`, tenant, r.String(), until)
		return err
	})
}

// compose reads the finer rollups of sensors in [from, until), which are whole buckets of
// the resolution, and writes what they come to.
func (u *Upkeep) compose(ctx context.Context, tenant id.UUID, r telemetry.Resolution, sensors []id.UUID, from, until time.Time) error {
	finer, _ := u.finer(r)
	var out []telemetry.Rollup
	write := func() error {
		err := u.opt.Store.WriteRollups(ctx, r, out)
		u.rolled.WithLabelValues(r.String()).Add(float64(len(out)))
		out = out[:0]
		return err
	}
	read := 0
	q := telemetry.RollupQuery{Tenant: tenant, Sensors: sensors, Resolution: finer, From: from, To: until, Limit: telemetry.MaxRollups}
	err := u.opt.Store.Rollups(ctx, q, func(f *telemetry.Rollup) error {
		read++
		start := r.Start(f.Start)
		if n := len(out); n == 0 || out[n-1].Sensor != f.Sensor || !out[n-1].Start.Equal(start) {
			if n >= writeAtOnce {
				if err := write(); err != nil {
					return err
				}
			}
			out = append(out, telemetry.Rollup{Start: start})
		}
		out[len(out)-1].Merge(f)
		return nil
	})
	if err != nil {
		return err
	}
	if read == q.Limit {
		return errTooMany
	}
	return write()
}

// again makes the marked hours, and their days where those were made already.
func (u *Upkeep) again(ctx context.Context, tenant id.UUID) error {
	days, _, err := u.progress(ctx, tenant, telemetry.D1)
	if err != nil {
		return err
	}
	for {
		marked, err := u.marked(ctx, tenant)
		if err != nil || len(marked) == 0 {
			return err
		}
		for from, to := 0, 0; from < len(marked); from = to {
			midnight := telemetry.D1.Start(marked[from].start)
			for to = from; to < len(marked) && telemetry.D1.Start(marked[to].start).Equal(midnight); to++ {
			}
			if err := u.dayAgain(ctx, tenant, midnight, midnight.Before(days), marked[from:to]); err != nil {
				return err
			}
		}
		if len(marked) < dueAtOnce {
			return nil
		}
	}
}

// dayAgain makes the marked hours of one day, the day itself when it is to be, and
// removes the marks.
func (u *Upkeep) dayAgain(ctx context.Context, tenant id.UUID, midnight time.Time, day bool, marked []due) error {
	var all []id.UUID
	for from, to := 0, 0; from < len(marked); from = to {
		start := marked[from].start
		var sensors []id.UUID
		for to = from; to < len(marked) && marked[to].start.Equal(start); to++ {
			sensors = append(sensors, marked[to].sensor)
		}
		if err := u.compose(ctx, tenant, telemetry.H1, sensors, start, start.Add(telemetry.H1.Width())); err != nil {
			return err
		}
		all = append(all, sensors...)
	}
	if day {
		slices.SortFunc(all, func(a, b id.UUID) int { return bytes.Compare(a[:], b[:]) })
		if err := u.compose(ctx, tenant, telemetry.D1, slices.Compact(all), midnight, midnight.Add(telemetry.D1.Width())); err != nil {
			return err
		}
	}
	return u.unmark(ctx, tenant, marked)
}

// due is a marked hour of a sensor.
type due struct {
	sensor id.UUID
	start  time.Time
	marks  int
}

func (u *Upkeep) marked(ctx context.Context, tenant id.UUID) ([]due, error) {
	rows, err := u.opt.Pool.Query(ctx, `SELECT sensor_id, start_utc, marks FROM rollup_due WHERE tenant_id = $1 ORDER BY start_utc, sensor_id LIMIT $2`, tenant, dueAtOnce)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (d due, err error) {
		err = row.Scan(&d.sensor, &d.start, &d.marks)
		d.start = d.start.UTC()
		return d, err
	})
}

// unmark removes marks unless there are newer ones, each row by itself: a worker that
// marks several is never waited for with some of them held.
func (u *Upkeep) unmark(ctx context.Context, tenant id.UUID, marked []due) error {
	conn, err := u.opt.Pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	for _, d := range marked {
		b := &pgx.Batch{}
		b.Queue(setTenant, tenant.String())
		b.Queue(`DELETE FROM rollup_due WHERE tenant_id = $1 AND sensor_id = $2 AND start_utc = $3 AND marks = $4`, tenant, d.sensor, d.start, d.marks)
		if err := conn.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
	}
	return nil
}

const setTenant = `SELECT set_config('app.tenant_id', $1, true)`

// tx runs f in a transaction of the tenant.
func (u *Upkeep) tx(ctx context.Context, tenant id.UUID, f func(pgx.Tx) error) error {
	return inTenant(ctx, u.opt.Pool, tenant, f)
}
