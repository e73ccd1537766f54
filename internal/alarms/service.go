package alarms

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/event"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/rules"
	"foresight/internal/tenancy"
)

// Lengths of texts, in characters.
const (
	MaxNote = 2000
	MaxPlan = 4000
)

// Service answers questions about alarms and does what people do to them, for the
// actor of the context. What the actor may not see is fault.NotFound. It is safe for
// concurrent use.
type Service struct {
	pool    *pgxpool.Pool
	hub     event.Publisher
	metrics *Metrics
	log     *slog.Logger
	now     func() time.Time
}

// NewService returns a service on the pool of requests, whose connections are in the
// tenant of the context's actor.
func NewService(pool *pgxpool.Pool, hub event.Publisher, m *Metrics, log *slog.Logger) *Service {
	return &Service{pool: pool, hub: hub, metrics: m, log: log.With("part", "alarms"), now: now}
}

// now is the present in UTC at the precision that PostgreSQL keeps.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Acknowledge says that the actor has seen the alarm. The note may be empty.
func (s *Service) Acknowledge(ctx context.Context, eventID id.UUID, note string) (*Event, error) {
	return s.act(ctx, rules.Acknowledge, eventID, note, "")
}

// Clear says that the alarm's condition is gone. The note may be empty.
func (s *Service) Clear(ctx context.Context, eventID id.UUID, note string) (*Event, error) {
	return s.act(ctx, rules.Clear, eventID, note, "")
}

// Resolve closes the alarm with what was done about it.
func (s *Service) Resolve(ctx context.Context, eventID id.UUID, plan string) (*Event, error) {
	if strings.TrimSpace(plan) == "" {
		return nil, fault.Invalid("input.correctionPlan", "error.required")
	}
	return s.act(ctx, rules.Resolve, eventID, "", plan)
}

// An alarm keeps the newest acknowledgement; the transitions tell of every one.
const actOnEvent = `
UPDATE alarm_events SET status = $3::text,
	cleared_at = CASE WHEN $3 = 'cleared' THEN $4::timestamptz ELSE cleared_at END,
	acknowledged_at = CASE WHEN $5 THEN $4 ELSE acknowledged_at END,
	acknowledged_by = CASE WHEN $5 THEN $6::uuid ELSE acknowledged_by END,
	resolved_at = CASE WHEN $3 = 'resolved' THEN $4 ELSE resolved_at END,
	resolved_by = CASE WHEN $3 = 'resolved' THEN $6 ELSE resolved_by END,
	correction_plan = coalesce($7, correction_plan)
WHERE tenant_id = $1 AND id = $2`

func (s *Service) act(ctx context.Context, a rules.Action, eventID id.UUID, note, plan string) (*Event, error) {
	if err := tenancy.Require(ctx, tenancy.AlarmsAct); err != nil {
		return nil, err
	}
	actor := tenancy.Must(ctx)
	if utf8.RuneCountInString(note) > MaxNote {
		return nil, fault.Invalid("input.note", "error.tooLong").With("Max", MaxNote)
	}
	if utf8.RuneCountInString(plan) > MaxPlan {
		return nil, fault.Invalid("input.correctionPlan", "error.tooLong").With("Max", MaxPlan)
	}
	var done *Event
	var seq int64
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		e, err := lockEvent(ctx, tx, actor, eventID)
		if err != nil {
			return err
		}
		to, err := rules.Act(e.Status, a)
		if err != nil {
			return err
		}
		if done, seq, err = s.store(ctx, tx, actor, e, a, to, note, plan); err != nil {
			return fmt.Errorf("alarms: %s: %w", a, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.metrics.acted(done.Status)
	e := hint(event.Event{Key: done.Key(), At: s.now()}, done.ID, seq)
	if err := s.hub.Publish(ctx, e); err != nil {
		// The followers of the transitions find it within their next look.
		s.log.WarnContext(ctx, "alarm hint not published", "tenant_id", actor.TenantID, "event_id", done.ID, "error", err)
	}
	return done, nil
}

// lockEvent reads an alarm that the actor may see, and keeps others from changing it.
func lockEvent(ctx context.Context, tx pgx.Tx, actor *tenancy.Actor, eventID id.UUID) (*Event, error) {
	rows, err := tx.Query(ctx, `SELECT `+eventColumns+` FROM `+eventTables+`
		WHERE e.tenant_id = $1 AND e.id = $2 AND ($3::uuid[] IS NULL OR e.site_id = ANY ($3))
		FOR NO KEY UPDATE OF e`, actor.TenantID, eventID, siteLimit(actor))
	if err != nil {
		return nil, fmt.Errorf("alarms: lock: %w", err)
	}
	e, err := pgx.CollectExactlyOneRow(rows, scanEvent)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fault.Missing("AlarmEvent")
	}
	if err != nil {
		return nil, fmt.Errorf("alarms: lock: %w", err)
	}
	return e, nil
}

// store writes the change and its transition in one round trip, and reads the alarm.
func (s *Service) store(ctx context.Context, tx pgx.Tx, actor *tenancy.Actor, e *Event, a rules.Action, to rules.Status, note, plan string) (done *Event, seq int64, err error) {
	at, by := s.now(), person(actor)
	remark := note
	if a == rules.Resolve {
		remark = "" // the plan stands on the alarm
	}
	var b pgx.Batch
	b.Queue(actOnEvent, actor.TenantID, e.ID, string(to), at, a == rules.Acknowledge, by, textOrNull(plan))
	rows := transitionRows{}
	rows.add(e.ID, e.Status, to, by, textOrNull(remark), at)
	rows.queue(&b, actor.TenantID, func(_ id.UUID, n int64) { seq = n })
	if err := recordAction(ctx, &b, e, a, to, note, plan); err != nil {
		return nil, 0, err
	}
	b.Queue(`SELECT `+eventColumns+` FROM `+eventTables+` WHERE e.tenant_id = $1 AND e.id = $2`, actor.TenantID, e.ID).
		Query(func(rows pgx.Rows) error {
			done, err = pgx.CollectExactlyOneRow(rows, scanEvent)
			return err
		})
	return done, seq, tx.SendBatch(ctx, &b).Close()
}

// siteLimit is the argument that narrows to the actor's sites; null for all.
func siteLimit(a *tenancy.Actor) []id.UUID {
	if len(a.SiteIDs) == 0 {
		return nil
	}
	return a.SiteIDs
}

func person(a *tenancy.Actor) *id.UUID {
	if u, ok := a.UserID(); ok {
		return &u
	}
	return nil
}

func textOrNull(s string) *string {
	if s = strings.TrimSpace(s); s == "" {
		return nil
	}
	return &s
}
