package pgstore

import (
	"context"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

const predictionCounts = `SELECT asset_id, prediction_label, count(*) FROM predictions
WHERE tenant_id = $1 AND timestamp_utc >= $2 AND timestamp_utc < $3 AND role = 'production'
GROUP BY asset_id, prediction_label`

// PredictionCounts implements telemetry.Store.
func (s *Store) PredictionCounts(ctx context.Context, tenant id.UUID, from, to time.Time) ([]telemetry.PredictionCount, error) {
	var out []telemetry.PredictionCount
	err := rows(ctx, s.read, tenant, func(raw [][]byte) error {
		c := &columns{rest: raw}
		out = append(out, telemetry.PredictionCount{Asset: c.uuid(), Label: c.text(), Count: c.int64()})
		return c.err()
	}, predictionCounts, tenant, from, to)
	if err != nil {
		return nil, failed("prediction counts", err)
	}
	return out, nil
}
