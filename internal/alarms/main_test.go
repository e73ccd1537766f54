package alarms

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/page"
	"foresight/internal/postgres"
	"foresight/internal/rules"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) {
	testkit.Main(m)
}

var epoch = time.Now().UTC().Truncate(time.Second).Add(-time.Hour)

// world is a database with two tenants and the package's parts on it.
type world struct {
	testing.TB
	db           *testkit.DB
	acme, globex testkit.Plant
	app, worker  *pgxpool.Pool
	hub          *hub
	rules        *RuleService
	source       *RuleSource
	recorder     *Recorder
	service      *Service
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, db: testkit.NewDB(t), hub: newHub()}
	w.acme, w.globex = testkit.TwoTenants(t, w.db)
	w.app, w.worker = w.pool(w.db.AppDSN), w.pool(w.db.WorkerDSN)
	db := postgres.OpenDB(w.app)
	t.Cleanup(func() { db.Close() })
	w.rules = NewRuleService(postgres.Client(db))
	w.source = NewRuleSource(SourceOptions{Pool: w.worker, Log: slog.New(slog.DiscardHandler)})
	m := NewMetrics(prometheus.NewRegistry())
	w.recorder = NewRecorder(w.source, m)
	w.service = NewService(w.app, w.hub, m, slog.New(slog.DiscardHandler))
	return w
}

func (w *world) pool(dsn string) *pgxpool.Pool {
	w.Helper()
	p, err := postgres.Open(w.Context(), dsn, postgres.Options{MaxConns: 24})
	w.ok(err)
	w.Cleanup(p.Close)
	return p
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// rule makes a rule of the plant, flow > 10 unless changed, and lets the workers know.
func (w *world) rule(p testkit.Plant, change func(*RuleSpec)) id.UUID {
	w.Helper()
	spec := RuleSpec{Name: "Flow", Parameter: telemetry.Flow, Operator: rules.GT, Threshold: 10, Severity: rules.High, MinConsecutive: 1, IsActive: true}
	if change != nil {
		change(&spec)
	}
	r, err := w.rules.Create(p.As(w.Context(), tenancy.Engineer), spec)
	w.ok(err)
	w.ok(w.source.load(w.Context(), nil))
	return r.ID
}

// flow is the event of a reading of one of the plant's sensors, so many seconds
// after the beginning.
func flow(p testkit.Plant, sensor, second int, value float64) event.Event {
	at := epoch.Add(time.Duration(second) * time.Second)
	raw := &telemetry.Raw{Reading: telemetry.Reading{
		Key: p.Key(sensor), Timestamp: at, Channels: telemetry.NoChannels(),
		Values: []telemetry.Value{{Name: telemetry.Flow, Value: value}},
	}}
	return event.Event{Kind: event.Telemetry, Key: raw.Key, At: at.Add(time.Millisecond), Reading: raw}
}

// apply processes a batch as the worker does.
func (w *world) apply(p testkit.Plant, happened ...event.Event) []event.Event {
	w.Helper()
	hints, err := w.tryApply(p, happened...)
	w.ok(err)
	return hints
}

func (w *world) tryApply(p testkit.Plant, happened ...event.Event) (hints []event.Event, err error) {
	ctx := tenancy.AsSystem(w.Context(), p.TenantID)
	err = pgx.BeginFunc(ctx, w.worker, func(tx pgx.Tx) error {
		hints, err = w.recorder.Apply(ctx, tx, p.TenantID, happened)
		return err
	})
	return hints, err
}

// alarms lists all alarms of the plant, the oldest first.
func (w *world) alarms(p testkit.Plant) []*Event {
	w.Helper()
	found, err := w.service.Events(p.As(w.Context(), tenancy.Viewer), EventFilter{}, page.Args{First: ptr(100)})
	w.ok(err)
	slices.Reverse(found.Items)
	return found.Items
}

// only returns the single alarm of the plant.
func (w *world) only(p testkit.Plant) *Event {
	w.Helper()
	all := w.alarms(p)
	if len(all) != 1 {
		w.Fatalf("%d alarms, want 1", len(all))
	}
	return all[0]
}

// told lists the transitions of the plant as `from>to`, and fails on a gap or double.
func (w *world) told(p testkit.Plant) []string {
	w.Helper()
	changes, err := readTransitions(tenancy.AsSystem(w.Context(), p.TenantID), w.app, p.TenantID, 0, 10_000)
	w.ok(err)
	var out []string
	for i, c := range changes {
		if c.Seq != uint64(i+1) {
			w.Fatalf("transition %d has seq %d", i+1, c.Seq)
		}
		out = append(out, string(c.Transition.From)+">"+string(c.Transition.To))
	}
	return out
}

func (w *world) states() (n int) {
	w.Helper()
	c, err := pgx.Connect(w.Context(), w.db.OwnerDSN)
	w.ok(err)
	defer c.Close(w.Context())
	var all int
	for _, p := range []testkit.Plant{w.acme, w.globex} {
		_, err = c.Exec(w.Context(), `SELECT set_config('app.tenant_id', $1, false)`, p.TenantID.String())
		w.ok(err)
		w.ok(c.QueryRow(w.Context(), `SELECT count(*) FROM rule_states WHERE tenant_id = $1`, p.TenantID).Scan(&n))
		all += n
	}
	return all
}

// hub stands where the network is: it passes hints on, unless they are lost.
type hub struct {
	mu   sync.Mutex
	lost bool
	sent []event.Event
	subs map[chan event.Item]event.Filter
	err  error
}

func newHub() *hub { return &hub{subs: map[chan event.Item]event.Filter{}} }

func (h *hub) Publish(_ context.Context, events ...event.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sent = append(h.sent, events...)
	if h.lost {
		return h.err
	}
	for _, e := range events {
		for c, f := range h.subs {
			if f.Tenant == e.Key.Tenant && f.Kind == e.Kind {
				select {
				case c <- event.Item{Event: e}:
				default:
				}
			}
		}
	}
	return h.err
}

func (h *hub) Subscribe(ctx context.Context, f event.Filter) (<-chan event.Item, error) {
	c := make(chan event.Item, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.subs[c] = f
	context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.subs, c)
		close(c)
	})
	return c, nil
}
