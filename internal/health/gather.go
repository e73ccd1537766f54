package health

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/enum"
	"foresight/inference/daily"
	"foresight/internal/id"
	"foresight/internal/rules"
)

// notOfScores leaves out the alarms e that scores raised; the parameters of scores follow.
const notOfScores = `NOT EXISTS (SELECT FROM alarm_rules r WHERE r.tenant_id = e.tenant_id AND r.id = e.rule_id AND r.parameter = ANY`

// gather reads the evidence of health besides the forecast, as it was at the end of the
// day: what the last 7 days say of faults, the day's vibration, and the alarms whose
// condition held.
func (s *Service) gather(ctx context.Context, tenant id.UUID, rows []scored, day time.Time) error {
	of, at := make([]id.UUID, len(rows)), make(map[id.UUID]*scored, len(rows))
	for i := range rows {
		of[i] = rows[i].ID
		at[rows[i].ID] = &rows[i]
		rows[i].evidence.Criticality = rows[i].Criticality
	}
	gravity, predictions := make(map[id.UUID]float64, len(rows)), make(map[id.UUID]float64, len(rows))
	var b pgx.Batch
	b.Queue(`SELECT asset_id, day, content FROM asset_days
		WHERE tenant_id = $1 AND asset_id = ANY ($2) AND day > $3::date - 7 AND day <= $3::date`, tenant, of, day).Query(func(rows pgx.Rows) error {
		var asset id.UUID
		var start time.Time
		var content []byte
		_, err := pgx.ForEachRow(rows, []any{&asset, &start, &content}, func() error {
			d, err := unpack(content, start)
			gravity[asset] += d.Gravity
			predictions[asset] += float64(d.Predictions)
			if l, ok := at[asset].limits(); ok && start.Equal(day) && d.BroadBand.Count > 0 {
				at[asset].evidence.Zone = l.Zone(d.BroadBand.Mean())
			}
			return err
		})
		return err
	})
	b.Queue(`SELECT e.asset_id, e.severity FROM alarm_events e
		WHERE e.tenant_id = $1 AND e.asset_id = ANY ($2) AND e.triggered_at <= $3 AND coalesce(e.cleared_at, e.resolved_at, 'infinity') > $3
			AND `+notOfScores+` ($4))`,
		tenant, of, daily.AsOf(day), rules.ScoreParameters()).Query(func(rows pgx.Rows) error {
		var asset id.UUID
		var severity enum.Severity
		_, err := pgx.ForEachRow(rows, []any{&asset, &severity}, func() error {
			if e := &at[asset].evidence; severity.Rank() > e.Alarm.Rank() {
				e.Alarm = severity
			}
			return nil
		})
		return err
	})
	if err := s.App.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("health: gather: %w", err)
	}
	for asset, n := range predictions {
		if n > 0 {
			share := gravity[asset] / n
			at[asset].evidence.FaultGravity = &share
		}
	}
	return nil
}
