package mqtt_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"google.golang.org/protobuf/proto"

	"foresight/ingestion/decode"
	"foresight/ingestion/decode/sparkplug"
	"foresight/ingestion/decode/sparkplug/spb"
	"foresight/ingestion/mqtt"
	"foresight/ingestion/presence"
	"foresight/internal/postgres"
	"foresight/internal/testkit"
)

// edge is a Sparkplug node on a real MQTT client, with a device that measures `flow`.
type edge struct {
	t        *testing.T
	group    string
	client   paho.Client
	conn     net.Conn // to be cut
	bdSeq    uint64
	obeys    bool          // answers a request of births
	asked    chan struct{} // has an element for each request
	mu       sync.Mutex
	seq      uint64
	nextFlow float64
}

const (
	edgeNode   = "gw-1"
	edgeDevice = "pump-1-a"
	flowAlias  = 7
)

// newEdge connects as the user, and subscribes to the node's commands.
func newEdge(t *testing.T, addr, group, user string, bdSeq uint64, obeys bool) *edge {
	t.Helper()
	e := &edge{t: t, group: group, bdSeq: bdSeq, obeys: obeys, asked: make(chan struct{}, 100), nextFlow: 1}
	death, err := proto.Marshal(&sparkplug.Payload{Metrics: []*spb.Metric{e.bdSeqMetric()}})
	if err != nil {
		t.Fatal(err)
	}
	e.client = pahoClient(t, addr, fmt.Sprintf("edge-%s-%d", group, bdSeq), user, password, func(o *paho.ClientOptions) {
		o.SetBinaryWill(e.topic("NDEATH", ""), death, 1, false).SetOrderMatters(false)
		o.SetCustomOpenConnectionFn(func(uri *url.URL, _ paho.ClientOptions) (net.Conn, error) {
			c, err := net.Dial("tcp", uri.Host)
			e.conn = c
			return c, err
		})
	})
	if err := done(t, e.client.Connect()); err != nil {
		t.Fatal(err)
	}
	token := e.client.Subscribe(e.topic("NCMD", ""), 1, e.command)
	if err := done(t, token); err != nil || token.(*paho.SubscribeToken).Result()[e.topic("NCMD", "")] == 0x80 {
		t.Fatalf("no commands: %v", err)
	}
	return e
}

func (e *edge) topic(kind, device string) string {
	topic := "spBv1.0/" + e.group + "/" + kind + "/" + edgeNode
	if device != "" {
		topic += "/" + device
	}
	return topic
}

func (e *edge) command(_ paho.Client, m paho.Message) {
	var p sparkplug.Payload
	if err := proto.Unmarshal(m.Payload(), &p); err != nil || len(p.Metrics) != 1 || p.Metrics[0].GetName() != "Node Control/Rebirth" || !p.Metrics[0].GetBooleanValue() {
		e.t.Errorf("the command %q: %v", m.Payload(), err)
		return
	}
	if e.obeys {
		e.births()
	}
	select {
	case e.asked <- struct{}{}:
	default: // nobody counts so many
	}
}

func (e *edge) bdSeqMetric() *spb.Metric {
	return &spb.Metric{Name: proto.String("bdSeq"), Datatype: proto.Uint32(8), Value: &spb.Metric_LongValue{LongValue: e.bdSeq}}
}

// send publishes a message with the next number, and waits until it is acknowledged.
func (e *edge) send(kind, device string, metrics ...*spb.Metric) {
	e.mu.Lock()
	p := &sparkplug.Payload{Timestamp: proto.Uint64(uint64(time.Now().UnixMilli())), Seq: proto.Uint64(e.seq), Metrics: metrics}
	e.seq = (e.seq + 1) % 256
	e.mu.Unlock()
	b, err := proto.Marshal(p)
	if err == nil {
		err = done(e.t, e.client.Publish(e.topic(kind, device), 1, false, b))
	}
	if err != nil {
		e.t.Errorf("%s: %v", kind, err)
	}
}

func (e *edge) births() {
	e.mu.Lock()
	e.seq = 0
	e.mu.Unlock()
	e.send("NBIRTH", "", e.bdSeqMetric())
	e.send("DBIRTH", edgeDevice,
		&spb.Metric{Name: proto.String("flow"), Alias: proto.Uint64(flowAlias), Datatype: proto.Uint32(10), IsNull: proto.Bool(true)},
		&spb.Metric{Name: proto.String("Properties/Maker"), Alias: proto.Uint64(8), Datatype: proto.Uint32(12), Value: &spb.Metric_StringValue{StringValue: "x"}})
}

// data sends the next value by its alias, and returns it.
func (e *edge) data() int {
	v := e.nextFlow
	e.nextFlow++
	e.send("DDATA", edgeDevice, &spb.Metric{Alias: proto.Uint64(flowAlias), Value: &spb.Metric_DoubleValue{DoubleValue: v}})
	return int(v)
}

// skip loses a message.
func (e *edge) skip() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seq = (e.seq + 1) % 256
}

func (e *edge) wasAsked() {
	e.t.Helper()
	select {
	case <-e.asked:
	case <-time.After(within):
		e.t.Fatal("the node was not asked for its births")
	}
}

func TestSparkplugNode(t *testing.T) {
	r := newRig(t, setup{})
	e := newEdge(t, r.addr(), "plant", userA, 1, false)
	other := newEdge(t, r.addr(), "plant", userB, 1, false) // of another tenant, with the same names
	e.births()
	for range 3 {
		e.data()
	}
	e.send("DDATA", edgeDevice, &spb.Metric{Alias: proto.Uint64(8), Value: &spb.Metric_StringValue{StringValue: "y"}}) // no parameter
	counters := r.admitter.Counters()
	if a, n := counters.Accepted("acme"), counters.Rejected("acme", decode.NoValues); a != 3 || n != 1 {
		t.Errorf("%d accepted, %d without values", a, n)
	}
	other.data() // its births are not known
	other.wasAsked()
	if n := counters.Rejected("globex", decode.NoBirth); n != 1 {
		t.Errorf("%d of the other tenant without a birth", n)
	}
	if len(e.asked) != 0 {
		t.Error("a node is told what is another tenant's")
	}
	e.skip()
	begin := time.Now()
	for range 3 {
		e.data()
	}
	e.wasAsked()
	if n := counters.Rejected("acme", decode.OutOfSequence); n != 3 {
		t.Errorf("%d out of sequence", n)
	}
	// After five seconds it may be asked again.
	if n := len(e.asked); n != 0 && time.Since(begin) < 5*time.Second {
		t.Errorf("asked %d times more", n)
	}
	e.births()
	last := e.data()
	if _, times := r.flows(t); len(times) != 4 || times[last] != 1 {
		t.Errorf("in the log: %v", times)
	}
}

// After a restart of the product nothing is known: the first message brings the births,
// and what follows them is understood.
func TestSparkplugNodesAreAskedAfterARestart(t *testing.T) {
	r := newRig(t, setup{})
	e := newEdge(t, r.addr(), "plant", userA, 1, true)
	e.births()
	e.data()
	stop(t, r.broker)
	r.admitter = r.newAdmitter()
	r.restart(t)
	e = newEdge(t, r.addr(), "plant", userA, 2, true) // connects again, and does not think of births
	e.nextFlow = 10
	e.data()
	e.wasAsked()
	e.data()
	if n := r.admitter.Counters().Rejected("acme", decode.NoBirth); n != 1 {
		t.Errorf("%d messages were not understood, want the first", n)
	}
	if _, times := r.flows(t); len(times) != 2 || times[1] != 1 || times[11] != 1 {
		t.Errorf("in the log: %v", times)
	}
}

// The death of a node is the will of its connection: what it had told is forgotten, unless
// it has come again meanwhile.
func TestSparkplugDeath(t *testing.T) {
	r := newRig(t, setup{})
	counters := r.admitter.Counters()
	e := newEdge(t, r.addr(), "plant", userA, 1, false)
	e.births()
	e.data()
	_ = e.conn.Close()
	testkit.Eventually(t, within, func() bool { return r.broker.Connections() == 0 })
	e = newEdge(t, r.addr(), "plant", userA, 2, false)
	e.data()
	if n := counters.Rejected("acme", decode.NoBirth); n != 1 {
		t.Errorf("%d not understood after the death, want 1", n)
	}
	e.births()
	second := newEdge(t, r.addr(), "plant", userA, 3, false) // while the second connection is open
	second.births()
	_ = e.conn.Close()
	testkit.Eventually(t, within, func() bool { return r.broker.Connections() == 1 })
	second.data()
	if n := counters.Rejected("acme", decode.NoBirth); n != 1 {
		t.Error("the death of a former connection has taken the node's births")
	}
	second.client.Disconnect(100) // in good order: the will is not sent
	testkit.Eventually(t, within, func() bool { return r.broker.Connections() == 0 })
}

func TestSparkplugNodesAreGatewaysOfTheCredential(t *testing.T) {
	r := newRig(t, setup{})
	r.exec(t, `WITH s AS (INSERT INTO sites (id, tenant_id, site_code, name) SELECT gen_random_uuid(), $1, 'south', 'South' RETURNING id)
		INSERT INTO gateways (id, tenant_id, site_id, gateway_code) SELECT gen_random_uuid(), $1, s.id, 'gw-south' FROM s`, r.a.TenantID)
	before := r.registry.Snapshot()
	r.registry.Refresh()
	testkit.Eventually(t, within, func() bool { return r.registry.Snapshot() != before })
	e := newEdge(t, r.addr(), "plant", userA, 1, false)
	counters := r.admitter.Counters()
	for i, node := range []string{"gw-9", "gw-south"} {
		if err := done(t, e.client.Publish("spBv1.0/plant/NBIRTH/"+node, 1, false, []byte{})); err != nil {
			t.Fatal(err)
		}
		if n := counters.Rejected("acme", decode.UnknownNode); n != uint64(i+1) {
			t.Errorf("%s: %d rejected", node, n)
		}
		token := e.client.Subscribe("spBv1.0/plant/NCMD/"+node, 1, nil)
		if _ = done(t, token); token.(*paho.SubscribeToken).Result()["spBv1.0/plant/NCMD/"+node] != 0x80 {
			t.Errorf("the commands of %s are granted", node)
		}
	}
}

// Bytes of any kind on the topics of Sparkplug: each is counted and acknowledged, and
// the node goes on.
func TestSparkplugGarbage(t *testing.T) {
	const n = 5000
	r := newRig(t, setup{})
	e := newEdge(t, r.addr(), "plant", userA, 1, false)
	e.births()
	good, err := proto.Marshal(&sparkplug.Payload{Seq: proto.Uint64(3), Metrics: []*spb.Metric{e.bdSeqMetric(),
		{Name: proto.String("flow"), Alias: proto.Uint64(flowAlias), Datatype: proto.Uint32(10), Value: &spb.Metric_DoubleValue{DoubleValue: 1}}}})
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	var tokens []paho.Token
	for range n {
		b := append([]byte(nil), good...)
		for range 1 + rnd.IntN(6) {
			b[rnd.IntN(len(b))] = byte(rnd.IntN(256))
		}
		if rnd.IntN(4) == 0 {
			b = b[:rnd.IntN(len(b))]
		}
		kind := []string{"NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH", "XXX"}[rnd.IntN(7)]
		device := ""
		if kind[0] == 'D' {
			device = edgeDevice
		}
		tokens = append(tokens, e.client.Publish(e.topic(kind, device), 1, false, b))
	}
	for _, token := range tokens {
		if err := done(t, token); err != nil {
			t.Fatal(err)
		}
	}
	counters := r.admitter.Counters()
	for _, reason := range []decode.Reason{decode.BadSparkplug, decode.BadTopic, decode.NoBirth} {
		if counters.Rejected("acme", reason) == 0 {
			t.Errorf("the storm has no %s: it is too tame", reason)
		}
	}
	e.births()
	before := counters.Accepted("acme")
	e.data()
	if got := counters.Accepted("acme") - before; got != 1 {
		t.Errorf("after the storm %d of 1 is accepted", got)
	}
}

// By an external broker: the group is the tenant, the births and deaths are the
// gateway's presence, and the broker carries the requests.
func TestSparkplugByAnExternalBroker(t *testing.T) {
	m := newMosquitto(t)
	r := newRig(t, setup{bare: true})
	pool, err := postgres.Open(t.Context(), r.db.WorkerDSN, postgres.Options{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	who := presence.New(presence.Options{Pool: pool, Log: quiet})
	start(t, who)
	r.present = who
	r.admitter = r.newAdmitter()
	b := m.bridge(r, func(o *mqtt.BridgeOptions) { o.Topics = append(o.Topics, "spBv1.0/+/+/+", "spBv1.0/+/+/+/+") })
	start(t, b)
	testkit.Eventually(t, within, b.Connected)
	online := func() (is bool) {
		err := r.owner.QueryRow(t.Context(), `SELECT coalesce(bool_or(is_online), false) FROM gateway_states WHERE gateway_id = $1`, r.a.GatewayID).Scan(&is)
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	counters := r.admitter.Counters()
	foreign := pahoClient(t, m.addr, "foreign", "acme", password) // refused or dropped by the broker
	if err := done(t, foreign.Connect()); err != nil {
		t.Fatal(err)
	}
	named, err := proto.Marshal(&sparkplug.Payload{Seq: proto.Uint64(0), Metrics: []*spb.Metric{
		{Name: proto.String("flow"), Datatype: proto.Uint32(10), Value: &spb.Metric_DoubleValue{DoubleValue: 1}}}})
	if err != nil {
		t.Fatal(err)
	}
	_ = done(t, foreign.Publish("spBv1.0/globex/DDATA/gw-1/pump-1-a", 1, false, named))
	e := newEdge(t, m.addr, "acme", "acme", 1, true)
	e.data() // without births
	e.wasAsked()
	testkit.Eventually(t, within, online)
	e.data()
	testkit.Eventually(t, within, func() bool { return counters.Accepted("acme") == 1 })

	m.kill() // with the broker go the connections of both
	testkit.Eventually(t, within, func() bool { return !b.Connected() })
	m.start(t)
	testkit.Eventually(t, within, b.Connected)
	e = newEdge(t, m.addr, "acme", "acme", 2, true)
	e.nextFlow = 20
	e.births()
	e.data()
	testkit.Eventually(t, within, func() bool { return counters.Accepted("acme") == 2 })
	_ = e.conn.Close() // the broker sends the will
	testkit.Eventually(t, within, func() bool { return !online() })
	if n := counters.Accepted("globex"); n != 0 {
		t.Errorf("%d of another tenant", n)
	}
}
