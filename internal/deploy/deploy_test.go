package deploy_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"foresight/ent/enum"
	"foresight/internal/deploy"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

func asError(err error, f **fault.Error) bool { return errors.As(err, f) }

// A version goes through its life, one transaction a step: what it replaces is closed, the
// stages follow, and all of it is on record and told.
func TestTheLifeOfAVersion(t *testing.T) {
	w := newWorld(t)
	got := deployed(t)
	w.standing("1.0.0 production, | 1.0.0 production 100")

	shadow := got(w.Deploy(w.engineer(), deploy.Plan{Version: w.v("1.0.1"), Stage: enum.BindingShadow, Percent: 50}))
	if shadow.IsProduction || shadow.TrafficPercent != 50 || shadow.DeployedBy == nil || *shadow.DeployedBy != w.acme.Users[tenancy.Engineer] {
		t.Errorf("shadow %+v", shadow)
	}
	w.standing("1.0.0 production, | 1.0.0 production 100, | 1.0.1 shadow 50")

	canary := got(w.Deploy(w.engineer(), deploy.Plan{Version: w.v("1.0.1"), Stage: enum.BindingCanary, Percent: 5}))
	w.standing("1.0.0 production, 1.0.1 canary, | 1.0.0 production 100, | 1.0.1 canary 5")
	if _, err := w.SetPercent(w.engineer(), canary.ID, 25); err != nil {
		t.Fatal(err)
	}
	w.standing("1.0.0 production, 1.0.1 canary, | 1.0.0 production 100, | 1.0.1 canary 25")

	w.clock.pass(time.Hour)
	w.news.taken()
	production := got(w.Deploy(w.engineer(), deploy.Plan{Version: w.v("1.0.1"), Stage: enum.BindingProduction}))
	if !production.IsProduction || production.RollbackFromVersionID != nil || !production.DeploymentStart.Equal(w.clock.now()) {
		t.Errorf("production %+v", production)
	}
	w.standing("1.0.0 archived, 1.0.1 production, | 1.0.1 production 100")
	if told, tenants := w.news.taken(); !slices.Equal(told, []string{"ended", "ended", "opened"}) || tenants[0] != w.acme.TenantID {
		t.Errorf("told %v", told)
	}

	// Another canary takes the place of the open one, which is in staging again.
	got(w.Deploy(w.engineer(), deploy.Plan{Version: w.v("1.0.2"), Stage: enum.BindingCanary, Percent: 5}))
	second := got(w.Deploy(w.engineer(), deploy.Plan{Version: w.v("1.0.3"), Stage: enum.BindingCanary, Percent: 10}))
	w.standing("1.0.0 archived, 1.0.1 production, 1.0.3 canary, | 1.0.1 production 100, | 1.0.3 canary 10")
	w.clock.pass(time.Hour)
	over := got(w.End(w.engineer(), second.ID))
	if over.DeploymentEnd == nil || !over.DeploymentEnd.Equal(w.clock.now()) {
		t.Errorf("ended %+v", over)
	}
	w.standing("1.0.0 archived, 1.0.1 production, | 1.0.1 production 100")
	if _, err := w.End(w.engineer(), second.ID); !fault.Is(err, fault.Conflict) {
		t.Errorf("ended twice: %v", err)
	}
	if _, err := w.End(w.engineer(), production.ID); !fault.Is(err, fault.Conflict) {
		t.Errorf("production ended: %v", err)
	}
	audit := w.actions()
	if len(audit) == 0 || audit[0] != "deploy MLModelDeployment" {
		t.Fatalf("audit %v", audit)
	}
	for _, want := range []string{"deploy MLModelDeployment", "end MLModelDeployment", "update MLModelDeployment", "update MLModelVersion"} {
		if !slices.Contains(audit, want) {
			t.Errorf("no %s in the audit log: %v", want, audit)
		}
	}
}

// A roll-back goes to the version before, and a second one to the one before that: never
// to what was taken back.
func TestRollback(t *testing.T) {
	w := newWorld(t)
	got := deployed(t)
	for _, number := range []string{"1.0.1", "1.0.2"} {
		w.clock.pass(time.Hour)
		got(w.Deploy(w.engineer(), deploy.Plan{Version: w.v(number), Stage: enum.BindingProduction}))
	}
	w.clock.pass(time.Hour)
	back := got(w.Rollback(w.engineer(), w.acmeModel()))
	if back.ModelVersionID != w.v("1.0.1") || back.RollbackFromVersionID == nil || *back.RollbackFromVersionID != w.v("1.0.2") {
		t.Errorf("rolled back to %+v", back)
	}
	w.standing("1.0.0 archived, 1.0.1 production, 1.0.2 archived, | 1.0.1 production 100")
	w.clock.pass(time.Hour)
	back = got(w.Rollback(w.engineer(), w.acmeModel()))
	if back.ModelVersionID != w.v("1.0.0") || *back.RollbackFromVersionID != w.v("1.0.1") {
		t.Errorf("rolled back to %+v", back)
	}
	w.standing("1.0.0 production, 1.0.1 archived, 1.0.2 archived, | 1.0.0 production 100")
	_, err := w.Rollback(w.engineer(), w.acmeModel())
	w.refused(err, fault.Conflict, "error.deploy.noPrevious")
	_, err = w.Deploy(w.engineer(), deploy.Plan{Version: w.v("1.0.1"), Stage: enum.BindingCanary})
	w.refused(err, fault.Conflict, "error.deploy.archived")
	if audit := w.actions(); !slices.Contains(audit, "roll_back MLModelDeployment") {
		t.Errorf("audit %v", audit)
	}
	// The version before must still be loadable.
	got(w.Deploy(w.engineer(), deploy.Plan{Version: w.v("1.0.3"), Stage: enum.BindingProduction}))
	w.gate.broken["fault_classifier:1.0.0"] = true
	_, err = w.Rollback(w.engineer(), w.acmeModel())
	w.refused(err, fault.BadInput, "error.deploy.notLoadable")
	w.standing("1.0.0 archived, 1.0.1 archived, 1.0.2 archived, 1.0.3 production, | 1.0.3 production 100")
}

func TestRefusedDeployments(t *testing.T) {
	w := newWorld(t)
	w.gate.broken["fault_classifier:1.0.2"] = true
	someone := id.New(id.MLModelDeployment)
	deleted := w.v("1.0.3")
	w.sql(`UPDATE ml_model_versions SET is_deleted = true, deleted_at = now() WHERE id = $1`, deleted)
	before := w.stands()
	for name, c := range map[string]struct {
		plan deploy.Plan
		kind fault.Kind
		key  string
	}{
		"another tenant's":     {deploy.Plan{Version: w.versions[w.globex.TenantID]["1.0.1"], Stage: enum.BindingProduction}, fault.NotFound, "error.notFound"},
		"unknown":              {deploy.Plan{Version: id.New(id.MLModelVersion), Stage: enum.BindingProduction}, fault.NotFound, "error.notFound"},
		"deleted":              {deploy.Plan{Version: deleted, Stage: enum.BindingProduction}, fault.NotFound, "error.notFound"},
		"not loadable":         {deploy.Plan{Version: w.v("1.0.2"), Stage: enum.BindingShadow}, fault.BadInput, "error.deploy.notLoadable"},
		"serves already":       {deploy.Plan{Version: w.v("1.0.0"), Stage: enum.BindingProduction}, fault.Conflict, "error.deploy.already"},
		"canary of production": {deploy.Plan{Version: w.v("1.0.0"), Stage: enum.BindingCanary}, fault.Conflict, "error.deploy.already"},
		"half in production":   {deploy.Plan{Version: w.v("1.0.1"), Stage: enum.BindingProduction, Percent: 50}, fault.BadInput, "error.deploy.share"},
		"too much":             {deploy.Plan{Version: w.v("1.0.1"), Stage: enum.BindingCanary, Percent: 101}, fault.BadInput, "error.range"},
		"instead of another":   {deploy.Plan{Version: w.v("1.0.1"), Stage: enum.BindingProduction, Instead: &someone}, fault.Conflict, "error.deploy.changed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.Deploy(w.engineer(), c.plan)
			w.refused(err, c.kind, c.key)
		})
	}
	for _, role := range []tenancy.Role{tenancy.Viewer, tenancy.Operator} {
		if _, err := w.Deploy(w.acme.As(t.Context(), role), deploy.Plan{Version: w.v("1.0.1"), Stage: enum.BindingProduction}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s deployed: %v", role, err)
		}
	}
	confined := *tenancy.Must(w.engineer())
	confined.SiteIDs = []id.UUID{w.acme.SiteID}
	if _, err := w.Deploy(tenancy.With(t.Context(), &confined), deploy.Plan{Version: w.v("1.0.1"), Stage: enum.BindingProduction}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("somebody of one site deployed for all: %v", err)
	}
	if w.standing(before); len(w.actions()) != 0 {
		t.Errorf("on record: %v", w.actions())
	}
}

// Of deployments at once one wins; the others rest on what is no longer so.
func TestOneOfManyDeploymentsWins(t *testing.T) {
	w := newWorld(t)
	const rounds, rivals = 5, 4
	extra := []id.UUID{}
	for i := range rounds * rivals {
		v := id.New(id.MLModelVersion)
		w.sql(`INSERT INTO ml_model_versions (id, tenant_id, model_id, semantic_version, full_version_label, artifact_path, dataset_hash, feature_schema_hash)
			VALUES ($1, $2, $3, '2.0.' || $4::text, 'fault_classifier:2.0.' || $4::text, 'a', 'd', 'f')`, v, w.acme.TenantID, w.acmeModel(), fmt.Sprint(i))
		extra = append(extra, v)
	}
	for round := range rounds {
		// All have looked at what is open before the first goes on.
		var met sync.WaitGroup
		met.Add(rivals)
		w.gate.meanwhile = func() { met.Done(); met.Wait() }
		errs := make(chan error, rivals)
		for i := range rivals {
			go func() {
				_, err := w.Deploy(w.engineer(), deploy.Plan{Version: extra[round*rivals+i], Stage: enum.BindingProduction})
				errs <- err
			}()
		}
		won := 0
		for range rivals {
			if err := <-errs; err == nil {
				won++
			} else {
				w.refused(err, fault.Conflict, "error.deploy.changed")
			}
		}
		if won != 1 {
			t.Fatalf("%d of %d deployments won", won, rivals)
		}
	}
	var production int
	w.ok(w.owner.QueryRow(t.Context(), `SELECT count(*) FROM ml_model_versions WHERE tenant_id = $1 AND stage = 'production'`, w.acme.TenantID).Scan(&production))
	if production != 1 {
		t.Errorf("%d versions are in production", production)
	}
}

// What fails in the middle leaves everything as it was.
func TestADeploymentIsWholeOrNotAtAll(t *testing.T) {
	w := newWorld(t)
	w.sql(`CREATE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''stumbled''; END'`)
	w.sql(`CREATE TRIGGER stumble BEFORE INSERT ON ml_model_deployments FOR EACH ROW EXECUTE FUNCTION stumble()`)
	if _, err := w.Deploy(w.engineer(), deploy.Plan{Version: w.v("1.0.1"), Stage: enum.BindingProduction}); fault.KindOf(err) != fault.Internal {
		t.Errorf("got %v", err)
	}
	w.standing("1.0.0 production, | 1.0.0 production 100")
	if told, _ := w.news.taken(); len(w.actions()) != 0 || len(told) != 0 {
		t.Errorf("on record: %v, told: %v", w.actions(), told)
	}
}
