package admit_test

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/ingestion/admit"
	"foresight/ingestion/registry"
	"foresight/internal/bus"
	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const within = testkit.Patience

// rig is the gate between a real database and a real log.
type rig struct {
	db       *testkit.DB
	a, b     testkit.Plant
	registry *registry.Registry
	bus      *bus.Bus
	log      *bus.Log
	letters  *letterBox
	admitter *admit.Admitter
}

type setup struct {
	sql      string                     // run as the owner before the registry loads; $1 is tenant a
	log      func(admit.Log) admit.Log  // wraps the log
	options  func(*rig, *admit.Options) // changes the admitter's
	capacity int64                      // bytes of the log
}

func newRig(t testing.TB, s setup) *rig {
	t.Helper()
	r := &rig{db: testkit.NewDB(t), letters: &letterBox{}}
	r.a, r.b = testkit.TwoTenants(t, r.db)
	if s.sql != "" {
		execAs(t, r.db.OwnerDSN, s.sql, r.a.TenantID)
	}
	r.registry = registry.New(registry.Options{
		Pool: pool(t, r.db.WorkerDSN), Refresh: time.Hour, Log: slog.New(slog.DiscardHandler),
		Limits: registry.Limits{Retention: 30 * 24 * time.Hour, Rate: 1e6, Burst: 1e6},
	})
	if err := r.registry.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.registry.Stop(context.WithoutCancel(t.Context())) })
	var err error
	connecting, cancel := context.WithTimeout(t.Context(), within) // else it is given two seconds
	defer cancel()
	if r.bus, err = bus.Connect(connecting, bus.Options{InProcess: testkit.NATS(t), Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.bus.Close(context.WithoutCancel(t.Context())) })
	if s.capacity == 0 {
		s.capacity = 64 << 20
	}
	r.log = r.openLog(t, bus.LogOptions{MaxBytes: s.capacity, Partitions: 2})
	o := admit.Options{
		Snapshot: r.registry.Snapshot, Log: admit.BusLog(r.log), Partition: bus.Partition,
		DeadLetters: r.letters, Metrics: prometheus.NewRegistry(),
	}
	if s.log != nil {
		o.Log = s.log(o.Log)
	}
	if s.options != nil {
		s.options(r, &o)
	}
	r.admitter = admit.New(o)
	return r
}

func (r *rig) openLog(t testing.TB, o bus.LogOptions) *bus.Log {
	t.Helper()
	o.AckTimeout = within
	l, err := bus.OpenLog(t.Context(), r.bus, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func pool(t testing.TB, dsn string) *pgxpool.Pool {
	t.Helper()
	p, err := postgres.Open(t.Context(), dsn, postgres.Options{MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func execAs(t testing.TB, dsn, sql string, args ...any) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	if _, err := c.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// gateway is the credential of a plant's gateway.
func gateway(p testkit.Plant) admit.Credential {
	return admit.Credential{Tenant: p.TenantID, Sites: []id.UUID{p.SiteID}}
}

// letterBox keeps dead letters.
type letterBox struct {
	mu      sync.Mutex
	letters []admit.DeadLetter
}

func (l *letterBox) Put(d admit.DeadLetter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.letters = append(l.letters, d)
}

func (l *letterBox) last() admit.DeadLetter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.letters) == 0 {
		return admit.DeadLetter{}
	}
	return l.letters[len(l.letters)-1]
}

func (l *letterBox) all() []admit.DeadLetter {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.letters)
}

// records returns what stands in the log, in order.
func (r *rig) records(t testing.TB, l *bus.Log) []telemetry.Raw {
	t.Helper()
	var out []telemetry.Raw
	for p := range l.Partitions() {
		reader, err := l.Read(p, 1)
		if err != nil {
			t.Fatal(err)
		}
		for {
			entries, err := reader.Next(t.Context(), 1000, 300*time.Millisecond)
			if errors.Is(err, bus.ErrUnavailable) {
				continue // nothing is lost
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				raw := telemetry.Raw{}
				if err := telemetry.DecodeEnvelope(e.Data, &raw); err != nil {
					t.Fatal(err)
				}
				raw.LogSeq = e.Seq
				out = append(out, raw)
			}
			if reader.Pending() == 0 { // as the server said, however long it took
				break
			}
		}
		if err := reader.Close(t.Context()); err != nil && !errors.Is(err, bus.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	slices.SortFunc(out, func(a, b telemetry.Raw) int { return cmp.Compare(a.LogSeq, b.LogSeq) })
	return out
}

// heldLog keeps confirmations back until they are let go, one by one, in any order.
type heldLog struct {
	admit.Log
	mu   sync.Mutex
	held []*heldPending
}

type heldPending struct {
	admit.Pending
	free chan error
}

func (l *heldLog) AppendAsync(ctx context.Context, p int, tenant, sensor id.UUID, data []byte) (admit.Pending, error) {
	real, err := l.Log.AppendAsync(ctx, p, tenant, sensor, data)
	if err != nil {
		return nil, err
	}
	h := &heldPending{real, make(chan error, 1)}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = append(l.held, h)
	return h, nil
}

func (l *heldLog) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.held)
}

// free lets the i-th append go, with an error or with the log's own answer.
func (l *heldLog) free(i int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held[i].free <- err
}

func (h *heldPending) Ready() bool { return len(h.free) > 0 }

func (h *heldPending) Wait(ctx context.Context) (uint64, error) {
	select {
	case err := <-h.free:
		if err != nil {
			return 0, err
		}
		return h.Pending.Wait(ctx)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

var errGone = errors.New("the log is gone")
