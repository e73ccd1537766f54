package graph_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/inference/artifact"
	"foresight/internal/drift"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// drifting is the service of drift on the rig's store; no artifact is there.
func (r *rig) drifting(client *ent.Client, queue *jobs.Queue, log *slog.Logger) *drift.Service {
	r.drift = drift.New(drift.Options{App: r.app, Ent: client, Queue: queue, Store: r.store, Bundles: unpacked{}, Trainer: trains{}, Events: r.hub, Log: log})
	r.bulk.List(r.drift.Sort())
	return r.drift
}

type unpacked struct{}

func (unpacked) Bundle(context.Context, string) (*artifact.Bundle, error) {
	return nil, fault.Missing("artifact")
}

// trains begins every training that is asked for.
type trains struct{}

func (t trains) Prepare(ctx context.Context, _, _ id.UUID) (drift.Training, error) {
	return t, tenancy.Require(ctx, tenancy.ModelsWrite)
}

func (trains) Add(context.Context, pgx.Tx) (id.UUID, error) { return id.New(id.TrainingRun), nil }

func (trains) Begun(context.Context) {}

// drifted enters a report on a version, a proposal that rests on it, and a check.
func (r *rig) drifted(p testkit.Plant, user, model, version id.UUID) (report, proposal id.UUID) {
	r.Helper()
	report, proposal = id.New(id.DriftReport), id.New(id.RetrainingProposal)
	r.sql(`INSERT INTO drift_reports (id, tenant_id, model_version_id, window_start, window_end, samples, machines, psi, drifted, label_shift, labels, coverage, telemetry_coverage, out_of_distribution, label_sets, verdict, reasons)
		VALUES ($1, $2, $3, now() - interval '7 days', now(), 2000, 50, '{"motor_DE_vib_band_1_mean": 0.4, "motor_DE_temperature_mean": 0.01}', '["motor_DE_vib_band_1_mean"]',
			0.02, '{"normal": {"share": 0.9, "variance": 0.001}, "cavitation": {"share": 0.1, "variance": 0.001}}', '{"motor_DE_vib_band_1_mean": 1, "motor_DE_temperature_mean": 0.8}',
			0.9, 0.03, '{"level": 0.9, "mean_size": 1.4, "findings": 10, "coverage": 0.8}', 'severe', '["features"]')`, report, p.TenantID, version)
	r.sql(`INSERT INTO retraining_proposals (id, tenant_id, model_id, model_version_id, drift_report_id) VALUES ($1, $2, $3, $4, $5)`, proposal, p.TenantID, model, version, report)
	r.sql(`INSERT INTO drift_checks (id, tenant_id, status, reports, by, finished_at) VALUES ($1, $2, 'succeeded', 1, $3, now())`, id.New(id.DriftCheck), p.TenantID, user)
	return report, proposal
}

// drifts furnishes a tenant with a model that has drifted and a decision of the user.
func (r *rig) drifts(p testkit.Plant, user id.UUID, n int) {
	r.Helper()
	model, v := r.classifier(p, fmt.Sprintf("drifting-%03d", n), 1)
	_, proposal := r.drifted(p, user, model, v[0])
	r.sql(`UPDATE retraining_proposals SET status = 'dismissed', decided_at = now(), decided_by = $3, note = 'n' WHERE tenant_id = $1 AND id = $2`, p.TenantID, proposal, user)
}

func TestDriftInTheGraph(t *testing.T) {
	r := newRig(t)
	model, versions := r.classifier(r.acme, "bearings", 1)
	report, proposal := r.drifted(r.acme, r.acme.Users[tenancy.Engineer], model, versions[0])
	const reports = `{ driftReports(filter: {verdicts: [SEVERE]}) { totalCount nodes { id verdict reasons samples machines driftedFeatures labelShift telemetryCoverage outOfDistribution isReference
		modelVersion { label } features { feature label psi coverage hasDrifted } named: features(driftedOnly: true) { feature } labels { code label share } labelSets { level meanSize findings coverage } } } }`
	got := r.data("acme/viewer", reports, "Accept-Language", "de")
	n := at(got, "driftReports", "nodes", 0)
	if at(got, "driftReports", "totalCount") != 1.0 || at(n, "verdict") != "SEVERE" || at(n, "reasons", 0) != "FEATURES" || at(n, "samples") != 2000.0 || at(n, "machines") != 50.0 ||
		at(n, "modelVersion", "label") != "bearings:1.0.0" || at(n, "driftedFeatures") != 1.0 || at(n, "outOfDistribution") != 0.03 || at(n, "labelSets", "coverage") != 0.8 {
		t.Fatalf("%v", got)
	}
	if at(n, "features", 0, "feature") != "motor_DE_vib_band_1_mean" || at(n, "features", 0, "psi") != 0.4 || at(n, "features", 0, "hasDrifted") != true ||
		at(n, "features", 0, "label") == "motor_DE_vib_band_1_mean" || at(n, "features", 1, "hasDrifted") != false || at(n, "features", 1, "coverage") != 0.8 || at(n, "named", 1) != nil {
		t.Errorf("features %v", at(n, "features"))
	}
	if at(n, "labels", 0, "code") != "normal" || at(n, "labels", 1, "share") != 0.1 || at(n, "labels", 0, "label") != "Normalbetrieb" {
		t.Errorf("labels %v", at(n, "labels"))
	}
	if a := r.ask("acme/viewer", `{ driftReports { nodes { features(first: 0) { feature } } } }`); len(a.Errors) == 0 || a.Errors[0].Extensions["code"] != "BAD_USER_INPUT" {
		t.Errorf("features of none: %s", a.raw)
	}
	node := r.data("acme/viewer", fmt.Sprintf(`{ report: node(id: "%s") { ... on DriftReport { verdict } } proposal: node(id: "%s") { ... on RetrainingProposal { status report { id } model { name automaticRetraining } } } }`, report, proposal))
	if at(node, "report", "verdict") != "SEVERE" || at(node, "proposal", "status") != "OPEN" || at(node, "proposal", "report", "id") != report.String() || at(node, "proposal", "model", "automaticRetraining") != false {
		t.Errorf("nodes %v", node)
	}
	foreign := r.data("globex/admin", fmt.Sprintf(`{ node(id: "%s") { id } other: node(id: "%s") { id } driftReports { totalCount } retrainingProposals { totalCount } }`, report, proposal))
	if fmt.Sprint(foreign) != "map[driftReports:map[totalCount:0] node:<nil> other:<nil> retrainingProposals:map[totalCount:0]]" {
		t.Errorf("globex sees %v", foreign)
	}

	decide := func(actor, field string, in map[string]any) any {
		return r.do(actor, field, "DecideRetrainingInput", "proposal { status note trainingRunId isAutomatic decidedBy { fullName } }", in)
	}
	if a := r.ask("acme/viewer", fmt.Sprintf(`mutation { acceptRetraining(input: {id: "%s"}) { proposal { id } } }`, proposal)); len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "FORBIDDEN" {
		t.Errorf("a viewer: %s", a.raw)
	}
	onlyMistake(t, decide("globex/engineer", "acceptRetraining", map[string]any{"id": proposal}), "NOT_FOUND", "input.id")
	p := decide("acme/engineer", "acceptRetraining", map[string]any{"id": proposal, "note": "new pumps"})
	if at(p, "proposal", "status") != "ACCEPTED" || at(p, "proposal", "note") != "new pumps" || at(p, "proposal", "trainingRunId") == nil || at(p, "proposal", "decidedBy", "fullName") != "engineer" {
		t.Errorf("accepted: %v", p)
	}
	onlyMistake(t, decide("acme/engineer", "dismissRetraining", map[string]any{"id": proposal}), "CONFLICT", "input.id")
	_, second := r.drifted(r.acme, r.acme.Users[tenancy.Engineer], model, versions[0])
	if p := decide("acme/engineer", "dismissRetraining", map[string]any{"id": second}); at(p, "proposal", "status") != "DISMISSED" || at(p, "proposal", "trainingRunId") != nil {
		t.Errorf("dismissed: %v", p)
	}
	if got := r.data("acme/viewer", `{ retrainingProposals(filter: {statuses: [ACCEPTED]}) { totalCount nodes { status modelVersion { label } } } }`); at(got, "retrainingProposals", "totalCount") != 1.0 {
		t.Errorf("accepted ones: %v", got)
	}

	policy := map[string]any{"modelId": model, "automaticRetraining": true}
	if p := r.do("acme/engineer", "setDriftPolicy", "SetDriftPolicyInput", "model { name automaticRetraining }", policy); at(p, "model", "automaticRetraining") != true {
		t.Errorf("policy: %v", p)
	}
	onlyMistake(t, r.do("globex/engineer", "setDriftPolicy", "SetDriftPolicyInput", "model { name }", policy), "NOT_FOUND", "input.modelId")
}

// A check is a job: asked for, refused while it waits, done, and listed among the others.
func TestACheckIsAJob(t *testing.T) {
	r := newRig(t)
	ask := func() any {
		return r.do("acme/engineer", "checkDrift", "CheckDriftInput", "check { id status by { fullName } day done }", map[string]any{})
	}
	first := ask()
	if at(first, "check", "status") != "QUEUED" || at(first, "check", "by", "fullName") != "engineer" || at(first, "check", "day") != nil {
		t.Fatalf("%v", first)
	}
	onlyMistake(t, ask(), "CONFLICT", "")
	r.runs(r.drift.Work)
	j := r.ended("acme/viewer", at(first, "check", "id"), `... on DriftCheck { done failure finishedAt }`, "en")
	if at(j, "status") != "SUCCEEDED" || at(j, "done") != 0.0 || at(j, "finishedAt") == nil {
		t.Errorf("ended: %v", j)
	}
	if got := r.data("acme/viewer", `{ jobs { nodes { id status ... on DriftCheck { day } } } }`); at(got, "jobs", "nodes", 0, "id") != at(first, "check", "id") {
		t.Errorf("jobs %v", got)
	}
	if got := r.data("globex/viewer", `{ jobs { nodes { id } } }`); at(got, "jobs", "nodes", 0) != nil {
		t.Errorf("globex sees %v", got)
	}
	if again := ask(); at(again, "check", "id") == nil || at(again, "check", "id") == at(first, "check", "id") { // it may run already
		t.Errorf("after it has ended: %v", again)
	}
}
