package pgstore

import (
	"strconv"
	"strings"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// where collects conditions and their arguments.
type where struct {
	sql  strings.Builder
	args []any
}

// newWhere begins with the tenant, on the columns of the table alias t.
func newWhere(tenant id.UUID) *where {
	w := &where{args: []any{tenant}}
	w.sql.WriteString("t.tenant_id = $1")
	return w
}

// arg adds an argument and returns its placeholder.
func (w *where) arg(v any) string {
	w.args = append(w.args, v)
	return "$" + strconv.Itoa(len(w.args))
}

func (w *where) and(condition string) { w.sql.WriteString(" AND " + condition) }

func (w *where) scope(s telemetry.Scope) {
	if s.Site != id.Nil {
		w.and("t.site_id = " + w.arg(s.Site))
	}
	if s.Asset != id.Nil {
		w.and("t.asset_id = " + w.arg(s.Asset))
	}
	if s.Sensor != id.Nil {
		w.and("t.sensor_id = " + w.arg(s.Sensor))
	}
	if s.Sites != nil {
		w.and("t.site_id = ANY(" + w.arg(s.Sites) + ")")
	}
}

func (w *where) timeRange(q telemetry.RangeQuery) {
	if !q.From.IsZero() {
		w.and("t.timestamp_utc >= " + w.arg(q.From))
	}
	if !q.To.IsZero() {
		w.and("t.timestamp_utc < " + w.arg(q.To))
	}
	if c := q.After; !c.Timestamp.IsZero() {
		at := w.arg(c.Timestamp)
		// The first half is implied; it is what chooses partitions and bounds the index.
		w.and("t.timestamp_utc <= " + at + " AND (t.timestamp_utc, t.ingest_id) < (" + at + ", " + w.arg(id.UUID(c.IngestID)) + ")")
	}
}

func checkLimit(limit, most int) error {
	if limit < 1 || limit > most {
		return telemetry.ErrLimit
	}
	return nil
}

// newest returns the query of the newest rows, at most limit, by event time and then
// by the tie order (`column DESC, …`). The indexes know the time only; a plan that
// sorted by both would sort whole days. So the inner query follows the index and
// takes all rows of the last time, and the outer one orders those few.
func (w *where) newest(columns, table, tie string, limit int) string {
	n := w.arg(limit)
	return `SELECT * FROM (SELECT ` + columns + ` FROM ` + table + ` t WHERE ` + w.sql.String() +
		` ORDER BY t.timestamp_utc DESC FETCH FIRST (` + n + `) ROWS WITH TIES) newest
		ORDER BY timestamp_utc DESC, ` + tie + ` LIMIT ` + n
}
