package drift

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/inference"
	"foresight/inference/artifact"
	"foresight/inference/features"
	"foresight/inference/training"
	"foresight/internal/event"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/postgres"
	"foresight/internal/simulate"
	"foresight/internal/telemetry"
	"foresight/internal/telemetry/pgstore"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// classes of the models in these tests.
var classes = []string{telemetry.Normal, "cavitation"}

// rig is a database with two tenants; the first one has a fault classifier in
// production that was trained on simulated machines.
type rig struct {
	testing.TB
	acme, globex   testkit.Plant
	app, worker    *pgxpool.Pool
	owner          *pgxpool.Pool
	store          *pgstore.Store
	service        *Service
	model, version id.UUID
	bundle         *artifact.Bundle
	trainer        *trainer
	queue          *jobs.Queue
	seq            uint64
	now            time.Time
}

func newRig(t testing.TB) *rig {
	t.Helper()
	db := testkit.NewDB(t)
	r := &rig{TB: t, now: time.Now().UTC().Truncate(time.Second), model: id.New(id.MLModel), version: id.New(id.MLModelVersion), trainer: &trainer{}}
	r.acme, r.globex = testkit.TwoTenants(t, db)
	for pool, dsn := range map[**pgxpool.Pool]string{&r.app: db.AppDSN, &r.worker: db.WorkerDSN, &r.owner: db.OwnerDSN} {
		p, err := postgres.Open(t.Context(), dsn, postgres.Options{MaxConns: 8})
		r.ok(err)
		t.Cleanup(p.Close)
		*pool = p
	}
	orm := postgres.OpenDB(r.app)
	t.Cleanup(func() { _ = orm.Close() })
	var err error
	r.queue, err = jobs.NewQueue(r.app)
	r.ok(err)
	r.store = pgstore.New(r.worker, r.app)
	r.bundle = trained()
	r.service = New(Options{App: r.app, Ent: postgres.Client(orm), Queue: r.queue, Store: r.store, Bundles: r, Trainer: r.trainer, Events: silent{},
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return r.now }})
	_, err = r.worker.Exec(t.Context(), `SELECT foresight_ensure_telemetry_partitions($1, $2)`, r.now.AddDate(0, 0, -10), r.now.AddDate(0, 0, 1))
	r.ok(err)
	// The demo machines of the fixture do not report.
	r.sql(`UPDATE sensors SET is_active = false WHERE tenant_id = $1`, r.acme.TenantID)
	r.sql(`INSERT INTO ml_models (id, tenant_id, name, type, feature_schema) VALUES ($1, $2, 'fault_classifier', 'fault_classification', $3)`, r.model, r.acme.TenantID, features.SchemaHash())
	r.sql(`INSERT INTO ml_model_versions (id, tenant_id, model_id, semantic_version, full_version_label, stage, artifact_path, feature_schema_hash, dataset_hash, classes, metrics)
		VALUES ($1, $2, $3, '1.0.0', 'fault_classifier:1.0.0', 'production', 'trained', $4, 'x', '["normal", "cavitation"]', '{}')`, r.version, r.acme.TenantID, r.model, features.SchemaHash())
	r.sql(`INSERT INTO ml_model_deployments (id, tenant_id, model_id, model_version_id, deployment_start) VALUES ($1, $2, $3, $4, $5)`,
		id.New(id.MLModelDeployment), r.acme.TenantID, r.model, r.version, r.now.AddDate(0, -1, 0))
	return r
}

// Bundle implements Bundles.
func (r *rig) Bundle(_ context.Context, name string) (*artifact.Bundle, error) {
	if name != "trained" {
		return nil, fault.Missing("artifact")
	}
	return r.bundle, nil
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// sql runs a statement as the owner, within the tenant among its arguments.
func (r *rig) sql(q string, args ...any) {
	r.Helper()
	tenant := ""
	for _, a := range args {
		if u, ok := a.(id.UUID); ok {
			if k, _ := id.KindOf(u); k == id.Tenant {
				tenant = u.String()
			}
		}
	}
	tx, err := r.owner.Begin(r.Context())
	r.ok(err)
	defer tx.Rollback(r.Context())
	_, err = tx.Exec(r.Context(), `SELECT set_config('app.tenant_id', $1, true)`, tenant)
	r.ok(err)
	_, err = tx.Exec(r.Context(), q, args...)
	r.ok(err)
	r.ok(tx.Commit(r.Context()))
}

// as is the product within a tenant.
func (r *rig) as(p testkit.Plant) context.Context { return tenancy.AsSystem(r.Context(), p.TenantID) }

// one reads one value as the tenant.
func value[T any](r *rig, p testkit.Plant, q string, args ...any) (v T) {
	r.Helper()
	r.ok(r.app.QueryRow(r.as(p), q, args...).Scan(&v))
	return v
}

// machine is a simulated machine and what it is told to do.
type machine struct {
	*simulate.Machine
	r     *rand.Rand
	label string
}

func newMachine(seed uint64, label string, p simulate.Profile) *machine {
	return &machine{simulate.NewMachine(seed, p), rand.New(rand.NewPCG(seed, 77)), label}
}

// window gives the readings of a window that begins at the time.
func (m *machine) window(begin time.Time, give func(at time.Time, c *[telemetry.Channels]float64)) {
	if err := m.SetFault(telemetry.Normal, 0); err != nil {
		panic(err)
	}
	m.Next(begin.Add(-time.Minute))
	if m.label != telemetry.Normal {
		if err := m.SetFault(m.label, 0.4+0.6*m.r.Float64()); err != nil {
			panic(err)
		}
	}
	m.Settle()
	for i := range telemetry.WindowSize {
		at := begin.Add(time.Duration(i) * 10 * time.Second)
		s := m.Next(at)
		give(at, &s.Channels)
	}
}

// trained is an artifact with the reference of machines that nothing else sees.
var trained = sync.OnceValue(func() *artifact.Bundle {
	p := &training.Part{}
	begin := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for seed := range uint64(400) {
		label := 0
		if seed%4 == 0 {
			label = 1
		}
		m := newMachine(seed, classes[label], simulate.Profile{})
		for k := range 6 {
			var w telemetry.Window
			m.window(begin.Add(time.Duration(k)*20*time.Hour), func(at time.Time, c *[telemetry.Channels]float64) { w.Add(at, c) })
			var x features.Vector
			features.Extract(&w, &x)
			p.X, p.Labels = append(p.X, x[:]...), append(p.Labels, label)
		}
	}
	m := artifact.Manifest{Objective: artifact.Softprob, Classes: classes, Features: features.Count, Temperature: 1,
		Reference: training.FitReference(p, features.Count, len(classes)), Outliers: training.FitOutliers(p.X, p.X, features.Count)}
	one := &artifact.Booster{Manifest: m}
	return &artifact.Bundle{Boosters: []*artifact.Booster{one}, Booster: one}
})

// fleet adds machines with a sensor each.
func (r *rig) fleet(n int) (keys []telemetry.Key) {
	r.Helper()
	for i := range n {
		k := telemetry.Key{Tenant: r.acme.TenantID, Site: r.acme.SiteID, Asset: id.New(id.Asset), Sensor: id.New(id.Sensor)}
		r.sql(`INSERT INTO assets (id, tenant_id, site_id, asset_code, name, asset_type) VALUES ($1, $2, $3, $4, 'm', 'pump')`, k.Asset, r.acme.TenantID, k.Site, fmt.Sprint("m-", i))
		r.sql(`INSERT INTO sensors (id, tenant_id, asset_id, sensor_code, validation_data) VALUES ($1, $2, $3, $4, '{}')`, k.Sensor, r.acme.TenantID, k.Asset, fmt.Sprint("s-", i))
		keys = append(keys, k)
	}
	return keys
}

// live says what happens to a fleet.
type live struct {
	windows int // of each machine, spread over the last days
	faulty  int // of a hundred machines
	profile simulate.Profile
	// distort changes a reading of the machine at the place; nil: nothing.
	distort func(machine int, c *[telemetry.Channels]float64)
	version id.UUID // Nil: the rig's
	role    telemetry.Role
}

// run lets the machines report, and the model name what is true.
func (r *rig) run(keys []telemetry.Key, l live) {
	r.Helper()
	if l.version == id.Nil {
		l.version = r.version
	}
	if l.role == "" {
		l.role = telemetry.Production
	}
	var raws []telemetry.Raw
	var said []telemetry.FaultPrediction
	for i, k := range keys {
		label := classes[0]
		if i*100 < l.faulty*len(keys) {
			label = classes[1]
		}
		m := newMachine(1_000_000+uint64(i), label, l.profile)
		step := 6 * 24 * time.Hour / time.Duration(l.windows)
		for n := range l.windows {
			var w telemetry.Window
			var last *telemetry.Raw
			m.window(r.now.Add(-6*24*time.Hour-time.Hour+time.Duration(n)*step+time.Duration(i)*time.Second), func(at time.Time, c *[telemetry.Channels]float64) {
				if l.distort != nil {
					l.distort(i, c)
				}
				r.seq++
				raw := telemetry.Raw{Reading: telemetry.Reading{Key: k, Timestamp: at, Channels: *c}, LogSeq: r.seq, ReceivedAt: at, Payload: []byte("{}")}
				binary.BigEndian.PutUint64(raw.IngestID[:], r.seq)
				w.Add(at, c)
				raws = append(raws, raw)
				last = &raws[len(raws)-1]
			})
			var x features.Vector
			features.Extract(&w, &x)
			said = append(said, telemetry.FaultPrediction{Key: k, ID: inference.PredictionID(k, last.Timestamp, last.IngestID, l.role), Timestamp: last.Timestamp, IngestID: last.IngestID,
				Label: label, Probability: 0.9, VersionID: l.version, VersionLabel: "fault_classifier:1.0.0", Role: l.role, OutOfDistribution: r.bundle.Manifest.Outliers.Outside(x[:])})
		}
	}
	_, err := r.store.WriteReadings(r.Context(), raws)
	r.ok(err)
	r.ok(r.store.WritePredictions(r.Context(), said))
}

// report is the only report of a check.
func (r *rig) report() *Report {
	r.Helper()
	all, err := r.service.Check(r.as(r.acme), id.New(id.DriftCheck))
	r.ok(err)
	if len(all) != 1 {
		r.Fatalf("%d reports, want 1", len(all))
	}
	return all[0]
}

// trainer remembers what it was asked for, and what was told of behind the commit. What it
// adds within the transaction is a row of summarised days.
type trainer struct {
	asked []string
	by    []tenancy.ActorKind
	begun int
	err   error
}

func (t *trainer) Prepare(ctx context.Context, model, report id.UUID) (Training, error) {
	if t.err != nil {
		return nil, t.err
	}
	t.asked, t.by = append(t.asked, model.String()+" because of "+report.String()), append(t.by, tenancy.Must(ctx).Kind)
	return t, nil
}

func (t *trainer) Add(ctx context.Context, tx pgx.Tx) (id.UUID, error) {
	_, err := tx.Exec(ctx, `INSERT INTO summarised_days (tenant_id, day) VALUES ($1, '2001-01-01')`, tenancy.Must(ctx).TenantID)
	return id.New(id.TrainingRun), err
}

func (t *trainer) Begun(context.Context) { t.begun++ }

type silent struct{}

func (silent) Publish(context.Context, ...event.Event) error { return nil }
