package e2e

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"foresight/inference/artifact"
	"foresight/inference/champion"
)

// A model that XGBoost trained elsewhere is sent, becomes a version, and is deployed:
// predictions of the stream carry its label, in its own tenant alone. People say what they
// think of them, and the figures tell.
func TestAModelFromElsewhereServesTheStream(t *testing.T) {
	i, err := startWith(filepath.Join(work, "uploaded"), nil, "--rate", "0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 60*time.Second)
		defer cancel()
		if err := i.interrupt(ctx); err != nil {
			t.Error(err)
		}
	})
	engineer, operator := i.login(t, alpha, "engineer"), i.login(t, alpha, "operator")
	b, err := artifact.Open(champion.FaultClassifier().Bundle)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := b.JSON()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "model.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	send := func(token string, more ...string) []byte {
		return curl(t, append([]string{i.url + "/uploads/models?name=model.json", "-H", "Authorization: Bearer " + token, "-H", "Content-Type: application/json", "--data-binary", "@" + file}, more...)...)
	}
	if got := string(send(operator, "-s", "-o", os.DevNull, "-w", "%{http_code}")); got != "403" {
		t.Errorf("an operator sends a model: %s", got)
	}
	upload := decode[struct{ ID string }](t, send(engineer, "--fail")).ID

	type model struct{ ID, ServedFeatureSchemaHash string }
	m := get[struct{ CreateModel struct{ Model model } }](t, i, engineer, `mutation { createModel(input: {name: "ours", type: FAULT_CLASSIFICATION}) { model { id servedFeatureSchemaHash } } }`, nil).CreateModel.Model
	type payload struct {
		ModelVersion struct {
			ID, Label, Stage string
			Version          int
		}
		UserErrors []struct{ Field, Message string }
	}
	made := get[struct{ UploadModelVersion payload }](t, i, engineer, `mutation($in: UploadModelVersionInput!) { uploadModelVersion(input: $in) { modelVersion { id label stage version } userErrors { field message } } }`,
		vars{"in": vars{"modelId": m.ID, "files": []any{vars{"uploadId": upload}}, "classes": b.Manifest.Classes, "featureSchemaHash": m.ServedFeatureSchemaHash}}).UploadModelVersion
	if made.ModelVersion.Label != "ours:1.0.0" || made.ModelVersion.Stage != "STAGING" {
		t.Fatalf("%+v", made)
	}
	deployed := get[struct {
		DeployVersion struct {
			Deployment struct{ ID string }
			UserErrors []struct{ Field, Message string }
		}
	}](t, i, engineer, `mutation($v: UUID!) { deployVersion(input: {modelVersionId: $v, stage: PRODUCTION}) { deployment { id } userErrors { field message } } }`, vars{"v": made.ModelVersion.ID}).DeployVersion
	if deployed.Deployment.ID == "" {
		t.Fatalf("%+v", deployed)
	}

	type said struct{ ID, Code, ModelVersion string }
	type list struct{ Predictions struct{ Nodes []said } }
	const ask = `{ predictions(first: 100, filter: {onlyAbnormal: true}) { nodes { id code modelVersion } } }`
	alphas, betas := i.device(t, alpha+".gw-north"), i.device(t, beta+".gw-jubail")
	var ours said
	within(t, 2*time.Minute, "a prediction of the uploaded model", func() bool {
		feed(t, alphas, alpha+"/north-station/sensors/pump-a02-s1", "cavitation", 16)
		for _, p := range get[list](t, i, operator, ask, nil).Predictions.Nodes {
			if p.ModelVersion == "ours:1.0.0" {
				ours = p
			}
		}
		return ours.ID != ""
	})
	var theirs []said
	within(t, 2*time.Minute, "a prediction of the other tenant", func() bool {
		feed(t, betas, beta+"/jubail-plant/sensors/pump-d02-s1", "cavitation", 16)
		theirs = get[list](t, i, i.login(t, beta, "operator"), ask, nil).Predictions.Nodes
		return len(theirs) > 0
	})
	for _, p := range theirs {
		if p.ModelVersion == "ours:1.0.0" {
			t.Errorf("another tenant is served by it: %+v", p)
		}
	}

	type feedback struct {
		Feedback []struct {
			HasFeatures  bool
			ModelVersion struct{ Label string }
		}
		UserErrors []struct{ Field, Message string }
	}
	given := get[struct{ SubmitFeedback feedback }](t, i, operator, `mutation($in: SubmitFeedbackInput!) { submitFeedback(input: $in) { feedback { hasFeatures modelVersion { label } } userErrors { field message } } }`,
		vars{"in": vars{"items": []any{vars{"predictionId": ours.ID, "type": "CORRECT"}}}}).SubmitFeedback
	if len(given.Feedback) != 1 || !given.Feedback[0].HasFeatures || given.Feedback[0].ModelVersion.Label != "ours:1.0.0" {
		t.Fatalf("%+v", given)
	}
	type figures struct {
		FeedbackStats []struct {
			ModelVersion struct{ Label string }
			Total        int
			Precision    *float64
		}
	}
	s := get[figures](t, i, operator, `{ feedbackStats(groupBy: MODEL_VERSION) { modelVersion { label } total precision } }`, nil).FeedbackStats
	if len(s) != 1 || s[0].ModelVersion.Label != "ours:1.0.0" || s[0].Total != 1 || s[0].Precision == nil || *s[0].Precision != 1 {
		t.Errorf("%+v", s)
	}
	counts := get[struct {
		VersionStats []struct {
			Code  string
			Count int
		}
	}](t, i, engineer, `query($v: UUID!) { versionStats(modelVersionId: $v) { code count } }`, vars{"v": made.ModelVersion.ID}).VersionStats
	total := 0
	for _, c := range counts {
		total += c.Count
	}
	if total == 0 {
		t.Errorf("what the version said: %+v", counts)
	}
	// It serves: it cannot be retired.
	refused := get[struct{ ArchiveVersion payload }](t, i, engineer, `mutation($id: UUID!) { archiveVersion(input: {id: $id}) { modelVersion { id } userErrors { field message } } }`, vars{"id": made.ModelVersion.ID}).ArchiveVersion
	if len(refused.UserErrors) != 1 || refused.ModelVersion.ID != "" {
		t.Errorf("%+v", refused)
	}
}
