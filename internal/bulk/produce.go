package bulk

import (
	"context"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// fetch is how many rows are read at a time.
const fetch = 1000

// produce writes the rows of an export and returns their number.
func (s *Service) produce(ctx context.Context, e *Export, w *fileWriter, r *Reporter) (int64, error) {
	if e.Kind == ExportReadings {
		return s.produceReadings(ctx, e, w, r)
	}
	src, f := sources[e.Kind], e.Filter
	if err := w.head(src.names); err != nil {
		return 0, err
	}
	args := []any{tenancy.Must(ctx).TenantID, list(f.Sites), f.Asset, f.From, f.To}
	done := int64(0)
	// One snapshot for the whole file, read through a cursor.
	err := pgx.BeginTxFunc(ctx, s.App, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		var total int64
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM ("+src.query+") q", args...).Scan(&total); err != nil {
			return fmt.Errorf("bulk: %w", err)
		}
		if _, err := tx.Exec(ctx, "DECLARE export NO SCROLL CURSOR FOR "+src.query, args...); err != nil {
			return fmt.Errorf("bulk: %w", err)
		}
		for {
			r.Tell(Writing, done, total)
			n, err := fetchRows(ctx, tx, w)
			done += n
			if err != nil || n < fetch {
				return err
			}
		}
	})
	return done, err
}

func fetchRows(ctx context.Context, tx pgx.Tx, w *fileWriter) (n int64, err error) {
	// Described each time: a prepared one would be answered in the columns of the cursor that
	// this connection had before.
	rows, err := tx.Query(ctx, fmt.Sprintf("FETCH %d FROM export", fetch), pgx.QueryExecModeDescribeExec)
	if err != nil {
		return 0, fmt.Errorf("bulk: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return n, fmt.Errorf("bulk: %w", err)
		}
		if err := w.row(values); err != nil {
			return n, err
		}
		n++
	}
	return n, rows.Err()
}

// readingColumns of an export of readings: one row for each value.
var readingColumns = []string{"timestamp", "site", "asset", "sensor", "parameter", "value"}

// place is where a sensor is, by codes.
type place struct{ site, asset, sensor string }

// produceReadings reads the telemetry store page by page, the newest first.
func (s *Service) produceReadings(ctx context.Context, e *Export, w *fileWriter, r *Reporter) (int64, error) {
	if err := w.head(readingColumns); err != nil {
		return 0, err
	}
	f, tenant := e.Filter, tenancy.Must(ctx).TenantID
	q := telemetry.RangeQuery{Tenant: tenant, From: *f.From, To: *f.To, Limit: fetch, Scope: telemetry.Scope{Sites: orNull(f.Sites)}}
	if f.Asset != nil {
		q.Scope.Asset = *f.Asset
	}
	places := map[id.UUID]place{}
	done := int64(0)
	for {
		r.Tell(Writing, done, -1)
		page, err := s.Store.Readings(ctx, q)
		if err != nil {
			return done, err
		}
		if err := s.locate(ctx, page, places); err != nil {
			return done, err
		}
		for i := range page {
			n, err := writeReading(w, &page[i], places[page[i].Key.Sensor])
			if err != nil {
				return done, err
			}
			done += n
		}
		if len(page) < fetch {
			return done, nil
		}
		last := &page[len(page)-1]
		q.After = telemetry.Cursor{Timestamp: last.Timestamp, IngestID: last.IngestID}
	}
}

// locate finds the codes of sensors that are not known yet.
func (s *Service) locate(ctx context.Context, page []telemetry.Raw, places map[id.UUID]place) error {
	var unknown []id.UUID
	for i := range page {
		if _, known := places[page[i].Key.Sensor]; !known {
			places[page[i].Key.Sensor] = place{}
			unknown = append(unknown, page[i].Key.Sensor)
		}
	}
	if unknown == nil {
		return nil
	}
	rows, err := s.App.Query(ctx, `SELECT n.id, s.site_code, a.asset_code, n.sensor_code
		FROM sensors n JOIN assets a ON a.tenant_id = n.tenant_id AND a.id = n.asset_id JOIN sites s ON s.tenant_id = a.tenant_id AND s.id = a.site_id
		WHERE n.tenant_id = $1 AND n.id = ANY ($2)`, tenancy.Must(ctx).TenantID, unknown)
	if err != nil {
		return fmt.Errorf("bulk: %w", err)
	}
	var u id.UUID
	var p place
	_, err = pgx.ForEachRow(rows, []any{&u, &p.site, &p.asset, &p.sensor}, func() error { places[u] = p; return nil })
	return err
}

func writeReading(w *fileWriter, r *telemetry.Raw, at place) (n int64, err error) {
	put := func(parameter string, v float64) {
		if err == nil && !math.IsNaN(v) {
			err = w.row([]any{r.Timestamp, at.site, at.asset, at.sensor, parameter, v})
			n++
		}
	}
	for c, v := range r.Channels {
		put(telemetry.Channel(c).String(), v)
	}
	for _, v := range r.Values {
		put(v.Name, v.Value)
	}
	return n, err
}
