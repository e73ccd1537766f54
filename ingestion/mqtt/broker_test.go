package mqtt_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"foresight/ingestion/decode"
	"foresight/ingestion/mqtt"
	"foresight/internal/id"
	"foresight/internal/testkit"
)

const topicA = "acme/north/sensors/pump-1-a"

func pahoClient(t testing.TB, addr, id, user, pass string, change ...func(*paho.ClientOptions)) paho.Client {
	t.Helper()
	o := paho.NewClientOptions().AddBroker("tcp://" + addr).SetClientID(id).SetUsername(user).SetPassword(pass).
		SetProtocolVersion(4).SetAutoReconnect(false).SetConnectTimeout(within).SetPingTimeout(within)
	for _, f := range change {
		f(o)
	}
	c := paho.NewClient(o)
	t.Cleanup(func() { c.Disconnect(50) })
	return c
}

func done(t testing.TB, token paho.Token) error {
	t.Helper()
	if !token.WaitTimeout(within) {
		t.Fatal("no answer")
	}
	return token.Error()
}

func flow(i int) string { return fmt.Sprintf(`{"flow":%d}`, i) }

func TestMessagesOfEveryQoSReachTheLog(t *testing.T) {
	r := newRig(t, setup{})
	c := pahoClient(t, r.addr(), "c1", userA, password)
	if err := done(t, c.Connect()); err != nil {
		t.Fatal(err)
	}
	for qos := range byte(3) {
		for i := range 100 {
			if err := done(t, c.Publish(topicA, qos, false, flow(int(qos)*100+i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	testkit.Eventually(t, within, func() bool { return r.admitter.Counters().Accepted("acme") == 300 })
	if order, times := r.flows(t); len(times) != 300 || !slices.IsSorted(order) {
		t.Errorf("%d of 300 in the log, in order: %v", len(times), slices.IsSorted(order))
	}
}

func TestMosquittoPublishes(t *testing.T) {
	if _, err := exec.LookPath("mosquitto_pub"); err != nil {
		t.Skip("mosquitto_pub is not installed")
	}
	r := newRig(t, setup{})
	host, port, _ := strings.Cut(r.addr(), ":")
	for i, version := range []string{"mqttv31", "mqttv311", "mqttv5"} {
		for qos := range 3 {
			out, err := exec.CommandContext(t.Context(), "mosquitto_pub", "-h", host, "-p", port, "-V", version, "-u", userA, "-P", password,
				// A client of the same id would end the former one, whose message may be unread.
				"-i", fmt.Sprint("dev-", i, "-", qos), "-q", fmt.Sprint(qos), "-t", topicA, "-m", flow(i*3+qos)).CombinedOutput()
			if err != nil {
				t.Errorf("%s QoS %d: %v %s", version, qos, err, out)
			}
		}
	}
	testkit.Eventually(t, within, func() bool { return r.admitter.Counters().Accepted("acme") == 9 })
	if out, err := exec.CommandContext(t.Context(), "mosquitto_pub", "-h", host, "-p", port, "-u", userA, "-P", "wrong", "-q", "1", "-t", topicA, "-m", flow(1)).CombinedOutput(); err == nil {
		t.Errorf("a wrong password was taken: %s", out)
	}
}

func TestRejectedMessageIsADeadLetterAndAcknowledged(t *testing.T) {
	r := newRig(t, setup{})
	for _, c := range []struct {
		name, topic, payload string
		reason               decode.Reason
		code                 byte // of MQTT 5
	}{
		{"good", topicA, `{"flow":1}`, "", 0},
		{"malformed", topicA, `{"flow":`, decode.BadJSON, 0x99},
		{"empty", topicA, ``, decode.BadJSON, 0x99},
		{"too large", topicA, `{"flow":1,"x":"` + strings.Repeat("x", 70<<10) + `"}`, decode.PayloadTooLarge, 0x99},
		{"another tenant's topic", "globex/north/sensors/pump-1-a", `{"flow":1}`, decode.WrongTenant, 0x87},
		{"another site's topic", "acme/south/sensors/pump-1-a", `{"flow":1}`, decode.WrongSite, 0x87},
		{"no such sensor", "acme/north/sensors/none", `{"flow":1}`, decode.UnknownSensor, 0x90},
		{"no known topic", "hello/world", `{"flow":1}`, decode.BadTopic, 0x90},
		{"a system topic", "$SYS/broker/load", `{"flow":1}`, decode.BadTopic, 0x90},
	} {
		for _, version := range []byte{4, 5} {
			for _, qos := range []byte{1, 2} {
				before := r.admitter.Counters().Rejected("acme", c.reason)
				w := logged(t, r.addr(), version, userA)
				w.send(t, w.publish(c.topic, qos, 7, c.payload))
				id, code := w.ack(t, puback+qos-1)
				want := c.code
				if version == 4 {
					want = 0
				}
				if id != 7 || code != want {
					t.Errorf("%s, version %d, QoS %d: id %d, code %#x, want %#x", c.name, version, qos, id, code, want)
				}
				if c.reason == "" {
					continue
				}
				if d := r.letters.last(); d.Reason != c.reason || d.Topic != c.topic || d.Tenant != r.a.TenantID {
					t.Errorf("%s: letter %s on %s", c.name, d.Reason, d.Topic)
				}
				if n := r.admitter.Counters().Rejected("acme", c.reason) - before; n != 1 {
					t.Errorf("%s: counted %d times", c.name, n)
				}
			}
		}
	}
	if _, times := r.flows(t); times[1] != 4 || len(times) != 1 {
		t.Errorf("in the log: %v, want the good one four times", times)
	}
}

func TestQoS2HandshakeCompletes(t *testing.T) {
	r := newRig(t, setup{})
	w := logged(t, r.addr(), 4, userA)
	w.send(t, w.publish(topicA, 2, 9, flow(1)))
	if id, _ := w.ack(t, pubrec); id != 9 {
		t.Fatalf("PUBREC of %d", id)
	}
	w.send(t, w.publish(topicA, 2, 9, flow(1))) // the same packet again, before PUBREL
	if id, _ := w.ack(t, pubrec); id != 9 {
		t.Fatalf("PUBREC of %d", id)
	}
	w.send(t, []byte{0x62, 2, 0, 9})
	if id, _ := w.ack(t, pubcomp); id != 9 {
		t.Fatalf("PUBCOMP of %d", id)
	}
	if _, times := r.flows(t); times[1] != 1 {
		t.Errorf("%d times in the log", times[1])
	}
}

func TestAcknowledgementsKeepTheOrderOfTheMessages(t *testing.T) {
	log := &faultyLog{hold: true}
	r := newRig(t, setup{log: log.wrap})
	w := logged(t, r.addr(), 4, userA)
	for id := uint16(1); id <= 5; id++ {
		payload := flow(int(id))
		if id == 3 {
			payload = "rubbish" // needs no confirmation, and must wait its turn all the same
		}
		w.send(t, w.publish(topicA, 1, id, payload))
	}
	testkit.Eventually(t, within, func() bool { return log.waiting() == 4 })
	for _, i := range []int{3, 1, 2, 0} {
		log.held[i] <- nil
	}
	for want := uint16(1); want <= 5; want++ {
		if id, _ := w.ack(t, puback); id != want {
			t.Fatalf("PUBACK of %d, want %d", id, want)
		}
	}
}

func TestUnconfirmedMessageIsNotAcknowledged(t *testing.T) {
	for _, c := range []struct {
		version byte
		want    []byte
	}{
		{4, []byte{puback, puback}},
		{5, []byte{puback, puback, disconnect}},
	} {
		t.Run(fmt.Sprint("version ", c.version), func(t *testing.T) {
			log := &faultyLog{fail: func(n int) error {
				if n == 2 {
					return errors.New("the log is gone")
				}
				return nil
			}}
			// A log of its own each: what the broker had read of a connection may come to the
			// log after the connection's end.
			r := newRig(t, setup{log: log.wrap})
			w := logged(t, r.addr(), c.version, userA)
			var all []byte
			for id := uint16(1); id <= 5; id++ {
				all = append(all, w.publish(topicA, 1, id, flow(int(id)))...)
			}
			w.send(t, all)
			if kinds := w.closed(t); !slices.Equal(kinds, c.want) {
				t.Errorf("packets %v, want %v and the end", kinds, c.want)
			}
			if r.letters.last().Reason != "" {
				t.Error("a dead letter, although the sender has the message still")
			}
			testkit.Eventually(t, within, func() bool { return r.broker.Connections() == 0 })
		})
	}
}

func TestStopAcknowledgesWhatIsUnderWay(t *testing.T) {
	log := &faultyLog{hold: true}
	r := newRig(t, setup{log: log.wrap})
	w := logged(t, r.addr(), 4, userA)
	idle := dial(t, r.addr()) // never logs in
	for id := uint16(1); id <= 3; id++ {
		w.send(t, w.publish(topicA, 1, id, flow(int(id))))
	}
	testkit.Eventually(t, within, func() bool { return log.waiting() == 3 })
	stopped := make(chan error, 1)
	go func() { stopped <- r.broker.Stop(t.Context()) }()
	testkit.Eventually(t, within, func() bool {
		c, err := net.Dial("tcp", r.addr())
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	for _, free := range log.held {
		free <- nil
	}
	if kinds := w.closed(t); !slices.Equal(kinds, []byte{puback, puback, puback}) {
		t.Errorf("packets %v, want three PUBACKs and the end", kinds)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if kinds := idle.closed(t); len(kinds) != 0 {
		t.Errorf("packets %v to a stranger", kinds)
	}
}

func TestStopDoesNotWaitForEver(t *testing.T) {
	log := &faultyLog{hold: true}
	r := newRig(t, setup{log: log.wrap})
	w := logged(t, r.addr(), 4, userA)
	w.send(t, w.publish(topicA, 1, 1, flow(1)))
	testkit.Eventually(t, within, func() bool { return log.waiting() == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := r.broker.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Stop says %v", err)
	}
	if kinds := w.closed(t); len(kinds) != 0 {
		t.Errorf("packets %v for an unconfirmed message", kinds)
	}
}

func TestNobodySubscribesAndNothingIsFannedOut(t *testing.T) {
	r := newRig(t, setup{})
	var c paho.Client
	for _, filter := range []string{"$share/g/#", "#", topicA, "acme/#", "$SYS/#"} {
		c = pahoClient(t, r.addr(), "c", userA, password)
		if err := done(t, c.Connect()); err != nil {
			t.Fatal(err)
		}
		token := c.Subscribe(filter, 1, func(paho.Client, paho.Message) { t.Error("a message came") })
		if !token.WaitTimeout(within) {
			t.Fatal("no answer")
		}
		// Refused, or the connection has ended, by which filter the protocol says.
		if code, answered := token.(*paho.SubscribeToken).Result()[filter]; answered && code != 0x80 {
			t.Errorf("%s was granted: %#x", filter, code)
		}
	}
	if err := done(t, c.Publish(topicA, 1, true, flow(1))); err != nil {
		t.Error(err)
	}
}

func TestClientIDsOfTenantsDoNotCollide(t *testing.T) {
	r := newRig(t, setup{})
	a, b := dial(t, r.addr()), dial(t, r.addr())
	for w, user := range map[*wire]string{a: userA, b: userB} {
		if code := w.logIn(t, 4, "same", user, password); code != 0 {
			t.Fatal(code)
		}
	}
	a.send(t, a.publish(topicA, 1, 1, flow(1)))
	a.ack(t, puback)
	b.send(t, b.publish("globex/north/sensors/pump-1-a", 1, 1, flow(2)))
	b.ack(t, puback)

	second := dial(t, r.addr()) // the same gateway anew takes over its own
	if code := second.logIn(t, 4, "same", userA, password); code != 0 {
		t.Fatal(code)
	}
	a.closed(t)
	second.send(t, second.publish(topicA, 1, 1, flow(3)))
	second.ack(t, puback)
}

// However many log in at once, no more get in than may: each has its place before its
// session begins.
func TestConnectionsAreBoundedInARush(t *testing.T) {
	const most, rush = 3, 12
	began := make(chan struct{})
	r := newRig(t, setup{options: func(o *mqtt.Options) { o.MaxPerTenant, o.Presence = most, late(began) }})
	var clients []*wire
	for range rush {
		clients = append(clients, dial(t, r.addr()))
	}
	for i, w := range clients {
		w.connect(t, 4, fmt.Sprint("c", i), userA, password)
	}
	in := 0
	for _, w := range clients {
		if w.connected(t) == 0 {
			in++
		}
	}
	close(began)
	if in != most {
		t.Errorf("%d of %d are in, want %d", in, rush, most)
	}
}

// late keeps sessions from beginning until it is closed.
type late chan struct{}

func (l late) Came(_, _, _ id.UUID, _ string) (gone func()) {
	<-l
	return func() {}
}

func TestConnectionsAreBounded(t *testing.T) {
	r := newRig(t, setup{options: func(o *mqtt.Options) {
		o.MaxConnections, o.MaxPerTenant, o.HandshakeTimeout = 4, 2, time.Hour
	}})
	var open []*wire
	for i := range 2 {
		w := dial(t, r.addr())
		if code := w.logIn(t, 4, fmt.Sprint("c", i), userA, password); code != 0 {
			t.Fatal(code)
		}
		open = append(open, w)
	}
	w := dial(t, r.addr())
	if code := w.logIn(t, 4, "c3", userA, password); code == 0 {
		t.Error("a third connection of the tenant")
	}
	w.closed(t)
	w = dial(t, r.addr())
	if code := w.logIn(t, 4, "c", userB, password); code != 0 {
		t.Errorf("the other tenant is refused: %d", code)
	}
	silent := dial(t, r.addr()) // the fourth
	dial(t, r.addr()).closed(t)
	_ = silent.Close()
	testkit.Eventually(t, within, func() bool { return r.broker.Connections() == 3 })
	for _, w := range open {
		w.send(t, w.publish(topicA, 1, 1, flow(1)))
		w.ack(t, puback)
		_ = w.Close()
	}
	testkit.Eventually(t, within, func() bool { return r.broker.Connections() == 1 })
	w = dial(t, r.addr())
	if code := w.logIn(t, 4, "again", userA, password); code != 0 {
		t.Errorf("places are not given back: %d", code)
	}
}

func TestWhoDoesNotLogInIsDisconnected(t *testing.T) {
	r := newRig(t, setup{options: func(o *mqtt.Options) { o.HandshakeTimeout = 200 * time.Millisecond }})
	if kinds := dial(t, r.addr()).closed(t); len(kinds) != 0 {
		t.Errorf("packets %v to a stranger", kinds)
	}
}
