package pgstore

import (
	"context"

	"foresight/internal/telemetry"
)

// VersionCounts implements telemetry.VersionCounter.
func (s *Store) VersionCounts(ctx context.Context, q telemetry.VersionQuery) ([]telemetry.VersionCount, error) {
	w := newWhere(q.Tenant)
	w.and("t.model_version_id = " + w.arg(q.Version))
	w.scope(q.Scope)
	w.timeRange(telemetry.RangeQuery{From: q.From, To: q.To})
	var out []telemetry.VersionCount
	err := rows(ctx, s.read, q.Tenant, func(raw [][]byte) error {
		c := &columns{rest: raw}
		out = append(out, telemetry.VersionCount{Day: c.time(), Role: telemetry.Role(c.text()), Label: c.text(), Count: c.int64(), Probability: c.float64()})
		return c.err()
	}, `SELECT date_trunc('day', t.timestamp_utc, 'UTC') AS day, t.role, t.prediction_label, count(*), avg(t.probability)
		FROM predictions t WHERE `+w.sql.String()+` GROUP BY day, t.role, t.prediction_label`, w.args...)
	if err != nil {
		return nil, failed("version counts", err)
	}
	return out, nil
}
