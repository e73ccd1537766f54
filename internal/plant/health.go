package plant

import (
	"context"
	"time"

	"foresight/ent/enum"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Health is how well a machine was at one time.
type Health struct {
	Score        float64 // 0 (broken) to 100 (as new)
	Status       enum.HealthStatus
	Method       string // name and version of the formula
	CalculatedAt time.Time
}

// HealthOfAssets loads the newest health of assets; those without one are absent.
func (s *Service) HealthOfAssets(ctx context.Context, assets []id.UUID) (map[id.UUID]*Health, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT a.id, h.health_score, h.health_status, h.method, h.calculated_at
		FROM unnest($2::uuid[]) AS a (id)
		CROSS JOIN LATERAL (
			SELECT * FROM asset_health
			WHERE tenant_id = $1 AND asset_id = a.id AND (cardinality($3::uuid[]) = 0 OR site_id = ANY($3))
			ORDER BY calculated_at DESC LIMIT 1) h`, tenancy.Must(ctx).TenantID, assets, list(sites(ctx)))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := make(map[id.UUID]*Health, len(assets))
	for rows.Next() {
		var of id.UUID
		h := &Health{}
		if err := rows.Scan(&of, &h.Score, &h.Status, &h.Method, &h.CalculatedAt); err != nil {
			return nil, err
		}
		out[of] = h
	}
	return out, rows.Err()
}
