package graph_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/inference"
	"foresight/inference/artifact"
	"foresight/inference/champion"
	"foresight/inference/features"
	"foresight/inference/modeltest"
	"foresight/internal/artifacts"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// sibling enters another version of a version's model.
func (r *rig) sibling(of string) string {
	r.Helper()
	v := id.New(id.MLModelVersion)
	r.sql(`INSERT INTO ml_model_versions (id, tenant_id, model_id, semantic_version, full_version_label, artifact_path, feature_schema_hash, dataset_hash)
		SELECT $1, tenant_id, model_id, '9.0.0', full_version_label || '-sibling', 'x', 'x', 'x' FROM ml_model_versions WHERE id = $2`, v, of)
	return v.String()
}

// feedback enters what a person said of a prediction that is no longer kept.
func (r *rig) feedback(p testkit.Plant, by id.UUID) {
	r.Helper()
	r.sql(`INSERT INTO feedback (id, tenant_id, site_id, asset_id, sensor_id, model_version_id, prediction_id, predicted_label, probability, new_label, feedback_type, "by")
		SELECT $1, $2, $3, $4, $5, v.id, $6, 'cavitation', 0.75, 'cavitation', 'correct', $7 FROM ml_model_versions v WHERE v.tenant_id = $2 ORDER BY v.id LIMIT 1`,
		id.New(id.Feedback), p.TenantID, p.SiteID, p.AssetID, p.SensorIDs[0], id.New(id.Prediction), by)
}

// elsewhere is a model that XGBoost trained somewhere else, and its classes.
func elsewhere() (raw []byte, classes []string) {
	return modeltest.JSON(), modeltest.Open().Manifest.Classes
}

// sent uploads a model file as the actor.
func (r *rig) sent(actor string, content []byte) id.UUID {
	r.Helper()
	u, err := r.bulk.UploadModel(tenancy.With(r.Context(), r.actor(actor)), "model.json", bytes.NewReader(content))
	r.ok(err)
	return u.ID
}

const (
	modelFields   = `model { id name type description featureSchemaHash servedFeatureSchemaHash versions { label } }`
	versionFields = `modelVersion { id label semanticVersion stage classes decisionThreshold artifactHash datasetHash version model { name } metrics { name value }
		card { bytes xgboostVersion boosters { horizonDays featureCount rounds temperature calibration coverages detectsOutOfDistribution goldenRowCount goldenBy goldenTolerance } } }`
)

// A model that was trained elsewhere is uploaded, becomes a version, is deployed, and
// predictions carry its label.
func TestAModelFromElsewhereServes(t *testing.T) {
	r := newRig(t)
	const engineer = "acme/engineer"
	got := r.do(engineer, "createModel", "CreateModelInput", modelFields, map[string]any{"name": "pumps", "type": "FAULT_CLASSIFICATION", "description": "Ours."})
	schema := at(got, "model", "servedFeatureSchemaHash")
	if at(got, "model", "name") != "pumps" || schema != features.SchemaHash() || at(got, "model", "featureSchemaHash") != schema {
		t.Fatalf("%v", got)
	}
	model := at(got, "model", "id")
	onlyMistake(t, r.do(engineer, "createModel", "CreateModelInput", modelFields, map[string]any{"name": "pumps", "type": "FAULT_CLASSIFICATION"}), "CONFLICT", "input.name")
	raw, classes := elsewhere()
	upload := func(actor string, content []byte, change func(in map[string]any)) any {
		in := map[string]any{"modelId": model, "files": []any{map[string]any{"uploadId": r.sent(actor, content)}}, "classes": classes, "featureSchemaHash": schema}
		if change != nil {
			change(in)
		}
		return r.do(actor, "uploadModelVersion", "UploadModelVersionInput", versionFields, in)
	}
	onlyMistake(t, upload(engineer, raw[:1000], nil), "BAD_USER_INPUT", "input.files")
	onlyMistake(t, upload(engineer, raw, func(in map[string]any) { in["classes"] = classes[1:] }), "BAD_USER_INPUT", "input.classes")
	onlyMistake(t, upload("globex/admin", raw, nil), "NOT_FOUND", "input.modelId")
	// Another tenant's upload does not exist.
	foreign := r.sent("globex/admin", raw)
	onlyMistake(t, upload(engineer, raw, func(in map[string]any) { in["files"] = []any{map[string]any{"uploadId": foreign}} }), "NOT_FOUND", "input.files.0.uploadId")
	got = upload(engineer, raw, nil)
	v := at(got, "modelVersion")
	if at(v, "label") != "pumps:1.0.0" || at(v, "stage") != "STAGING" || at(v, "model", "name") != "pumps" || at(v, "datasetHash") != nil || len(at(v, "classes").([]any)) != 34 ||
		at(v, "card", "boosters", 0, "goldenBy") != "leaves" || at(v, "card", "boosters", 0, "featureCount") != 336.0 || at(v, "card", "boosters", 0, "horizonDays") != nil ||
		at(v, "card", "boosters", 0, "goldenTolerance") != 1e-5 || at(v, "card", "xgboostVersion") != nil || at(v, "card", "bytes").(float64) < 10_000 {
		t.Fatalf("%v", got)
	}
	version := at(v, "id").(string)
	onlyMistake(t, upload(engineer, raw, nil), "CONFLICT", "")

	// It serves.
	which, err := id.Parse(version)
	r.ok(err)
	registry, err := inference.NewRegistry(inference.RegistryConfig{}, serving{inference.Version{ID: which, Tenant: r.acme.TenantID, Label: "pumps:1.0.0", Artifact: at(v, "artifactHash").(string)}},
		artifacts.New(r.files), prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	r.ok(err)
	r.ok(registry.Refresh(t.Context()))
	service, err := inference.NewService(inference.ServiceConfig{LoadWait: testkit.Patience}, registry, prometheus.NewRegistry())
	r.ok(err)
	r.options.Resolver.Faults = service
	given := make([]any, features.Count)
	for i := range given {
		given[i] = float64(i % 7)
	}
	ask := map[string]any{"windows": []any{map[string]any{"features": given}}}
	if p := r.do("acme/viewer", "predictFault", "PredictFaultInput", "estimates { modelVersion code }", ask); at(p, "estimates", 0, "modelVersion") != "pumps:1.0.0" {
		t.Errorf("%v", p)
	}
	if p := r.do("globex/viewer", "predictFault", "PredictFaultInput", "estimates { modelVersion }", ask); at(p, "estimates", 0, "modelVersion") == "pumps:1.0.0" {
		t.Errorf("another tenant's: %v", p)
	}

	// As long as it is deployed it cannot be archived.
	r.sql(`INSERT INTO ml_model_deployments (id, tenant_id, model_id, model_version_id) VALUES ($1, $2, $3, $4)`, id.New(id.MLModelDeployment), r.acme.TenantID, model, version)
	archive := func(actor string) any {
		return r.do(actor, "archiveVersion", "ArchiveVersionInput", `modelVersion { stage }`, map[string]any{"id": version})
	}
	onlyMistake(t, archive(engineer), "CONFLICT", "input.id")
	onlyMistake(t, archive("globex/admin"), "NOT_FOUND", "input.id")
	r.sql(`UPDATE ml_model_deployments SET deployment_end = now()`)
	if got := archive(engineer); at(got, "modelVersion", "stage") != "ARCHIVED" {
		t.Errorf("%v", got)
	}
	// What was archived can be deleted, and is still named by what refers to it.
	remove := func(actor string) any {
		return r.do(actor, "deleteVersion", "DeleteVersionInput", `modelVersion { label }`, map[string]any{"id": version})
	}
	onlyMistake(t, remove("globex/admin"), "NOT_FOUND", "input.id")
	if got := remove(engineer); at(got, "modelVersion", "label") != "pumps:1.0.0" {
		t.Errorf("%v", got)
	}
	onlyMistake(t, remove(engineer), "NOT_FOUND", "input.id")
	if got := r.data(engineer, `{ deployments(first: 1) { nodes { modelVersion { label } } } }`); at(got, "deployments", "nodes", 0, "modelVersion", "label") != "pumps:1.0.0" {
		t.Errorf("%v", got)
	}
	// An attempt that is repeated makes nothing twice.
	in := map[string]any{"name": "fans", "type": "FAILURE_PREDICTION", "idempotencyKey": "k"}
	a, b := r.do(engineer, "createModel", "CreateModelInput", modelFields, in), r.do(engineer, "createModel", "CreateModelInput", modelFields, in)
	if at(a, "model", "id") == nil || at(a, "model", "id") != at(b, "model", "id") {
		t.Errorf("%v and %v", a, b)
	}
}

// serving assigns one version to its tenant.
type serving struct{ v inference.Version }

func (s serving) Assignments(context.Context) (inference.Assignments, error) {
	return inference.Assignments{{Kind: artifact.FaultClassifier, Tenant: s.v.Tenant}: {Production: s.v}}, nil
}

// tried enters the version that ships, and stores predictions that it made of real windows.
func (r *rig) tried(p testkit.Plant, n int) (version id.UUID, said []telemetry.FaultPrediction) {
	r.Helper()
	version = id.New(id.MLModelVersion)
	model := id.New(id.MLModel)
	r.sql(`INSERT INTO ml_models (id, tenant_id, name, type, feature_schema) VALUES ($1, $2, 'fault_classifier', 'fault_classification', $3)`, model, p.TenantID, features.SchemaHash())
	r.sql(`INSERT INTO ml_model_versions (id, tenant_id, model_id, semantic_version, full_version_label, stage, artifact_path, feature_schema_hash, dataset_hash, classes, metrics)
		VALUES ($1, $2, $3, '1.0.0', 'fault_classifier:1.0.0', 'production', $4, $5, 'x', '["normal", "cavitation"]', '{"f1": 0.9, "accuracy": 0.8}')`,
		version, p.TenantID, model, champion.FaultClassifier().Hash(), features.SchemaHash())
	for i := range n {
		one, _ := r.judged(p, i+1)
		said = append(said, one)
	}
	return version, said
}

func TestFeedbackInTheGraph(t *testing.T) {
	r := newRig(t)
	version, said := r.tried(r.acme, 2)
	const fields = `feedback { id type predictionId prediction { id code } role predictedCode predictedLabel code label remark probability hasFeatures modelVersion { label } asset { code } siteId sensorId by { fullName } at }`
	submit := func(actor string, items ...any) any {
		return r.do(actor, "submitFeedback", "SubmitFeedbackInput", fields, map[string]any{"items": items})
	}
	item := func(p telemetry.FaultPrediction, kind string, more ...any) map[string]any {
		m := map[string]any{"predictionId": p.ID, "type": kind}
		for i := 0; i < len(more); i += 2 {
			m[more[i].(string)] = more[i+1]
		}
		return m
	}
	own := map[string]any{"family": "OTHER", "labels": []any{map[string]any{"language": "en", "label": "Gear wear"}, map[string]any{"language": "de", "label": "Zahnverschleiß"}}}
	onlyMistake(t, submit("acme/operator", item(said[0], "NEW_FAULT", "code", "gear_wear", "faultType", own)), "BAD_USER_INPUT", "input.items.0.faultType")
	onlyMistake(t, submit("globex/operator", item(said[0], "CORRECT")), "NOT_FOUND", "input.items.0.predictionId")
	if a := r.ask("acme/viewer", `mutation($in: SubmitFeedbackInput!) { submitFeedback(input: $in) { userErrors { code } } }`, "in", map[string]any{"items": []any{item(said[0], "CORRECT")}}); len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "FORBIDDEN" {
		t.Errorf("by a viewer: %s", a.raw)
	}
	got := submit("acme/operator", item(said[0], "CORRECT", "remark", "heard it"), item(said[1], "CORRECTION", "code", "bent_shaft"))
	f := at(got, "feedback", 0)
	if at(f, "type") != "CORRECT" || at(f, "prediction", "id") != said[0].ID.String() || at(f, "code") != said[0].Label || at(f, "remark") != "heard it" || at(f, "role") != "PRODUCTION" || at(f, "hasFeatures") != true ||
		at(f, "modelVersion", "label") != "fault_classifier:1.0.0" || at(f, "asset", "code") != "m-001" || at(f, "by", "fullName") != "operator" || at(f, "probability") != 0.75 {
		t.Fatalf("%v", got)
	}
	if second := at(got, "feedback", 1); at(second, "code") != "bent_shaft" || at(second, "label") == "bent_shaft" || at(second, "type") != "CORRECTION" {
		t.Errorf("%v", second)
	}
	if n := r.data("acme/viewer", `query($id: UUID!) { node(id: $id) { ... on Feedback { code } } }`, "id", at(f, "id")); at(n, "node", "code") != said[0].Label {
		t.Errorf("%v", n)
	}
	// The engineer disagrees, and names a fault of their own.
	got = submit("acme/engineer", item(said[0], "NEW_FAULT", "code", "gear_wear", "faultType", own))
	if at(got, "feedback", 0, "code") != "gear_wear" || at(got, "feedback", 0, "label") != "Gear wear" {
		t.Fatalf("%v", got)
	}
	if types := r.data("acme/viewer", `{ faultTypes(first: 100) { nodes { code label isBuiltIn } } }`, "Accept-Language", "de"); !hasNode(at(types, "faultTypes", "nodes"), "label", "Zahnverschleiß") {
		t.Errorf("%v", types)
	}
	made := r.do("acme/engineer", "createFaultType", "CreateFaultTypeInput", `faultType { code label family defaultSeverity isBuiltIn }`, map[string]any{"code": "leak", "faultType": own})
	if at(made, "faultType", "label") != "Gear wear" || at(made, "faultType", "isBuiltIn") != false || at(made, "faultType", "defaultSeverity") != "MEDIUM" {
		t.Errorf("%v", made)
	}
	onlyMistake(t, r.do("acme/engineer", "createFaultType", "CreateFaultTypeInput", `faultType { code }`, map[string]any{"code": "cavitation", "faultType": own}), "CONFLICT", "input.code")

	const stats = `query($f: FeedbackFilter, $by: FeedbackGrouping!) { feedbackStats(filter: $f, groupBy: $by) { model { name } modelVersion { label } asset { code } predictedCode predictedLabel from total correct corrections newFaults falsePositives judgedAlarming precision } }`
	all := r.data("acme/viewer", stats, "by", "ALL")
	if s := at(all, "feedbackStats", 0); at(s, "total") != 3.0 || at(s, "correct") != 1.0 || at(s, "corrections") != 1.0 || at(s, "newFaults") != 1.0 || at(s, "model") != nil {
		t.Errorf("%v", all)
	}
	for by, path := range map[string][]any{"MODEL": {"model", "name"}, "MODEL_VERSION": {"modelVersion", "label"}, "ASSET": {"asset", "code"}, "PREDICTED_CODE": {"predictedLabel"}, "DAY": {"from"}, "WEEK": {"from"}, "MONTH": {"from"}} {
		if s := r.data("acme/viewer", stats, "by", by); at(at(s, "feedbackStats", 0), path...) == nil {
			t.Errorf("by %s: %v", by, s)
		}
	}
	list := r.data("acme/viewer", `{ feedback(first: 2, filter: {types: [CORRECT, NEW_FAULT]}) { totalCount nodes { type code } } }`)
	if at(list, "feedback", "totalCount") != 2.0 || at(list, "feedback", "nodes", 0, "type") != "NEW_FAULT" {
		t.Errorf("%v", list)
	}
	if other := r.data("globex/admin", stats+` `, "by", "ALL"); len(at(other, "feedbackStats").([]any)) != 0 {
		t.Errorf("another tenant: %v", other)
	}

	// What the version said, and beside another one.
	r.sql(`UPDATE predictions SET model_version_id = $1 WHERE tenant_id = $2`, version, r.acme.TenantID)
	counts := r.data("acme/viewer", `query($v: UUID!) { versionStats(modelVersionId: $v) { day role code label count meanProbability } }`, "v", version)
	if c := at(counts, "versionStats", 0); at(c, "role") != "PRODUCTION" || at(c, "meanProbability") != 0.75 || at(c, "count").(float64) < 1 {
		t.Errorf("%v", counts)
	}
	sibling := r.sibling(version.String())
	beside := r.data("acme/viewer", `query($ids: [UUID!]!) { compareVersions(ids: $ids) { versions { label } metrics { name values } feedback { total precision modelVersion { label } } } }`, "ids", []any{sibling, version})
	if c := at(beside, "compareVersions"); fmt.Sprint(at(c, "metrics", 0)) != "map[name:accuracy values:[<nil> 0.8]]" || at(c, "feedback", 0, "total") != 0.0 || at(c, "feedback", 1, "total") != 3.0 ||
		at(c, "feedback", 1, "modelVersion", "label") != "fault_classifier:1.0.0" {
		t.Errorf("%v", beside)
	}
	if a := r.ask("globex/admin", `query($v: UUID!) { versionStats(modelVersionId: $v) { count } }`, "v", version); len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "NOT_FOUND" {
		t.Errorf("another tenant: %s", a.raw)
	}
	// An attempt that is repeated says nothing twice.
	in := map[string]any{"idempotencyKey": "k", "items": []any{item(said[1], "CORRECTION", "code", "bent_shaft")}}
	before := time.Now()
	for range 2 {
		if got := r.do("acme/operator", "submitFeedback", "SubmitFeedbackInput", `feedback { id }`, in); len(at(got, "userErrors").([]any)) != 0 {
			t.Errorf("%v", got)
		}
	}
	if n := r.count(`SELECT count(*) FROM audit_logs WHERE tenant_id = $1 AND entity = 'Feedback' AND action = 'create' AND at >= $2`, r.acme.TenantID, before.Add(-time.Second)); n < 1 {
		t.Errorf("%d entries", n)
	}
}

func hasNode(nodes any, field, want string) bool {
	list, _ := nodes.([]any)
	for _, n := range list {
		if at(n, field) == want {
			return true
		}
	}
	return false
}
