package pgstore

import (
	"context"
	"encoding/binary"
	"math"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

const rollupsAt = `SELECT r.* FROM unnest($2::uuid[], $3::timestamptz[], $4::smallint[]) AS k (sensor, start, lane) CROSS JOIN LATERAL (
	SELECT ` + rollupColumns + ` FROM telemetry_rollup t
	WHERE t.tenant_id = $1 AND t.sensor_id = k.sensor AND t.start_utc = k.start AND t.lane = k.lane LIMIT 1) r`

// RollupsAt implements telemetry.RollupStore.
func (s *Store) RollupsAt(ctx context.Context, tenant id.UUID, at []telemetry.BucketID) ([]telemetry.Rollup, error) {
	sensors, starts, lanes := make([]id.UUID, len(at)), make([]time.Time, len(at)), make([]int16, len(at))
	for i, k := range at {
		sensors[i], starts[i], lanes[i] = k.Sensor, k.Start, int16(k.Lane)
	}
	out := make([]telemetry.Rollup, 0, len(at))
	err := rows(ctx, s.write, tenant, func(c [][]byte) error {
		out = append(out, telemetry.Rollup{})
		return decodeRollup(c, &out[len(out)-1])
	}, rollupsAt, tenant, sensors, starts, lanes)
	if err != nil {
		return nil, failed("rollups", err)
	}
	return out, nil
}

// Rollups implements telemetry.RollupStore.
func (s *Store) Rollups(ctx context.Context, q telemetry.RollupQuery, each func(*telemetry.Rollup) error) error {
	if err := checkLimit(q.Limit, telemetry.MaxRollups); err != nil {
		return failed("rollups", err)
	}
	w := newWhere(q.Tenant)
	w.scope(q.Scope)
	if q.Sensors != nil {
		w.and("t.sensor_id = ANY(" + w.arg(q.Sensors) + ")")
	}
	w.and("t.start_utc >= " + w.arg(q.From))
	w.and("t.start_utc < " + w.arg(q.To))
	sql := `SELECT ` + rollupColumns + ` FROM ` + rollupTables[q.Resolution] + ` t WHERE ` + w.sql.String() +
		` ORDER BY t.sensor_id, t.start_utc, t.lane LIMIT ` + w.arg(q.Limit)
	var given error
	var r telemetry.Rollup
	err := rows(ctx, s.read, q.Tenant, func(c [][]byte) error {
		if err := decodeRollup(c, &r); err != nil {
			return err
		}
		given = each(&r)
		return given
	}, sql, w.args...)
	if given != nil {
		return given
	}
	return failed("rollups", err)
}

// decodeRollup takes a row of rollupColumns into r, whose memory it uses again.
func decodeRollup(raw [][]byte, r *telemetry.Rollup) error {
	c := &columns{rest: raw}
	*r = telemetry.Rollup{Values: r.Values[:0]}
	r.Tenant, r.Sensor = c.uuid(), c.uuid()
	r.Start = c.time()
	r.Lane = uint8(binary.BigEndian.Uint16(c.take(2)))
	r.Site, r.Asset = c.uuid(), c.uuid()
	r.LastSeq = uint64(c.int64())
	r.Readings = binary.BigEndian.Uint32(c.take(4))
	names, counts, millis := c.take(-1), c.take(-1), c.take(-1)
	floats := [...][]byte{c.take(-1), c.take(-1), c.take(-1), c.take(-1), c.take(-1)}
	if err := c.err(); err != nil {
		return err
	}
	if err := eachElement(names, -1, func(_ int, v []byte) { r.Values = append(r.Values, telemetry.NamedAggregate{Name: string(v)}) }); err != nil {
		return err
	}
	n := telemetry.Channels + len(r.Values)
	of := func(i int) *telemetry.Aggregate {
		if i < telemetry.Channels {
			return &r.Channels[i]
		}
		return &r.Values[i-telemetry.Channels].Aggregate
	}
	int32Of := func(v []byte) uint32 {
		if len(v) != 4 {
			return 0
		}
		return binary.BigEndian.Uint32(v)
	}
	if err := eachElement(counts, n, func(i int, v []byte) { of(i).Count = int32Of(v) }); err != nil {
		return err
	}
	if err := eachElement(millis, n, func(i int, v []byte) { of(i).LastMillis = int32(int32Of(v)) }); err != nil {
		return err
	}
	for k, column := range floats {
		err := eachElement(column, n, func(i int, v []byte) {
			if len(v) != 8 {
				return
			}
			a, f := of(i), math.Float64frombits(binary.BigEndian.Uint64(v))
			switch k {
			case 0:
				a.Sum = f
			case 1:
				a.SumSquares = f
			case 2:
				a.Min = f
			case 3:
				a.Max = f
			case 4:
				a.Last = f
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachElement walks over an array of one dimension in binary form, nil elements for
// NULL, and fails unless it has n elements (a negative n takes any).
func eachElement(b []byte, n int, f func(i int, v []byte)) error {
	if b == nil && n < 0 {
		return nil
	}
	if len(b) < 12 {
		return errRow
	}
	count := 0
	if binary.BigEndian.Uint32(b) == 1 { // no dimension: empty
		if len(b) < 20 {
			return errRow
		}
		count = int(binary.BigEndian.Uint32(b[12:]))
		b = b[20:]
	}
	if n >= 0 && count != n {
		return errRow
	}
	for i := range count {
		if len(b) < 4 {
			return errRow
		}
		size := int(int32(binary.BigEndian.Uint32(b)))
		b = b[4:]
		if size < 0 {
			f(i, nil)
			continue
		}
		if len(b) < size {
			return errRow
		}
		f(i, b[:size])
		b = b[size:]
	}
	return nil
}
