package pgstore

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"foresight/internal/id"
	"foresight/internal/telemetry"

	"github.com/jackc/pgx/v5"
)

const stageTable = `CREATE TEMPORARY TABLE IF NOT EXISTS telemetry_stage (
	ord integer, tenant_id uuid, ingest_id uuid, site_id uuid, asset_id uuid, sensor_id uuid,
	timestamp_utc timestamptz, log_seq bigint, received_at timestamptz, late boolean,
	channels double precision[], values jsonb, mqtt_topic text, payload_original bytea
) ON COMMIT DELETE ROWS`

const copyToStage = `COPY pg_temp.telemetry_stage FROM STDIN BINARY`

// insertStaged moves one tenant's rows and keeps the newest of each sensor; it
// returns how many documents were new. Only new ones touch telemetry_latest: a
// duplicate is staged with the sequence of its repetition.
const insertStaged = `WITH new AS (
	INSERT INTO telemetry_raw (tenant_id, ingest_id, site_id, asset_id, sensor_id, timestamp_utc,
		log_seq, received_at, late, channels, values, mqtt_topic, payload_original)
	SELECT tenant_id, ingest_id, site_id, asset_id, sensor_id, timestamp_utc,
		log_seq, received_at, late, channels, values, mqtt_topic, payload_original
	FROM pg_temp.telemetry_stage WHERE tenant_id = $1 ORDER BY ingest_id, ord
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
SELECT count(*) FROM new`

// firstSequences looks every staged row up by the primary key; the subquery keeps
// the planner from joining whole days.
const firstSequences = `SELECT s.ord, (SELECT r.log_seq FROM telemetry_raw r
	WHERE r.tenant_id = $1 AND r.ingest_id = s.ingest_id AND r.timestamp_utc = s.timestamp_utc)
FROM pg_temp.telemetry_stage s WHERE s.tenant_id = $1`

// group is a run of documents of one tenant.
type group struct {
	tenant id.UUID
	n      int
}

// WriteReadings implements telemetry.Store.
func (s *Store) WriteReadings(ctx context.Context, docs []telemetry.Raw) ([]uint64, error) {
	if len(docs) == 0 {
		return nil, nil
	}
	order := make([]int, len(docs))
	for i := range docs {
		if docs[i].Tenant == id.Nil {
			return nil, failed("write readings", telemetry.ErrNoTenant)
		}
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return bytes.Compare(docs[a].Tenant[:], docs[b].Tenant[:]) })

	buf := borrow()
	defer giveBack(buf)
	var groups []group
	b := append((*buf)[:0], copyHeader...)
	for _, i := range order {
		if n := len(groups); n == 0 || groups[n-1].tenant != docs[i].Tenant {
			groups = append(groups, group{tenant: docs[i].Tenant})
		}
		groups[len(groups)-1].n++
		b = appendStageRow(b, i, &docs[i])
	}
	b = append(b, copyTrailer...)
	*buf = b

	first := make([]uint64, len(docs))
	for i := range docs {
		first[i] = docs[i].LogSeq
	}
	err := s.inDays(ctx, spanOf(docs), func() error {
		return s.staged(ctx, stageTable, copyToStage, b, func(tx pgx.Tx) error {
			dup, err := insert(ctx, tx, groups)
			if err != nil {
				return err
			}
			return readFirst(ctx, tx, dup, first)
		})
	})
	if err != nil {
		return nil, failed("write readings", err)
	}
	return first, nil
}

// insert moves the staged rows and returns the tenants of which some were there.
func insert(ctx context.Context, tx pgx.Tx, groups []group) (dup []group, err error) {
	b := &pgx.Batch{}
	for _, g := range groups {
		b.Queue(setTenant, g.tenant.String())
		b.Queue(insertStaged, g.tenant).QueryRow(func(row pgx.Row) error {
			var n int
			if err := row.Scan(&n); err != nil {
				return err
			}
			if n < g.n {
				dup = append(dup, g)
			}
			return nil
		})
	}
	return dup, tx.SendBatch(ctx, b).Close()
}

// readFirst reads the first sequences of the tenants' documents. It runs as a new
// statement, whose snapshot holds what the insert had to wait for.
func readFirst(ctx context.Context, tx pgx.Tx, tenants []group, first []uint64) error {
	if len(tenants) == 0 {
		return nil
	}
	b := &pgx.Batch{}
	for _, g := range tenants {
		b.Queue(setTenant, g.tenant.String())
		b.Queue(firstSequences, g.tenant).Query(func(rs pgx.Rows) error {
			var ord int
			var seq int64
			_, err := pgx.ForEachRow(rs, []any{&ord, &seq}, func() error {
				first[ord] = uint64(seq)
				return nil
			})
			return err
		})
	}
	return tx.SendBatch(ctx, b).Close()
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
