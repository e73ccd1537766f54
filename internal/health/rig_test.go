package health

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/inference/daily"
	"foresight/internal/event"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/postgres"
	"foresight/internal/telemetry"
	"foresight/internal/telemetry/pgstore"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// rig is a database with two tenants, and a service whose model answers from the mean
// vibration of the week.
type rig struct {
	testing.TB
	acme, globex       testkit.Plant
	app, worker, owner *pgxpool.Pool
	store              *pgstore.Store
	service            *Service
	schedule           *Schedule
	now                time.Time
	version            id.UUID
	model              *steep
	told               *told
	seq                uint64
}

func newRig(t testing.TB) *rig {
	t.Helper()
	db := testkit.NewDB(t)
	r := &rig{TB: t, now: time.Now().UTC(), model: &steep{}, told: &told{}, version: id.New(id.MLModelVersion)}
	r.acme, r.globex = testkit.TwoTenants(t, db)
	for pool, dsn := range map[**pgxpool.Pool]string{&r.app: db.AppDSN, &r.worker: db.WorkerDSN, &r.owner: db.OwnerDSN} {
		p, err := postgres.Open(t.Context(), dsn, postgres.Options{MaxConns: 8})
		r.ok(err)
		t.Cleanup(p.Close)
		*pool = p
	}
	orm := postgres.OpenDB(r.app)
	t.Cleanup(func() { _ = orm.Close() })
	queue, err := jobs.NewQueue(r.app)
	r.ok(err)
	r.store = pgstore.New(r.worker, r.app)
	r.model.version = r.version
	r.service = New(Options{App: r.app, Ent: postgres.Client(orm), Queue: queue, Store: r.store, Predictor: r.model, Events: r.told, Log: slog.New(slog.DiscardHandler)})
	r.schedule = NewSchedule(r.service, r.worker, ScheduleOptions{Now: func() time.Time { return r.now }, Again: time.Nanosecond})
	model := id.New(id.MLModel)
	r.sql(`INSERT INTO ml_models (id, tenant_id, name, type, feature_schema) VALUES ($1, $2, 'failure_predictor', 'failure_prediction', $3)`, model, r.acme.TenantID, daily.SchemaHash())
	r.sql(`INSERT INTO ml_model_versions (id, tenant_id, model_id, semantic_version, full_version_label, stage, artifact_path, feature_schema_hash, dataset_hash, classes, metrics)
		VALUES ($1, $2, $3, '1.0.0', 'failure_predictor:1.0.0', 'production', 'x', $4, 'x', '[]', '{}')`, r.version, r.acme.TenantID, model, daily.SchemaHash())
	r.sql(`UPDATE assets SET installed_on = '2020-01-01', criticality = 'high'`)
	return r
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// sql runs a statement as the owner, under whose eyes every tenant is.
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
	_, err = tx.Exec(r.Context(), `SELECT set_config('app.tenant_id', $1, true), set_config('statement_timeout', '0', true)`, tenant)
	r.ok(err)
	_, err = tx.Exec(r.Context(), q, args...)
	r.ok(err)
	r.ok(tx.Commit(r.Context()))
}

// as is the product within a tenant.
func (r *rig) as(p testkit.Plant) context.Context { return tenancy.AsSystem(r.Context(), p.TenantID) }

func (r *rig) last() time.Time { return daily.LastDay(r.now) }

// hours stores rollups of so many hours of a day, with one reading each at the velocity.
func (r *rig) hours(k telemetry.Key, day time.Time, n int, velocity float64) {
	r.Helper()
	rows := make([]telemetry.Rollup, 0, n)
	for h := range n {
		r.seq++
		row := telemetry.Rollup{Start: day.Add(time.Duration(h) * time.Hour)}
		raw := telemetry.Raw{Reading: telemetry.Reading{Key: k, Timestamp: row.Start.Add(time.Minute), Channels: telemetry.NoChannels()}, LogSeq: r.seq}
		raw.Channels[telemetry.At(0, telemetry.Band1)], raw.Channels[telemetry.At(0, telemetry.Band2)] = velocity, 0
		raw.Channels[telemetry.At(0, telemetry.Band3)], raw.Channels[telemetry.At(0, telemetry.Band4)] = 0, 0
		row.Add(&raw)
		rows = append(rows, row)
	}
	r.ok(r.store.WriteRollups(r.Context(), telemetry.H1, rows))
}

// look adds what is due and does it.
func (r *rig) look(p testkit.Plant) {
	r.Helper()
	r.ok(r.schedule.Look(r.Context()))
	rows, err := r.app.Query(r.as(p), `SELECT id FROM scoring_jobs WHERE tenant_id = $1 AND status = 'queued' ORDER BY day`, p.TenantID)
	r.ok(err)
	var due []id.UUID
	for rows.Next() {
		var u id.UUID
		r.ok(rows.Scan(&u))
		due = append(due, u)
	}
	r.ok(rows.Err())
	for _, job := range due {
		r.run(p, job)
	}
}

// run does a job.
func (r *rig) run(p testkit.Plant, job id.UUID) {
	r.Helper()
	r.ok(r.service.run(r.as(p), scoreArgs{jobs.Behalf{TenantID: p.TenantID}, job}))
}

// one reads one value as the tenant.
func one[T any](r *rig, p testkit.Plant, q string, args ...any) (v T) {
	r.Helper()
	r.ok(r.app.QueryRow(r.as(p), q, args...).Scan(&v))
	return v
}

// steep is a model for tests: it looks at the week's mean vibration alone.
type steep struct {
	version id.UUID
	off     bool // no model answers
	asked   int
}

func (m *steep) Forecast(_ context.Context, _ id.UUID, rows []Row) ([]Forecast, error) {
	at, _ := daily.Place("vibration_rms_7d_avg")
	out := make([]Forecast, len(rows))
	for i := range rows {
		m.asked++
		if m.off {
			out[i].Err = fault.New(fault.Unavailable, "error.inference.noModel")
			continue
		}
		p := 1 / (1 + math.Exp(4-float64(rows[i].Features[at])))
		if p != p {
			p = 0.02
		}
		out[i] = Forecast{Version: m.version, Label: "failure_predictor:1.0.0",
			Within7: Probability{p / 2, p / 4, p}, Within30: Probability{p, p / 2, min(1, 2*p)}}
	}
	return out, nil
}

// told keeps what was published.
type told struct {
	mu     sync.Mutex
	events []event.Event
}

func (t *told) Publish(_ context.Context, events ...event.Event) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = append(t.events, events...)
	return nil
}

func (t *told) of(k event.Kind) (out []event.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range t.events {
		if e.Kind == k {
			out = append(out, e)
		}
	}
	return out
}
