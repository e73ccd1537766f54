package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	server "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"foresight/internal/lifecycle"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

var _ lifecycle.Part = (*Publisher)(nil)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// broker is a real MQTT broker in the process that lets one gateway in.
type broker struct {
	server.HookBase
	srv  *server.Server
	addr string

	mu       sync.Mutex
	messages map[string][][]byte // by topic
	arrived  chan struct{}       // one token per message, dropped when nobody waits
}

func (b *broker) ID() string { return "test" }

func (b *broker) Provides(hook byte) bool {
	return bytes.IndexByte([]byte{server.OnConnectAuthenticate, server.OnACLCheck, server.OnPublish}, hook) >= 0
}

func (b *broker) OnConnectAuthenticate(_ *server.Client, pk packets.Packet) bool {
	return string(pk.Connect.Username) == "gw-1" && string(pk.Connect.Password) == "right"
}

func (b *broker) OnACLCheck(_ *server.Client, topic string, write bool) bool {
	return write && strings.HasPrefix(topic, "acme/")
}

func (b *broker) OnPublish(_ *server.Client, pk packets.Packet) (packets.Packet, error) {
	b.mu.Lock()
	b.messages[pk.TopicName] = append(b.messages[pk.TopicName], bytes.Clone(pk.Payload))
	b.mu.Unlock()
	select {
	case b.arrived <- struct{}{}:
	default:
	}
	return pk, nil
}

func (b *broker) of(topic string) [][]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.messages[topic]
}

// listen starts a broker on the address.
func listen(t *testing.T, addr string) *broker {
	t.Helper()
	b := &broker{srv: server.New(&server.Options{Logger: quiet}), messages: map[string][][]byte{}, arrived: make(chan struct{}, 1)}
	if err := b.srv.AddHook(b, nil); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	b.addr = l.Addr().String()
	if err := b.srv.AddListener(listeners.NewNet("tcp", l)); err != nil {
		t.Fatal(err)
	}
	if err := b.srv.Serve(); err != nil {
		t.Fatal(err)
	}
	return b
}

// lasting is an address on a port that the system gives nobody by itself: it is still free
// when a broker that was there comes back.
func lasting(t *testing.T) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000))
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			return addr
		}
	}
	t.Fatal("no port is free")
	return ""
}

// wait blocks until the broker's messages satisfy the condition.
func (b *broker) wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(testkit.Patience)
	for !ok() {
		select {
		case <-b.arrived:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(testkit.Patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func assets(sensors ...string) (out []Asset) {
	for _, s := range sensors {
		out = append(out, Asset{Tenant: "acme", Site: "north", Sensor: s})
	}
	return out
}

func publisher(t *testing.T, addr string, change func(*PublisherConfig)) *Publisher {
	t.Helper()
	c := PublisherConfig{
		Broker: "tcp://" + addr, ClientID: "gw-1", Username: "gw-1", Password: "right", Rate: 50,
		Assets: assets("a", "b", "c"),
	}
	if change != nil {
		change(&c)
	}
	p, err := NewPublisher(c, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func stop(t *testing.T, p *Publisher) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
	defer cancel()
	if err := p.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func TestPublishesEveryAsset(t *testing.T) {
	b := listen(t, "127.0.0.1:0")
	defer b.srv.Close()
	var gate sync.RWMutex // no reading is taken while it is locked
	var asked atomic.Uint64
	p := publisher(t, b.addr, func(c *PublisherConfig) {
		c.Now = func() time.Time {
			asked.Add(1)
			gate.RLock()
			defer gate.RUnlock()
			return time.Now()
		}
	})
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wait(t, "five readings of each asset", func() bool {
		return len(b.of("acme/north/sensors/a")) >= 5 && len(b.of("acme/north/sensors/b")) >= 5 && len(b.of("acme/north/sensors/c")) >= 5
	})
	eventually(t, "acknowledgements", func() bool { return p.Stats().Acknowledged >= 15 })
	if s := p.Stats(); !s.Connected || s.Reconnects != 0 {
		t.Errorf("stats %+v", s)
	}
	// However slow the broker is: what waits at the stop is what was just taken.
	gate.Lock()
	eventually(t, "all acknowledgements", func() bool {
		s := p.Stats()
		return s.Acknowledged == s.Published && asked.Load() == s.Published+1
	})
	p.stop()
	gate.Unlock()
	stop(t, p)
	s := p.Stats()
	if s.Published != s.Acknowledged+s.Failed || s.Failed > 2 || s.Connected {
		t.Errorf("after the stop: %+v", s)
	}
	var last time.Time
	for _, raw := range b.of("acme/north/sensors/b") {
		var doc map[string]any
		if err := json.Unmarshal(raw, &doc); err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, doc["timestamp"].(string))
		if err != nil || at.Before(last) {
			t.Fatalf("timestamp %v after %v (%v)", doc["timestamp"], last, err)
		}
		last = at
		if _, ok := doc["motor_DE_vib_band_1"].(float64); !ok && doc["motor_DE_vib_band_2"] == nil {
			t.Fatalf("no channels in %s", raw)
		}
		if v, ok := doc[telemetry.MotorCurrent].(float64); !ok || v <= 0 {
			t.Fatalf("no current in %s", raw)
		}
	}
}

func TestWrongCredentialIsRefused(t *testing.T) {
	b := listen(t, "127.0.0.1:0")
	defer b.srv.Close()
	p := publisher(t, b.addr, func(c *PublisherConfig) { c.Password = "wrong" })
	if err := p.Start(t.Context()); err == nil {
		t.Error("started")
	}
}

func TestNoBroker(t *testing.T) {
	p := publisher(t, "127.0.0.1:1", nil)
	if err := p.Start(t.Context()); err == nil {
		t.Error("started")
	}
}

func TestReconnectsByItself(t *testing.T) {
	b := listen(t, lasting(t))
	p := publisher(t, b.addr, nil)
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wait(t, "a first reading", func() bool { return len(b.of("acme/north/sensors/a")) > 0 })
	b.srv.Close()
	eventually(t, "the loss to be seen", func() bool { return !p.Stats().Connected })
	again := listen(t, b.addr)
	defer again.srv.Close()
	again.wait(t, "readings after the return", func() bool { return len(again.of("acme/north/sensors/c")) > 3 })
	before := p.Stats()
	eventually(t, "acknowledgements after the return", func() bool { return p.Stats().Acknowledged > before.Acknowledged })
	if s := p.Stats(); s.Reconnects == 0 {
		t.Errorf("stats %+v", s)
	}
	stop(t, p)
}

func TestFaultChangesWhileItRuns(t *testing.T) {
	b := listen(t, "127.0.0.1:0")
	defer b.srv.Close()
	const topic = "acme/north/sensors/a"
	p := publisher(t, b.addr, func(c *PublisherConfig) {
		c.Assets[0].Profile = Profile{Complete: true, Steady: true, DropoutRate: -1}
		c.Format = Nested
	})
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer stop(t, p)
	ultrasonic := func(raw []byte) float64 {
		var doc struct {
			Pump map[string]map[string]float64 `json:"pump_data"`
		}
		if err := json.Unmarshal(raw, &doc); err != nil {
			t.Fatal(err)
		}
		return doc.Pump["NDE"]["ultrasonic"]
	}
	b.wait(t, "a reading", func() bool { return len(b.of(topic)) > 0 })
	healthy := ultrasonic(b.of(topic)[0])
	if err := p.SetFault(topic, "cavitation", 1); err != nil {
		t.Fatal(err)
	}
	b.wait(t, "the cry of the pump", func() bool {
		all := b.of(topic)
		return ultrasonic(all[len(all)-1]) > healthy+8
	})
	if p.SetFault("acme/north/sensors/z", "cavitation", 1) == nil || p.SetFault(topic, "gremlins", 1) == nil {
		t.Error("an unknown asset or fault is no error")
	}
}

func TestConfigIsChecked(t *testing.T) {
	for name, change := range map[string]func(*PublisherConfig){
		"no broker":      func(c *PublisherConfig) { c.Broker = "" },
		"no client":      func(c *PublisherConfig) { c.ClientID = "" },
		"negative rate":  func(c *PublisherConfig) { c.Rate = -1 },
		"unknown format": func(c *PublisherConfig) { c.Format = "xml" },
		"unknown fault":  func(c *PublisherConfig) { c.Assets[1].Fault = "gremlins" },
		"one topic twice": func(c *PublisherConfig) {
			c.Assets[1] = c.Assets[0]
		},
	} {
		c := PublisherConfig{Broker: "tcp://x", ClientID: "x", Assets: assets("a", "b")}
		change(&c)
		if _, err := NewPublisher(c, quiet); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
