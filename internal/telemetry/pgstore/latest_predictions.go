package pgstore

import (
	"context"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// LatestPredictions implements telemetry.Store: for each asset one step down the
// index by time.
func (s *Store) LatestPredictions(ctx context.Context, tenant id.UUID, assets []id.UUID, since time.Time) (map[id.UUID]telemetry.FaultPrediction, error) {
	rows, err := s.predictions(ctx, tenant, `SELECT `+predictionColumns+`
		FROM unnest($2::uuid[]) AS a (id) CROSS JOIN LATERAL (
			SELECT * FROM predictions p
			WHERE p.tenant_id = $1 AND p.asset_id = a.id AND p.timestamp_utc >= $3 AND p.role = 'production'
			ORDER BY p.timestamp_utc DESC, p.ingest_id DESC LIMIT 1) t`, []any{tenant, assets, since})
	if err != nil {
		return nil, failed("latest predictions", err)
	}
	out := make(map[id.UUID]telemetry.FaultPrediction, len(rows))
	for _, r := range rows {
		out[r.Asset] = r
	}
	return out, nil
}
