package alarms

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/event"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/rules"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// feed starts a feed that polls as often as told and gets the world's hints.
func (w *world) feed(poll time.Duration, buffer int) *Feed {
	w.Helper()
	f := NewFeed(FeedOptions{Pool: w.app, Hub: w.hub, Poll: poll, Buffer: buffer, Log: slog.New(slog.DiscardHandler)})
	w.ok(f.Start(w.Context()))
	w.Cleanup(func() { w.ok(f.Stop(context.WithoutCancel(w.Context()))) })
	return f
}

// process applies a batch and publishes its hints, as the pipeline does.
func (w *world) process(p testkit.Plant, happened ...event.Event) {
	w.Helper()
	w.ok(w.hub.Publish(w.Context(), w.apply(p, happened...)...))
}

// next returns what a subscription says next: `snapshot open@3`, `open>cleared@4`, `resync@4`.
func next(t testing.TB, s *Subscription) string {
	t.Helper()
	select {
	case c, ok := <-s.C:
		switch {
		case !ok:
			return fmt.Sprintf("end: %v", s.Err())
		case c.Resync:
			return fmt.Sprintf("resync@%d", c.Seq)
		case c.Snapshot:
			return fmt.Sprintf("snapshot %s@%d", c.Event.Status, c.Seq)
		default:
			return fmt.Sprintf("%s>%s@%d", c.Transition.From, c.Transition.To, c.Seq)
		}
	case <-time.After(deadline):
		t.Fatal("nothing came")
		return ""
	}
}

func expect(t testing.TB, s *Subscription, want ...string) {
	t.Helper()
	for _, x := range want {
		if got := next(t, s); got != x {
			t.Fatalf("got %q, want %q", got, x)
		}
	}
}

// Subscription is what the graph makes of a feed: what it begins with, then what comes.
type Subscription struct {
	C     chan Change // closed at the end
	l     *Listener
	begun chan struct{} // closed behind the beginning
	err   error         // once C is closed
}

func (s *Subscription) Err() error { return s.err }

func subscribe(ctx context.Context, f *Feed, watch Watch) (*Subscription, error) {
	l, err := f.Listen(ctx, watch)
	if err != nil {
		return nil, err
	}
	s := &Subscription{C: make(chan Change), l: l, begun: make(chan struct{})}
	give := func(c Change) error {
		select {
		case s.C <- c:
			return nil
		case <-l.gone:
			return ErrTooSlow
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	go func() {
		defer close(s.C)
		defer l.Close()
		upTo, err := f.Begin(ctx, watch, give)
		close(s.begun)
		for err == nil {
			var c Change
			if c, err = l.Next(ctx); err == nil && c.Seq > upTo {
				err = give(c)
			}
		}
		s.err = err
	}()
	return s, nil
}

func (w *world) subscribe(f *Feed, watch Watch) (*Subscription, context.CancelFunc) {
	w.Helper()
	ctx, cancel := context.WithCancel(w.acme.As(w.Context(), tenancy.Viewer))
	s, err := subscribe(ctx, f, watch)
	w.ok(err)
	return s, cancel
}

func TestSnapshotThenLive(t *testing.T) {
	w := newWorld(t)
	w.rule(w.acme, nil)
	w.rule(w.globex, nil)
	w.apply(w.acme, flow(w.acme, 0, 0, 11), flow(w.acme, 1, 1, 11), flow(w.acme, 1, 2, 1))
	f := w.feed(time.Hour, 16) // hints alone
	s, cancel := w.subscribe(f, Watch{})
	expect(t, s, "snapshot open@3", "snapshot cleared@3")
	<-s.begun
	w.process(w.globex, flow(w.globex, 0, 0, 11))
	w.process(w.acme, flow(w.acme, 0, 2, 1))
	expect(t, s, "open>cleared@4")
	e := w.alarms(w.acme)[0]
	if _, err := w.service.Resolve(w.acme.As(t.Context(), tenancy.Operator), e.ID, "done"); err != nil {
		t.Fatal(err)
	}
	select {
	case c := <-s.C:
		if c.Seq != 5 || c.Event.Status != rules.Resolved || *c.Event.CorrectionPlan != "done" || *c.Transition.By != w.acme.Users[tenancy.Operator] {
			t.Errorf("%+v", c)
		}
	case <-time.After(deadline):
		t.Fatal("a person's act does not come through")
	}
	cancel()
	expect(t, s, "end: context canceled")
}

func TestALostHintDelaysAndNeverLoses(t *testing.T) {
	w := newWorld(t)
	w.rule(w.acme, nil)
	f := w.feed(20*time.Millisecond, 16)
	s, cancel := w.subscribe(f, Watch{})
	defer cancel()
	<-s.begun
	w.hub.mu.Lock()
	w.hub.lost = true
	w.hub.mu.Unlock()
	w.process(w.acme, flow(w.acme, 0, 0, 11))
	expect(t, s, ">open@1")
	w.process(w.acme, flow(w.acme, 0, 1, 1), flow(w.acme, 0, 2, 11), flow(w.acme, 1, 2, 11))
	expect(t, s, "open>cleared@2", "cleared>open@3", ">open@4")
}

// While the database refuses the follower, changes wait there; nothing is lost.
func TestAnOutageDelaysAndNeverLoses(t *testing.T) {
	w := newWorld(t)
	w.rule(w.acme, nil)
	warned := make(chan struct{}, 1)
	registry := prometheus.NewRegistry()
	f := NewFeed(FeedOptions{Pool: w.app, Hub: w.hub, Poll: 10 * time.Millisecond, Log: slog.New(told(warned)), Metrics: NewMetrics(registry)})
	w.ok(f.Start(t.Context()))
	defer func() { w.ok(f.Stop(context.WithoutCancel(t.Context()))) }()
	s, cancel := w.subscribe(f, Watch{})
	defer cancel()
	<-s.begun
	w.asOwner(`REVOKE SELECT ON alarm_transitions FROM foresight_app`)
	w.process(w.acme, flow(w.acme, 0, 0, 11), flow(w.acme, 0, 1, 1))
	select {
	case <-warned:
	case <-time.After(deadline):
		t.Fatal("the outage was not noticed")
	}
	w.asOwner(`GRANT SELECT ON alarm_transitions TO foresight_app`)
	expect(t, s, ">open@1", "open>cleared@2")
	// An operator sees that they could not be read, and how long they waited.
	testkit.Eventually(t, deadline, func() bool {
		families, err := registry.Gather()
		w.ok(err)
		var failures float64
		var handed uint64
		for _, m := range families {
			switch m.GetName() {
			case "foresight_alarm_feed_failures_total":
				failures = m.Metric[0].GetCounter().GetValue()
			case "foresight_alarm_feed_delay_seconds":
				handed = m.Metric[0].GetHistogram().GetSampleCount()
			}
		}
		return failures > 0 && handed == 2
	})
}

// What could not be read is read again soon, also by a feed that otherwise waits for hints.
func TestAnOutageIsOverWithoutAHint(t *testing.T) {
	w := newWorld(t)
	w.rule(w.acme, nil)
	warned := make(chan struct{}, 1)
	f := NewFeed(FeedOptions{Pool: w.app, Hub: w.hub, Poll: time.Hour, Log: slog.New(told(warned))})
	w.ok(f.Start(t.Context()))
	defer func() { w.ok(f.Stop(context.WithoutCancel(t.Context()))) }()
	s, cancel := w.subscribe(f, Watch{})
	defer cancel()
	<-s.begun
	w.asOwner(`REVOKE SELECT ON alarm_transitions FROM foresight_app`)
	w.process(w.acme, flow(w.acme, 0, 0, 11))
	select {
	case <-warned:
	case <-time.After(deadline):
		t.Fatal("the outage was not noticed")
	}
	w.asOwner(`GRANT SELECT ON alarm_transitions TO foresight_app`)
	expect(t, s, ">open@1")
}

// told is a log that only signals that something was written.
type told chan struct{}

func (told) Enabled(context.Context, slog.Level) bool { return true }
func (h told) WithAttrs([]slog.Attr) slog.Handler     { return h }
func (h told) WithGroup(string) slog.Handler          { return h }
func (h told) Handle(context.Context, slog.Record) error {
	select {
	case h <- struct{}{}:
	default:
	}
	return nil
}

func (w *world) asOwner(sql string) {
	w.Helper()
	c, err := pgx.Connect(w.Context(), w.db.OwnerDSN)
	w.ok(err)
	defer c.Close(w.Context())
	_, err = c.Exec(w.Context(), sql)
	w.ok(err)
}

func TestResume(t *testing.T) {
	w := newWorld(t)
	w.rule(w.acme, nil)
	w.apply(w.acme, flow(w.acme, 0, 0, 11), flow(w.acme, 0, 1, 1), flow(w.acme, 0, 2, 11), flow(w.acme, 1, 2, 11))
	f := w.feed(time.Hour, 16)
	for _, c := range []struct {
		name  string
		after uint64
		want  []string
	}{
		{"from the beginning", 0, []string{">open@1", "open>cleared@2", "cleared>open@3", ">open@4"}},
		{"from the middle", 2, []string{"cleared>open@3", ">open@4"}},
		{"from the end", 4, nil},
		{"from a seq of another database", 9, []string{"resync@4", "snapshot open@4", "snapshot open@4"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, cancel := w.subscribe(f, Watch{After: &c.after})
			expect(t, s, c.want...)
			<-s.begun
			cancel()
			expect(t, s, "end: context canceled")
		})
	}
}

func TestWatched(t *testing.T) {
	w := newWorld(t)
	w.rule(w.acme, nil)
	w.rule(w.acme, func(r *RuleSpec) { r.Severity, r.Threshold = rules.Critical, 50 })
	f := w.feed(time.Hour, 16)
	limited := func(site id.UUID) context.Context {
		return tenancy.With(t.Context(), &tenancy.Actor{Kind: tenancy.Person, TenantID: w.acme.TenantID,
			Scopes: tenancy.RoleScopes(tenancy.Viewer), SiteIDs: []id.UUID{site}})
	}
	viewer := w.acme.As(t.Context(), tenancy.Viewer)
	cases := []struct {
		name  string
		ctx   context.Context
		watch Watch
		want  int // of 2 in the snapshot
		live  int // of 3 changes of sensor 0 afterwards
	}{
		{"all", viewer, Watch{}, 2, 3},
		{"critical", viewer, Watch{MinSeverity: rules.Critical}, 1, 2},
		{"sensor", viewer, Watch{Scope: telemetry.Scope{Sensor: w.acme.SensorIDs[0]}}, 0, 3},
		{"other sensor", viewer, Watch{Scope: telemetry.Scope{Sensor: w.acme.SensorIDs[1]}}, 2, 0},
		{"asset and site", viewer, Watch{Scope: telemetry.Scope{Site: w.acme.SiteID, Asset: w.acme.AssetID}}, 2, 3},
		{"another tenant's asset", viewer, Watch{Scope: telemetry.Scope{Asset: w.globex.AssetID}}, 0, 0},
		{"limited to the site", limited(w.acme.SiteID), Watch{}, 2, 3},
		{"limited to another", limited(id.New(id.Site)), Watch{Scope: telemetry.Scope{Site: w.acme.SiteID}}, 0, 0},
	}
	w.apply(w.acme, flow(w.acme, 1, 0, 60))
	subs := make([]*Subscription, len(cases))
	for i, c := range cases {
		s, err := subscribe(c.ctx, f, c.watch)
		w.ok(err)
		subs[i] = s
		for range c.want {
			if got := next(t, s); got != "snapshot open@2" {
				t.Errorf("%s: %q", c.name, got)
			}
		}
		<-s.begun
	}
	w.process(w.acme, flow(w.acme, 0, 1, 60), flow(w.acme, 0, 2, 30)) // both open, the critical one clears
	for i, c := range cases {
		for range c.live {
			select {
			case x := <-subs[i].C:
				if x.Transition == nil || *x.Event.SensorID != w.acme.SensorIDs[0] {
					t.Errorf("%s: %+v", c.name, x)
				}
			case <-time.After(deadline):
				t.Fatalf("%s: too few changes", c.name)
			}
		}
	}
	w.ok(f.Stop(t.Context()))
	for i, c := range cases {
		for x := range subs[i].C {
			t.Errorf("%s: one too many: %+v", c.name, x)
		}
		if !errors.Is(subs[i].Err(), ErrStopped) {
			t.Errorf("%s ended by %v", c.name, subs[i].Err())
		}
	}
	if _, err := f.Listen(viewer, Watch{}); !errors.Is(err, ErrStopped) {
		t.Errorf("subscribed to a stopped feed: %v", err)
	}
}

func TestASlowReaderIsToldSoAndCanResume(t *testing.T) {
	w := newWorld(t)
	w.rule(w.acme, nil)
	f := w.feed(time.Hour, 4)
	slow, cancel := w.subscribe(f, Watch{})
	defer cancel()
	quick, cancelQuick := w.subscribe(f, Watch{})
	defer cancelQuick()
	<-slow.begun
	<-quick.begun
	const n = 20
	for second := range n {
		w.process(w.acme, flow(w.acme, 0, second, float64(11-10*(second%2))))
		if got := next(t, quick); got[len(got)-2:] == "" {
			t.Fatal(got)
		}
	}
	testkit.Eventually(t, deadline, func() bool {
		select {
		case <-slow.l.gone:
			return true
		default:
			return false
		}
	})
	var last uint64
	for c := range slow.C {
		if c.Seq != last+1 {
			t.Errorf("seq %d after %d", c.Seq, last)
		}
		last = c.Seq
	}
	if !errors.Is(slow.Err(), ErrTooSlow) || last >= n {
		t.Fatalf("ended at %d by %v", last, slow.Err())
	}
	again, cancelAgain := w.subscribe(f, Watch{After: &last})
	defer cancelAgain()
	for seq := last + 1; seq <= n; seq++ {
		select {
		case c := <-again.C:
			if c.Seq != seq {
				t.Fatalf("seq %d, want %d", c.Seq, seq)
			}
		case <-time.After(deadline):
			t.Fatal("nothing came")
		}
	}
}

// Subscriptions come at any moment of a running plant, some from the beginning, some
// resuming: each sees every seq behind its start exactly once and in order.
func TestNoGapAndNoDouble(t *testing.T) {
	w := newWorld(t)
	w.rule(w.acme, nil)
	f := w.feed(5*time.Millisecond, 1000)
	const batches = 60
	var group sync.WaitGroup
	for i := range 12 {
		group.Go(func() {
			s, cancel := w.subscribe(f, Watch{After: [2]*uint64{nil, new(uint64)}[i%2]})
			defer cancel()
			last, first := uint64(0), true
			for {
				select {
				case c, ok := <-s.C:
					if !ok {
						t.Errorf("ended: %v", s.Err())
						return
					}
					if c.Snapshot {
						if last, first = c.Seq, false; last == 2*batches { // it began behind the last one
							return
						}
						continue
					}
					if i%2 == 0 && first { // the snapshot was empty
						last, first = c.Seq-1, false
					}
					if c.Seq != last+1 {
						t.Errorf("seq %d after %d", c.Seq, last)
						return
					}
					if last = c.Seq; last == 2*batches {
						return
					}
				case <-time.After(deadline):
					t.Errorf("stuck at %d", last)
					return
				}
			}
		})
		w.process(w.acme, flow(w.acme, 0, 2*i, 11), flow(w.acme, 0, 2*i+1, 1))
	}
	for i := 12; i < batches; i++ {
		w.process(w.acme, flow(w.acme, 0, 2*i, 11), flow(w.acme, 0, 2*i+1, 1))
	}
	group.Wait()
	if n := len(w.told(w.acme)); n != 2*batches {
		t.Errorf("%d transitions", n)
	}
}

func TestAnUnwatchedTenantIsNotFollowed(t *testing.T) {
	w := newWorld(t)
	f := w.feed(time.Hour, 4)
	a, cancelA := w.subscribe(f, Watch{})
	b, cancelB := w.subscribe(f, Watch{})
	count := func() int {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.followers)
	}
	if count() != 1 {
		t.Errorf("%d followers of one tenant", count())
	}
	// A beginning that is ended ends with a statement's error, which says so in other words.
	<-a.begun
	<-b.begun
	cancelA()
	expect(t, a, "end: context canceled")
	cancelB()
	expect(t, b, "end: context canceled")
	testkit.Eventually(t, deadline, func() bool { return count() == 0 })
	testkit.Eventually(t, deadline, func() bool {
		w.hub.mu.Lock()
		defer w.hub.mu.Unlock()
		return len(w.hub.subs) == 0
	})
}

func TestSubscribingTakesAPermission(t *testing.T) {
	w := newWorld(t)
	f := w.feed(time.Hour, 4)
	nobody := tenancy.With(t.Context(), &tenancy.Actor{Kind: tenancy.Client, TenantID: w.acme.TenantID})
	if _, err := f.Listen(nobody, Watch{}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("%v", err)
	}
}
