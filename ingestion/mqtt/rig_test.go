package mqtt_test

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/ingestion/admit"
	"foresight/ingestion/mqtt"
	"foresight/ingestion/registry"
	"foresight/internal/bus"
	"foresight/internal/embedded/natsd"
	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

const within = testkit.Patience

// The credentials of the gateways of acme and globex.
const (
	userA, userB = "gw-acme", "gw-globex"
	password     = "s3cret"
)

var quiet = slog.New(slog.DiscardHandler)

// rig is a broker between real clients, a real database and a real log.
type rig struct {
	db       *testkit.DB
	a, b     testkit.Plant
	registry *registry.Registry
	nats     *natsd.Server
	log      *bus.Log
	admitter *admit.Admitter
	letters  *letterBox
	broker   *mqtt.Broker
	present  admit.Presence // of the next admitter
	setup    setup
	verified atomic.Int64 // calls of Verify
	owner    *pgx.Conn
}

type setup struct {
	watch   bool                      // the broker hears of changes of gateways
	log     func(admit.Log) admit.Log // wraps the log
	options func(*mqtt.Options)
	bare    bool // no broker
	listen  bool // other processes reach the log

	capacity int64  // of the log, in bytes
	sql      string // run before the registry loads
}

func newRig(t testing.TB, s setup) *rig {
	t.Helper()
	r := &rig{db: testkit.NewDB(t), letters: &letterBox{}, setup: s}
	r.a, r.b = testkit.TwoTenants(t, r.db)
	var err error
	if r.owner, err = pgx.Connect(t.Context(), r.db.OwnerDSN); err != nil {
		t.Fatal(err)
	}
	after(t, r.owner.Close)
	r.exec(t, `UPDATE gateways SET mqtt_username = 'gw-' || t.code, mqtt_password_hash = 'hash:s3cret' FROM tenants t WHERE t.id = tenant_id`)

	if s.sql != "" {
		r.exec(t, s.sql)
	}
	pool, err := postgres.Open(t.Context(), r.db.WorkerDSN, postgres.Options{MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	r.registry = registry.New(registry.Options{
		Pool: pool, Refresh: time.Hour, Log: quiet,
		Limits: registry.Limits{Retention: 30 * 24 * time.Hour, Rate: 1e6, Burst: 1e6},
	})
	start(t, r.registry)
	listen := ""
	if s.listen {
		listen = "127.0.0.1:0"
	}
	r.nats = natsd.New(natsd.Options{StoreDir: filepath.Join(t.TempDir(), "js"), MaxStoreBytes: 4 << 30, Listen: listen, Log: quiet})
	start(t, r.nats)
	connecting, cancel := context.WithTimeout(t.Context(), within) // else it is given two seconds
	defer cancel()
	conn, err := bus.Connect(connecting, bus.Options{InProcess: r.nats, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	after(t, conn.Close)
	if r.log, err = bus.OpenLog(t.Context(), conn, bus.LogOptions{MaxBytes: cmp.Or(s.capacity, 2<<30), Partitions: 2, AckTimeout: within}); err != nil {
		t.Fatal(err)
	}
	r.admitter = r.newAdmitter()
	if s.bare {
		return r
	}
	r.restart(t)
	return r
}

// newAdmitter returns one that knows nothing of what came before.
func (r *rig) newAdmitter() *admit.Admitter {
	log := admit.BusLog(r.log)
	if r.setup.log != nil {
		log = r.setup.log(log)
	}
	return admit.New(admit.Options{
		Snapshot: r.registry.Snapshot, Log: log, Partition: bus.Partition, DeadLetters: r.letters, Presence: r.present, Metrics: prometheus.NewRegistry(),
	})
}

// restart starts a broker that uses the present admitter.
func (r *rig) restart(t testing.TB) {
	t.Helper()
	s := r.setup
	o := mqtt.Options{
		Addr: "127.0.0.1:0", Admitter: r.admitter, Snapshot: r.registry.Snapshot, PasswordHash: r.registry.PasswordHash,
		Verify: func(hash, password string) bool {
			r.verified.Add(1)
			return hash == "hash:"+password
		},
		HandshakeTimeout: within, WriteTimeout: within, LookupTimeout: within,
		Metrics: prometheus.NewRegistry(), Log: quiet,
	}
	if s.watch {
		o.Changes = r.registry.Changes()
	}
	if s.options != nil {
		s.options(&o)
	}
	r.broker = mqtt.NewBroker(o)
	start(t, r.broker)
}

type part interface {
	Start(context.Context) error
	Stop(context.Context) error
}

// start runs a part until the end of the test.
func start(t testing.TB, p part) {
	t.Helper()
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	after(t, p.Stop)
}

func after(t testing.TB, f func(context.Context) error) {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience) // the test's own has ended
		defer cancel()
		_ = f(ctx) // a test may have stopped it already
	})
}

func (r *rig) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := r.owner.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func (r *rig) addr() string { return r.broker.Addr().String() }

// flows returns the values of `flow` in the log, in its order, and how often they occur.
func (r *rig) flows(t testing.TB) (order []int, times map[int]int) {
	t.Helper()
	times = map[int]int{}
	r.each(t, func(raw *telemetry.Raw) {
		v, _ := raw.Parameter("flow")
		order = append(order, int(v))
		times[int(v)]++
	})
	return order, times
}

// each calls do with every record of the log, whose memory is used again.
func (r *rig) each(t testing.TB, do func(*telemetry.Raw)) {
	t.Helper()
	for p := range r.log.Partitions() {
		reader, err := r.log.Read(p, 1)
		if err != nil {
			t.Fatal(err)
		}
		for {
			entries, err := reader.Next(t.Context(), 2000, 300*time.Millisecond)
			if errors.Is(err, bus.ErrUnavailable) {
				continue // nothing is lost
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				var raw telemetry.Raw
				if err := telemetry.DecodeEnvelope(e.Data, &raw); err != nil {
					t.Fatal(err)
				}
				do(&raw)
			}
			if reader.Pending() == 0 { // as the server said, however long it took
				break
			}
		}
		if err := reader.Close(t.Context()); err != nil && !errors.Is(err, bus.ErrUnavailable) {
			t.Fatal(err)
		}
	}
}

// letterBox keeps dead letters.
type letterBox struct {
	mu      sync.Mutex
	letters []admit.DeadLetter
}

func (l *letterBox) Put(d admit.DeadLetter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.letters) < 1000 {
		l.letters = append(l.letters, d)
	}
}

func (l *letterBox) last() admit.DeadLetter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.letters) == 0 {
		return admit.DeadLetter{}
	}
	return l.letters[len(l.letters)-1]
}

// faultyLog is the real log with faults: confirmations that are held back, and ones
// that fail although the record may be in the log.
type faultyLog struct {
	admit.Log
	mu   sync.Mutex
	hold bool
	fail func(n int) error // of the n-th append, from 0; nil: the log's own answer
	n    int
	held []chan error
}

type faultyPending struct {
	admit.Pending
	free chan error
}

func (l *faultyLog) wrap(inner admit.Log) admit.Log { l.Log = inner; return l }

func (l *faultyLog) AppendAsync(ctx context.Context, p int, tenant, sensor id.UUID, data []byte) (admit.Pending, error) {
	inner, err := l.Log.AppendAsync(ctx, p, tenant, sensor, data)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f := &faultyPending{inner, make(chan error, 1)}
	switch {
	case l.fail != nil:
		f.free <- l.fail(l.n)
	case l.hold:
		l.held = append(l.held, f.free)
	default:
		f.free <- nil
	}
	l.n++
	return f, nil
}

func (l *faultyLog) set(f func(*faultyLog)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(l)
}

func (l *faultyLog) waiting() (n int) {
	l.set(func(l *faultyLog) { n = len(l.held) })
	return n
}

func (f *faultyPending) Ready() bool { return len(f.free) > 0 && f.Pending.Ready() }

func (f *faultyPending) Wait(ctx context.Context) (uint64, error) {
	select {
	case err := <-f.free:
		if err != nil {
			return 0, err
		}
		return f.Pending.Wait(ctx)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
