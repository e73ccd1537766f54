package e2e

import (
	"net/http"
	"strings"
	"testing"

	"foresight/inference/champion"
	"foresight/inference/daily"
)

// sendModel sends the bundle of the classifier that ships, and returns the upload's id.
func (i *instance) sendModel(t testing.TB, token string) string {
	t.Helper()
	status, body := i.knock(t, http.MethodPost, "/uploads/models?name=model.zip",
		map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/zip"}, champion.FaultClassifier().Bundle)
	if status != http.StatusCreated {
		t.Fatalf("the model is not taken: %d %s", status, body)
	}
	return decode[struct{ ID string }](t, body).ID
}

// models gives a tenant everything that there is about models, of its own: a model with a
// version that was uploaded, asked for, judged, trained and has drifted, a policy, a
// fault type, and an upload that is not used yet, whose id it returns. What only a
// trainer or time makes is entered in the database.
func (i *instance) models(t testing.TB, tenant string) (upload string) {
	t.Helper()
	engineer, own := i.login(t, tenant, "engineer"), "own-"+tenant
	do := func(mutation, input string, in vars, fields string) any {
		t.Helper()
		a := get[map[string]map[string]any](t, i, engineer, `mutation($in: `+input+`!) { `+mutation+`(input: $in) { `+fields+` userErrors { field code message } } }`, vars{"in": in})[mutation]
		if wrong := a["userErrors"].([]any); len(wrong) > 0 {
			t.Fatalf("%s of %s: %v", mutation, tenant, wrong)
		}
		for _, name := range []string{"model", "modelVersion"} {
			if made, ok := a[name].(map[string]any); ok {
				return made["id"]
			}
		}
		return nil
	}
	model := do("createModel", "CreateModelInput", vars{"name": own, "type": "FAULT_CLASSIFICATION", "description": "Of " + tenant}, "model { id }")
	version := do("uploadModelVersion", "UploadModelVersionInput", vars{"modelId": model, "files": []any{vars{"uploadId": i.sendModel(t, engineer)}}}, "modelVersion { id }")
	do("requestDeployment", "RequestDeploymentInput", vars{"modelVersionId": version, "stage": "SHADOW", "percent": 1, "note": "Asked by " + tenant}, "request { id }")
	do("setDeploymentPolicy", "SetDeploymentPolicyInput", vars{"modelId": model}, "policy { version }")
	do("createFaultType", "CreateFaultTypeInput", vars{"code": own, "faultType": vars{"family": "OTHER", "labels": []any{vars{"language": "en", "label": "Fault of " + tenant}}}}, "faultType { id }")

	i.sql(t, `INSERT INTO training_runs (id, tenant_id, model_id, source, status, request, outcome, metrics, error, started_at, ended_at)
		SELECT $1, tenant_id, id, 'history', 'failed', jsonb_build_object('base_version_id', $3::text), '{"seconds": 1.5}', '{"test": {"f1": 0.5}}', '{"kind": "UNAVAILABLE", "key": "error.job.lost"}', now(), now()
		FROM ml_models WHERE id = $2`, newID("TrainingRun"), model, version)
	report := newID("DriftReport")
	i.sql(t, `INSERT INTO drift_reports (id, tenant_id, model_version_id, window_start, window_end, samples, verdict, labels, psi, coverage)
		SELECT $1, tenant_id, id, now() - interval '7 days', now(), 2000, 'severe', jsonb_build_object($3::text, '{"share": 1}'::jsonb), '{"x": 0.4}', '{"x": 1}' FROM ml_model_versions WHERE id = $2`, report, version, own)
	i.sql(t, `INSERT INTO retraining_proposals (id, tenant_id, model_id, model_version_id, drift_report_id) SELECT $1, tenant_id, model_id, id, $3 FROM ml_model_versions WHERE id = $2`,
		newID("RetrainingProposal"), version, report)
	i.sql(t, `INSERT INTO drift_checks (id, tenant_id, status, reports, finished_at) SELECT $1, tenant_id, 'succeeded', 1, now() FROM ml_models WHERE id = $2`, newID("DriftCheck"), model)
	i.sql(t, `INSERT INTO scoring_jobs (id, tenant_id, day, status, finished_at) SELECT $1, tenant_id, current_date - 400, 'succeeded', now() FROM ml_models WHERE id = $2`, newID("ScoringJob"), model)
	i.sql(t, `INSERT INTO deployment_decisions (id, tenant_id, model_id, model_version_id, deployment_id, verdict, acted, reasons, percent_before, percent_after, made_at, seen_at)
		SELECT $1, d.tenant_id, d.model_id, d.model_version_id, d.id, 'hold', false, '[{"code": "young", "value": 1, "limit": 24}]', 5, 5, now(), now()
		FROM ml_model_deployments d JOIN ml_models m USING (tenant_id) WHERE m.id = $2 ORDER BY d.id LIMIT 1`, newID("DeploymentDecision"), model)
	return i.sendModel(t, engineer)
}

// judged gives a machine that has predictions what there is about models of it: the
// tenant's own version beside what serves, a person's word on a prediction, a failure
// prediction and the features that it rests on.
func (i *instance) judged(t testing.TB, tenant, sensorCode string) {
	t.Helper()
	engineer, operator := i.login(t, tenant, "engineer"), i.login(t, tenant, "operator")
	sensor := i.sensors(t, engineer)[sensorCode]
	type found struct {
		Predictions   struct{ Nodes []struct{ ID string } }
		ModelVersions struct{ Nodes []struct{ ID, Label string } }
	}
	f := get[found](t, i, operator, `query($s: UUID!) { predictions(first: 1, scope: {sensorId: $s}) { nodes { id } } modelVersions(first: 100) { nodes { id label } } }`, vars{"s": sensor.ID})
	if len(f.Predictions.Nodes) == 0 {
		t.Fatalf("%s has no prediction", sensorCode)
	}
	own := ""
	for _, v := range f.ModelVersions.Nodes {
		if strings.HasPrefix(v.Label, "own-"+tenant) {
			own = v.ID
		}
	}
	type payload struct {
		BindAsset, SubmitFeedback struct{ UserErrors []any }
	}
	bound := get[payload](t, i, engineer, `mutation($in: BindAssetInput!) { bindAsset(input: $in) { userErrors { message } } }`,
		vars{"in": vars{"assetId": sensor.Asset.ID, "modelVersionId": own, "stage": "SHADOW"}}).BindAsset
	said := get[payload](t, i, operator, `mutation($in: SubmitFeedbackInput!) { submitFeedback(input: $in) { userErrors { message } } }`,
		vars{"in": vars{"items": []any{vars{"predictionId": f.Predictions.Nodes[0].ID, "type": "CORRECT", "remark": "Said of " + sensorCode}}}}).SubmitFeedback
	if len(bound.UserErrors) > 0 || len(said.UserErrors) > 0 {
		t.Fatalf("%v %v", bound, said)
	}
	i.sql(t, `INSERT INTO failure_predictions (id, tenant_id, asset_id, model_version_id, failure_prob_7d, confidence_lower_7d, confidence_upper_7d,
			failure_prob_30d, confidence_lower_30d, confidence_upper_30d, health_score, risk_level, top_features)
		SELECT $1, a.tenant_id, a.id, v.id, 0.1, 0.1, 0.2, 0.3, 0.2, 0.4, 60, 'medium', '[{"feature": "alert_count_7d", "value": 1, "contribution": 0.5}]'
		FROM assets a JOIN ml_models m ON m.tenant_id = a.tenant_id AND m.name = 'failure_predictor' JOIN ml_model_versions v ON v.tenant_id = m.tenant_id AND v.model_id = m.id
		WHERE a.id = $2 LIMIT 1`, newID("FailurePrediction"), sensor.Asset.ID)
	i.sql(t, `INSERT INTO asset_health (id, tenant_id, health_score, health_status, method, site_id, asset_id) SELECT $1, tenant_id, 60, 'warning', 'probe', site_id, id FROM assets WHERE id = $2`,
		newID("AssetHealth"), sensor.Asset.ID)
	i.sql(t, `INSERT INTO asset_features (id, tenant_id, asset_id, day, features, feature_schema_hash) SELECT $1, tenant_id, id, current_date - 400, '{"telemetry_coverage_7d": 0.8725}', $3 FROM assets WHERE id = $2`,
		newID("AssetFeatures"), sensor.Asset.ID, daily.SchemaHash())
}
