package pipeline

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"foresight/inference"
	"foresight/internal/alarms"
	"foresight/internal/bus"
	"foresight/internal/embedded/natsd"
	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/telemetry/pgstore"
	"foresight/internal/testkit"
)

const within = testkit.Patience

// What the real parts promise, so that a change of either side shows here.
var (
	_ Model       = (*inference.Service)(nil)
	_ Alarms      = (*alarms.Recorder)(nil)
	_ DeadLetters = (*Letters)(nil)
)

// rig is a plant of two tenants with a log, a database, a store and the real rules.
type rig struct {
	testing.TB
	db      *testkit.DB
	owner   *pgxpool.Pool
	log     *bus.Log
	bus     *bus.Bus
	a, b    testkit.Plant
	start   time.Time
	last    map[int]uint64 // sequence of the last entry by partition
	store   telemetry.Store
	rules   *alarms.RuleSource
	alarms  *hookedAlarms
	model   *fingerprint
	events  *recorder
	dead    *deadLetters
	workers []*Worker
}

func newRig(t testing.TB, partitions int) *rig {
	t.Helper()
	return newRigOn(t, testkit.NATS(t), partitions)
}

func newRigOn(t testing.TB, server *natsd.Server, partitions int) *rig {
	t.Helper()
	r := &rig{TB: t, db: testkit.NewDB(t), last: map[int]uint64{}, start: time.Now().UTC().Truncate(time.Minute).Add(-10 * time.Minute)}
	r.a, r.b = testkit.TwoTenants(t, r.db)
	r.owner = r.pool(r.db.OwnerDSN)
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	var err error
	if r.bus, err = bus.Connect(ctx, bus.Options{InProcess: server, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.bus.Close(context.Background()) })
	if r.log, err = bus.OpenLog(ctx, r.bus, bus.LogOptions{Partitions: partitions, AckTimeout: within}); err != nil {
		t.Fatal(err)
	}
	r.freshSide(r.db)
	return r
}

// freshSide makes what stands on one database.
func (r *rig) freshSide(db *testkit.DB) {
	r.Helper()
	r.store = pgstore.New(r.pool(db.WorkerDSN), r.pool(db.AppDSN), pgstore.WithDeferredSync())
	r.rules = alarms.NewRuleSource(alarms.SourceOptions{Pool: r.pool(db.WorkerDSN), Log: slog.New(slog.DiscardHandler)})
	r.alarms = &hookedAlarms{Alarms: alarms.NewRecorder(r.rules, alarms.NewMetrics(prometheus.NewRegistry()))}
	r.model = &fingerprint{}
	r.events = &recorder{}
	r.dead = &deadLetters{DeadLetters: NewLetters(r.pool(db.WorkerDSN))}
}

func (r *rig) pool(dsn string) *pgxpool.Pool {
	r.Helper()
	p, err := pgxpool.New(context.Background(), dsn)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(p.Close)
	return p
}

func (r *rig) exec(sql string, args ...any) {
	r.Helper()
	if _, err := r.owner.Exec(r.Context(), sql, args...); err != nil {
		r.Fatal(err)
	}
}

// ask returns one number.
func (r *rig) ask(sql string, args ...any) int {
	r.Helper()
	var n int
	if err := r.owner.QueryRow(r.Context(), sql, args...).Scan(&n); err != nil {
		r.Fatal(err)
	}
	return n
}

// rule adds one to both tenants and loads it.
func (r *rig) rule(parameter, operator string, threshold float64) {
	r.Helper()
	for _, p := range []testkit.Plant{r.a, r.b} {
		r.exec(`INSERT INTO alarm_rules (id, tenant_id, name, parameter, operator, threshold, severity)
			VALUES ($1, $2, 'rule', $3, $4, $5, 'high')`, id.New(id.AlarmRule), p.TenantID, parameter, operator, threshold)
	}
}

func (r *rig) startRules() {
	r.Helper()
	if err := r.rules.Start(r.Context()); err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = r.rules.Stop(context.Background()) })
}

// parts gives a worker everything, the store through the wrapper.
func (r *rig) parts(store telemetry.Store) Parts {
	return Parts{Pool: r.pool(r.db.WorkerDSN), Log: r.log, Store: store, Model: r.model, Alarms: r.alarms,
		Dead: r.dead, Events: r.events, Logger: slog.New(slog.DiscardHandler)}
}

func quick(name string) Options {
	return Options{Name: name, Pace: time.Millisecond, Lease: 400 * time.Millisecond, Heartbeat: 50 * time.Millisecond, SilenceGrace: time.Hour, ModelTimeout: within}
}

func (r *rig) work(p Parts, o Options) *Worker {
	r.Helper()
	w := New(p, o)
	if err := w.Start(r.Context()); err != nil {
		r.Fatal(err)
	}
	r.workers = append(r.workers, w)
	r.Cleanup(func() { r.end(w) })
	return w
}

// end stops a worker unless it is stopped.
func (r *rig) end(w *Worker) {
	select {
	case <-w.done:
		return
	default:
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if err := w.Stop(ctx); err != nil {
		r.Error(err)
	}
}

// reading is the n-th of a sensor, n seconds after the start, with vibration about v.
func (r *rig) reading(k telemetry.Key, n int, v float64) telemetry.Raw {
	at := r.start.Add(time.Duration(n) * time.Second)
	raw := telemetry.Raw{Reading: telemetry.Reading{Key: k, Timestamp: at}, ReceivedAt: at.Add(50 * time.Millisecond), Topic: "acme/north/sensors/x"}
	for c := range raw.Channels {
		raw.Channels[c] = v + float64(n%7)/10 + float64(c)/1000
	}
	if n%3 == 0 {
		raw.Channels[5] = math.NaN()
	}
	raw.Values = []telemetry.Value{{Name: "flow", Value: float64(n)}}
	raw.Payload = []byte(`{"n":1}`)
	h := fnv.New128a()
	h.Write(k.Tenant[:])
	h.Write(k.Sensor[:])
	_ = binary.Write(h, binary.BigEndian, int64(n))
	h.Sum(raw.IngestID[:0])
	return raw
}

// append adds messages to the log in order and returns the last sequence.
func (r *rig) append(raws ...telemetry.Raw) (last uint64) {
	r.Helper()
	for i := range raws {
		last = r.appendBytes(raws[i].Key, telemetry.AppendEnvelope(nil, &raws[i]))
	}
	return last
}

func (r *rig) appendBytes(k telemetry.Key, data []byte) uint64 {
	r.Helper()
	partition := bus.Partition(k.Tenant, k.Sensor, r.log.Partitions())
	seq, err := r.log.Append(r.Context(), partition, k.Tenant, k.Sensor, data)
	if err != nil {
		r.Fatal(err)
	}
	r.last[partition] = seq
	return seq
}

func (r *rig) eventually(what string, condition func() bool) {
	r.Helper()
	deadline := time.Now().Add(within)
	for !condition() {
		if time.Now().After(deadline) {
			r.Fatalf("%s: not within %s", what, within)
		}
		if err := pause(r.Context(), 3*time.Millisecond); err != nil {
			r.Fatal(err)
		}
	}
}

// drained waits until the checkpoints have reached the sequence.
func (r *rig) drained(sequence uint64) {
	r.Helper()
	r.eventually("the log is processed", func() bool {
		return r.ask(`SELECT coalesce(max(sequence), 0) FROM partitions`) >= int(sequence)
	})
}

func (r *rig) readings(k telemetry.Key) []telemetry.Raw {
	r.Helper()
	out, err := r.store.Readings(r.Context(), telemetry.RangeQuery{Tenant: k.Tenant, Scope: telemetry.Scope{Sensor: k.Sensor}, Limit: 1000})
	if err != nil {
		r.Fatal(err)
	}
	return out
}

// predictions maps event times to probabilities, which are fingerprints of windows.
func (r *rig) predictions(k telemetry.Key) map[time.Time]float64 {
	r.Helper()
	list, err := r.store.Predictions(r.Context(), telemetry.PredictionQuery{
		RangeQuery: telemetry.RangeQuery{Tenant: k.Tenant, Scope: telemetry.Scope{Sensor: k.Sensor}, Limit: 1000}})
	if err != nil {
		r.Fatal(err)
	}
	out := map[time.Time]float64{}
	for _, p := range list {
		if _, twice := out[p.Timestamp]; twice {
			r.Errorf("two predictions at %s", p.Timestamp)
		}
		out[p.Timestamp] = p.Probability
	}
	return out
}

// published returns what was published of a sensor, when there is so much of it: it follows
// the commit.
func (r *rig) published(kind event.Kind, sensor id.UUID, n int) []event.Event {
	r.Helper()
	r.eventually("what is committed is published", func() bool { return len(r.events.of(kind, sensor)) >= n })
	return r.events.of(kind, sensor)
}

func errorsOf(w *Worker, kind string) int { return count(w.metrics.errors.WithLabelValues(kind)) }

func outcome(w *Worker, what string) int { return count(w.metrics.readings.WithLabelValues(what)) }

func count(c prometheus.Counter) int {
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		panic(err)
	}
	return int(m.GetCounter().GetValue())
}
