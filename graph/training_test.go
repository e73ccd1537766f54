package graph_test

import (
	"context"
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/inference/artifact"
	"foresight/inference/champion"
	"foresight/internal/artifacts"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/modelops"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
	"foresight/internal/training"
)

// register is what internal/app makes of the register of versions.
type register struct{ *modelops.Versions }

// Register implements training.Versions.
func (r register) Register(ctx context.Context, c training.Candidate) (*ent.MLModelVersion, error) {
	return r.Versions.Register(ctx, modelops.NewVersion{Model: c.Model, Bundle: c.Bundle, DatasetHash: c.DatasetHash, TrainingRun: c.Run})
}

// training is on the rig's store. Its trainer is there, and never runs.
func (r *rig) training(orm *sql.DB, client *ent.Client, queue *jobs.Queue, log *slog.Logger) *training.Service {
	r.Helper()
	path := filepath.Join(r.TempDir(), training.TrainerName)
	r.ok(os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700))
	kept := artifacts.New(r.files)
	return training.New(training.Options{ORM: client, App: r.app, Queue: queue, Jobs: r.bulk, Store: r.store, Files: r.files, Artifacts: kept, Versions: register{modelops.NewVersions(orm, kept, nil)},
		Trainer: &training.Trainer{Path: path}, Dir: r.TempDir(), Log: log})
}

// trainingRun enters a run that has ended, of some model.
func (r *rig) trainingRun(p testkit.Plant, by id.UUID) {
	r.Helper()
	r.sql(`INSERT INTO training_runs (id, tenant_id, model_id, source, status, request, outcome, metrics, error, started_at, ended_at, created_by)
		SELECT $1, $2, m.id, 'history', 'failed', jsonb_build_object('base_version_id', (SELECT v.id FROM ml_model_versions v WHERE v.tenant_id = $2 ORDER BY v.id LIMIT 1)),
			'{"seconds": 1.5, "boosters": [{"classes": ["normal"], "rows": {"train": 3}, "groups": {"train": 2}, "confusion": [[1]], "per_class": [{"class": "normal"}, {"class": "fails"}], "reliability": [{"rows": 1}], "importance": [{"feature": "x"}]}]}',
			'{"test": {"f1": 0.5}}', '{"kind": "UNAVAILABLE", "key": "error.job.lost"}', now(), now(), $3 FROM ml_models m WHERE m.tenant_id = $2 ORDER BY m.id LIMIT 1`,
		id.New(id.TrainingRun), p.TenantID, by)
}

// anyRun is a run of a tenant.
func (r *rig) anyRun(p testkit.Plant) (which string) {
	r.Helper()
	r.ok(r.owner.QueryRow(r.Context(), `SELECT min(id::text) FROM training_runs WHERE tenant_id = $1`, p.TenantID).Scan(&which))
	return which
}

// shipped gives acme the fault classifier that ships.
func (r *rig) shipped() id.UUID {
	r.Helper()
	c := champion.FaultClassifier()
	b, err := artifact.Open(c.Bundle)
	r.ok(err)
	m := &b.Manifest
	client := r.options.Resolver.Training.ORM
	r.ok(modelops.EnsureChampion(r.Context(), client, r.acme.TenantID, modelops.Champion{Model: "shipped", Type: enum.ModelFaultClassification, Version: m.Version,
		Artifact: c.Hash(), FeatureSchemaHash: m.FeatureSchemaHash, DatasetHash: m.Training.DatasetHash, Threshold: 0.5, Classes: m.Classes}))
	var model id.UUID
	r.ok(r.owner.QueryRow(r.Context(), `SELECT id FROM ml_models WHERE tenant_id = $1 AND name = 'shipped'`, r.acme.TenantID).Scan(&model))
	return model
}

// A training from the mutation to its end before its time, by the graph alone.
func TestTrainingsInTheGraph(t *testing.T) {
	r := newRig(t)
	model := r.shipped()
	const engineer = "acme/engineer"
	const fields = `trainingRun { id status source isScheduled driftReport { id } feedbackWeight heldOut rows feedbackRows datasetHash log boosters { rounds } metrics { split } newClasses seconds peakMemory
		model { name } baseVersion { stage } modelVersion { id } by { fullName } parameters { rounds maxDepth eta seed } }`
	input := map[string]any{"modelId": model, "source": "SIMULATOR", "simulator": map[string]any{"faultMachines": 10, "normalMachines": 10, "windows": 1},
		"parameters": map[string]any{"maxDepth": 3, "seed": 7}}
	begun := r.do(engineer, "startTraining", "StartTrainingInput", fields, input)
	run := at(begun, "trainingRun")
	if at(run, "status") != "QUEUED" || at(run, "source") != "SIMULATOR" || at(run, "isScheduled") != false || at(run, "driftReport") != nil || at(run, "by", "fullName") != "engineer" || at(run, "model", "name") != "shipped" ||
		at(run, "baseVersion", "stage") != "PRODUCTION" || at(run, "modelVersion") != nil || at(run, "log") != nil || at(run, "seconds") != nil || at(run, "feedbackWeight") != 3.0 ||
		at(run, "parameters", "maxDepth") != 3.0 || at(run, "parameters", "seed") != 7.0 || at(run, "parameters", "rounds").(float64) < 10 {
		t.Fatalf("%v", begun)
	}
	onlyMistake(t, r.do(engineer, "startTraining", "StartTrainingInput", fields, input), "CONFLICT", "input.modelId")
	onlyMistake(t, r.do("globex/engineer", "cancelTraining", "CancelTrainingInput", fields, map[string]any{"id": at(run, "id")}), "NOT_FOUND", "input.id")
	if got := r.data("acme/viewer", `query($id: UUID!) { trainingRun(id: $id) { status } trainingRuns { totalCount nodes { id } } jobs { nodes { __typename id } } }`, "id", at(run, "id")); at(got, "trainingRun", "status") != "QUEUED" ||
		at(got, "trainingRuns", "totalCount") != 1.0 || at(got, "jobs", "nodes", 0, "__typename") != "TrainingRun" {
		t.Errorf("%v", got)
	}
	if got := r.data("globex/admin", `query($id: UUID!) { trainingRun(id: $id) { status } trainingRuns { totalCount } jobs { nodes { id } } node(id: $id) { id } }`, "id", at(run, "id")); at(got, "trainingRun") != nil ||
		at(got, "trainingRuns", "totalCount") != 0.0 || at(got, "jobs", "nodes", 0) != nil || at(got, "node") != nil {
		t.Errorf("another tenant sees %v", got)
	}
	if got := r.do(engineer, "cancelTraining", "CancelTrainingInput", fields, map[string]any{"id": at(run, "id")}); at(got, "trainingRun", "status") != "CANCELLED" {
		t.Errorf("cancelled %v", got)
	}
	onlyMistake(t, r.do(engineer, "cancelTraining", "CancelTrainingInput", fields, map[string]any{"id": at(run, "id")}), "CONFLICT", "input.id")
	report := id.New(id.DriftReport)
	r.sql(`INSERT INTO drift_reports (id, tenant_id, model_version_id, window_start, window_end, verdict) SELECT $1, tenant_id, id, now() - interval '1 day', now(), 'severe' FROM ml_model_versions WHERE model_id = $2`, report, model)
	r.sql(`UPDATE training_runs SET request = request || jsonb_build_object('drift_report_id', $1::text)`, report)
	if got := r.data("acme/viewer", `query($id: UUID!) { trainingRun(id: $id) { driftReport { id verdict } } }`, "id", at(run, "id")); at(got, "trainingRun", "driftReport", "id") != report.String() {
		t.Errorf("because of drift: %v", got)
	}
	for name, c := range map[string]struct {
		change      map[string]any
		code, blame string
	}{
		"nothing was said":          {map[string]any{"source": "FEEDBACK"}, "BAD_USER_INPUT", "input.source"},
		"no file":                   {map[string]any{"source": "UPLOAD"}, "BAD_USER_INPUT", "input.uploadId"},
		"another tenant's model":    {map[string]any{"modelId": id.New(id.MLModel)}, "NOT_FOUND", "input.modelId"},
		"a depth beyond all limits": {map[string]any{"parameters": map[string]any{"maxDepth": 99}}, "BAD_USER_INPUT", "input.parameters.maxDepth"},
	} {
		in := map[string]any{}
		for k, v := range input {
			in[k] = v
		}
		for k, v := range c.change {
			in[k] = v
		}
		t.Log(name)
		onlyMistake(t, r.do(engineer, "startTraining", "StartTrainingInput", fields, in), c.code, c.blame)
	}
	r.options.Resolver.Training.Trainer = &training.Trainer{Path: "/nowhere"}
	a := r.ask(engineer, `mutation($in: StartTrainingInput!) { startTraining(input: $in) { trainingRun { id } } }`, "in", input)
	if len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "TRAINER_UNAVAILABLE" {
		t.Errorf("without a trainer: %s", a.raw)
	}
	if n := r.count(`SELECT count(*) FROM audit_logs WHERE tenant_id = $1 AND entity = 'TrainingRun'`, r.acme.TenantID); n != 2 {
		t.Errorf("%d entries in the audit log", n)
	}
}

func TestTrainingSchedulesInTheGraph(t *testing.T) {
	r := newRig(t)
	model := r.shipped()
	const schedule = `{ isEnabled weekday hour nextAt lastAt lastSkipped }`
	of := func(actor string) any {
		t.Helper()
		nodes := at(r.data(actor, `{ models { nodes { id trainingSchedule `+schedule+` } } }`), "models", "nodes").([]any)
		for _, n := range nodes {
			if at(n, "id") == model.String() {
				return at(n, "trainingSchedule")
			}
		}
		return nil
	}
	if s := of("acme/viewer"); at(s, "isEnabled") != false || at(s, "weekday") != "SUNDAY" || at(s, "hour") != 2.0 || at(s, "nextAt") != nil {
		t.Errorf("at first %v", s)
	}
	in := map[string]any{"modelId": model, "isEnabled": true, "weekday": "FRIDAY", "hour": 23}
	if got := r.do("acme/engineer", "setTrainingSchedule", "SetTrainingScheduleInput", "schedule "+schedule, in); at(got, "schedule", "isEnabled") != true || at(got, "schedule", "weekday") != "FRIDAY" || at(got, "schedule", "nextAt") == nil {
		t.Errorf("%v", got)
	}
	if s := of("acme/viewer"); at(s, "hour") != 23.0 || at(s, "lastAt") != nil {
		t.Errorf("then %v", s)
	}
	in["hour"] = 24
	onlyMistake(t, r.do("acme/engineer", "setTrainingSchedule", "SetTrainingScheduleInput", "schedule "+schedule, in), "BAD_USER_INPUT", "input.hour")
	in["hour"] = 1
	onlyMistake(t, r.do("globex/engineer", "setTrainingSchedule", "SetTrainingScheduleInput", "schedule "+schedule, in), "NOT_FOUND", "input.modelId")
	if a := r.ask("acme/viewer", `mutation($in: SetTrainingScheduleInput!) { setTrainingSchedule(input: $in) { schedule { hour } } }`, "in", in); len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "FORBIDDEN" {
		t.Errorf("a viewer: %s", a.raw)
	}
}

// Classes have names, of faults and of failures.
func TestClassesOfTrainingsAreNamed(t *testing.T) {
	r := newRig(t)
	r.classifier(r.acme, "bearings", 1)
	r.trainingRun(r.acme, r.acme.Users[tenancy.Engineer])
	got := r.data("acme/viewer", `{ trainingRuns { nodes { boosters { perClass { class label } importance(first: 1000) { feature } } } } }`, "Accept-Language", "de")
	b := at(got, "trainingRuns", "nodes", 0, "boosters", 0)
	if at(b, "perClass", 0, "label") != "Normalbetrieb" || at(b, "perClass", 1, "class") != "fails" || at(b, "perClass", 1, "label") != "Ausfall" || at(b, "importance", 0, "feature") != "x" {
		t.Errorf("%v", got)
	}
}
