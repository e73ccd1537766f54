package alarms

import (
	"context"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/internal/audit"
	"foresight/internal/rules"
)

// recordAction adds what a person does to an alarm to the audit log. What the product
// itself does to alarms stands in their transitions.
func recordAction(ctx context.Context, b *pgx.Batch, e *Event, a rules.Action, to rules.Status, note, plan string) error {
	was, is := audit.Values{"status": e.Status}, audit.Values{"status": to}
	if note := textOrNull(note); note != nil {
		is["note"] = *note
	}
	if plan := textOrNull(plan); plan != nil {
		was["correction_plan"], is["correction_plan"] = e.CorrectionPlan, *plan
	}
	changes, err := audit.Diff(was, is)
	if err != nil {
		return err
	}
	return audit.Queue(ctx, b, audit.Entry{Action: string(a), Entity: ent.TypeAlarmEvent, ID: e.ID, Changes: changes})
}
