package alarms

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/id"
)

// newestSeq returns the seq of the tenant's newest transition, 0 when there is none.
func newestSeq(ctx context.Context, q rower, tenant id.UUID) (uint64, error) {
	var seq int64
	err := q.QueryRow(ctx, `SELECT seq FROM alarm_sequences WHERE tenant_id = $1`, tenant).Scan(&seq)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, fmt.Errorf("alarms: newest seq: %w", err)
	}
	return uint64(seq), nil
}

type rower interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// resumable reports whether all transitions behind the seq are still there, and the
// seq is one that this database has given.
func resumable(ctx context.Context, pool *pgxpool.Pool, tenant id.UUID, after uint64) (whole bool, err error) {
	newest, err := newestSeq(ctx, pool, tenant)
	if err != nil || after >= newest {
		return after == newest, err
	}
	err = pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM alarm_transitions WHERE tenant_id = $1 AND seq = $2)`,
		tenant, int64(after)+1).Scan(&whole)
	if err != nil {
		return false, fmt.Errorf("alarms: resume: %w", err)
	}
	return whole, nil
}

// readTransitions reads transitions behind a seq in order, with their alarms as they
// are now.
func readTransitions(ctx context.Context, pool *pgxpool.Pool, tenant id.UUID, after uint64, limit int) ([]Change, error) {
	rows, err := pool.Query(ctx, `SELECT t.seq, coalesce(t.from_status, ''), t.to_status, t.by, t.note, t.at, `+eventColumns+`
		FROM alarm_transitions t
		JOIN alarm_events e ON e.tenant_id = t.tenant_id AND e.id = t.event_id
		JOIN alarm_rules r ON r.tenant_id = e.tenant_id AND r.id = e.rule_id
		WHERE t.tenant_id = $1 AND t.seq > $2 ORDER BY t.seq LIMIT $3`, tenant, int64(after), limit)
	if err != nil {
		return nil, fmt.Errorf("alarms: transitions: %w", err)
	}
	changes, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Change, error) {
		var t Transition
		var e Event
		err := row.Scan(append([]any{&t.Seq, &t.From, &t.To, &t.By, &t.Note, &t.At}, e.fields()...)...)
		t.EventID, t.At = e.ID, t.At.UTC()
		e.inUTC()
		return Change{Event: &e, Seq: t.Seq, Transition: &t}, err
	})
	if err != nil {
		return nil, fmt.Errorf("alarms: transitions: %w", err)
	}
	return changes, nil
}

// readActive reads the watched active alarms, the oldest first, and the seq up to
// which they tell everything, of one moment.
func readActive(ctx context.Context, pool *pgxpool.Pool, tenant id.UUID, l *Listener) (seq uint64, active []*Event, err error) {
	w := &where{}
	w.and("e.tenant_id = ?", tenant)
	w.and("e.status IN ('open', 'acknowledged', 'cleared')")
	sc := &l.watch.Scope
	if sc.Sites != nil {
		w.and("e.site_id = ANY (?)", sc.Sites)
	}
	if l.minRank > 1 {
		w.and("e.severity = ANY (?)", l.severities())
	}
	w.andID("e.site_id", sc.Site)
	w.andID("e.asset_id", sc.Asset)
	w.andID("e.sensor_id", sc.Sensor)
	err = pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if seq, err = newestSeq(ctx, tx, tenant); err != nil {
			return err
		}
		active, err = readEvents(ctx, tx, w, "ORDER BY e.triggered_at, e.id")
		return err
	})
	return seq, active, err
}
