package admit_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/ingestion/admit"
	"foresight/ingestion/decode"
	"foresight/internal/bus"
	"foresight/internal/fault"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

func quota(perSecond float64, burst int) string {
	return fmt.Sprintf(`UPDATE tenants SET settings = '{"messages_per_second": %g, "message_burst": %d}' WHERE id = $1`, perSecond, burst)
}

// flows counts the values of `flow` in a log by their sensor's tenant.
func (r *rig) flows(t testing.TB, l *bus.Log) map[string]map[int]int {
	t.Helper()
	out := map[string]map[int]int{"acme": {}, "globex": {}}
	for _, raw := range r.records(t, l) {
		v, ok := raw.Parameter("flow")
		if !ok {
			t.Fatalf("a record without flow: %s", raw.Payload)
		}
		code := "acme"
		if raw.Tenant == r.b.TenantID {
			code = "globex"
		}
		out[code][int(v)]++
	}
	return out
}

// A tenant that sends as fast as it can over four connections is slowed to its quota;
// nothing of it is lost, and the other is through long before.
func TestQuotaSlowsOneTenantOnly(t *testing.T) {
	const perSecond, burst, each, senders = 400, 100, 250, 4
	r := newRig(t, setup{sql: quota(perSecond, burst)})
	counters := r.admitter.Counters()
	begin := time.Now()
	var wg sync.WaitGroup
	send := func(p testkit.Plant, from, n int) {
		for i := from; i < from+n; i++ {
			ticket := r.admitter.Admit(t.Context(), admit.Message{Credential: gateway(p), Topic: "sensors/pump-1-a", Payload: fmt.Appendf(nil, `{"flow":%d}`, i)})
			if _, err := ticket.Wait(t.Context()); err != nil || ticket.Rejection != nil {
				t.Error(err, ticket.Rejection)
				return
			}
		}
	}
	for s := range senders {
		wg.Go(func() { send(r.a, s*each, each) })
	}
	send(r.b, 0, 1000)
	n := counters.Accepted("acme") // before the clock: what comes between is due
	most := burst + perSecond*time.Since(begin).Seconds() + senders
	if float64(n) > most {
		t.Errorf("%d messages over quota were taken when the other tenant was through, %.0f are its due", n, most)
	}
	if n := counters.Slowed("globex"); n != 0 {
		t.Errorf("%d messages of the other tenant had to wait", n)
	}
	wg.Wait()
	if took, least := time.Since(begin), time.Duration(float64(senders*each-burst)/perSecond*float64(time.Second)); took < least*9/10 {
		t.Errorf("took %s, the quota allows it in %s", took, least)
	}
	if n := counters.Slowed("acme"); n == 0 {
		t.Error("nobody is said to have waited")
	}
	got := r.flows(t, r.log)
	for code, n := range map[string]int{"acme": senders * each, "globex": 1000} {
		if len(got[code]) != n {
			t.Errorf("%d of %d messages of %s are in the log", len(got[code]), n, code)
		}
	}
}

// A sender that waits is let go by new settings, not only those that come after.
func TestQuotaFollowsTheSettings(t *testing.T) {
	r := newRig(t, setup{sql: quota(0.001, 1)})
	send := func(i int) error {
		ticket := r.admitter.Admit(t.Context(), admit.Message{Credential: gateway(r.a), Topic: "sensors/pump-1-a", Payload: fmt.Appendf(nil, `{"flow":%d}`, i)})
		_, err := ticket.Wait(t.Context())
		return err
	}
	if err := send(0); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		for i := 1; i < 50; i++ {
			if err := send(i); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	execAs(t, r.db.OwnerDSN, quota(10000, 100), r.a.TenantID)
	r.registry.Refresh()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(within):
		t.Fatal("the sender still waits by the former quota")
	}
}

func TestWaitingForTheQuotaEndsWithTheSender(t *testing.T) {
	r := newRig(t, setup{sql: quota(0.001, 1)})
	m := admit.Message{Credential: gateway(r.a), Topic: "sensors/pump-1-a", Payload: []byte(`{"flow":1}`)}
	first := r.admitter.Admit(t.Context(), m)
	if _, err := first.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	for range 2 { // the head of the queue, and one behind it
		go func() {
			ticket := r.admitter.Admit(ctx, m)
			_, err := ticket.Wait(ctx)
			done <- err
		}()
	}
	cancel()
	for range 2 {
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	}
}

// What is told comes back when it was told to, and is then taken.
func TestSendersOfBatchesAreTold(t *testing.T) {
	r := newRig(t, setup{sql: quota(0.01, 5)}) // no message becomes due while they are sent
	batch := func(p testkit.Plant, from, n int) []admit.Outcome {
		var messages []admit.Message
		for i := from; i < from+n; i++ {
			messages = append(messages, admit.Message{Credential: gateway(p), Topic: "sensors/pump-1-a", Payload: fmt.Appendf(nil, `{"flow":%d}`, i), OverQuota: admit.Tell})
		}
		return r.admitter.AdmitAll(t.Context(), messages)
	}
	out := batch(r.a, 0, 10)
	last := time.Duration(0)
	for i, o := range out {
		var over *admit.QuotaError
		told := errors.As(o.Err, &over)
		if told != (i >= 5) {
			t.Fatalf("reading %d of a burst of 5: %v", i, o.Err)
		}
		if !told {
			continue
		}
		if over.RetryAfter <= last || over.RetryAfter > 501*time.Second || !fault.Is(o.Err, fault.RateLimited) {
			t.Errorf("reading %d is told to wait %s after %s: %v", i, over.RetryAfter, last, o.Err)
		}
		last = over.RetryAfter
	}
	for i, o := range batch(r.b, 0, 10) {
		if o.Err != nil || o.Rejection != nil {
			t.Errorf("reading %d of the other tenant: %v, %v", i, o.Err, o.Rejection)
		}
	}
	if n := r.admitter.Counters().Told("acme"); n != 5 {
		t.Errorf("%d counted as told, want 5", n)
	}
	if d := r.letters.last(); d.Reason != "" {
		t.Errorf("%+v is no dead letter: its sender has it still", d)
	}
	execAs(t, r.db.OwnerDSN, quota(2, 5), r.a.TenantID)
	r.registry.Refresh()
	testkit.Eventually(t, within, func() bool { a, ok := r.registry.Snapshot().Tenant(r.a.TenantID); return ok && a.Rate == 2 })
	again := batch(r.a, 5, 1)
	var over *admit.QuotaError
	if errors.As(again[0].Err, &over) {
		<-time.After(over.RetryAfter)
		again = batch(r.a, 5, 1)
	}
	if again[0].Err != nil {
		t.Errorf("after the time that was told: %v", again[0].Err)
	}
	if got := r.flows(t, r.log)["acme"]; len(got) != 6 {
		t.Errorf("in the log: %v", got)
	}
}

// shared is a rig with a connection that all tenants share, and a deferred log.
type shared struct {
	*rig
	deferred *bus.Log
	sent     int
}

func newShared(t *testing.T, sql string, most uint64) *shared {
	s := &shared{}
	s.rig = newRig(t, setup{sql: sql, options: func(r *rig, o *admit.Options) {
		s.deferred = r.openLog(t, bus.LogOptions{Name: "DEFERRED", Prefix: "deferred", MaxBytes: 16 << 20, Partitions: 1})
		o.Deferred, o.DeferredMost = admit.BusLog(s.deferred), most
	}})
	return s
}

// deferral starts one that is stopped with the test, or by the function.
func (s *shared) deferral(t *testing.T) (stop func()) {
	t.Helper()
	return s.deferralBy(t, pool(t, s.db.WorkerDSN))
}

func (s *shared) deferralBy(t *testing.T, lock *pgxpool.Pool) (stop func()) {
	t.Helper()
	d := admit.NewDeferral(admit.DeferralOptions{Pool: lock, From: s.deferred, Admitter: s.admitter, Interval: 20 * time.Millisecond})
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), within)
		defer cancel()
		if err := d.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// send admits n messages of each tenant, alternating, and waits until all are acknowledged.
func (s *shared) send(t *testing.T, n int) (rejected int) {
	t.Helper()
	all := make(chan struct{})
	left := 2 * n
	stream := admit.NewStream(t.Context(), s.admitter, 1024, func(results []admit.Result[int]) error {
		for _, r := range results {
			if r.Rejection != nil {
				if r.Rejection.Reason != decode.OverQuota {
					t.Error(r.Rejection)
				}
				rejected++
			}
			if left--; left == 0 {
				close(all)
			}
		}
		return nil
	}, nil)
	for i := range n {
		for _, code := range []string{"acme", "globex"} {
			m := admit.Message{Credential: admit.Credential{AnyTenant: true}, Topic: code + "/north/sensors/pump-1-a",
				Payload: fmt.Appendf(nil, `{"flow":%d}`, s.sent+i), OverQuota: admit.Defer}
			if err := stream.Submit(m, i); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.sent += n
	select {
	case <-all:
	case <-time.After(within):
		t.Fatal("not everything is acknowledged")
	}
	if err := stream.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return rejected
}

func (s *shared) waiting(t *testing.T) (n uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within) // else it is given five seconds
	defer cancel()
	backlog, err := s.deferred.Backlog(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, sensors := range backlog {
		for _, k := range sensors {
			n += k
		}
	}
	return n
}

// On one connection that both share, the tenant over its quota is brought aside and
// follows at its pace, once each and in its order; the other passes.
func TestSharedConnectionsDeferOverQuota(t *testing.T) {
	const perSecond, burst, n = 400, 50, 1000
	s := newShared(t, quota(perSecond, burst), 0)
	s.deferral(t)
	begin := time.Now()
	s.send(t, n)
	took := time.Since(begin).Seconds()
	counters := s.admitter.Counters()
	got := s.flows(t, s.log)
	if len(got["globex"]) != n || counters.Deferred("globex") != 0 {
		t.Errorf("%d of %d of the other tenant in the log, %d deferred", len(got["globex"]), n, counters.Deferred("globex"))
	}
	if k := counters.Deferred("acme"); k == 0 || k > n-burst {
		t.Errorf("%d of %d deferred at a burst of %d, in %.1f s", k, n, burst, took)
	}
	testkit.Eventually(t, within, func() bool { return s.waiting(t) == 0 })
	if took, least := time.Since(begin), time.Second*(n-burst)/perSecond; took < least*9/10 {
		t.Errorf("drained after %s, the quota allows it after %s", took, least)
	}
	s.inOrder(t, n)

	// When nothing waits at a look any more, it goes the straight way again.
	pause := 20 * time.Millisecond
	testkit.Eventually(t, within, func() bool {
		<-time.After(pause)
		pause *= 2
		before := counters.Deferred("acme")
		s.send(t, 1)
		return counters.Deferred("acme") == before
	})
}

// A tenant of which little waits goes the straight way, but not the sensor whose
// messages wait: however long they do, none of it overtakes them.
func TestOnlySensorsOfWhichSomethingWaitsStayAside(t *testing.T) {
	const perSecond, burst = 12, 3 // one that waits is little
	s := newShared(t, quota(perSecond, burst), 0)
	other := pool(t, s.db.WorkerDSN) // has the lock: nothing is drained
	drainer, err := other.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drainer.Exec(t.Context(), "SELECT pg_advisory_lock($1)", int64(0x666f7265_64656672)); err != nil {
		t.Fatal(err)
	}
	locks := pool(t, s.db.WorkerDSN)
	s.deferralBy(t, locks)
	counters := s.admitter.Counters()
	testkit.Eventually(t, within, func() bool {
		s.send(t, 1)
		return counters.Deferred("acme") == 1
	})
	<-time.After(burst * time.Second / perSecond) // the quota has room again
	tries := locks.Stat().AcquireCount()          // one follows each look
	testkit.Eventually(t, within, func() bool { return locks.Stat().AcquireCount() >= tries+2 })

	admitB := s.admitter.Admit(t.Context(), admit.Message{Credential: admit.Credential{AnyTenant: true}, Topic: "acme/north/sensors/" + sensorB,
		Payload: []byte(`{"vibration_rms":1}`), OverQuota: admit.Defer})
	if _, err := admitB.Wait(t.Context()); err != nil || admitB.Rejection != nil {
		t.Fatal(err, admitB.Rejection)
	}
	if k := counters.Deferred("acme"); k != 1 {
		t.Errorf("%d deferred: the other sensor's goes the straight way", k)
	}
	s.send(t, 1)
	if k := counters.Deferred("acme"); k != 2 {
		t.Errorf("%d deferred, want 2: the sensor's follow those that wait", k)
	}
	if _, err := drainer.Exec(t.Context(), "SELECT pg_advisory_unlock_all()"); err != nil {
		t.Fatal(err)
	}
	drainer.Release()
	testkit.Eventually(t, within, func() bool { return s.waiting(t) == 0 })
	s.inOrder(t, s.sent)
}

// inOrder checks that the log has n messages of acme, once each, in their order.
func (s *shared) inOrder(t *testing.T, n int) {
	t.Helper()
	next := 0
	for _, raw := range s.records(t, s.log) {
		v, ok := raw.Parameter("flow")
		if raw.Tenant != s.a.TenantID || !ok {
			continue
		}
		if int(v) != next {
			t.Fatalf("flow %v where %d is due", v, next)
		}
		next++
	}
	if next != n {
		t.Errorf("%d of %d in the log", next, n)
	}
}

// The process that drains goes away in the middle: another goes on. What it had
// appended and not yet removed is appended again, under its ingest id.
func TestAnotherProcessDrainsOn(t *testing.T) {
	const n = 300
	s := newShared(t, quota(200, 1), 0)
	first := s.deferral(t)
	s.send(t, n)
	s.deferral(t) // waits for the lock
	testkit.Eventually(t, within, func() bool { return s.waiting(t) < n-50 })
	first()
	testkit.Eventually(t, within, func() bool { return s.waiting(t) == 0 })
	ids := map[telemetry.IngestID]int{}
	flows := map[int]telemetry.IngestID{}
	for _, raw := range s.records(t, s.log) {
		if raw.Tenant == s.a.TenantID {
			ids[raw.IngestID]++
			v, _ := raw.Parameter("flow")
			flows[int(v)] = raw.IngestID
		}
	}
	if len(ids) != n || len(flows) != n {
		t.Errorf("%d messages under %d ids, want %d", len(flows), len(ids), n)
	}
}

// What waits of one tenant is bounded: it must not fill the log of all.
func TestDeferredMessagesAreBounded(t *testing.T) {
	s := newShared(t, quota(0.001, 2), 10) // nothing drains
	if rejected := s.send(t, 20); rejected != 8 {
		t.Errorf("%d rejected, want 8", rejected)
	}
	if live, aside := len(s.flows(t, s.log)["acme"]), s.waiting(t); live != 2 || aside != 10 {
		t.Errorf("%d live and %d deferred, want 2 and 10", live, aside)
	}
	if d := s.letters.last(); d.Reason != decode.OverQuota || d.Tenant != s.a.TenantID {
		t.Errorf("the letter is %+v", d)
	}
	if len(s.flows(t, s.log)["globex"]) != 20 {
		t.Error("the other tenant has lost something")
	}
}
