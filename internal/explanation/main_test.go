package explanation

import (
	"context"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/inference/champion"
	"foresight/inference/explain"
	"foresight/inference/features"
	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/telemetry"
	"foresight/internal/telemetry/pgstore"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// world is a database with two tenants, their readings, and what explains the champion.
type world struct {
	testing.TB
	acme, globex testkit.Plant
	owner        *pgx.Conn
	app, worker  *pgxpool.Pool
	store        *pgstore.Store
	shelf        *explain.Shelf
	service      *Service
	failing      atomic.Pointer[error] // what the artifacts answer instead
}

func newWorld(t testing.TB) *world {
	t.Helper()
	db := testkit.NewDB(t)
	w := &world{TB: t}
	w.acme, w.globex = testkit.TwoTenants(t, db)
	for pool, dsn := range map[**pgxpool.Pool]string{&w.app: db.AppDSN, &w.worker: db.WorkerDSN} {
		p, err := postgres.Open(t.Context(), dsn, postgres.Options{MaxConns: 8})
		w.ok(err)
		t.Cleanup(p.Close)
		*pool = p
	}
	var err error
	w.owner, err = pgx.Connect(t.Context(), db.OwnerDSN)
	w.ok(err)
	t.Cleanup(func() { _ = w.owner.Close(context.WithoutCancel(t.Context())) })
	w.store = pgstore.New(w.worker, w.app)
	w.shelf = explain.NewShelf(explain.ShelfOptions{Artifacts: w, RetryAfter: time.Nanosecond})
	w.service = New(w.sources(w.app))
	return w
}

func (w *world) sources(pool *pgxpool.Pool) Sources {
	return Sources{Pool: pool, Store: w.store, Explainers: w.shelf}
}

func (w *world) follower() *Follower {
	return NewFollower(FollowerOptions{Sources: w.sources(w.worker), Pause: time.Minute, Log: slog.New(slog.DiscardHandler)})
}

// Artifact implements explain.Artifacts: the champion's, and no other.
func (w *world) Artifact(_ context.Context, hash string) ([]byte, error) {
	if err := w.failing.Load(); err != nil {
		return nil, *err
	}
	if c := champion.FaultClassifier(); c.Hash() == hash {
		return c.Bundle, nil
	}
	return nil, fs.ErrNotExist
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) sql(sql string, args ...any) {
	w.Helper()
	_, err := w.owner.Exec(w.Context(), sql, args...)
	w.ok(err)
}

// predicted is a prediction with the features that it was made of.
type predicted struct {
	telemetry.FaultPrediction
	x features.Vector
}

var epoch = time.Now().UTC().Truncate(time.Second).Add(-time.Hour)

// readings stores n readings of the plant's first sensor, one each second, and returns
// them. One in four lacks some channels.
func (w *world) readings(p testkit.Plant, n int) []telemetry.Raw {
	w.Helper()
	r := rand.New(rand.NewPCG(5, uint64(n)))
	raws := make([]telemetry.Raw, n)
	for i := range raws {
		at := epoch.Add(time.Duration(i) * time.Second)
		raws[i] = telemetry.Raw{Reading: telemetry.Reading{Key: p.Key(0), Timestamp: at, Channels: telemetry.NoChannels()},
			IngestID: telemetry.IngestID{byte(i), byte(i >> 8), 1}, LogSeq: uint64(i + 1), ReceivedAt: at, Payload: []byte("{}")}
		for c := range raws[i].Channels {
			if r.IntN(12) > 0 || i%4 > 0 {
				raws[i].Channels[c] = float64(float32(1 + 4*r.Float64()))
			}
		}
	}
	_, err := w.store.WriteReadings(w.Context(), raws)
	w.ok(err)
	return raws
}

// prediction stores what the champion says of the window that ends with the last reading.
func (w *world) prediction(raws []telemetry.Raw) predicted {
	w.Helper()
	var window telemetry.Window
	for i := range raws {
		window.Add(raws[i].Timestamp, &raws[i].Channels)
	}
	e, err := w.shelf.Explainer(w.Context(), champion.FaultClassifier().Hash())
	w.ok(err)
	last := &raws[len(raws)-1]
	p := predicted{FaultPrediction: telemetry.FaultPrediction{Key: last.Key, ID: id.Derive(id.Prediction, last.Timestamp, last.IngestID[:], last.Tenant[:]),
		Timestamp: last.Timestamp, IngestID: last.IngestID, Probability: 0.5, VersionID: champion.FaultClassifier().VersionID(),
		VersionLabel: "fault_classifier:1.0.0", Role: telemetry.Production}}
	features.Extract(&window, &p.x)
	p.Label = e.Manifest.Classes[e.Model().Best(p.x[:])]
	w.ok(w.store.WritePredictions(w.Context(), []telemetry.FaultPrediction{p.FaultPrediction}))
	return p
}

// alarm raises an alarm as the pipeline does.
func (w *world) alarm(p testkit.Plant, prediction *id.UUID) id.UUID {
	w.Helper()
	rule, event := id.New(id.AlarmRule), id.New(id.AlarmEvent)
	w.sql(`INSERT INTO alarm_rules (id, tenant_id, name, parameter, operator, threshold, severity) VALUES ($1, $2, 'Fault', 'confidence', 'gt', 0.5, 'high')`, rule, p.TenantID)
	ctx := tenancy.AsSystem(w.Context(), p.TenantID)
	_, err := w.worker.Exec(ctx, `INSERT INTO alarm_events (id, tenant_id, site_id, asset_id, sensor_id, rule_id, severity, prediction_id, triggered_value, triggered_at, last_triggered_at)
		VALUES ($1, $2, $3, $4, $5, $6, 'high', $7, 0.9, now(), now())`, event, p.TenantID, p.SiteID, p.AssetID, p.SensorIDs[0], rule, prediction)
	w.ok(err)
	return event
}

// follow lets a follower look once and returns how many alarms it took.
func (w *world) follow() int {
	w.Helper()
	n, err := w.follower().Explain(w.Context())
	w.ok(err)
	return n
}

// of returns the explanation of an alarm as the viewer of the plant sees it.
func (w *world) of(p testkit.Plant, event id.UUID) (OfAlarm, bool) {
	w.Helper()
	found, err := w.service.OfAlarms(p.As(w.Context(), tenancy.Viewer), []id.UUID{event})
	w.ok(err)
	e, ok := found[event]
	return e, ok
}
