package pgstore

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// Rollups are written as arrays of rows of the first table, whatever the resolution.
var rollupTables = [...]string{telemetry.M5: "telemetry_rollup", telemetry.H1: "telemetry_rollup_h1", telemetry.D1: "telemetry_rollup_d1"}

// rollupColumns is the order of the columns in the table and in decodeRollup.
const rollupColumns = `t.tenant_id, t.sensor_id, t.start_utc, t.lane, t.site_id, t.asset_id, t.last_seq, t.readings,
	t.names, t.counts, t.last_ms, t.sums, t.squares, t.mins, t.maxs, t.lasts`

const upsertRollups = `INSERT INTO %s AS was SELECT t.* FROM unnest($2::telemetry_rollup[]) AS t WHERE t.tenant_id = $1
ON CONFLICT (tenant_id, sensor_id, start_utc, lane) DO UPDATE SET site_id = excluded.site_id, asset_id = excluded.asset_id,
	last_seq = excluded.last_seq, readings = excluded.readings, names = excluded.names, counts = excluded.counts,
	last_ms = excluded.last_ms, sums = excluded.sums, squares = excluded.squares, mins = excluded.mins,
	maxs = excluded.maxs, lasts = excluded.lasts
WHERE excluded.readings > was.readings`

var rollupRows = [...]rowKind{telemetry.M5: rollupKind(telemetry.M5), telemetry.H1: rollupKind(telemetry.H1), telemetry.D1: rollupKind(telemetry.D1)}

func rollupKind(r telemetry.Resolution) rowKind {
	return rowKind{name: rollupTables[r], row: "telemetry_rollup", sql: fmt.Sprintf(upsertRollups, rollupTables[r])}
}

// WriteRollups implements telemetry.RollupStore. Rows are written in the order of
// tenant, sensor and start, so that two writers of the same rows never deadlock.
func (s *Store) WriteRollups(ctx context.Context, r telemetry.Resolution, rows []telemetry.Rollup) error {
	if len(rows) == 0 {
		return nil
	}
	order := make([]*telemetry.Rollup, len(rows))
	var days []day
	for i := range rows {
		if rows[i].Tenant == id.Nil {
			return failed("write rollups", telemetry.ErrNoTenant)
		}
		order[i] = &rows[i]
		if r == telemetry.M5 {
			days = addDay(days, rows[i].Start)
		}
	}
	slices.SortFunc(order, func(a, b *telemetry.Rollup) int {
		return cmp.Or(bytes.Compare(a.Tenant[:], b.Tenant[:]), bytes.Compare(a.Sensor[:], b.Sensor[:]), a.Start.Compare(b.Start), cmp.Compare(a.Lane, b.Lane))
	})
	slices.Sort(days)
	runs := runsOf(len(order), func(i int) id.UUID { return order[i].Tenant })
	put := func(b []byte, i int) []byte { return appendRollup(b, order[i]) }
	return failed("write rollups", s.inDays(ctx, days, func() error {
		return s.writeRows(ctx, &rollupRows[r], runs, put, nil)
	}))
}

// The types of columns.
const (
	oidUUID        = 2950
	oidTimestamptz = 1184
	oidInt2        = 21
	oidInt4        = 23
	oidInt8        = 20
	oidText        = 25
	oidBool        = 16
	oidBytea       = 17
	oidJSONB       = 3802
	oidTextArray   = 1009
	oidInt4Array   = 1007
	oidFloat8Array = 1022
)

const rollupColumnCount = 16

func appendRollup(b []byte, r *telemetry.Rollup) []byte {
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, rollupColumnCount)
	b = appendTypedUUID(b, r.Tenant)
	b = appendTypedUUID(b, r.Sensor)
	b = appendTime(appendOID(b, oidTimestamptz), r.Start)
	b = binary.BigEndian.AppendUint16(append(appendOID(b, oidInt2), 0, 0, 0, 2), uint16(r.Lane))
	b = appendTypedUUID(b, r.Site)
	b = appendTypedUUID(b, r.Asset)
	b = appendInt64(appendOID(b, oidInt8), int64(r.LastSeq))
	b = appendInt32(appendOID(b, oidInt4), int32(r.Readings))
	b = appendNames(appendOID(b, oidTextArray), r.Values)
	missing := false
	for c := range r.Channels {
		missing = missing || r.Channels[c].Count == 0
	}
	b = appendInts(b, r, false, func(a *telemetry.Aggregate) int32 { return int32(a.Count) })
	b = appendInts(b, r, missing, func(a *telemetry.Aggregate) int32 { return a.LastMillis })
	b = appendFloats(b, r, missing, func(a *telemetry.Aggregate) float64 { return a.Sum })
	b = appendFloats(b, r, missing, func(a *telemetry.Aggregate) float64 { return a.SumSquares })
	b = appendFloats(b, r, missing, func(a *telemetry.Aggregate) float64 { return a.Min })
	b = appendFloats(b, r, missing, func(a *telemetry.Aggregate) float64 { return a.Max })
	b = appendFloats(b, r, missing, func(a *telemetry.Aggregate) float64 { return a.Last })
	return endLength(b, at)
}

func appendOID(b []byte, oid uint32) []byte { return binary.BigEndian.AppendUint32(b, oid) }

func appendTypedUUID(b []byte, u id.UUID) []byte {
	return append(append(appendOID(b, oidUUID), 0, 0, 0, 16), u[:]...)
}

func appendInt32(b []byte, v int32) []byte {
	return binary.BigEndian.AppendUint32(append(b, 0, 0, 0, 4), uint32(v))
}

// appendArrayHeader begins an array of one dimension, without the length in front.
func appendArrayHeader(b []byte, element uint32, n int, nulls bool) []byte {
	b = append(b, 0, 0, 0, 1) // dimensions
	b = append(b, 0, 0, 0, boolByte(nulls))
	b = appendOID(b, element)
	b = binary.BigEndian.AppendUint32(b, uint32(n))
	return append(b, 0, 0, 0, 1) // lower bound
}

func appendNames(b []byte, values []telemetry.NamedAggregate) []byte {
	if len(values) == 0 {
		return appendNull(b)
	}
	at := len(b)
	b = appendArrayHeader(append(b, 0, 0, 0, 0), oidText, len(values), false)
	for i := range values {
		b = appendBytes(b, values[i].Name)
	}
	return endLength(b, at)
}

// appendInts writes a column of the channels and the named values, with nulls for
// channels without values.
func appendInts(b []byte, r *telemetry.Rollup, nulls bool, of func(*telemetry.Aggregate) int32) []byte {
	b = appendOID(b, oidInt4Array)
	at := len(b)
	b = appendArrayHeader(append(b, 0, 0, 0, 0), oidInt4, telemetry.Channels+len(r.Values), nulls)
	for c := range r.Channels {
		if nulls && r.Channels[c].Count == 0 {
			b = appendNull(b)
			continue
		}
		b = appendInt32(b, of(&r.Channels[c]))
	}
	for i := range r.Values {
		b = appendInt32(b, of(&r.Values[i].Aggregate))
	}
	return endLength(b, at)
}

func appendFloats(b []byte, r *telemetry.Rollup, nulls bool, of func(*telemetry.Aggregate) float64) []byte {
	b = appendOID(b, oidFloat8Array)
	at := len(b)
	b = appendArrayHeader(append(b, 0, 0, 0, 0), oidFloat8, telemetry.Channels+len(r.Values), nulls)
	for c := range r.Channels {
		if nulls && r.Channels[c].Count == 0 {
			b = appendNull(b)
			continue
		}
		b = appendFloat(b, of(&r.Channels[c]))
	}
	for i := range r.Values {
		b = appendFloat(b, of(&r.Values[i].Aggregate))
	}
	return endLength(b, at)
}
