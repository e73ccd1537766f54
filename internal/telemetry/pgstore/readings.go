package pgstore

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// readingColumns is the order in which decodeReading takes a row.
const readingColumns = `t.tenant_id, t.ingest_id, t.site_id, t.asset_id, t.sensor_id, t.timestamp_utc,
	t.log_seq, t.received_at, t.late, t.channels, t.values, t.mqtt_topic, t.payload_original`

// Readings implements telemetry.Store.
func (s *Store) Readings(ctx context.Context, q telemetry.RangeQuery) ([]telemetry.Raw, error) {
	if err := checkLimit(q.Limit, telemetry.MaxLimit); err != nil {
		return nil, failed("readings", err)
	}
	w := newWhere(q.Tenant)
	w.scope(q.Scope)
	w.timeRange(q)
	return s.readings(ctx, "readings", q.Tenant, w.newest(readingColumns, "telemetry_raw", "ingest_id DESC", q.Limit), w.args)
}

// Latest implements telemetry.Store. A sensor whose newest reading was dropped with
// its day has none.
func (s *Store) Latest(ctx context.Context, tenant id.UUID, scope telemetry.Scope, limit int) ([]telemetry.Raw, error) {
	if err := checkLimit(limit, telemetry.MaxLatest); err != nil {
		return nil, failed("latest", err)
	}
	w := newWhere(tenant)
	w.scope(scope)
	// LIMIT 1 keeps the planner from joining whole days.
	sql := `SELECT r.* FROM (SELECT t.* FROM telemetry_latest t WHERE ` + w.sql.String() + `) l CROSS JOIN LATERAL (
		SELECT ` + readingColumns + ` FROM telemetry_raw t
		WHERE t.tenant_id = l.tenant_id AND t.ingest_id = l.ingest_id AND t.timestamp_utc = l.timestamp_utc LIMIT 1) r
		ORDER BY l.sensor_id LIMIT ` + w.arg(limit)
	return s.readings(ctx, "latest", tenant, sql, w.args)
}

func (s *Store) readings(ctx context.Context, what string, tenant id.UUID, sql string, args []any) ([]telemetry.Raw, error) {
	var out []telemetry.Raw
	err := rows(ctx, s.read, tenant, func(c [][]byte) error {
		out = append(out, telemetry.Raw{})
		return decodeReading(c, &out[len(out)-1])
	}, sql, args...)
	if err != nil {
		return nil, failed(what, err)
	}
	return out, nil
}

// windowOf may return more than n of a sensor: all of the oldest time (see newest).
// It leaves topic and payload out: a worker that takes over thousands of
// sensors has no use for their messages.
const windowOf = `SELECT r.* FROM unnest($2::uuid[]) AS s (id) CROSS JOIN LATERAL (
	SELECT t.tenant_id, t.ingest_id, t.site_id, t.asset_id, t.sensor_id, t.timestamp_utc,
		t.log_seq, t.received_at, t.late, t.channels, t.values
	FROM telemetry_raw t
	WHERE t.tenant_id = $1 AND t.sensor_id = s.id AND t.timestamp_utc >= $3 AND t.log_seq <= $4 AND NOT t.late
	ORDER BY t.timestamp_utc DESC FETCH FIRST ($5) ROWS WITH TIES) r`

// Window implements telemetry.Store.
func (s *Store) Window(ctx context.Context, tenant id.UUID, sensors []id.UUID, n int, maxSeq uint64, since time.Time) (map[id.UUID][]telemetry.Raw, error) {
	if err := checkLimit(n, telemetry.MaxLimit); err != nil {
		return nil, failed("window", err)
	}
	out := make(map[id.UUID][]telemetry.Raw, len(sensors))
	err := rows(ctx, s.write, tenant, func(c [][]byte) error {
		var r telemetry.Raw
		if err := decodeReading(c, &r); err != nil {
			return err
		}
		out[r.Sensor] = append(out[r.Sensor], r)
		return nil
	}, windowOf, tenant, distinct(sensors), since, int64(min(maxSeq, math.MaxInt64)), n)
	if err != nil {
		return nil, failed("window", err)
	}
	for sensor, rs := range out {
		slices.SortFunc(rs, func(a, b telemetry.Raw) int {
			return cmp.Or(a.Timestamp.Compare(b.Timestamp), cmp.Compare(a.LogSeq, b.LogSeq))
		})
		out[sensor] = rs[max(0, len(rs)-n):]
	}
	return out, nil
}

func distinct(ids []id.UUID) []id.UUID {
	out := slices.Clone(ids)
	slices.SortFunc(out, func(a, b id.UUID) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(out)
}
