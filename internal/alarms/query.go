package alarms

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/keyset"
	"foresight/internal/page"
	"foresight/internal/rules"
	"foresight/internal/tenancy"
)

// EventFilter chooses alarms; zero fields do not narrow.
type EventFilter struct {
	Statuses   []rules.Status
	ActiveOnly bool // not resolved
	Severities []rules.Severity
	SiteID     id.UUID
	AssetID    id.UUID
	SensorID   id.UUID
	RuleID     id.UUID
	Days       int // only those raised within so many days, 1-365
}

// Event returns one alarm.
func (s *Service) Event(ctx context.Context, eventID id.UUID) (*Event, error) {
	found, err := s.EventsByID(ctx, []id.UUID{eventID})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fault.Missing("AlarmEvent")
	}
	return found[0], nil
}

// EventsByID returns those alarms among the ids that the actor may see, in no order.
func (s *Service) EventsByID(ctx context.Context, ids []id.UUID) ([]*Event, error) {
	w, err := s.reading(ctx)
	if err != nil {
		return nil, err
	}
	w.and("e.id = ANY (?)", ids)
	return readEvents(ctx, s.pool, w, "")
}

// Events returns a page of the alarms that match, the newest first by the time of
// raising.
func (s *Service) Events(ctx context.Context, f EventFilter, a page.Args) (page.Page[*Event], error) {
	var none page.Page[*Event]
	c, err := s.matching(ctx, f)
	if err != nil {
		return none, err
	}
	w, err := a.Resolve("alarms", 2)
	if err != nil {
		return none, err
	}
	total := 0
	if w.Total {
		if total, err = s.count(ctx, c); err != nil {
			return none, err
		}
	}
	order, behind := "ORDER BY e.triggered_at DESC, e.id DESC", "<"
	if w.Backward {
		order, behind = "ORDER BY e.triggered_at, e.id", ">"
	}
	if w.Bound != nil {
		at, eventID, err := readKey(w.Bound)
		if err != nil {
			return none, err
		}
		c.and("(e.triggered_at, e.id) "+behind+" (?, ?)", at, eventID)
	}
	found, err := readEvents(ctx, s.pool, c, order+" LIMIT "+strconv.Itoa(w.Limit()))
	if err != nil {
		return none, err
	}
	return page.Of(w, found, total, keyOf), nil
}

// keyOf places an alarm in the list.
func keyOf(e *Event) page.Key { return keyset.Key(e.TriggeredAt, e.ID) }

func readKey(k page.Key) (at time.Time, eventID id.UUID, err error) {
	at, err = time.Parse(time.RFC3339Nano, k[0])
	if err == nil {
		eventID, err = id.Parse(k[1])
	}
	if err != nil {
		err = fault.New(fault.BadInput, "error.page.cursor").Because(err)
	}
	return at, eventID, err
}

func (s *Service) count(ctx context.Context, w *where) (n int, err error) {
	if err := s.pool.QueryRow(ctx, "SELECT count(*) FROM alarm_events e"+w.text(), w.args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("alarms: count: %w", err)
	}
	return n, nil
}

// CountBySeverity returns the number of matching alarms of each severity that has any.
func (s *Service) CountBySeverity(ctx context.Context, f EventFilter) (map[rules.Severity]int, error) {
	w, err := s.matching(ctx, f)
	if err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, "SELECT e.severity, count(*) FROM alarm_events e"+w.text()+" GROUP BY e.severity", w.args...)
	if err != nil {
		return nil, fmt.Errorf("alarms: count: %w", err)
	}
	out := map[rules.Severity]int{}
	var severity rules.Severity
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&severity, &n}, func() error { out[severity] = n; return nil }); err != nil {
		return nil, fmt.Errorf("alarms: count: %w", err)
	}
	return out, nil
}

// Transitions returns all changes of the alarms that the actor may see, by alarm,
// the oldest first.
func (s *Service) Transitions(ctx context.Context, events []id.UUID) (map[id.UUID][]Transition, error) {
	w, err := s.reading(ctx)
	if err != nil {
		return nil, err
	}
	w.and("e.id = ANY (?)", events)
	rows, err := s.pool.Query(ctx, `SELECT t.event_id, t.seq, coalesce(t.from_status, ''), t.to_status, t.by, t.note, t.at
		FROM alarm_transitions t JOIN alarm_events e ON e.tenant_id = t.tenant_id AND e.id = t.event_id`+w.text()+" ORDER BY t.seq", w.args...)
	if err != nil {
		return nil, fmt.Errorf("alarms: transitions: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t Transition, err error) {
		err = row.Scan(&t.EventID, &t.Seq, &t.From, &t.To, &t.By, &t.Note, &t.At)
		t.At = t.At.UTC()
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("alarms: transitions: %w", err)
	}
	out := make(map[id.UUID][]Transition, len(events))
	for _, t := range all {
		out[t.EventID] = append(out[t.EventID], t)
	}
	return out, nil
}

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func readEvents(ctx context.Context, q querier, w *where, order string) ([]*Event, error) {
	rows, err := q.Query(ctx, "SELECT "+eventColumns+" FROM "+eventTables+w.text()+" "+order, w.args...)
	if err != nil {
		return nil, fmt.Errorf("alarms: read: %w", err)
	}
	found, err := pgx.CollectRows(rows, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("alarms: read: %w", err)
	}
	return found, nil
}

// reading begins a condition on e, alarm_events, with what the actor may see.
func (s *Service) reading(ctx context.Context) (*where, error) {
	if err := tenancy.Require(ctx, tenancy.AlarmsRead); err != nil {
		return nil, err
	}
	actor, w := tenancy.Must(ctx), &where{}
	w.and("e.tenant_id = ?", actor.TenantID)
	if sites := siteLimit(actor); sites != nil {
		w.and("e.site_id = ANY (?)", sites)
	}
	return w, nil
}

func (s *Service) matching(ctx context.Context, f EventFilter) (*where, error) {
	w, err := s.reading(ctx)
	if err != nil {
		return nil, err
	}
	if f.Days < 0 || f.Days > 365 {
		return nil, fault.Invalid("filter.days", "error.range").With("Min", 1).With("Max", 365)
	}
	if f.Days > 0 {
		w.and("e.triggered_at >= ?", s.now().AddDate(0, 0, -f.Days))
	}
	if len(f.Statuses) > 0 {
		w.and("e.status = ANY (?)", texts(f.Statuses))
	}
	if f.ActiveOnly {
		w.and("e.status IN ('open', 'acknowledged', 'cleared')")
	}
	if len(f.Severities) > 0 {
		w.and("e.severity = ANY (?)", texts(f.Severities))
	}
	w.andID("e.site_id", f.SiteID)
	w.andID("e.asset_id", f.AssetID)
	w.andID("e.sensor_id", f.SensorID)
	w.andID("e.rule_id", f.RuleID)
	return w, nil
}
