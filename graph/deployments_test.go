package graph_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/internal/deploy"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// deployments are on the rig's store and hub; every version can be loaded.
func (r *rig) deployments(client *ent.Client, queue *jobs.Queue, log *slog.Logger) *deploy.Service {
	return deploy.New(deploy.Options{App: r.app, Ent: client, Queue: queue, Store: r.store, Gate: open{}, Events: r.hub, Log: log})
}

type open struct{}

func (open) Activate(context.Context, enum.ModelType, deploy.Artifact) error { return nil }

// classifier registers a model of a tenant with versions, the first in production.
func (r *rig) classifier(p testkit.Plant, name string, versions int) (model id.UUID, out []id.UUID) {
	r.Helper()
	model = id.New(id.MLModel)
	r.sql(`INSERT INTO ml_models (id, tenant_id, name, type, feature_schema) VALUES ($1, $2, $3, 'fault_classification', 'f')`, model, p.TenantID, name)
	for i := range versions {
		v := id.New(id.MLModelVersion)
		stage := "staging"
		if i == 0 {
			stage = "production"
		}
		r.sql(`INSERT INTO ml_model_versions (id, tenant_id, model_id, semantic_version, full_version_label, stage, artifact_path, dataset_hash, feature_schema_hash)
			VALUES ($1, $2, $3, $4, $5, $6, 'x', 'd', 'f')`, v, p.TenantID, model, fmt.Sprintf("1.0.%d", i), fmt.Sprintf("%s:1.0.%d", name, i), stage)
		out = append(out, v)
	}
	r.sql(`INSERT INTO ml_model_deployments (id, tenant_id, model_id, model_version_id, deployment_start) VALUES ($1, $2, $3, $4, now() - interval '1 day')`,
		id.New(id.MLModelDeployment), p.TenantID, model, out[0])
	return model, out
}

const deploymentFields = `deployment { id stage percent isProduction startedAt endedAt by { fullName } modelVersion { label stage } rolledBackVersion { label } model { name } }`

func TestDeploymentsInTheGraph(t *testing.T) {
	r := newRig(t)
	model, v := r.classifier(r.acme, "bearings", 4)
	theirs, theirVersions := r.classifier(r.globex, "bearings", 1)
	const watch = `subscription { deployments { deployment { stage percent modelVersion { label } } change decision { verdict reasons { code text } } snapshot resync } }`
	live, other := r.watch("acme/viewer", watch), r.watch("globex/viewer", watch)
	if first := live.next("deployments"); at(first, "snapshot") != true || at(first, "deployment", "modelVersion", "label") != "bearings:1.0.0" || at(first, "change") != nil {
		t.Errorf("begins with %v", first)
	}
	if first := other.next("deployments"); at(first, "snapshot") != true {
		t.Errorf("begins with %v", first)
	}
	deployed := func(actor, field, input string, in map[string]any) any {
		t.Helper()
		d := r.do(actor, field, input, deploymentFields, in)
		if at(d, "userErrors", 0) != nil || at(d, "deployment") == nil {
			t.Fatalf("%s: %v", field, d)
		}
		return at(d, "deployment")
	}
	tells := func(change, stage, label string) any {
		t.Helper()
		n := live.next("deployments")
		if at(n, "change") != change || at(n, "deployment", "stage") != stage || at(n, "deployment", "modelVersion", "label") != label {
			t.Fatalf("told %v, want %s %s %s", n, change, stage, label)
		}
		return n
	}

	in := map[string]any{"modelVersionId": v[1], "stage": "CANARY", "percent": 5, "idempotencyKey": "once"}
	canary := deployed("acme/engineer", "deployVersion", "DeployVersionInput", in)
	if at(canary, "stage") != "CANARY" || at(canary, "percent") != 5.0 || at(canary, "isProduction") != false || at(canary, "by", "fullName") != "engineer" || at(canary, "modelVersion", "stage") != "CANARY" {
		t.Errorf("canary %v", canary)
	}
	tells("OPENED", "CANARY", "bearings:1.0.1")
	if again := deployed("acme/engineer", "deployVersion", "DeployVersionInput", in); at(again, "id") != at(canary, "id") {
		t.Errorf("the same attempt made %v", again)
	}
	if d := deployed("acme/engineer", "setDeploymentPercent", "SetDeploymentPercentInput", map[string]any{"id": at(canary, "id"), "percent": 25}); at(d, "percent") != 25.0 {
		t.Errorf("changed %v", d)
	}
	tells("CHANGED", "CANARY", "bearings:1.0.1")
	if n := tells("DECIDED", "CANARY", "bearings:1.0.1"); at(n, "decision", "verdict") != "PROMOTE" || at(n, "decision", "reasons", 0, "code") != "BY_HAND" || at(n, "decision", "reasons", 0, "text") != "A person changed the share." {
		t.Errorf("told %v", n)
	}
	production := deployed("acme/engineer", "deployVersion", "DeployVersionInput", map[string]any{"modelVersionId": v[1], "stage": "PRODUCTION"})
	if at(production, "isProduction") != true || at(production, "percent") != 100.0 {
		t.Errorf("production %v", production)
	}
	ended := []string{fmt.Sprint(at(live.over(), "deployment", "modelVersion", "label")), fmt.Sprint(at(live.over(), "deployment", "modelVersion", "label"))}
	if slices.Sort(ended); !slices.Equal(ended, []string{"bearings:1.0.0", "bearings:1.0.1"}) {
		t.Errorf("ended %v", ended)
	}
	tells("OPENED", "PRODUCTION", "bearings:1.0.1")
	if d := deployed("acme/engineer", "rollback", "RollbackInput", map[string]any{"modelId": model}); at(d, "modelVersion", "label") != "bearings:1.0.0" || at(d, "rolledBackVersion", "label") != "bearings:1.0.1" {
		t.Errorf("rolled back %v", d)
	}
	tells("ENDED", "PRODUCTION", "bearings:1.0.1")
	tells("OPENED", "PRODUCTION", "bearings:1.0.0")
	shadow := deployed("acme/engineer", "deployVersion", "DeployVersionInput", map[string]any{"modelVersionId": v[2], "stage": "SHADOW"})
	tells("OPENED", "SHADOW", "bearings:1.0.2")
	if d := deployed("acme/engineer", "endDeployment", "EndDeploymentInput", map[string]any{"id": at(shadow, "id")}); at(d, "endedAt") == nil {
		t.Errorf("ended %v", d)
	}
	tells("ENDED", "SHADOW", "bearings:1.0.2")

	// What the caller can mend, and what does not exist for it.
	onlyMistake(t, r.do("acme/engineer", "deployVersion", "DeployVersionInput", deploymentFields, map[string]any{"modelVersionId": v[1], "stage": "PRODUCTION"}), "CONFLICT", "input.modelVersionId")
	onlyMistake(t, r.do("acme/engineer", "deployVersion", "DeployVersionInput", deploymentFields, map[string]any{"modelVersionId": theirVersions[0], "stage": "SHADOW"}), "NOT_FOUND", "input.modelVersionId")
	onlyMistake(t, r.do("acme/engineer", "deployVersion", "DeployVersionInput", deploymentFields, map[string]any{"modelVersionId": v[2], "stage": "SHADOW", "percent": 0}), "BAD_USER_INPUT", "input.percent")
	onlyMistake(t, r.do("acme/engineer", "deployVersion", "DeployVersionInput", deploymentFields,
		map[string]any{"modelVersionId": v[2], "stage": "SHADOW", "expectedDeploymentId": at(canary, "id")}), "CONFLICT", "input.expectedDeploymentId")
	onlyMistake(t, r.do("acme/engineer", "rollback", "RollbackInput", deploymentFields, map[string]any{"modelId": theirs}), "NOT_FOUND", "input.modelId")
	for field, input := range map[string]string{"endDeployment": "EndDeploymentInput", "setDeploymentPercent": "SetDeploymentPercentInput"} {
		in := map[string]any{"id": at(production, "id")}
		if field == "setDeploymentPercent" {
			in["percent"] = 10
		}
		onlyMistake(t, r.do("globex/engineer", field, input, deploymentFields, in), "NOT_FOUND", "input.id")
	}
	if a := r.ask("acme/operator", `mutation($in: DeployVersionInput!) { deployVersion(input: $in) { deployment { id } } }`, "in", map[string]any{"modelVersionId": v[2], "stage": "SHADOW"}); len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "FORBIDDEN" {
		t.Errorf("an operator deployed: %s", a.raw)
	}
	// The first that the other tenant is told is its own.
	own := deployed("globex/engineer", "deployVersion", "DeployVersionInput", map[string]any{"modelVersionId": r.another(r.globex, theirs), "stage": "SHADOW"})
	if n := other.next("deployments"); at(n, "change") != "OPENED" || at(n, "deployment", "stage") != "SHADOW" || at(own, "stage") != "SHADOW" {
		t.Errorf("globex is told %v", n)
	}
	list := at(r.data("acme/viewer", `query($m: UUID) { deployments(modelId: $m) { totalCount nodes { stage percent endedAt } } }`, "m", model), "deployments")
	if at(list, "totalCount") != 5.0 {
		t.Errorf("deployments %v", list)
	}
}

// another makes one more version of a model.
func (r *rig) another(p testkit.Plant, model id.UUID) id.UUID {
	v := id.New(id.MLModelVersion)
	r.sql(`INSERT INTO ml_model_versions (id, tenant_id, model_id, semantic_version, full_version_label, artifact_path, dataset_hash, feature_schema_hash)
		VALUES ($1, $2, $3, '9.0.0', $4, 'x', 'd', 'f')`, v, p.TenantID, model, "another:"+v.String())
	return v
}

// over is the next news, which must be that a deployment ended.
func (l *live) over() any {
	l.Helper()
	n := l.next("deployments")
	if at(n, "change") != "ENDED" {
		l.Fatalf("told %v", n)
	}
	return n
}

func TestBindingsInTheGraph(t *testing.T) {
	r := newRig(t)
	_, v := r.classifier(r.acme, "bearings", 2)
	const fields = `binding { id assetId asset { code } model { name } modelVersion { label } stage percent startedAt endedAt isActive by { fullName } }`
	bound := r.do("acme/engineer", "bindAsset", "BindAssetInput", fields, map[string]any{"assetId": r.acme.AssetID, "modelVersionId": v[1], "stage": "CANARY", "percent": 40})
	b := at(bound, "binding")
	if at(b, "asset", "code") != testkit.AssetCode || at(b, "stage") != "CANARY" || at(b, "percent") != 40.0 || at(b, "isActive") != true || at(b, "by", "fullName") != "engineer" {
		t.Errorf("bound %v", bound)
	}
	onlyMistake(t, r.do("acme/engineer", "bindAsset", "BindAssetInput", fields, map[string]any{"assetId": r.globex.AssetID, "modelVersionId": v[1], "stage": "SHADOW"}), "NOT_FOUND", "input.assetId")
	onlyMistake(t, r.do("globex/engineer", "unbindAsset", "UnbindAssetInput", fields, map[string]any{"id": at(b, "id")}), "NOT_FOUND", "input.id")
	const list = `query($a: UUID) { assetModelBindings(assetId: $a) { totalCount nodes { id stage } } }`
	if l := at(r.data("acme/viewer", list, "a", r.acme.AssetID), "assetModelBindings"); at(l, "totalCount") != 1.0 || at(l, "nodes", 0, "id") != at(b, "id") {
		t.Errorf("bindings %v", l)
	}
	if l := at(r.data("globex/viewer", list, "a", r.acme.AssetID), "assetModelBindings"); at(l, "totalCount") != 0.0 {
		t.Errorf("globex sees %v", l)
	}
	if un := r.do("acme/engineer", "unbindAsset", "UnbindAssetInput", fields, map[string]any{"id": at(b, "id")}); at(un, "binding", "isActive") != false || at(un, "binding", "endedAt") == nil {
		t.Errorf("unbound %v", un)
	}
	if l := at(r.data("acme/viewer", list), "assetModelBindings"); at(l, "totalCount") != 0.0 {
		t.Errorf("bindings %v", l)
	}
}

func TestApprovalInTheGraph(t *testing.T) {
	r := newRig(t)
	_, v := r.classifier(r.acme, "bearings", 3)
	const fields = `request { id status note answer stage percent requestedBy { fullName } requestedAt decidedBy { fullName } decidedAt model { name } modelVersion { label } deployment { id stage } }`
	ask := func(version id.UUID) any {
		return at(r.do("acme/engineer", "requestDeployment", "RequestDeploymentInput", fields, map[string]any{"modelVersionId": version, "stage": "PRODUCTION", "note": "Better."}), "request")
	}
	q := ask(v[1])
	if at(q, "status") != "PENDING" || at(q, "requestedBy", "fullName") != "engineer" || at(q, "note") != "Better." || at(q, "decidedBy") != nil {
		t.Errorf("asked %v", q)
	}
	if a := r.ask("acme/engineer", `mutation($in: DecideDeploymentInput!) { approveDeployment(input: $in) { request { id } } }`, "in", map[string]any{"id": at(q, "id")}, "Accept-Language", "de"); len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "FORBIDDEN" {
		t.Errorf("approved by who asked: %s", a.raw)
	}
	onlyMistake(t, r.do("globex/admin", "approveDeployment", "DecideDeploymentInput", fields, map[string]any{"id": at(q, "id")}), "NOT_FOUND", "input.id")
	done := at(r.do("acme/admin", "approveDeployment", "DecideDeploymentInput", fields, map[string]any{"id": at(q, "id"), "answer": "Go."}), "request")
	if at(done, "status") != "APPROVED" || at(done, "deployment", "stage") != "PRODUCTION" || at(done, "decidedBy", "fullName") != "admin" || at(done, "answer") != "Go." {
		t.Errorf("approved %v", done)
	}
	second := ask(v[2])
	if no := at(r.do("acme/admin", "rejectDeployment", "DecideDeploymentInput", fields, map[string]any{"id": at(second, "id")}), "request"); at(no, "status") != "REJECTED" || at(no, "deployment") != nil {
		t.Errorf("rejected %v", no)
	}
	const list = `query($s: DeploymentRequestStatus) { deploymentRequests(status: $s) { totalCount nodes { id } } }`
	if l := at(r.data("acme/viewer", list, "s", "APPROVED"), "deploymentRequests"); at(l, "totalCount") != 1.0 || at(l, "nodes", 0, "id") != at(q, "id") {
		t.Errorf("approved %v", l)
	}
	if l := at(r.data("globex/viewer", list), "deploymentRequests"); at(l, "totalCount") != 0.0 {
		t.Errorf("globex sees %v", l)
	}
}

func TestPoliciesAndDecisionsInTheGraph(t *testing.T) {
	r := newRig(t)
	model, v := r.classifier(r.acme, "bearings", 2)
	const fields = `policy { model { name } autoPromote autoRollback selfApproval minHours minPredictions maxAlarmRatio minPrecision minFeedback maxDrift watchHours steps version updatedAt updatedBy { fullName } }`
	const ask = `query($m: UUID!) { deploymentPolicy(modelId: $m) { version steps } }`
	if p := r.data("acme/viewer", ask, "m", model); at(p, "deploymentPolicy") != nil {
		t.Errorf("a policy from nothing: %v", p)
	}
	set := at(r.do("acme/engineer", "setDeploymentPolicy", "SetDeploymentPolicyInput", fields, map[string]any{"modelId": model, "autoRollback": true}), "policy")
	if at(set, "autoRollback") != true || at(set, "autoPromote") != false || at(set, "minHours") != 24.0 || at(set, "maxDrift") != "MODERATE" || at(set, "steps", 1) != 25.0 || at(set, "version") != 1.0 || at(set, "updatedBy", "fullName") != "engineer" {
		t.Errorf("set %v", set)
	}
	onlyMistake(t, r.do("acme/engineer", "setDeploymentPolicy", "SetDeploymentPolicyInput", fields, map[string]any{"modelId": model, "expectedVersion": 7}), "CONFLICT", "input.expectedVersion")
	onlyMistake(t, r.do("acme/engineer", "setDeploymentPolicy", "SetDeploymentPolicyInput", fields, map[string]any{"modelId": model, "expectedVersion": 1, "steps": []int{50}}), "BAD_USER_INPUT", "input.steps")
	onlyMistake(t, r.do("globex/engineer", "setDeploymentPolicy", "SetDeploymentPolicyInput", fields, map[string]any{"modelId": model}), "NOT_FOUND", "input.modelId")

	r.do("acme/engineer", "deployVersion", "DeployVersionInput", deploymentFields, map[string]any{"modelVersionId": v[1], "stage": "CANARY", "percent": 5})
	r.ok(r.options.Resolver.Deployments.Evaluate(tenancy.AsSystem(t.Context(), r.acme.TenantID), model))
	const list = `query($m: UUID) { deploymentDecisions(modelId: $m) { totalCount nodes { id verdict isCarriedOut reasons { code text value limit } hours candidate { predictions abnormal alarms alarmRate meanProbability judged right precision } baseline { predictions }
		percentBefore percentAfter by { fullName } madeAt seenAt deployment { stage } modelVersion { label } model { name } } } }`
	d := at(r.data("acme/viewer", list, "m", model, "Accept-Language", "de"), "deploymentDecisions", "nodes", 0)
	if at(d, "verdict") != "HOLD" || at(d, "isCarriedOut") != false || at(d, "reasons", 0, "code") != "NO_BASELINE" || at(d, "percentAfter") != 5.0 || at(d, "candidate", "precision") != nil ||
		at(d, "reasons", 1, "text") == at(d, "reasons", 1, "code") || at(d, "reasons", 0, "text") != "Die Version in Produktion hat keine Vorhersagen zum Vergleich gemacht." {
		t.Errorf("decided %v", d)
	}
	if l := at(r.data("globex/viewer", list), "deploymentDecisions"); at(l, "totalCount") != 0.0 {
		t.Errorf("globex sees %v", l)
	}
	const compare = `query($c: UUID!, $f: Time) { deploymentComparison(candidateId: $c, from: $f) { from to candidate { modelVersion { label } measures { predictions } labels { code count meanProbability } drift } baseline { modelVersion { label } measures { predictions } } shadow { measures { predictions } } agreement { pairs agreed share isPartial disagreements { shadow serving count } } } }`
	c := at(r.data("acme/viewer", compare, "c", v[1]), "deploymentComparison")
	if at(c, "candidate", "modelVersion", "label") != "bearings:1.0.1" || at(c, "baseline", "modelVersion", "label") != "bearings:1.0.0" || at(c, "shadow") != nil {
		t.Errorf("compared %v", c)
	}
	for actor, in := range map[string][]any{"globex/viewer": {"c", v[1]}, "acme/viewer": {"c", v[1], "f", time.Now().Add(time.Hour)}} {
		if a := r.ask(actor, compare, in...); len(a.Errors) != 1 || a.Errors[0].Extensions["code"] == "INTERNAL" {
			t.Errorf("%s: %s", actor, a.raw)
		}
	}
}

// deployment furnishes a tenant with a model that is deployed, bound, asked for, judged
// and has a policy, all by the user.
func (r *rig) deployment(p testkit.Plant, user id.UUID, n int) {
	r.Helper()
	model, v := r.classifier(p, fmt.Sprintf("model-%03d", n), 2)
	var deployment id.UUID
	r.ok(r.owner.QueryRow(r.Context(), `SELECT id FROM ml_model_deployments WHERE tenant_id = $1 AND model_id = $2`, p.TenantID, model).Scan(&deployment))
	r.sql(`UPDATE ml_model_deployments SET deployed_by = $3, rollback_from_version_id = $4 WHERE tenant_id = $1 AND id = $2`, p.TenantID, deployment, user, v[1])
	r.sql(`INSERT INTO asset_model_versions (id, tenant_id, asset_id, model_id, model_version_id, stage, deployed_by) VALUES ($1, $2, $3, $4, $5, 'canary', $6)`,
		id.New(id.AssetModelVersion), p.TenantID, p.AssetID, model, v[1], user)
	r.sql(`INSERT INTO deployment_requests (id, tenant_id, model_id, model_version_id, stage, traffic_percent, status, requested_by, requested_at, decided_by, decided_at, deployment_id)
		VALUES ($1, $2, $3, $4, 'production', 100, 'approved', $5, now(), $5, now(), $6)`, id.New(id.DeploymentRequest), p.TenantID, model, v[1], user, deployment)
	r.sql(`INSERT INTO deployment_decisions (id, tenant_id, model_id, model_version_id, deployment_id, verdict, acted, reasons, measures, percent_before, percent_after, decided_by, made_at, seen_at)
		VALUES ($1, $2, $3, $4, $5, 'hold', false, '[{"code": "young", "value": 1, "limit": 24}]', '{"hours": 1}', 5, 5, $6, now(), now())`,
		id.New(id.DeploymentDecision), p.TenantID, model, v[1], deployment, user)
	r.sql(`INSERT INTO deployment_policies (tenant_id, model_id, auto_promote, auto_rollback, self_approval, min_hours, min_predictions, max_alarm_ratio, min_precision, min_feedback, max_drift, watch_hours, steps, updated_at, updated_by)
		VALUES ($1, $2, false, false, false, 1, 1, 1, 0, 0, 'stable', 1, '{100}', now(), $3)`, p.TenantID, model, user)
}
