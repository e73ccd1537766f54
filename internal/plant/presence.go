package plant

import (
	"context"
	"time"

	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// LastSeenOfSensors returns when sensors last spoke, by event time; silent ones are absent.
func (s *Service) LastSeenOfSensors(ctx context.Context, sensors []id.UUID) (map[id.UUID]time.Time, error) {
	return s.lastSeen(ctx, `SELECT sensor_id, latest_at FROM sensor_states
		WHERE tenant_id = $1 AND sensor_id = ANY($2) AND (cardinality($3::uuid[]) = 0 OR site_id = ANY($3))`, sensors)
}

// LastSeenOfAssets returns when any sensor of assets last spoke, by event time.
func (s *Service) LastSeenOfAssets(ctx context.Context, assets []id.UUID) (map[id.UUID]time.Time, error) {
	return s.lastSeen(ctx, `SELECT asset_id, max(latest_at) FROM sensor_states
		WHERE tenant_id = $1 AND asset_id = ANY($2) AND (cardinality($3::uuid[]) = 0 OR site_id = ANY($3)) GROUP BY 1`, assets)
}

func (s *Service) lastSeen(ctx context.Context, query string, ids []id.UUID) (map[id.UUID]time.Time, error) {
	rows, err := s.pool.Query(ctx, query, tenancy.Must(ctx).TenantID, ids, list(sites(ctx)))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := make(map[id.UUID]time.Time, len(ids))
	for rows.Next() {
		var of id.UUID
		var at time.Time
		if err := rows.Scan(&of, &at); err != nil {
			return nil, err
		}
		out[of] = at.UTC()
	}
	return out, rows.Err()
}
