package backtest

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/document"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// A real alarm e and one of a backtest a, of the same asset and sensor, stood at some
// time both.
const together = `e.tenant_id = a.tenant_id AND e.asset_id = a.asset_id AND e.sensor_id = a.sensor_id
	AND e.triggered_at <= coalesce(a.cleared_at, 'infinity') AND coalesce(e.cleared_at, e.resolved_at, 'infinity') >= a.triggered_at`

// match notes beside each alarm of a rule the first real one that stood meanwhile.
const match = `UPDATE backtest_alarms a SET alarm_event_id =
		(SELECT e.id FROM alarm_events e WHERE e.rule_id = $4 AND ` + together + ` ORDER BY e.triggered_at, e.id LIMIT 1)
	WHERE a.tenant_id = $1 AND a.backtest_id = $2 AND a.rule_number = $3`

const countAdditional = `SELECT count(*) FROM backtest_alarms WHERE tenant_id = $1 AND backtest_id = $2 AND rule_number = $3 AND alarm_event_id IS NULL`

// countReal counts the real alarms of a rule that began in the period, where the
// backtest looked.
const countReal = `SELECT count(*), count(*) FILTER (WHERE caught), count(*) FILTER (WHERE confirmed), count(*) FILTER (WHERE caught AND confirmed) FROM (
	SELECT EXISTS (SELECT FROM backtest_alarms a WHERE a.backtest_id = $2 AND a.rule_number = $3 AND ` + together + `) AS caught,
		EXISTS (SELECT FROM maintenance_work_orders w WHERE w.tenant_id = e.tenant_id AND w.alarm_event_id = e.id AND w.failure_confirmed AND NOT w.is_deleted) AS confirmed
	FROM alarm_events e
	WHERE e.tenant_id = $1 AND e.rule_id = $4 AND e.triggered_at >= $5 AND e.triggered_at < $6
		AND ($7::uuid[] IS NULL OR e.site_id = ANY ($7)) AND ($8::uuid IS NULL OR e.asset_id = $8) AND ($9::uuid[] IS NULL OR e.sensor_id = ANY ($9))) x`

// finish compares with the real alarms and ends the backtest.
func (r *run) finish(ctx context.Context) error {
	outcome := r.pending.onto(r.Outcome)
	return r.tx(ctx, func(tx pgx.Tx) error {
		for i := range r.Rules {
			if r.Rules[i].Compared == nil {
				continue
			}
			real, err := r.real(ctx, tx, i, *r.Rules[i].Compared)
			if err != nil {
				return fmt.Errorf("backtest: compare: %w", err)
			}
			outcome.Rules[i].Real = real
		}
		o, err := json.Marshal(outcome)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `UPDATE backtests SET status = 'succeeded', outcome = $3, finished_at = now()
			WHERE tenant_id = $1 AND id = $2 AND status = 'running' AND coalesce((place ->> 'parts')::int, 0) = $4`,
			tenancy.Must(ctx).TenantID, r.ID, o, r.place.Parts)
		if err != nil {
			return fmt.Errorf("backtest: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return errOver
		}
		return nil
	})
}

func (r *run) real(ctx context.Context, tx pgx.Tx, number int, rule id.UUID) (*document.BacktestComparison, error) {
	tenant := tenancy.Must(ctx).TenantID
	x := &document.BacktestComparison{At: time.Now().UTC()}
	if _, err := tx.Exec(ctx, match, tenant, r.ID, number, rule); err != nil {
		return nil, err
	}
	if err := tx.QueryRow(ctx, countAdditional, tenant, r.ID, number).Scan(&x.Additional); err != nil {
		return nil, err
	}
	err := tx.QueryRow(ctx, countReal, tenant, r.ID, number, rule, r.From, r.To, r.Sites, r.Scope.Asset, r.Scope.Sensors).
		Scan(&x.Raised, &x.Caught, &x.Confirmed, &x.ConfirmedCaught)
	return x, err
}
