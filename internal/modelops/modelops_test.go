package modelops_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/modelops"
	"foresight/internal/page"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

type world struct {
	testing.TB
	*modelops.Service
	client       *ent.Client
	app, worker  *pgxpool.Pool
	owner        *pgx.Conn
	acme, globex testkit.Plant
}

func newWorld(t testing.TB) *world {
	t.Helper()
	db := testkit.NewDB(t)
	w := &world{TB: t}
	w.acme, w.globex = testkit.TwoTenants(t, db)
	open := func(dsn string) *pgxpool.Pool {
		p, err := postgres.Open(t.Context(), dsn, postgres.Options{MaxConns: 8})
		w.ok(err)
		t.Cleanup(p.Close)
		return p
	}
	w.app, w.worker = open(db.AppDSN), open(db.WorkerDSN)
	orm := postgres.OpenDB(w.app)
	t.Cleanup(func() { _ = orm.Close() })
	w.client = postgres.Client(orm)
	w.Service = modelops.New(w.client)
	var err error
	w.owner, err = pgx.Connect(t.Context(), db.OwnerDSN)
	w.ok(err)
	t.Cleanup(func() { _ = w.owner.Close(context.WithoutCancel(t.Context())) })
	return w
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) sql(query string, args ...any) {
	w.Helper()
	_, err := w.owner.Exec(w.Context(), query, args...)
	w.ok(err)
}

// champion is a shipped model whose artifact begins with the letter.
func champion(version, letter string) modelops.Champion {
	return modelops.Champion{Model: "fault_classifier", Description: "Names faults.", Type: enum.ModelFaultClassification, Version: version,
		Artifact: strings.Repeat(letter, 64), FeatureSchemaHash: "f", DatasetHash: "d", Threshold: 0.4, Classes: []string{"normal", "cavitation"}, Metrics: map[string]float64{"f1": 0.9}}
}

// history tells acme's versions with their stages, and deployments with their ends.
func (w *world) history() string {
	w.Helper()
	ctx, all := w.acme.As(w.Context(), tenancy.Viewer), page.Args{First: ptr(100)}
	var out []string
	versions, err := w.Versions(ctx, all, nil)
	w.ok(err)
	for _, v := range slices.Backward(versions.Items) {
		out = append(out, fmt.Sprintf("%s %s", v.FullVersionLabel, v.Stage))
	}
	out = append(out, "|")
	labels, err := w.VersionsByID(ctx, ids(versions.Items))
	w.ok(err)
	deployments, err := w.Deployments(ctx, all, nil)
	w.ok(err)
	for _, d := range slices.Backward(deployments.Items) {
		state := "open"
		if d.DeploymentEnd != nil {
			state = "ended"
		}
		out = append(out, fmt.Sprintf("%s %s", labels[d.ModelVersionID].FullVersionLabel, state))
	}
	return strings.Join(out, ", ")
}

func ids(vs []*ent.MLModelVersion) []id.UUID {
	out := make([]id.UUID, len(vs))
	for i, v := range vs {
		out[i] = v.ID
	}
	return out
}

func ptr[T any](v T) *T { return &v }

func TestChampionIsRegisteredOnce(t *testing.T) {
	w := newWorld(t)
	want := "fault_classifier:1.0.0 production, |, fault_classifier:1.0.0 open"
	for range 3 {
		w.ok(modelops.EnsureChampion(t.Context(), w.client, w.acme.TenantID, champion("1.0.0", "a")))
		if got := w.history(); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
	if p, err := w.Models(w.globex.As(t.Context(), tenancy.Admin), page.Args{}); err != nil || len(p.Items) != 0 {
		t.Errorf("the other tenant has %v, %v", p.Items, err)
	}
	p, err := w.Versions(w.acme.As(t.Context(), tenancy.Viewer), page.Args{}, nil)
	w.ok(err)
	if v := p.Items[0]; v.DatasetHash != "d" || v.FeatureSchemaHash != "f" || v.Metrics["f1"] != 0.9 || !slices.Equal(v.Classes, []string{"normal", "cavitation"}) {
		t.Errorf("version %v", v)
	}
}

func TestNewChampionTakesOver(t *testing.T) {
	w := newWorld(t)
	for _, c := range []modelops.Champion{champion("1.0.0", "a"), champion("1.1.0", "b"), champion("1.1.0", "c")} {
		w.ok(modelops.EnsureChampion(t.Context(), w.client, w.acme.TenantID, c))
	}
	want := "fault_classifier:1.0.0 archived, fault_classifier:1.1.0 archived, fault_classifier:1.1.0+cccccccc production, |, " +
		"fault_classifier:1.0.0 ended, fault_classifier:1.1.0 ended, fault_classifier:1.1.0+cccccccc open"
	if got := w.history(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	found, err := modelops.Assignments(t.Context(), w.worker)
	w.ok(err)
	if len(found) != 1 || found[0].Tenant != w.acme.TenantID || found[0].Asset != id.Nil || found[0].Stage != enum.BindingProduction || found[0].Percent != 100 || found[0].Label != "fault_classifier:1.1.0+cccccccc" || found[0].Artifact != strings.Repeat("c", 64) {
		t.Errorf("in production: %+v", found)
	}
}

// What serves whom: open deployments and active bindings, the newest first, of models and
// versions that are not deleted.
func TestAssignments(t *testing.T) {
	w := newWorld(t)
	w.ok(modelops.EnsureChampion(t.Context(), w.client, w.acme.TenantID, champion("1.0.0", "a")))
	deploy := `INSERT INTO ml_model_deployments (id, tenant_id, model_id, model_version_id, is_production, stage, traffic_percent, deployment_start, deployment_end)
		SELECT $1, tenant_id, model_id, id, false, $2, $3, now() + $4 * interval '1 hour', CASE WHEN $5 THEN now() + interval '9 hours' END FROM ml_model_versions`
	canary, shadow, binding := id.New(id.MLModelDeployment), id.New(id.MLModelDeployment), id.New(id.AssetModelVersion)
	w.sql(deploy, canary, "canary", 10, 1, false)
	w.sql(deploy, shadow, "shadow", 100, 2, false)
	w.sql(deploy, id.New(id.MLModelDeployment), "shadow", 100, 3, true) // has ended
	w.sql(`INSERT INTO asset_model_versions (id, tenant_id, asset_id, model_id, model_version_id, stage, traffic_percent, deployment_start)
		SELECT $1, v.tenant_id, $2, v.model_id, v.id, 'canary', 50, now() + interval '4 hours' FROM ml_model_versions v`, binding, w.acme.AssetID)
	w.sql(`INSERT INTO asset_model_versions (id, tenant_id, asset_id, model_id, model_version_id, stage, is_active)
		SELECT $1, v.tenant_id, $2, v.model_id, v.id, 'shadow', false FROM ml_model_versions v`, id.New(id.AssetModelVersion), w.acme.AssetID)
	found, err := modelops.Assignments(t.Context(), w.worker)
	w.ok(err)
	if len(found) != 4 {
		t.Fatalf("found %+v", found)
	}
	for i, want := range []modelops.Assignment{
		{ID: binding, Asset: w.acme.AssetID, Stage: enum.BindingCanary, Percent: 50}, {ID: shadow, Stage: enum.BindingShadow, Percent: 100},
		{ID: canary, Stage: enum.BindingCanary, Percent: 10}, {ID: found[3].ID, Stage: enum.BindingProduction, Percent: 100},
	} {
		want.Tenant, want.Type, want.Version, want.Label = w.acme.TenantID, enum.ModelFaultClassification, found[0].Version, "fault_classifier:1.0.0"
		want.Artifact, want.Threshold = strings.Repeat("a", 64), 0.4
		if found[i] != want {
			t.Errorf("assignment %d is %+v, want %+v", i, found[i], want)
		}
	}
	w.sql(`UPDATE ml_model_versions SET is_deleted = true`)
	if found, err = modelops.Assignments(t.Context(), w.worker); err != nil || len(found) != 0 {
		t.Errorf("of a deleted version: %+v (%v)", found, err)
	}
}

// The change of champions is one transaction: when its end fails, the old one serves on.
func TestFailedTakeOverChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.ok(modelops.EnsureChampion(t.Context(), w.client, w.acme.TenantID, champion("1.0.0", "a")))
	before := w.history()
	w.sql(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no deployments today'; END $$`)
	w.sql(`CREATE TRIGGER refuse BEFORE INSERT ON ml_model_deployments FOR EACH ROW EXECUTE FUNCTION refuse()`)
	if err := modelops.EnsureChampion(t.Context(), w.client, w.acme.TenantID, champion("2.0.0", "b")); err == nil || !strings.Contains(err.Error(), "fault_classifier:2.0.0") {
		t.Errorf("got %v", err)
	}
	if got := w.history(); got != before {
		t.Errorf("got %s, want %s", got, before)
	}
}

func TestTenantsOwnChoiceStays(t *testing.T) {
	for name, choose := range map[string]func(w *world){
		"a version it trained": func(w *world) {
			run := id.New(id.TrainingRun)
			w.sql(`INSERT INTO training_runs (id, tenant_id, model_id, status) SELECT $1, tenant_id, id, 'succeeded' FROM ml_models`, run)
			w.sql(`UPDATE ml_model_versions SET training_run_id = $1`, run)
		},
		"a version that a person uploaded, and rules promoted": func(w *world) {
			w.sql(`UPDATE ml_model_versions SET created_by = $1`, w.acme.Users[tenancy.Engineer])
		},
		"a version that a person deployed": func(w *world) {
			w.sql(`UPDATE ml_model_deployments SET deployed_by = $1`, w.acme.Users[tenancy.Engineer])
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.ok(modelops.EnsureChampion(t.Context(), w.client, w.acme.TenantID, champion("1.0.0", "a")))
			choose(w)
			for range 2 {
				w.ok(modelops.EnsureChampion(t.Context(), w.client, w.acme.TenantID, champion("2.0.0", "b")))
			}
			if got, want := w.history(), "fault_classifier:1.0.0 production, fault_classifier:2.0.0 staging, |, fault_classifier:1.0.0 open"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// Processes that start together do not stumble over each other.
func TestChampionIsRegisteredByManyAtOnce(t *testing.T) {
	w := newWorld(t)
	for _, c := range []modelops.Champion{champion("1.0.0", "a"), champion("1.1.0", "b")} {
		var wait sync.WaitGroup
		for range 6 {
			wait.Go(func() {
				if err := modelops.EnsureChampion(t.Context(), w.client, w.acme.TenantID, c); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
	}
	if got, want := w.history(), "fault_classifier:1.0.0 archived, fault_classifier:1.1.0 production, |, fault_classifier:1.0.0 ended, fault_classifier:1.1.0 open"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestProductionOfUnusedTenants(t *testing.T) {
	w := newWorld(t)
	w.sql(`UPDATE tenants SET is_active = false WHERE id = $1`, w.globex.TenantID)
	tenants, err := postgres.Tenants(t.Context(), w.worker)
	if err != nil || !slices.Equal(tenants, []id.UUID{w.acme.TenantID}) {
		t.Errorf("tenants %v, %v", tenants, err)
	}
}

func TestListsNeedPermissionAndStayInTheTenant(t *testing.T) {
	w := newWorld(t)
	w.ok(modelops.EnsureChampion(t.Context(), w.client, w.acme.TenantID, champion("1.0.0", "a")))
	own := w.acme.As(t.Context(), tenancy.Viewer)
	models, err := w.Models(own, page.Args{Total: true})
	w.ok(err)
	model, other := models.Items[0].ID, id.New(id.MLModel)
	lists := map[string]struct {
		needs tenancy.Permission
		n     func(context.Context) (int, error)
	}{
		"models": {tenancy.ModelsRead, func(ctx context.Context) (int, error) { p, err := w.Models(ctx, page.Args{}); return len(p.Items), err }},
		"versions": {tenancy.ModelsRead, func(ctx context.Context) (int, error) {
			p, err := w.Versions(ctx, page.Args{}, &model)
			return len(p.Items), err
		}},
		"versions of none": {tenancy.ModelsRead, func(ctx context.Context) (int, error) {
			p, err := w.Versions(ctx, page.Args{}, &other)
			return len(p.Items) + 1, err
		}},
		"deployments": {tenancy.ModelsRead, func(ctx context.Context) (int, error) {
			p, err := w.Deployments(ctx, page.Args{}, &model)
			return len(p.Items), err
		}},
		"fault types": {tenancy.PredictionsRead, func(ctx context.Context) (int, error) {
			p, err := w.FaultTypes(ctx, page.Args{First: ptr(100), Total: true})
			return p.Total / 34, err
		}},
	}
	for name, l := range lists {
		if n, err := l.n(own); err != nil || n != 1 {
			t.Errorf("%s: %d, %v", name, n, err)
		}
		lacking := tenancy.With(t.Context(), &tenancy.Actor{Kind: tenancy.Client, TenantID: w.acme.TenantID,
			Scopes: tenancy.NewSet(slices.DeleteFunc(tenancy.Permissions(), func(p tenancy.Permission) bool { return p == l.needs })...)})
		if _, err := l.n(lacking); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s without %s: %v", name, l.needs, err)
		}
	}
	foreign := w.globex.As(t.Context(), tenancy.Admin)
	if p, err := w.Versions(foreign, page.Args{Total: true}, &model); err != nil || p.Total != 0 {
		t.Errorf("the other tenant reads versions: %v, %v", p, err)
	}
	for name, batch := range map[string]func(context.Context) (int, error){
		"models": func(ctx context.Context) (int, error) {
			m, err := w.ModelsByID(ctx, []id.UUID{model, other})
			return len(m), err
		},
		"versions": func(ctx context.Context) (int, error) {
			m, err := w.VersionsOf(ctx, []id.UUID{model, other})
			return len(m), err
		},
	} {
		if n, err := batch(own); err != nil || n != 1 {
			t.Errorf("batch of %s: %d, %v", name, n, err)
		}
		if n, err := batch(foreign); err != nil || n != 0 {
			t.Errorf("batch of %s of another tenant: %d, %v", name, n, err)
		}
	}
}
