package pgstore

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// readingRows inserts a tenant's documents that are new, keeps the newest of each
// sensor, and returns a row for each new document. Only new ones touch telemetry_latest:
// a repeated one comes with the sequence of its repetition.
var readingRows = rowKind{name: "readings", row: "telemetry_raw_row", sql: `WITH new AS (
	INSERT INTO telemetry_raw (tenant_id, ingest_id, timestamp_utc, site_id, asset_id, sensor_id,
		log_seq, received_at, late, channels, values, mqtt_topic, payload_original)
	SELECT $1, r.* FROM unnest($2::telemetry_raw_row[]) AS r
	ON CONFLICT DO NOTHING
	RETURNING tenant_id, sensor_id, site_id, asset_id, timestamp_utc, log_seq, ingest_id
), newest AS (
	INSERT INTO telemetry_latest AS l (tenant_id, sensor_id, site_id, asset_id, timestamp_utc, log_seq, ingest_id)
	SELECT DISTINCT ON (sensor_id) tenant_id, sensor_id, site_id, asset_id, timestamp_utc, log_seq, ingest_id
	FROM new ORDER BY sensor_id, timestamp_utc DESC, log_seq DESC
	ON CONFLICT (tenant_id, sensor_id) DO UPDATE SET site_id = excluded.site_id, asset_id = excluded.asset_id,
		timestamp_utc = excluded.timestamp_utc, log_seq = excluded.log_seq, ingest_id = excluded.ingest_id
	WHERE (excluded.timestamp_utc, excluded.log_seq) > (l.timestamp_utc, l.log_seq)
)
SELECT FROM new`}

// firstSequences looks every document up by the primary key; the subquery keeps the
// planner from joining whole days.
const firstSequences = `SELECT (SELECT r.log_seq FROM telemetry_raw r
	WHERE r.tenant_id = $1 AND r.ingest_id = k.ingest_id AND r.timestamp_utc = k.timestamp_utc)
FROM unnest($2::uuid[], $3::timestamptz[]) WITH ORDINALITY AS k (ingest_id, timestamp_utc, ord) ORDER BY k.ord`

// WriteReadings implements telemetry.Store.
func (s *Store) WriteReadings(ctx context.Context, docs []telemetry.Raw) ([]uint64, error) {
	if len(docs) == 0 {
		return nil, nil
	}
	order := make([]int, len(docs))
	first := make([]uint64, len(docs))
	for i := range docs {
		if docs[i].Tenant == id.Nil {
			return nil, failed("write readings", telemetry.ErrNoTenant)
		}
		order[i], first[i] = i, docs[i].LogSeq
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(bytes.Compare(docs[a].Tenant[:], docs[b].Tenant[:]), bytes.Compare(docs[a].IngestID[:], docs[b].IngestID[:]))
	})
	runs := runsOf(len(order), func(i int) id.UUID { return docs[order[i]].Tenant })
	put := func(b []byte, i int) []byte { return appendReading(b, &docs[order[i]]) }
	var known []run // some of their documents were there
	err := s.inDays(ctx, spanOf(docs), func() error {
		known = known[:0]
		return s.writeRows(ctx, &readingRows, runs, put, func(r run, n int64) {
			if int(n) < r.to-r.from {
				known = append(known, r)
			}
		})
	})
	for _, r := range known {
		if err != nil {
			break
		}
		err = s.readFirst(ctx, docs, order[r.from:r.to], first)
	}
	if err != nil {
		return nil, failed("write readings", err)
	}
	return first, nil
}

// readFirst reads the first sequences of a tenant's documents. It runs as a new
// statement, whose snapshot holds what the insert had to wait for.
func (s *Store) readFirst(ctx context.Context, docs []telemetry.Raw, of []int, first []uint64) error {
	ids, times := make([]id.UUID, len(of)), make([]time.Time, len(of))
	for n, i := range of {
		ids[n], times[n] = id.UUID(docs[i].IngestID), docs[i].Timestamp
	}
	n := 0
	return rows(ctx, s.write, docs[of[0]].Tenant, func(columns [][]byte) error {
		if seq := columns[0]; len(seq) == 8 { // null: retention took it since
			first[of[n]] = binary.BigEndian.Uint64(seq)
		}
		n++
		return nil
	}, firstSequences, docs[of[0]].Tenant, ids, times)
}

// appendReading appends a telemetry_raw_row.
func appendReading(b []byte, r *telemetry.Raw) []byte {
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, 12)
	b = appendTypedUUID(b, id.UUID(r.IngestID))
	b = appendTime(appendOID(b, oidTimestamptz), r.Timestamp)
	b = appendTypedUUID(b, r.Site)
	b = appendTypedUUID(b, r.Asset)
	b = appendTypedUUID(b, r.Sensor)
	b = appendInt64(appendOID(b, oidInt8), int64(r.LogSeq))
	b = appendTime(appendOID(b, oidTimestamptz), r.ReceivedAt)
	b = append(appendOID(b, oidBool), 0, 0, 0, 1, boolByte(r.Late))
	b = appendChannels(appendOID(b, oidFloat8Array), &r.Channels)
	b = appendValues(appendOID(b, oidJSONB), r.Values)
	b = appendBytes(appendOID(b, oidText), r.Topic)
	b = appendBytes(appendOID(b, oidBytea), r.Payload)
	return endLength(b, at)
}

// spanOf returns the days of the documents, each once and in order.
func spanOf(docs []telemetry.Raw) []day {
	var days []day
	for i := range docs {
		days = addDay(days, docs[i].Timestamp)
	}
	slices.SortFunc(days, cmp.Compare[day])
	return days
}
