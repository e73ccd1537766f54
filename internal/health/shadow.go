package health

import (
	"context"
	"fmt"
	"time"

	"foresight/inference/daily"
	"foresight/internal/id"
)

// ShadowPredictor asks the failure predictors that are tried beside those that serve.
type ShadowPredictor interface {
	// ForecastShadow answers for each row, in order, as Predictor does; the forecast of a
	// machine without such a version has none.
	ForecastShadow(ctx context.Context, tenant id.UUID, rows []Row) ([]Forecast, error)
}

// shadow has the versions that are tried judge the machines of a day, and keeps what they
// say apart from what serves: no health, level or alarm rests on it. What fails here
// holds nothing up.
func (s *Service) shadow(ctx context.Context, tenant id.UUID, rows []scored, day time.Time) {
	if s.Shadows == nil {
		return
	}
	if err := s.tryShadows(ctx, tenant, rows, day); err != nil {
		s.Log.WarnContext(ctx, "shadows were not asked", "day", day.Format(time.DateOnly), "error", err)
	}
}

func (s *Service) tryShadows(ctx context.Context, tenant id.UUID, rows []scored, day time.Time) error {
	ask := make([]Row, 0, len(rows))
	for i := range rows {
		if rows[i].features[coverage] > 0 {
			ask = append(ask, Row{rows[i].ID, rows[i].features})
		}
	}
	if len(ask) == 0 {
		return nil
	}
	told, err := s.Shadows.ForecastShadow(ctx, tenant, ask)
	if err != nil {
		return err
	}
	var assets, versions []id.UUID
	var p [6][]float64 // value, lower, upper of 7 and 30 days
	var why error
	for i, f := range told {
		if f.Err != nil && why == nil {
			why = f.Err
		}
		if f.Err != nil || f.Version == id.Nil {
			continue
		}
		assets, versions = append(assets, ask[i].Asset), append(versions, f.Version)
		for k, v := range [...]float64{f.Within7.Value, f.Within7.Lower, f.Within7.Upper, f.Within30.Value, f.Within30.Lower, f.Within30.Upper} {
			p[k] = append(p[k], v)
		}
	}
	if len(assets) == 0 {
		return why
	}
	if _, err := s.App.Exec(ctx, `INSERT INTO shadow_failure_predictions (tenant_id, asset_id, model_version_id, predicted_at, failure_prob_7d, confidence_lower_7d,
			confidence_upper_7d, failure_prob_30d, confidence_lower_30d, confidence_upper_30d)
		SELECT $1, n.asset, n.version, $2, n.p7, n.l7, n.u7, n.p30, n.l30, n.u30
		FROM unnest($3::uuid[], $4::uuid[], $5::float8[], $6::float8[], $7::float8[], $8::float8[], $9::float8[], $10::float8[])
			AS n (asset, version, p7, l7, u7, p30, l30, u30)
		ON CONFLICT DO NOTHING`, tenant, daily.AsOf(day), assets, versions, p[0], p[1], p[2], p[3], p[4], p[5]); err != nil {
		return fmt.Errorf("health: write shadows: %w", err)
	}
	return why
}
