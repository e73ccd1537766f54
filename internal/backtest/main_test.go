package backtest_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/ent"
	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/inference"
	"foresight/internal/alarms"
	"foresight/internal/backtest"
	"foresight/internal/blob"
	"foresight/internal/bulk"
	"foresight/internal/bus"
	"foresight/internal/fault"
	"foresight/internal/hub"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/page"
	"foresight/internal/postgres"
	"foresight/internal/rules"
	"foresight/internal/telemetry"
	"foresight/internal/telemetry/pgstore"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// world is a plant of two tenants with everything that a backtest works with.
type world struct {
	testing.TB
	*backtest.Service
	jobs         *bulk.Service
	rules        *alarms.RuleService
	owner        *pgxpool.Pool
	app, worker  *pgxpool.Pool
	store        *pgstore.Store
	bus          *bus.Bus
	hub          *hub.Hub
	artifacts    artifacts
	models       *inference.Service
	registry     *inference.Registry
	acme, globex testkit.Plant
	start        time.Time // of the history
	last         uint64    // reading
}

// artifacts are those of models beside the champion, by their hash.
type artifacts struct {
	sync.Mutex
	by map[string][]byte
}

// Artifact implements inference.Artifacts.
func (a *artifacts) Artifact(_ context.Context, hash string) ([]byte, error) {
	a.Lock()
	defer a.Unlock()
	if b, ok := a.by[hash]; ok {
		return b, nil
	}
	return nil, fmt.Errorf("no artifact %s", hash)
}

const kept = 30 * 24 * time.Hour

// newWorld is a world in which jobs are worked.
func newWorld(t testing.TB, change func(*backtest.Options)) *world {
	t.Helper()
	w := newIdleWorld(t, change)
	w.work()
	return w
}

// newIdleWorld is a world in which nobody works the jobs.
func newIdleWorld(t testing.TB, change func(*backtest.Options)) *world {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	db := testkit.NewDB(t)
	w := &world{TB: t, start: time.Now().UTC().Truncate(time.Hour).Add(-48 * time.Hour)}
	w.artifacts.by = map[string][]byte{}
	w.acme, w.globex = testkit.TwoTenants(t, db)
	for pool, dsn := range map[**pgxpool.Pool]string{&w.app: db.AppDSN, &w.worker: db.WorkerDSN} {
		p, err := postgres.Open(t.Context(), dsn, postgres.Options{MaxConns: 8})
		w.ok(err)
		t.Cleanup(p.Close)
		*pool = p
	}
	var err error
	w.owner, err = pgxpool.New(t.Context(), db.OwnerDSN)
	w.ok(err)
	t.Cleanup(w.owner.Close)
	w.bus, err = bus.Connect(t.Context(), bus.Options{InProcess: testkit.NATS(t), Log: log})
	w.ok(err)
	t.Cleanup(func() { w.stop(w.bus.Close) })
	w.hub = hub.New(w.bus.Conn(), hub.Options{Log: log})
	t.Cleanup(func() { _ = w.hub.Close() })
	files, err := blob.Open(t.Context(), "mem://")
	w.ok(err)
	t.Cleanup(func() { _ = files.Close() })
	queue, err := jobs.NewQueue(w.app)
	w.ok(err)
	orm := postgres.OpenDB(w.app)
	t.Cleanup(func() { _ = orm.Close() })
	client := postgres.Client(orm)
	w.store = pgstore.New(w.worker, w.app)
	w.rules = alarms.NewRuleService(client)
	w.jobs = bulk.New(bulk.Options{App: w.app, Queue: queue, Events: w.hub, Files: files, Store: w.store, Log: log})
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	w.registry, err = inference.NewRegistry(inference.RegistryConfig{}, nil, &w.artifacts, prometheus.NewRegistry(), quiet)
	w.ok(err)
	w.models, err = inference.NewService(inference.ServiceConfig{Slow: time.Minute}, w.registry, prometheus.NewRegistry())
	w.ok(err)
	o := backtest.Options{ORM: client, App: w.app, Queue: queue, Jobs: w.jobs, Rules: w.rules, Store: w.store,
		Retention: func(id.UUID) (time.Duration, bool) { return kept, true }, Model: w.models, Log: log}
	if change != nil {
		change(&o)
	}
	w.Service = backtest.New(o)
	return w
}

// work starts a runner, as another process would; it stops after the test.
func (w *world) work() {
	w.Helper()
	r := jobs.NewRunner(jobs.Options{Pool: w.worker, Log: slog.New(slog.DiscardHandler)})
	w.Work(r)
	w.ok(r.Start(w.Context()))
	w.Cleanup(func() { w.stop(r.Stop) })
}

func (w *world) stop(f func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.Context()), testkit.Patience)
	defer cancel()
	if err := f(ctx); err != nil {
		w.Error(err)
	}
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

// ask runs a query for one number past all policies.
func (w *world) ask(query string, args ...any) (n int) {
	w.Helper()
	w.ok(w.owner.QueryRow(w.Context(), query, args...).Scan(&n))
	return n
}

// as is a person of acme, limited to the sites if there are any.
func (w *world) as(r tenancy.Role, sites ...id.UUID) context.Context {
	a := *tenancy.Must(w.acme.As(w.Context(), r))
	a.SiteIDs = sites
	return tenancy.With(w.Context(), &a)
}

func (w *world) engineer() context.Context { return w.as(tenancy.Engineer) }

// at is so many minutes after the start of the history.
func (w *world) at(minutes float64) time.Time {
	return w.start.Add(time.Duration(minutes * float64(time.Minute)).Round(time.Millisecond))
}

// reading is one of a sensor, so many minutes after the start, with a flow.
func (w *world) reading(k telemetry.Key, minutes, flow float64) telemetry.Raw {
	w.last++
	at := w.at(minutes)
	raw := telemetry.Raw{Reading: telemetry.Reading{Key: k, Timestamp: at, Channels: telemetry.NoChannels(), Values: []telemetry.Value{{Name: "flow", Value: flow}}},
		LogSeq: w.last, ReceivedAt: at.Add(50 * time.Millisecond), Topic: "acme/north/sensors/x", Payload: []byte(`{}`)}
	binary.BigEndian.PutUint64(raw.IngestID[:], w.last)
	return raw
}

// stores writes readings as the pipeline does.
func (w *world) stores(raws ...telemetry.Raw) {
	w.Helper()
	_, err := w.store.WriteReadings(w.Context(), raws)
	w.ok(err)
}

// flows stores a flow each minute of acme's first sensor.
func (w *world) flows(values ...float64) {
	w.Helper()
	var raws []telemetry.Raw
	for i, v := range values {
		raws = append(raws, w.reading(w.acme.Key(0), float64(i), v))
	}
	w.stores(raws...)
}

// hot is a rule on the flow.
func hot(threshold float64) alarms.RuleSpec {
	return alarms.RuleSpec{Name: "Hot", Parameter: "flow", Operator: rules.GT, Threshold: threshold, Severity: rules.High, MinConsecutive: 1, IsActive: true}
}

// whole asks for all of the history.
func (w *world) whole() backtest.Request {
	return backtest.Request{From: w.start, To: w.start.Add(24 * time.Hour)}
}

// run works a backtest to its end.
func (w *world) run(ctx context.Context, q backtest.Request) *backtest.Backtest {
	w.Helper()
	b, err := w.Start(ctx, q)
	w.ok(err)
	return w.ended(ctx, b.ID)
}

// ended waits for the end of a backtest.
func (w *world) ended(ctx context.Context, which id.UUID) *backtest.Backtest {
	w.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	wait, err := w.jobs.News(ctx, which)
	w.ok(err)
	for {
		b, err := w.Backtest(ctx, which)
		w.ok(err)
		if b.Ended() {
			return b
		}
		w.ok(wait(ctx))
	}
}

// succeeded is run for a backtest that must succeed.
func (w *world) succeeded(ctx context.Context, q backtest.Request) *backtest.Backtest {
	w.Helper()
	b := w.run(ctx, q)
	if b.Status != enum.JobSucceeded || b.Failure != nil || b.FinishedAt == nil {
		w.Fatalf("%+v", b)
	}
	return b
}

// alarms lists those of a backtest.
func (w *world) alarms(ctx context.Context, b *backtest.Backtest) []*ent.BacktestAlarm {
	w.Helper()
	var out []*ent.BacktestAlarm
	first := 100
	var after *string
	for {
		p, err := w.Alarms(ctx, b.ID, backtest.AlarmFilter{}, page.Args{First: &first, After: after})
		w.ok(err)
		out = append(out, p.Items...)
		if !p.HasNext {
			return out
		}
		c := p.Cursor(p.Items[len(p.Items)-1])
		after = &c
	}
}

// told is an alarm of a backtest in minutes after the start: from-to xtimes@value.
func (w *world) told(all []*ent.BacktestAlarm) (out []string) {
	for _, a := range all {
		m := func(t time.Time) float64 { return t.Sub(w.start).Minutes() }
		to := "-"
		if a.ClearedAt != nil {
			to = fmt.Sprint(m(*a.ClearedAt))
		}
		s := fmt.Sprintf("%v..%v until %s x%d @%v", m(a.TriggeredAt), m(a.LastTriggeredAt), to, a.Occurrences, a.TriggeredValue)
		if a.Reopened {
			s += " again"
		}
		out = append(out, s)
	}
	return out
}

// sums are how many rows everything live has.
func (w *world) sums() (out [6]int) {
	w.Helper()
	for i, table := range []string{"alarm_events", "alarm_transitions", "rule_states", "telemetry_raw", "predictions", "alarm_rules"} {
		out[i] = w.ask("SELECT count(*) FROM " + table)
	}
	return out
}

// real is what a rule's alarms are held against.
func real(b *backtest.Backtest, rule int) document.BacktestComparison {
	if x := b.Rule(rule).Real; x != nil {
		return *x
	}
	return document.BacktestComparison{}
}

func keyOf(err error) string {
	var e *fault.Error
	if errors.As(err, &e) {
		return strings.TrimSpace(e.Field + " " + e.Key)
	}
	return fmt.Sprint(err)
}
