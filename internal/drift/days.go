package drift

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/inference/daily"
	"foresight/internal/id"
)

// days draws failure predictions with the daily features that they rest on.
func (s *Service) days(ctx context.Context, tenant id.UUID, seed id.UUID, now time.Time) (*drawn, error) {
	d := &drawn{versions: map[id.UUID]*version{}, from: now.Add(-s.Limits.DailyWindow), to: now}
	type said struct {
		asset, version id.UUID
		long           float64
		features       map[string]float64
	}
	// A hash with the check's id in it draws others each time.
	rows, err := s.App.Query(ctx, `SELECT p.asset_id, p.model_version_id, p.failure_prob_30d, f.features
		FROM failure_predictions p
		JOIN asset_features f ON f.tenant_id = p.tenant_id AND f.asset_id = p.asset_id
			AND f.day = ((p.predicted_at - $4::interval) AT TIME ZONE 'UTC')::date AND f.feature_schema_hash = $5
		WHERE p.tenant_id = $1 AND p.predicted_at >= $2 AND p.predicted_at < $3
		ORDER BY md5(p.id::text || $6::text) LIMIT $7`,
		tenant, d.from, d.to, daily.AsOf(time.Time{}).Sub(daily.DayOf(time.Time{})), daily.SchemaHash(), seed.String(), s.Limits.Sample)
	if err != nil {
		return nil, fmt.Errorf("drift: failure predictions: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (p said, err error) {
		err = r.Scan(&p.asset, &p.version, &p.long, &p.features)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("drift: failure predictions: %w", err)
	}
	if err := s.App.QueryRow(ctx, `SELECT count(*) FROM assets WHERE tenant_id = $1 AND NOT is_deleted AND is_active`, tenant).Scan(&d.asked); err != nil {
		return nil, fmt.Errorf("drift: machines: %w", err)
	}
	heard := map[id.UUID]bool{}
	for i := range all {
		p := &all[i]
		heard[p.asset] = true
		v, err := d.of(ctx, s, tenant, p.version)
		if err != nil {
			return nil, err
		}
		if v == nil || len(v.manifest.Classes) != 2 {
			continue
		}
		label := v.manifest.Classes[0]
		if p.long >= v.Threshold {
			label = v.manifest.Classes[1]
		}
		x := daily.Named(p.features)
		outside := v.manifest.Outliers != nil && v.manifest.Outliers.Outside(x[:])
		if err := v.add(p.asset, label, outside, x[:]); err != nil {
			return nil, err
		}
		s.metrics.sampled.Inc()
	}
	d.heard = min(len(heard), d.asked)
	return d, nil
}
