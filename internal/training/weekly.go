package training

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/ent/mlmodel"
	"foresight/internal/audit"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/keyset"
	"foresight/internal/tenancy"
)

// Weekly is when a model is trained anew from feedback by itself.
type Weekly struct {
	Model    id.UUID
	Enabled  bool
	Weekday  time.Weekday
	Hour     int        // 0-23, UTC
	DueAt    time.Time  // the next time
	LookedAt *time.Time // the last time at which it was due
	// Skipped says why nothing was trained then; nil: a run was started, or it was never due.
	Skipped *fault.Error
}

// nextDue is the first time after now that is on the weekday and hour.
func nextDue(now time.Time, day time.Weekday, hour int) time.Time {
	now = now.UTC()
	at := time.Date(now.Year(), now.Month(), now.Day(), hour, 0, 0, 0, time.UTC)
	at = at.AddDate(0, 0, (int(day)-int(at.Weekday())+7)%7)
	if !at.After(now) {
		at = at.AddDate(0, 0, 7)
	}
	return at
}

// What a model has for which nothing was set: Sunday, two o'clock, off.
const (
	usualDay  = time.Sunday
	usualHour = 2
)

// WeekliesOf loads the schedules of models in one statement.
func (s *Service) WeekliesOf(ctx context.Context, models []id.UUID) (map[id.UUID]*Weekly, error) {
	if err := tenancy.Require(ctx, tenancy.ModelsRead); err != nil {
		return nil, err
	}
	found, err := s.weeklies(ctx, models)
	if err != nil {
		return nil, err
	}
	for _, m := range models {
		if found[m] == nil {
			found[m] = &Weekly{Model: m, Weekday: usualDay, Hour: usualHour, DueAt: nextDue(time.Now(), usualDay, usualHour)}
		}
	}
	return found, nil
}

const weeklyColumns = `model_id, enabled, weekday, hour, due_at, looked_at, skipped`

func (s *Service) weeklies(ctx context.Context, models []id.UUID) (map[id.UUID]*Weekly, error) {
	rows, err := s.App.Query(ctx, `SELECT `+weeklyColumns+` FROM training_schedules WHERE tenant_id = $1 AND model_id = ANY ($2)`,
		tenancy.Must(ctx).TenantID, models)
	if err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	all, err := pgx.CollectRows(rows, scanWeekly)
	return keyset.ByID(all, err, func(w *Weekly) id.UUID { return w.Model })
}

func scanWeekly(row pgx.CollectableRow) (*Weekly, error) {
	var w Weekly
	var skipped []byte
	var day int
	err := row.Scan(&w.Model, &w.Enabled, &day, &w.Hour, &w.DueAt, &w.LookedAt, &skipped)
	w.Weekday, w.Skipped = time.Weekday(day), jobs.ToldFailure(skipped)
	return &w, err
}

// SetWeekly changes the schedule of a model.
func (s *Service) SetWeekly(ctx context.Context, model id.UUID, enabled bool, day time.Weekday, hour int) (*Weekly, error) {
	if err := tenancy.Require(ctx, tenancy.ModelsWrite); err != nil {
		return nil, err
	}
	if len(tenancy.Must(ctx).SiteIDs) > 0 {
		return nil, fault.Denied(string(tenancy.ModelsWrite))
	}
	if hour < 0 || hour > 23 {
		return nil, fault.Invalid("input.hour", "error.training.range").With("Low", 0).With("High", 23)
	}
	m, err := s.ORM.MLModel.Query().Where(mlmodel.ID(model)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing("Model").At("input.modelId")
	}
	if err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	if kindOf(m.Type) == "" {
		return nil, fault.Invalid("input.modelId", "error.training.kind")
	}
	var by *id.UUID
	if u, ok := tenancy.Must(ctx).UserID(); ok {
		by = &u
	}
	before, err := s.WeekliesOf(ctx, []id.UUID{model})
	if err != nil {
		return nil, err
	}
	if err := s.tx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO training_schedules (tenant_id, model_id, enabled, weekday, hour, due_at, updated_by) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (tenant_id, model_id) DO UPDATE SET enabled = excluded.enabled, weekday = excluded.weekday, hour = excluded.hour,
				due_at = excluded.due_at, updated_at = now(), updated_by = excluded.updated_by`,
			tenancy.Must(ctx).TenantID, model, enabled, int(day), hour, nextDue(time.Now(), day, hour), by); err != nil {
			return fmt.Errorf("training: %w", err)
		}
		was := before[model]
		changes, err := audit.Diff(audit.Values{"enabled": was.Enabled, "weekday": int(was.Weekday), "hour": was.Hour},
			audit.Values{"enabled": enabled, "weekday": int(day), "hour": hour})
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "schedule", Entity: "MLModel", ID: model, Changes: changes})
	}); err != nil {
		return nil, err
	}
	after, err := s.WeekliesOf(ctx, []id.UUID{model})
	return after[model], err
}

// due starts the runs of a tenant's models that are due. Of several processes that look
// at once one takes the turn.
func (s *Service) due(ctx context.Context, now time.Time) error {
	tenant := tenancy.Must(ctx).TenantID
	rows, err := s.App.Query(ctx, `SELECT `+weeklyColumns+` FROM training_schedules WHERE tenant_id = $1 AND enabled AND due_at <= $2`, tenant, now)
	if err != nil {
		return fmt.Errorf("training: %w", err)
	}
	all, err := pgx.CollectRows(rows, scanWeekly)
	if err != nil {
		return fmt.Errorf("training: %w", err)
	}
	var errs []error
	for _, w := range all {
		tag, err := s.App.Exec(ctx, `UPDATE training_schedules SET due_at = $4, looked_at = $5, skipped = NULL WHERE tenant_id = $1 AND model_id = $2 AND due_at = $3`,
			tenant, w.Model, w.DueAt, nextDue(now, w.Weekday, w.Hour), now)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if tag.RowsAffected() == 0 { // somebody else's turn
			continue
		}
		var known *fault.Error
		if err := s.trainWeekly(ctx, w.Model); errors.As(err, &known) && known.Kind != fault.Internal {
			_, err = s.App.Exec(ctx, `UPDATE training_schedules SET skipped = $3 WHERE tenant_id = $1 AND model_id = $2`, tenant, w.Model, jobs.StoredFailure(known))
			errs = append(errs, err)
		} else {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// trainWeekly starts a run when enough was said since the last one began.
func (s *Service) trainWeekly(ctx context.Context, model id.UUID) error {
	var last *time.Time
	if err := s.App.QueryRow(ctx, `SELECT max(created_at) FROM training_runs WHERE tenant_id = $1 AND model_id = $2 AND status = 'succeeded' AND source IN ('feedback', 'history')`,
		tenancy.Must(ctx).TenantID, model).Scan(&last); err != nil {
		return fmt.Errorf("training: %w", err)
	}
	var since time.Time
	if last != nil {
		since = *last
	}
	have, err := s.wrong(ctx, model, since)
	if err != nil {
		return err
	}
	if have < s.Limits.MinFeedback {
		return fault.New(fault.BadInput, "error.training.feedback").With("Have", have).With("Need", s.Limits.MinFeedback)
	}
	_, err = s.Start(ctx, Request{Model: model, Source: enum.TrainingFeedback, scheduled: true})
	return err
}
