package health

import (
	"context"
	"errors"
	"testing"

	"foresight/inference/daily"
	"foresight/internal/id"
)

// doubter is a shadow that says another thing than what serves, of one machine only.
type doubter struct {
	version, of id.UUID
	err         error
	asked       int
}

// ForecastShadow implements ShadowPredictor.
func (d *doubter) ForecastShadow(_ context.Context, _ id.UUID, rows []Row) ([]Forecast, error) {
	d.asked += len(rows)
	if d.err != nil {
		return nil, d.err
	}
	out := make([]Forecast, len(rows))
	for i, r := range rows {
		if r.Asset == d.of {
			out[i] = Forecast{Version: d.version, Label: "failure_predictor:1.0.1", Within7: Probability{.8, .7, .9}, Within30: Probability{.95, .9, .97}}
		}
	}
	return out, nil
}

// What a shadow says of a night is kept, apart from what serves, and nothing follows.
func TestShadowsAreScored(t *testing.T) {
	r := newRig(t)
	shadow := id.New(id.MLModelVersion)
	r.sql(`INSERT INTO ml_model_versions (id, tenant_id, model_id, semantic_version, full_version_label, artifact_path, feature_schema_hash, dataset_hash)
		SELECT $1, $2, model_id, '1.0.1', 'failure_predictor:1.0.1', 'y', $3, 'x' FROM ml_model_versions WHERE tenant_id = $2`, shadow, r.acme.TenantID, daily.SchemaHash())
	d := &doubter{version: shadow, of: r.acme.AssetID}
	r.service.Shadows = d
	r.hours(r.acme.Key(0), r.last(), 24, 1)
	r.look(r.acme)
	if d.asked != 1 {
		t.Errorf("%d machines were asked about", d.asked)
	}
	var version id.UUID
	var p30, low, high, served float64
	var same bool
	r.ok(r.owner.QueryRow(t.Context(), `SELECT h.model_version_id, h.failure_prob_30d, h.confidence_lower_30d, h.confidence_upper_30d, p.failure_prob_30d, p.predicted_at = h.predicted_at
		FROM shadow_failure_predictions h JOIN failure_predictions p USING (tenant_id, asset_id) WHERE h.tenant_id = $1`, r.acme.TenantID).Scan(&version, &p30, &low, &high, &served, &same))
	if version != shadow || p30 != .95 || low != .9 || high != .97 || !same {
		t.Errorf("kept %s %v %v %v, at the same time: %v", version, p30, low, high, same)
	}
	var serving, health int
	r.ok(r.owner.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM failure_predictions WHERE model_version_id = $1), (SELECT count(*) FROM asset_health WHERE tenant_id = $2)`,
		shadow, r.acme.TenantID).Scan(&serving, &health))
	if serving != 0 || health != 1 || served == p30 {
		t.Errorf("%d predictions of the shadow serve, %d states of health, served %v", serving, health, served)
	}

	// A shadow that fails holds nothing up.
	d.err = errors.New("broken")
	r.now = r.now.AddDate(0, 0, 1)
	r.hours(r.acme.Key(0), r.last(), 24, 1)
	r.look(r.acme)
	var all, shadows int
	r.ok(r.owner.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM failure_predictions WHERE tenant_id = $1), (SELECT count(*) FROM shadow_failure_predictions WHERE tenant_id = $1)`,
		r.acme.TenantID).Scan(&all, &shadows))
	if all != 2 || shadows != 1 {
		t.Errorf("%d predictions and %d of shadows", all, shadows)
	}
}
