package deploy_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/internal/deploy"
	"foresight/internal/event"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/page"
	"foresight/internal/postgres"
	"foresight/internal/telemetry"
	"foresight/internal/telemetry/pgstore"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// world is two tenants, each with a model of four versions, 1.0.0 of which is in
// production.
type world struct {
	testing.TB
	*deploy.Service
	gate         *gate
	news         *news
	post         *post
	clock        *clock
	owner        *pgxpool.Pool
	app, worker  *pgxpool.Pool
	store        *pgstore.Store
	acme, globex testkit.Plant
	models       map[id.UUID]id.UUID            // by tenant
	versions     map[id.UUID]map[string]id.UUID // by tenant and semantic version
	said         uint64
	workerDSN    string
}

// gate lets versions pass unless they are told of. Before it answers it calls meanwhile.
type gate struct {
	mu        sync.Mutex
	broken    map[string]bool // labels
	meanwhile func()
}

// Activate implements deploy.Gate.
func (g *gate) Activate(_ context.Context, _ enum.ModelType, v deploy.Artifact) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.meanwhile != nil {
		g.mu.Unlock()
		g.meanwhile()
		g.mu.Lock()
	}
	if g.broken[v.Label] {
		return fmt.Errorf("%s is broken", v.Label)
	}
	return nil
}

// news keeps what was published.
type news struct {
	mu  sync.Mutex
	all []event.Event
}

// Publish implements event.Publisher.
func (n *news) Publish(_ context.Context, events ...event.Event) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, events...)
	return nil
}

// taken returns what was published since the last time, and by whose tenant.
func (n *news) taken() (out []string, tenants []id.UUID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, e := range n.all {
		out, tenants = append(out, e.Deployment.News), append(tenants, e.Key.Tenant)
	}
	n.all = nil
	return out, tenants
}

// post keeps the notices of which the transaction has not failed before.
type post struct {
	mu  sync.Mutex
	all []deploy.Notice
}

// Deployment implements deploy.Letters.
func (p *post) Deployment(_ context.Context, _ pgx.Tx, n deploy.Notice) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, n)
	return nil
}

// taken returns what was written since the last time, as "promoted fault_classifier:1.0.1 25".
func (p *post) taken() (out []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range p.all {
		out = append(out, fmt.Sprintf("%s %s %d", n.Kind, n.Label, n.Percent))
	}
	p.all = nil
	return out
}

// clock stands until it is set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

var semantic = []string{"1.0.0", "1.0.1", "1.0.2", "1.0.3"}

func newWorld(t testing.TB) *world {
	t.Helper()
	db := testkit.NewDB(t)
	w := &world{TB: t, gate: &gate{broken: map[string]bool{}}, news: &news{}, post: &post{}, models: map[id.UUID]id.UUID{}, versions: map[id.UUID]map[string]id.UUID{},
		clock: &clock{at: time.Now().UTC().Truncate(time.Second)}}
	w.workerDSN = db.WorkerDSN
	w.acme, w.globex = testkit.TwoTenants(t, db)
	for pool, dsn := range map[**pgxpool.Pool]string{&w.app: db.AppDSN, &w.worker: db.WorkerDSN} {
		p, err := postgres.Open(t.Context(), dsn, postgres.Options{MaxConns: 12})
		w.ok(err)
		t.Cleanup(p.Close)
		*pool = p
	}
	var err error
	w.owner, err = pgxpool.New(t.Context(), db.OwnerDSN)
	w.ok(err)
	t.Cleanup(w.owner.Close)
	orm := postgres.OpenDB(w.app)
	t.Cleanup(func() { _ = orm.Close() })
	queue, err := jobs.NewQueue(w.app)
	w.ok(err)
	w.store = pgstore.New(w.worker, w.app)
	w.Service = deploy.New(deploy.Options{App: w.app, Ent: postgres.Client(orm), Queue: queue, Store: w.store, Gate: w.gate, Events: w.news, Letters: w.post,
		Now: w.clock.now, Log: slog.New(slog.DiscardHandler)})
	for _, p := range []testkit.Plant{w.acme, w.globex} {
		w.models[p.TenantID], w.versions[p.TenantID] = w.model(p, "fault_classifier", enum.ModelFaultClassification)
	}
	return w
}

// model registers one with its versions, the first in production for a day.
func (w *world) model(p testkit.Plant, name string, t enum.ModelType) (model id.UUID, versions map[string]id.UUID) {
	w.Helper()
	model, versions = id.New(id.MLModel), map[string]id.UUID{}
	w.sql(`INSERT INTO ml_models (id, tenant_id, name, type, feature_schema) VALUES ($1, $2, $3, $4, 'f')`, model, p.TenantID, name, string(t))
	for i, number := range semantic {
		v, stage := id.New(id.MLModelVersion), "staging"
		if i == 0 {
			stage = "production"
		}
		versions[number] = v
		w.sql(`INSERT INTO ml_model_versions (id, tenant_id, model_id, semantic_version, full_version_label, stage, artifact_path, dataset_hash, feature_schema_hash)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 'd', 'f')`, v, p.TenantID, model, number, name+":"+number, stage, strings.Repeat(fmt.Sprint(i), 64))
	}
	w.sql(`INSERT INTO ml_model_deployments (id, tenant_id, model_id, model_version_id, deployment_start) VALUES ($1, $2, $3, $4, $5)`,
		id.New(id.MLModelDeployment), p.TenantID, model, versions["1.0.0"], w.clock.now().Add(-24*time.Hour))
	return model, versions
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// sql changes the database past all policies.
func (w *world) sql(query string, args ...any) {
	w.Helper()
	_, err := w.owner.Exec(w.Context(), query, args...)
	w.ok(err)
}

// v is a version of acme's.
func (w *world) v(number string) id.UUID { return w.versions[w.acme.TenantID][number] }

func (w *world) acmeModel() id.UUID { return w.models[w.acme.TenantID] }

func (w *world) engineer() context.Context { return w.acme.As(w.Context(), tenancy.Engineer) }
func (w *world) admin() context.Context    { return w.acme.As(w.Context(), tenancy.Admin) }
func (w *world) rules() context.Context    { return tenancy.AsSystem(w.Context(), w.acme.TenantID) }

// refused fails unless the error is of the kind and key.
func (w *world) refused(err error, kind fault.Kind, key string) {
	w.Helper()
	var f *fault.Error
	if !fault.Is(err, kind) || !asError(err, &f) || f.Key != key {
		w.Errorf("got %v, want %s %s", err, kind, key)
	}
}

// stands tells the stages of acme's versions, and what is open, as "1.0.0 production".
func (w *world) stands() string {
	w.Helper()
	rows, err := w.owner.Query(w.Context(), `SELECT semantic_version || ' ' || stage FROM ml_model_versions WHERE tenant_id = $1 AND model_id = $2
		UNION ALL SELECT '| ' || v.semantic_version || ' ' || d.stage || ' ' || d.traffic_percent FROM ml_model_deployments d JOIN ml_model_versions v ON v.id = d.model_version_id
		WHERE d.tenant_id = $1 AND d.model_id = $2 AND d.deployment_end IS NULL`, w.acme.TenantID, w.acmeModel())
	w.ok(err)
	var out []string
	var s string
	for rows.Next() {
		w.ok(rows.Scan(&s))
		if !strings.HasSuffix(s, " staging") {
			out = append(out, s)
		}
	}
	w.ok(rows.Err())
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// written fails unless these notices were written since the last time.
func (w *world) written(want ...string) {
	w.Helper()
	if got := w.post.taken(); !slices.Equal(got, want) {
		w.Errorf("written %q, want %q", got, want)
	}
}

func (w *world) standing(want string) {
	w.Helper()
	if got := w.stands(); got != want {
		w.Errorf("stands %s\nwant   %s", got, want)
	}
}

// actions are what acme's audit log says, in order.
func (w *world) actions() []string {
	w.Helper()
	rows, err := w.owner.Query(w.Context(), `SELECT action || ' ' || entity FROM audit_logs WHERE tenant_id = $1 ORDER BY at, id`, w.acme.TenantID)
	w.ok(err)
	var out []string
	var s string
	for rows.Next() {
		w.ok(rows.Scan(&s))
		out = append(out, s)
	}
	w.ok(rows.Err())
	return out
}

// predicts stores n predictions of a version, a second after another from the time on, of
// which so many name a fault, and raises so many alarms for them.
func (w *world) predicts(version id.UUID, role telemetry.Role, from time.Time, n, abnormal, alarms int) {
	w.Helper()
	docs := make([]telemetry.FaultPrediction, n)
	for i := range docs {
		w.said++
		at := from.Add(time.Duration(i) * time.Second)
		p := telemetry.FaultPrediction{Key: w.acme.Key(0), Timestamp: at, Label: telemetry.Normal, Probability: 0.75, VersionID: version, VersionLabel: "x", Role: role}
		p.IngestID[15], p.IngestID[14], p.IngestID[13] = byte(w.said), byte(w.said>>8), byte(w.said>>16)
		p.ID = id.Derive(id.Prediction, at, p.Tenant[:], p.Sensor[:], p.IngestID[:], []byte(role))
		if i < abnormal {
			p.Label = "cavitation"
		}
		docs[i] = p
	}
	w.ok(w.store.WritePredictions(w.Context(), docs))
	for i := range alarms {
		rule := id.New(id.AlarmRule)
		w.sql(`INSERT INTO alarm_rules (id, tenant_id, name, parameter, operator, threshold, severity) VALUES ($1, $2, $3, 'fault', 'gte', 0.5, 'high')`, rule, w.acme.TenantID, rule.String())
		w.sql(`INSERT INTO alarm_events (id, tenant_id, site_id, asset_id, sensor_id, rule_id, model_version_id, severity, triggered_value, triggered_at, last_triggered_at, status)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 'high', 0.9, $8, $8, 'open')`, id.New(id.AlarmEvent), w.acme.TenantID, w.acme.SiteID, w.acme.AssetID, w.acme.SensorIDs[0],
			rule, version, from.Add(time.Duration(i)*time.Second))
	}
}

func all() page.Args { n := 100; return page.Args{First: &n, Total: true} }

func deployed(t testing.TB) func(d *ent.MLModelDeployment, err error) *ent.MLModelDeployment {
	t.Helper()
	return func(d *ent.MLModelDeployment, err error) *ent.MLModelDeployment {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
}
