package graph_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"foresight/internal/jobs"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// worksJobs has imports, exports and replays worked.
func (r *rig) worksJobs() { r.runs(r.bulk.Work) }

// runs starts a runner of some work, stopped after the test.
func (r *rig) runs(work func(*jobs.Runner)) {
	r.Helper()
	runner := jobs.NewRunner(jobs.Options{Pool: r.worker, Log: slog.New(slog.DiscardHandler)})
	work(runner)
	r.ok(runner.Start(r.Context()))
	r.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), testkit.Patience)
		defer cancel()
		r.ok(runner.Stop(ctx))
	})
}

func (r *rig) upload(actor, file string) string {
	r.Helper()
	u, err := r.bulk.Upload(tenancy.With(r.Context(), r.actor(actor)), "plant.csv", strings.NewReader(file))
	r.ok(err)
	return u.ID.String()
}

const importAssets = `mutation($u: UUID!, $dry: Boolean! = false, $partial: Boolean! = false) {
	importAssets(input: {uploadId: $u, dryRun: $dry, partial: $partial}) { job { id status fileName by { fullName } } userErrors { field code message } } }`

// ended waits for a job and returns it.
func (r *rig) ended(actor string, job any, fields, language string) (j any) {
	r.Helper()
	testkit.Eventually(r, testkit.Patience, func() bool {
		j = at(r.data(actor, `query($id: UUID!) { node(id: $id) { ... on Job { status } `+fields+` } }`, "id", job, "Accept-Language", language), "node")
		return at(j, "status") == "SUCCEEDED" || at(j, "status") == "FAILED"
	})
	return j
}

func TestImportsAndExportsInTheGraph(t *testing.T) {
	r := newRig(t)
	r.worksJobs()
	const engineer = "acme/engineer"
	upload := r.upload(engineer, "kind,code,name,site,type\nasset,g1,Good,north,pump\nasset,Bad 1,X,north,rocket\n")
	payload := at(r.data(engineer, importAssets, "u", upload, "dry", true), "importAssets")
	if at(payload, "job", "fileName") != "plant.csv" || at(payload, "job", "by", "fullName") != "engineer" {
		t.Errorf("%v", payload)
	}
	fields := `... on ImportJob { failure readRows rejectedRows created { assets } mistakes { row column code message } }`
	for language, want := range map[string]string{"en": "Choose one of these: motor, pump,", "fr": "Choisissez parmi : motor, pump,", "ar": "اختر واحدًا من هذه: motor, pump,"} {
		j := r.ended(engineer, at(payload, "job", "id"), fields, language)
		if at(j, "status") != "FAILED" || at(j, "failure") == nil || at(j, "rejectedRows") != 1.0 || at(j, "mistakes", 0, "row") != 3.0 ||
			at(j, "mistakes", 0, "column") != "type" || !strings.HasPrefix(at(j, "mistakes", 0, "message").(string), want) {
			t.Errorf("%s: %v", language, j)
		}
	}
	payload = at(r.data(engineer, importAssets, "u", upload, "partial", true), "importAssets")
	if j := r.ended(engineer, at(payload, "job", "id"), fields, "en"); at(j, "status") != "SUCCEEDED" || at(j, "created", "assets") != 1.0 {
		t.Errorf("partial: %v", j)
	}

	// What the caller can mend.
	e := at(r.data(engineer, importAssets, "u", upload), "importAssets", "userErrors", 0)
	if at(e, "field") != "input.uploadId" || at(e, "code") != "NOT_FOUND" {
		t.Errorf("a used upload: %v", e)
	}
	e = at(r.data(engineer, `mutation { export(input: {kind: READINGS}) { job { id } userErrors { field code message } } }`), "export", "userErrors", 0)
	if at(e, "field") != "input.filter.from" || at(e, "code") != "BAD_USER_INPUT" {
		t.Errorf("readings of all time: %v", e)
	}
	if a := r.ask(engineer, `query($id: UUID!) { node(id: $id) { ... on ImportJob { mistakes(limit: 5000) { row } } } }`, "id", at(payload, "job", "id")); len(a.Errors) == 0 {
		t.Error("5000 mistakes were given")
	}

	// An export, with the permission of what it holds.
	export := at(r.data("acme/viewer", `mutation { export(input: {kind: ALARMS, format: NDJSON}) { job { id } userErrors { message } } }`), "export", "job", "id")
	j := r.ended("acme/viewer", export, `... on ExportJob { kind format rows downloadPath expiresAt }`, "en")
	if at(j, "downloadPath") != "/exports/"+export.(string) || at(j, "rows") != 0.0 || at(j, "kind") != "ALARMS" || at(j, "expiresAt") == nil {
		t.Errorf("%v", j)
	}
	r.change = func(a *tenancy.Actor) { a.Scopes = tenancy.NewSet(tenancy.PlantRead) }
	if n := at(r.data("acme/viewer", `query($id: UUID!) { node(id: $id) { id } }`, "id", export), "node"); n != nil {
		t.Errorf("who may not read alarms sees their export: %v", n)
	}
	if a := r.ask("acme/viewer", `mutation { export(input: {kind: ALARMS}) { job { id } } }`); len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "FORBIDDEN" {
		t.Errorf("who may not read alarms exports them: %s", a.raw)
	}
	r.change = func(*tenancy.Actor) {}

	// The list, and what another tenant sees of it.
	list := `{ jobs(first: 10) { totalCount nodes { __typename id status createdAt } } }`
	if l := at(r.data(engineer, list), "jobs"); at(l, "totalCount") != 3.0 || at(l, "nodes", 0, "__typename") != "ExportJob" || at(l, "nodes", 2, "__typename") != "ImportJob" {
		t.Errorf("%v", l)
	}
	if l := at(r.data("globex/admin", list), "jobs"); at(l, "totalCount") != 0.0 {
		t.Errorf("another tenant's list: %v", l)
	}
	if n := at(r.data("globex/admin", `query($id: UUID!) { node(id: $id) { id } }`, "id", export), "node"); n != nil {
		t.Errorf("another tenant's job: %v", n)
	}
}
