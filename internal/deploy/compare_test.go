package deploy_test

import (
	"testing"
	"time"

	"foresight/ent/enum"
	"foresight/internal/deploy"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// Two versions beside each other: what they said, what came of it, and how often the
// shadow agreed with what served.
func TestComparison(t *testing.T) {
	w := newWorld(t)
	begin := w.clock.now().Add(-2 * time.Hour)
	w.predicts(w.v("1.0.0"), telemetry.Production, begin, 100, 10, 3)
	// The shadow sees the first 50 of the same readings: on 6 of the 10 faults it agrees.
	w.said = 0
	w.predicts(w.v("1.0.1"), telemetry.Shadow, begin, 50, 6, 0)
	// As a canary it said something, too; what lies outside the period does not count.
	w.said = 1000
	w.predicts(w.v("1.0.1"), telemetry.Production, begin.Add(time.Hour), 20, 5, 1)
	w.predicts(w.v("1.0.1"), telemetry.Production, begin.Add(-24*time.Hour), 20, 5, 1)
	say := func(predicted, is, role string) {
		w.sql(`INSERT INTO feedback (id, tenant_id, site_id, asset_id, model_version_id, predicted_label, probability, new_label, role, feedback_type, at)
			VALUES ($1, $2, $3, $4, $5, $6, 0.9, $7, $8, 'correction', $9)`, id.New(id.Feedback), w.acme.TenantID, w.acme.SiteID, w.acme.AssetID, w.v("1.0.0"), predicted, is, role, begin.Add(time.Minute))
	}
	say("cavitation", "cavitation", "production")
	say("cavitation", "normal", "production")
	say("normal", "cavitation", "production") // no fault was named
	say("cavitation", "cavitation", "shadow") // it did not serve
	w.sql(`INSERT INTO drift_reports (id, tenant_id, model_version_id, window_start, window_end, verdict) VALUES ($1, $2, $3, now() - interval '1 day', now(), 'moderate')`,
		id.New(id.DriftReport), w.acme.TenantID, w.v("1.0.1"))

	q := deploy.Question{Candidate: w.v("1.0.1"), From: begin, To: w.clock.now()}
	c, err := w.Compare(w.acme.As(t.Context(), tenancy.Viewer), q)
	w.ok(err)
	if want := (deploy.Side{Predictions: 100, Abnormal: 10, Alarms: 3, Probability: 0.75, Judged: 2, Right: 1}); c.Baseline.Side != want || c.Baseline.Version != w.v("1.0.0") {
		t.Errorf("production %+v, want %+v", c.Baseline, want)
	}
	if want := (deploy.Side{Predictions: 20, Abnormal: 5, Alarms: 1, Probability: 0.75}); c.Candidate.Side != want || c.Candidate.Drift != enum.DriftModerate {
		t.Errorf("candidate %+v, want %+v", c.Candidate, want)
	}
	if c.Shadow == nil || c.Shadow.Side != (deploy.Side{Predictions: 50, Abnormal: 6, Probability: 0.75}) {
		t.Errorf("shadow %+v", c.Shadow)
	}
	if l := c.Shadow.Labels; len(l) != 2 || l[0] != (deploy.LabelCount{Label: telemetry.Normal, Count: 44, Probability: 0.75}) || l[1].Label != "cavitation" {
		t.Errorf("labels %+v", l)
	}
	a := c.Agreement
	if a == nil || a.Pairs != 50 || a.Agreed != 46 || a.Partial || len(a.Disagreements) != 1 || a.Disagreements[0] != (deploy.Disagreement{Shadow: telemetry.Normal, Serving: "cavitation", Count: 4}) || *a.Share() != 0.92 {
		t.Errorf("agreement %+v", a)
	}

	// On another site nothing was said.
	elsewhere := *tenancy.Must(w.engineer())
	elsewhere.SiteIDs = []id.UUID{id.New(id.Site)}
	c, err = w.Compare(tenancy.With(t.Context(), &elsewhere), q)
	if err != nil || c.Baseline.Side != (deploy.Side{}) || c.Candidate.Side != (deploy.Side{}) || c.Shadow != nil {
		t.Errorf("seen from another site %+v, %v", c, err)
	}
	foreign := w.globex.As(t.Context(), tenancy.Admin)
	if _, err := w.Compare(foreign, q); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant compared: %v", err)
	}
	theirs := w.versions[w.globex.TenantID]["1.0.0"]
	for name, bad := range map[string]struct {
		q    deploy.Question
		kind fault.Kind
	}{
		"a foreign baseline": {deploy.Question{Candidate: w.v("1.0.1"), Baseline: &theirs}, fault.NotFound},
		"backwards":          {deploy.Question{Candidate: w.v("1.0.1"), From: w.clock.now(), To: begin}, fault.BadInput},
		"too long":           {deploy.Question{Candidate: w.v("1.0.1"), From: begin.Add(-93 * 24 * time.Hour), To: w.clock.now()}, fault.BadInput},
	} {
		if _, err := w.Compare(w.engineer(), bad.q); !fault.Is(err, bad.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Failure predictors are compared by what they said of the same machines and days, each
// by its own threshold.
func TestComparisonOfFailurePredictors(t *testing.T) {
	w := newWorld(t)
	_, versions := w.model(w.acme, "failure_predictor", enum.ModelFailurePrediction)
	w.sql(`UPDATE ml_model_versions SET decision_threshold = 0.3 WHERE id = $1`, versions["1.0.0"])
	w.sql(`UPDATE ml_model_versions SET decision_threshold = 0.5 WHERE id = $1`, versions["1.0.1"])
	day := w.clock.now().Add(-5 * 24 * time.Hour)
	for i, p := range []struct{ serving, shadow float64 }{{0.1, 0.2}, {0.4, 0.6}, {0.4, 0.4}, {0.2, 0.9}} {
		at := day.AddDate(0, 0, i)
		w.sql(`INSERT INTO failure_predictions (id, tenant_id, asset_id, model_version_id, predicted_at, failure_prob_7d, confidence_lower_7d, confidence_upper_7d,
				failure_prob_30d, confidence_lower_30d, confidence_upper_30d, health_score, risk_level)
			VALUES ($1, $2, $3, $4, $5, 0, 0, 0, $6, $6, $6, 50, 'low')`, id.New(id.FailurePrediction), w.acme.TenantID, w.acme.AssetID, versions["1.0.0"], at, p.serving)
		w.sql(`INSERT INTO shadow_failure_predictions (tenant_id, asset_id, model_version_id, predicted_at, failure_prob_7d, confidence_lower_7d, confidence_upper_7d,
				failure_prob_30d, confidence_lower_30d, confidence_upper_30d) VALUES ($1, $2, $3, $4, 0, 0, 0, $5, $5, $5)`, w.acme.TenantID, w.acme.AssetID, versions["1.0.1"], at, p.shadow)
	}
	c, err := w.Compare(w.engineer(), deploy.Question{Candidate: versions["1.0.1"]})
	w.ok(err)
	if c.Baseline.Predictions != 4 || c.Baseline.Abnormal != 2 || c.Baseline.Alarms != 2 || c.Shadow == nil || c.Shadow.Abnormal != 2 || c.Shadow.Alarms != 0 {
		t.Errorf("production %+v, shadow %+v", c.Baseline, c.Shadow)
	}
	if a := c.Agreement; a == nil || a.Pairs != 4 || a.Agreed != 2 || len(a.Disagreements) != 2 {
		t.Errorf("agreement %+v", a)
	}
	elsewhere := *tenancy.Must(w.engineer())
	elsewhere.SiteIDs = []id.UUID{id.New(id.Site)}
	if c, err := w.Compare(tenancy.With(t.Context(), &elsewhere), deploy.Question{Candidate: versions["1.0.1"]}); err != nil || c.Baseline.Predictions != 0 || c.Shadow != nil {
		t.Errorf("seen from another site %+v, %v", c, err)
	}
}
