package presence_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/ingestion/presence"
	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// told keeps what was published.
type told chan event.Event

func (c told) Publish(_ context.Context, events ...event.Event) error {
	for _, e := range events {
		c <- e
	}
	return nil
}

// next is the next change, as `gateway online` or `gateway offline`.
func (c told) next(t *testing.T) (e event.Event) {
	t.Helper()
	select {
	case e = <-c:
	case <-time.After(testkit.Patience):
		t.Fatal("nothing is told")
	}
	return e
}

// said passes on what is logged.
type said struct{ lines chan string }

func (s *said) Write(b []byte) (int, error) {
	s.lines <- string(b)
	return len(b), nil
}

type rig struct {
	*testing.T
	log   *slog.Logger
	a, b  testkit.Plant
	pool  *pgxpool.Pool
	owner *pgx.Conn
	told  told
}

func newRig(t *testing.T) *rig {
	db := testkit.NewDB(t)
	r := &rig{T: t, log: slog.New(slog.DiscardHandler), told: make(told, 100)}
	r.a, r.b = testkit.TwoTenants(t, db)
	var err error
	if r.pool, err = postgres.Open(t.Context(), db.WorkerDSN, postgres.Options{MaxConns: 4}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.pool.Close)
	if r.owner, err = pgx.Connect(t.Context(), db.OwnerDSN); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.owner.Close(context.WithoutCancel(t.Context())) })
	return r
}

// recorder is one process.
func (r *rig) recorder(heartbeat time.Duration) *presence.Recorder {
	r.Helper()
	p := presence.New(presence.Options{Pool: r.pool, Events: r.told, Heartbeat: heartbeat, Log: r.log})
	if err := p.Start(r.Context()); err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() {
		if err := p.Stop(context.WithoutCancel(r.Context())); err != nil {
			r.Error(err)
		}
	})
	return p
}

type state struct {
	online    bool
	connected *time.Time
	seen      time.Time
	site      id.UUID
	address   *string
}

func (r *rig) state(p testkit.Plant) (s state) {
	r.Helper()
	err := r.owner.QueryRow(r.Context(), `SELECT is_online, connected_at, last_seen_at, site_id, ip_address FROM gateway_states WHERE tenant_id = $1 AND gateway_id = $2`,
		p.TenantID, p.GatewayID).Scan(&s.online, &s.connected, &s.seen, &s.site, &s.address)
	if err != nil {
		r.Fatal(err)
	}
	return s
}

func came(r *presence.Recorder, p testkit.Plant) func() {
	return r.Came(p.TenantID, p.SiteID, p.GatewayID, "192.0.2.9")
}

func TestGatewaysComeAndGo(t *testing.T) {
	r := newRig(t)
	p := r.recorder(time.Hour)
	goneA, goneB := came(p, r.a), came(p, r.b)
	for range 2 {
		e := r.told.next(t)
		if e.Kind != event.Gateway || !e.Gateway.IsOnline || e.Gateway.ConnectedAt.IsZero() || e.Key.Tenant == id.Nil || e.Key.Site == id.Nil {
			t.Errorf("told %+v of %+v", e.Gateway, e.Key)
		}
	}
	s := r.state(r.a)
	if !s.online || s.connected == nil || s.site != r.a.SiteID || s.address == nil || *s.address != "192.0.2.9" || time.Since(s.seen) > time.Minute {
		t.Errorf("connected: %+v", s)
	}
	goneA()
	goneA()
	e := r.told.next(t)
	if e.Gateway.IsOnline || e.Gateway.ID != r.a.GatewayID || e.Key.Site != r.a.SiteID || !e.Gateway.ConnectedAt.IsZero() {
		t.Errorf("told %+v", e.Gateway)
	}
	if s := r.state(r.a); s.online || s.connected != nil {
		t.Errorf("gone: %+v", s)
	}
	if s := r.state(r.b); !s.online {
		t.Error("the other tenant's gateway went, too")
	}
	goneB()
	r.told.next(t)
}

// A connection that ends does not take offline a gateway that has another one, in this
// process or another.
func TestALaterConnectionCounts(t *testing.T) {
	r := newRig(t)
	here, there := r.recorder(time.Hour), r.recorder(time.Hour)
	first := came(here, r.a)
	r.told.next(t)
	second := came(there, r.a)
	r.told.next(t)
	latest := *r.state(r.a).connected
	first()
	third := came(here, r.b) // written in one batch with the end, or after it
	r.told.next(t)
	if s := r.state(r.a); !s.online || !s.connected.Equal(latest) {
		t.Errorf("the gateway has another connection, and is %+v", s)
	}
	second()
	third()
	for range 2 {
		if e := r.told.next(t); e.Gateway.IsOnline {
			t.Errorf("told %+v", e.Gateway)
		}
	}
	if r.state(r.a).online || r.state(r.b).online {
		t.Error("all have gone, and are online")
	}
}

// A gateway with two connections stays online when the later one ends first.
func TestAnEarlierConnectionCountsToo(t *testing.T) {
	r := newRig(t)
	p := r.recorder(time.Hour)
	r.laterEndsFirst(p, p)
}

// The same where the connections are those of two processes: the earlier one is heard of
// again, which is told, once.
func TestAnEarlierConnectionOfAnotherProcessCountsToo(t *testing.T) {
	r := newRig(t)
	r.laterEndsFirst(r.recorder(100*time.Millisecond), r.recorder(time.Hour))
}

// laterEndsFirst opens a connection here and another there, and ends them in reverse.
func (r *rig) laterEndsFirst(here, there *presence.Recorder) {
	r.Helper()
	first := came(here, r.a)
	since := r.told.next(r.T).Gateway.ConnectedAt
	second := came(there, r.a)
	r.told.next(r.T)
	second()
	for _, online := range []bool{false, true} {
		if e := r.told.next(r.T); e.Gateway.IsOnline != online {
			r.Errorf("told %+v, want online %v", e.Gateway, online)
		}
	}
	if s := r.state(r.a); !s.online || !s.connected.Equal(since) {
		r.Errorf("the first connection lives, and the gateway is %+v", s)
	}
	first()
	if e := r.told.next(r.T); e.Gateway.IsOnline {
		r.Errorf("told %+v", e.Gateway)
	}
}

// What a process that died leaves behind is taken back by another; what lives stays.
func TestTheDeadAreTakenBack(t *testing.T) {
	r := newRig(t)
	_, err := r.owner.Exec(t.Context(), `INSERT INTO gateway_states (tenant_id, gateway_id, site_id, last_seen_at, is_online, connected_at)
		VALUES ($1, $2, $3, now() - interval '1 hour', true, now() - interval '2 hours')`, r.b.TenantID, r.b.GatewayID, r.b.SiteID)
	if err != nil {
		t.Fatal(err)
	}
	p := r.recorder(100 * time.Millisecond)
	gone := came(p, r.a)
	taken := false
	for range 2 {
		if e := r.told.next(t); !e.Gateway.IsOnline {
			taken = e.Gateway.ID == r.b.GatewayID
		}
	}
	if s := r.state(r.b); !taken || s.online || s.connected != nil {
		t.Errorf("nobody hears of it, and it is %+v", s)
	}
	before := r.state(r.a).seen
	testkit.Eventually(t, testkit.Patience, func() bool { return r.state(r.a).seen.Sub(before) > 500*time.Millisecond })
	if !r.state(r.a).online {
		t.Error("it lives, and was taken back")
	}
	gone()
	if e := r.told.next(t); e.Gateway.IsOnline || e.Gateway.ID != r.a.GatewayID {
		t.Errorf("told %+v", e.Gateway)
	}
}

// A write may take longer than the dead are waited for.
func TestASlowWriteTakesNobodyBack(t *testing.T) {
	r := newRig(t)
	const heartbeat = 100 * time.Millisecond
	gone := came(r.recorder(heartbeat), r.a)
	r.told.next(t)
	if _, err := r.owner.Exec(t.Context(), `BEGIN; LOCK TABLE gateway_states IN EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, testkit.Patience, func() (waits bool) {
		err := r.owner.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'gateway_states'::regclass AND NOT granted)`).Scan(&waits)
		return err == nil && waits
	})
	<-time.After(5 * heartbeat)
	if _, err := r.owner.Exec(t.Context(), `COMMIT`); err != nil {
		t.Fatal(err)
	}
	written := time.Now()
	testkit.Eventually(t, testkit.Patience, func() bool { return r.state(r.a).seen.After(written) })
	if len(r.told) > 0 {
		t.Errorf("it lives, and told is %+v", (<-r.told).Gateway)
	}
	gone()
	r.told.next(t)
}

// What the database did not take is written when it does again.
func TestWhatWasNotWrittenIsWrittenLater(t *testing.T) {
	r := newRig(t)
	if _, err := r.owner.Exec(t.Context(), `REVOKE INSERT ON gateway_states FROM foresight_worker`); err != nil {
		t.Fatal(err)
	}
	said := &said{lines: make(chan string, 10)}
	r.log = slog.New(slog.NewTextHandler(said, nil))
	p := r.recorder(time.Hour)
	gone := came(p, r.a)
	select {
	case line := <-said.lines:
		if !strings.Contains(line, "permission denied") {
			t.Error(line)
		}
	case <-time.After(testkit.Patience):
		t.Fatal("it was written although it may not be")
	}
	if _, err := r.owner.Exec(t.Context(), `GRANT INSERT ON gateway_states TO foresight_worker`); err != nil {
		t.Fatal(err)
	}
	if e := r.told.next(t); !e.Gateway.IsOnline {
		t.Errorf("told %+v", e.Gateway)
	}
	gone()
	r.told.next(t)
	if r.state(r.a).online {
		t.Error("gone, and online")
	}
}
