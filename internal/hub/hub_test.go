package hub

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func connect(t testing.TB, server nats.InProcessConnProvider) *nats.Conn {
	t.Helper()
	c, err := nats.Connect("", nats.InProcessServer(server), nats.Timeout(testkit.Patience))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func newHub(t testing.TB, c *nats.Conn, o Options) *Hub {
	t.Helper()
	o.Log, o.SyncTimeout = slog.New(slog.DiscardHandler), testkit.Patience
	h := New(c, o)
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// oneHub is a hub on a server of its own.
func oneHub(t testing.TB, o Options) *Hub {
	t.Helper()
	return newHub(t, connect(t, testkit.NATS(t)), o)
}

func key(tenant id.UUID) telemetry.Key {
	return telemetry.Key{Tenant: tenant, Site: id.New(id.Site), Asset: id.New(id.Asset), Sensor: id.New(id.Sensor)}
}

func reading(k telemetry.Key, seq uint64) event.Event {
	r := &telemetry.Raw{Reading: telemetry.Reading{Key: k, Channels: telemetry.NoChannels()}, LogSeq: seq}
	return event.Event{Kind: event.Telemetry, Key: k, Reading: r}
}

func hint(k telemetry.Key, seq uint64) event.Event {
	return event.Event{Kind: event.Alarm, Key: k, Alarm: &event.AlarmHint{Seq: seq}}
}

func publish(t testing.TB, h *Hub, events ...event.Event) {
	t.Helper()
	if err := h.Publish(t.Context(), events...); err != nil {
		t.Fatal(err)
	}
	if err := h.conn.FlushTimeout(testkit.Patience); err != nil {
		t.Fatal(err)
	}
}

func subscribe(t testing.TB, h *Hub, f event.Filter) <-chan event.Item {
	t.Helper()
	items, err := h.Subscribe(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return items
}

func next(t testing.TB, items <-chan event.Item) event.Item {
	t.Helper()
	select {
	case i, ok := <-items:
		if !ok {
			t.Fatal("the channel is closed")
		}
		return i
	case <-time.After(testkit.Patience):
		t.Fatal("nothing comes")
		return event.Item{}
	}
}

// seqs reads n readings and returns their log sequences.
func seqs(t testing.TB, items <-chan event.Item, n int) []uint64 {
	t.Helper()
	var got []uint64
	for range n {
		got = append(got, next(t, items).Event.Reading.LogSeq)
	}
	return got
}

func countOf(t testing.TB, c prometheus.Metric) float64 {
	t.Helper()
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetCounter().GetValue()
}

func TestEventsReachOtherProcesses(t *testing.T) {
	server := testkit.NATS(t)
	here, there := newHub(t, connect(t, server), Options{}), newHub(t, connect(t, server), Options{})
	k := key(id.New(id.Tenant))
	items := subscribe(t, here, event.Filter{Tenant: k.Tenant, Kind: event.Telemetry})

	at := time.Date(2026, 3, 1, 12, 0, 0, 5e6, time.UTC)
	e := event.Event{Kind: event.Telemetry, Key: k, At: at.Add(time.Second), Reading: &telemetry.Raw{
		Reading: telemetry.Reading{Key: k, Timestamp: at, Channels: telemetry.NoChannels(),
			Values: []telemetry.Value{{Name: "oil_pressure", Value: 3.5}}},
		IngestID: telemetry.IngestID{1, 2}, LogSeq: 42, ReceivedAt: at.Add(time.Millisecond), Late: true,
		Payload: []byte("never sent"), Topic: "nor this",
	}}
	e.Reading.Channels[3], e.Reading.Channels[23] = 1.25, -40
	publish(t, there, e)

	got := next(t, items)
	if got.Gap || got.Event.Key != k || !got.Event.At.Equal(e.At) {
		t.Errorf("got %+v", got)
	}
	r := got.Event.Reading
	if r.Payload != nil || r.Topic != "" {
		t.Errorf("payload %q and topic %q travelled", r.Payload, r.Topic)
	}
	if r.Key != k || !r.Timestamp.Equal(at) || r.IngestID != e.Reading.IngestID || r.LogSeq != 42 || !r.Late ||
		!r.ReceivedAt.Equal(e.Reading.ReceivedAt) || len(r.Values) != 1 || r.Values[0] != e.Reading.Values[0] {
		t.Errorf("reading %+v", r)
	}
	for i, v := range r.Channels {
		if w := e.Reading.Channels[i]; v != w && !(math.IsNaN(v) && math.IsNaN(w)) {
			t.Errorf("channel %d is %v, want %v", i, v, w)
		}
	}
}

func TestFilterNarrows(t *testing.T) {
	h := oneHub(t, Options{})
	tenant := id.New(id.Tenant)
	a, b := key(tenant), key(tenant)
	scopes := map[string]struct {
		scope telemetry.Scope
		want  []uint64
	}{
		"tenant":                {telemetry.Scope{}, []uint64{1, 2, 0}}, // 0: the barrier below
		"site":                  {telemetry.Scope{Site: a.Site}, []uint64{1}},
		"asset":                 {telemetry.Scope{Asset: b.Asset}, []uint64{2}},
		"sensor":                {telemetry.Scope{Sensor: b.Sensor}, []uint64{2}},
		"sensor of another":     {telemetry.Scope{Site: a.Site, Sensor: b.Sensor}, nil},
		"sites":                 {telemetry.Scope{Sites: []id.UUID{a.Site}}, []uint64{1}},
		"sites beside asset":    {telemetry.Scope{Asset: b.Asset, Sites: []id.UUID{a.Site}}, nil},
		"no site":               {telemetry.Scope{Sites: []id.UUID{}}, nil},
		"unknown":               {telemetry.Scope{Asset: id.New(id.Asset)}, nil},
		"everything about one":  {telemetry.Scope{Site: a.Site, Asset: a.Asset, Sensor: a.Sensor, Sites: []id.UUID{b.Site, a.Site}}, []uint64{1}},
		"tenant, several sites": {telemetry.Scope{Sites: []id.UUID{b.Site, a.Site}}, []uint64{1, 2}},
	}
	chans := map[string]<-chan event.Item{}
	for name, c := range scopes {
		chans[name] = subscribe(t, h, event.Filter{Tenant: tenant, Kind: event.Telemetry, Scope: c.scope})
	}
	last := subscribe(t, h, event.Filter{Tenant: tenant, Kind: event.Telemetry})
	publish(t, h, reading(a, 1), reading(b, 2))
	seqs(t, last, 2)
	barrier(t, h, tenant) // the fan-out of both has ended
	for name, c := range scopes {
		if n := len(chans[name]); n != len(c.want) {
			t.Errorf("%s: %d events, want %d", name, n, len(c.want))
			continue
		}
		for i, got := range seqs(t, chans[name], len(c.want)) {
			if got != c.want[i] {
				t.Errorf("%s: event %d, want %d", name, got, c.want[i])
			}
		}
	}
}

// barrier returns when what was published before has been fanned out.
func barrier(t testing.TB, h *Hub, tenant id.UUID) {
	t.Helper()
	k := key(tenant)
	items := subscribe(t, h, event.Filter{Tenant: tenant, Kind: event.Telemetry, Scope: telemetry.Scope{Sensor: k.Sensor}})
	publish(t, h, reading(k, 0))
	next(t, items)
	h.mu.Lock()
	w := h.watches[topic{tenant, event.Telemetry}]
	h.mu.Unlock()
	w.size() // takes the lock that the fan-out holds
}

func TestTenantsNeverMeet(t *testing.T) {
	server := testkit.NATS(t)
	c := connect(t, server)
	h := newHub(t, c, Options{Registerer: prometheus.NewRegistry()})
	a, b := key(id.New(id.Tenant)), key(id.New(id.Tenant))
	itemsB := map[event.Kind]<-chan event.Item{}
	for _, k := range []event.Kind{event.Telemetry, event.Prediction, event.Alarm} {
		itemsB[k] = subscribe(t, h, event.Filter{Tenant: b.Tenant, Kind: k})
	}

	// A's own events, also with B's ids in them.
	crafted := b
	crafted.Tenant = a.Tenant
	publish(t, h, reading(a, 1), reading(crafted, 2), hint(a, 3), hint(crafted, 4))

	// A's content on B's subject, and another kind than the subject says.
	subjectB := strings.TrimSuffix(topic{b.Tenant, event.Telemetry}.subject(), ">") + "x.y.z"
	for _, e := range []event.Event{reading(a, 5), hint(b, 6)} {
		msg, err := appendEvent(nil, e, origin{1, 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Publish(subjectB, msg); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Publish(subjectB, []byte("no event at all")); err != nil {
		t.Fatal(err)
	}

	publish(t, h, reading(b, 7), hint(b, 8))
	if got := next(t, itemsB[event.Telemetry]); got.Event.Reading.LogSeq != 7 {
		t.Errorf("B was given %+v", got.Event)
	}
	if got := next(t, itemsB[event.Alarm]); got.Event.Alarm.Seq != 8 {
		t.Errorf("B was given %+v", got.Event)
	}
	if n := len(itemsB[event.Prediction]); n != 0 {
		t.Errorf("B was given %d predictions", n)
	}
	if n := countOf(t, h.metrics.refused); n != 3 {
		t.Errorf("%v messages were refused, want 3", n)
	}
}

func TestUnclearTopicsAreRefused(t *testing.T) {
	h := oneHub(t, Options{})
	k := key(id.New(id.Tenant))
	for name, f := range map[string]event.Filter{
		"no tenant": {Kind: event.Telemetry},
		"wildcard":  {Tenant: k.Tenant, Kind: "*"},
		"all":       {Tenant: k.Tenant, Kind: ">"},
		"no kind":   {Tenant: k.Tenant},
	} {
		if _, err := h.Subscribe(t.Context(), f); err == nil {
			t.Errorf("%s: subscribed", name)
		}
	}
	for name, e := range map[string]event.Event{
		"no tenant":     reading(telemetry.Key{Sensor: k.Sensor}, 1),
		"no content":    {Kind: event.Telemetry, Key: k},
		"other content": {Kind: event.Prediction, Key: k, Reading: reading(k, 1).Reading},
		"no kind":       {Key: k},
	} {
		items := subscribe(t, h, event.Filter{Tenant: k.Tenant, Kind: event.Telemetry})
		if err := h.Publish(t.Context(), e, reading(k, 9)); err == nil {
			t.Errorf("%s: published", name)
		}
		if got := next(t, items); got.Event.Reading.LogSeq != 9 {
			t.Errorf("%s: the good event beside it is gone", name)
		}
	}
}

func TestSubscriptionEndsWithItsContext(t *testing.T) {
	testkit.NoLeaks(t)
	h := oneHub(t, Options{})
	k := key(id.New(id.Tenant))
	f := event.Filter{Tenant: k.Tenant, Kind: event.Telemetry}
	ctx, cancel := context.WithCancel(t.Context())
	ending, err := h.Subscribe(ctx, f)
	if err != nil {
		t.Fatal(err)
	}
	staying := subscribe(t, h, f)
	cancel()
	closed := func(c <-chan event.Item) bool {
		select {
		case _, ok := <-c:
			return !ok
		default:
			return false
		}
	}
	testkit.Eventually(t, testkit.Patience, func() bool { return closed(ending) })
	publish(t, h, reading(k, 1))
	seqs(t, staying, 1)
	if n := h.conn.NumSubscriptions(); n != 1 {
		t.Errorf("%d subscriptions to NATS for one topic", n)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if !closed(staying) {
		t.Error("the channel stays open")
	}
	if n := h.conn.NumSubscriptions(); n != 0 {
		t.Errorf("%d subscriptions to NATS are left", n)
	}
	if _, err := h.Subscribe(t.Context(), f); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	if _, err := New(h.conn, Options{}).Subscribe(ctx, f); !errors.Is(err, context.Canceled) {
		t.Errorf("a dead context: %v", err)
	}
}

func TestLastOneOutEndsTheTopic(t *testing.T) {
	h := oneHub(t, Options{})
	f := event.Filter{Tenant: id.New(id.Tenant), Kind: event.Alarm}
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		for range 5 {
			if _, err := h.Subscribe(ctx, f); err != nil {
				t.Fatal(err)
			}
		}
		cancel()
		testkit.Eventually(t, testkit.Patience, func() bool { return h.conn.NumSubscriptions() == 0 })
	}
}
