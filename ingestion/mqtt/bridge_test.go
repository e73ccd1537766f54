package mqtt_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/ingestion/admit"
	"foresight/ingestion/decode"
	"foresight/ingestion/mqtt"
	"foresight/internal/testkit"
)

// mosquitto is a real external broker, with the configuration that is deployed.
type mosquitto struct {
	addr, config string
	process      *exec.Cmd
}

// The users of the broker: the product, a tenant by its code (the ACL that is
// deployed), and one of the tests that may publish for every tenant.
const (
	ingestUser    = "foresight-ingest"
	publisherUser = "publisher"
)

// newMosquitto starts one. With changes, lines of its files are others than deployed.
func newMosquitto(t testing.TB, changes ...map[string]string) *mosquitto {
	t.Helper()
	if _, err := exec.LookPath("mosquitto"); err != nil {
		t.Skip("mosquitto is not installed: make setup-test does it, or apt-get install mosquitto")
	}
	deployed := func(t testing.TB, name string) string {
		text := deployed(t, name)
		for _, change := range changes {
			for line, here := range change {
				text = strings.Replace(text, "\n"+line+"\n", "\n"+here+"\n", 1)
			}
		}
		return text
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	m := &mosquitto{addr: free.Addr().String(), config: filepath.Join(dir, "mosquitto.conf")}
	_, port, _ := net.SplitHostPort(m.addr)
	_ = free.Close()
	acl, passwords := filepath.Join(dir, "acl"), filepath.Join(dir, "passwords")
	write(t, acl, deployed(t, "acl")+"\nuser "+publisherUser+"\ntopic write #\n")
	write(t, passwords, "")
	for _, user := range []string{ingestUser, publisherUser, "acme"} {
		if out, err := exec.Command("mosquitto_passwd", "-b", passwords, user, password).CombinedOutput(); err != nil {
			t.Fatal(err, string(out))
		}
	}
	config := deployed(t, "mosquitto.conf")
	for setting, here := range map[string]string{
		"listener 1883":                           "listener " + port + " 127.0.0.1",
		"persistence_location /mosquitto/data/":   "persistence_location " + dir + "/",
		"password_file /mosquitto/data/passwords": "password_file " + passwords,
		"acl_file /mosquitto/config/acl":          "acl_file " + acl,
	} {
		if strings.Count(config, "\n"+setting+"\n") != 1 {
			t.Fatalf("deploy/mosquitto/mosquitto.conf has no line %q", setting)
		}
		config = strings.Replace(config, "\n"+setting+"\n", "\n"+here+"\n", 1)
	}
	if os.Geteuid() == 0 {
		config += "user root\n" // else it becomes a user who cannot enter the directory
	}
	write(t, m.config, config)
	m.start(t)
	t.Cleanup(func() { m.kill() })
	return m
}

// deployed returns a file of the broker's deployment.
func deployed(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "mosquitto", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (m *mosquitto) start(t testing.TB) {
	t.Helper()
	m.process = exec.Command("mosquitto", "-c", m.config)
	if err := m.process.Start(); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, within, func() bool {
		c, err := net.Dial("tcp", m.addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

func (m *mosquitto) kill() {
	_ = m.process.Process.Kill()
	_ = m.process.Wait()
}

func (m *mosquitto) bridge(r *rig, change ...func(*mqtt.BridgeOptions)) *mqtt.Bridge {
	o := mqtt.BridgeOptions{
		URL: "tcp://" + m.addr, Username: ingestUser, Password: password, ClientID: "foresight-ingest-1",
		Topics: []string{"+/+/sensors/+"}, Credential: admit.Credential{AnyTenant: true}, Admitter: r.admitter,
		Metrics: prometheus.NewRegistry(), Log: quiet,
	}
	for _, f := range change {
		f(&o)
	}
	return mqtt.NewBridge(o)
}

func stop(t testing.TB, p part) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if err := p.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// timed is a message with a time of its own, so that a repeat is recognised.
func timed(i int) string {
	return fmt.Sprintf(`{"flow":%d,"timestamp":%d}`, i, time.Now().Add(-time.Minute).UnixMilli())
}

func (m *mosquitto) publisher(t testing.TB) func(from, to int) {
	t.Helper()
	c := pahoClient(t, m.addr, "publisher", publisherUser, password)
	if err := done(t, c.Connect()); err != nil {
		t.Fatal(err)
	}
	return func(from, to int) {
		t.Helper()
		var tokens []paho.Token
		for i := from; i < to; i++ {
			tokens = append(tokens, c.Publish([]string{topicA, "globex/north/sensors/pump-1-a"}[i%2], 1, false, timed(i)))
		}
		for _, token := range tokens {
			if err := done(t, token); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// all returns how many messages of [0, n) the log lacks, and how many repeats it has.
// The broker repeats what it has not seen acknowledged when a connection ends; a
// repeat has the ingest id of the first.
func (r *rig) all(t testing.TB, n int) (missing, repeats int) {
	t.Helper()
	_, times := r.flows(t)
	for i := range n {
		switch k := times[i]; {
		case k == 0:
			missing++
		case k > 1:
			repeats += k - 1
		}
	}
	return missing, repeats
}

func TestBridgeTakesEveryTenantsMessages(t *testing.T) {
	m := newMosquitto(t)
	r := newRig(t, setup{bare: true})
	b := m.bridge(r)
	start(t, b)
	testkit.Eventually(t, within, b.Connected)
	publish := m.publisher(t)
	publish(0, 1000)
	counters := r.admitter.Counters()
	testkit.Eventually(t, within, func() bool { return counters.Accepted("acme") == 500 && counters.Accepted("globex") == 500 })

	stop(t, b)
	publish(1000, 2000) // the broker keeps them for the session
	if n := counters.Accepted("acme"); n != 500 {
		t.Fatalf("%d taken after Stop", n)
	}
	b = m.bridge(r)
	start(t, b)
	testkit.Eventually(t, within, func() bool { missing, _ := r.all(t, 2000); return missing == 0 })
	stop(t, b)
}

// The ACL that is deployed keeps tenants apart: the Bridge believes the topics.
func TestDeployedBrokerKeepsTenantsApart(t *testing.T) {
	m := newMosquitto(t)
	r := newRig(t, setup{bare: true})
	b := m.bridge(r)
	start(t, b)
	testkit.Eventually(t, within, b.Connected)
	acme := func(id string) paho.Client {
		c := pahoClient(t, m.addr, id, "acme", password)
		if err := done(t, c.Connect()); err != nil {
			t.Fatal(err)
		}
		return c
	}
	// Refused or dropped: some versions of the broker also close the connection.
	_ = done(t, acme("acme-1").Publish("globex/north/sensors/pump-1-a", 1, false, timed(1)))
	own := acme("acme-2")
	if err := done(t, own.Publish(topicA, 1, false, timed(1))); err != nil {
		t.Fatal(err)
	}
	counters := r.admitter.Counters()
	testkit.Eventually(t, within, func() bool { return counters.Accepted("acme") == 1 })
	if n := counters.Accepted("globex"); n != 0 { // published first, so it would have come first
		t.Errorf("%d of another tenant's messages were taken", n)
	}
	if done(t, pahoClient(t, m.addr, "nobody", "", "").Connect()) == nil {
		t.Error("somebody without a name is let in")
	}
}

func TestBridgeAcknowledgesDeadLetters(t *testing.T) {
	m := newMosquitto(t)
	r := newRig(t, setup{bare: true})
	b := m.bridge(r)
	start(t, b)
	testkit.Eventually(t, within, b.Connected)
	c := pahoClient(t, m.addr, "p", publisherUser, password)
	if err := done(t, c.Connect()); err != nil {
		t.Fatal(err)
	}
	for _, topic := range []string{topicA, "initech/x/sensors/y", "acme/south/sensors/pump-1-a"} {
		if err := done(t, c.Publish(topic, 1, false, "rubbish")); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Eventually(t, within, func() bool {
		n := r.admitter.Counters()
		return n.Rejected("acme", decode.BadJSON) == 2 && n.Rejected("", decode.WrongTenant) == 1
	})
	stop(t, b)
	b = m.bridge(r)
	start(t, b)
	testkit.Eventually(t, within, b.Connected)
	if err := done(t, c.Publish(topicA, 1, false, timed(1))); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, within, func() bool { return r.admitter.Counters().Accepted("acme") == 1 })
	if n := r.admitter.Counters().Rejected("acme", decode.BadJSON); n != 2 {
		t.Errorf("dead letters came again: %d", n)
	}
}

func TestBridgeGetsAgainWhatTheLogDidNotConfirm(t *testing.T) {
	m := newMosquitto(t)
	gone := errors.New("the log is gone")
	log := &faultyLog{fail: func(n int) error {
		if n == 100 || n == 500 {
			return gone
		}
		return nil
	}}
	r := newRig(t, setup{bare: true, log: log.wrap})
	b := m.bridge(r)
	start(t, b)
	testkit.Eventually(t, within, b.Connected)
	m.publisher(t)(0, 1000)
	testkit.Eventually(t, within, func() bool { missing, _ := r.all(t, 1000); return missing == 0 })
	counters := r.admitter.Counters()
	testkit.Eventually(t, within, func() bool { return counters.Accepted("acme")+counters.Accepted("globex") >= 1000 })
	if n := counters.Rejected("acme", decode.LogFull) + counters.Rejected("globex", decode.LogFull); n < 1 {
		t.Error("the fault did not happen")
	}
}

func TestBridgeSurvivesTheBrokersDeath(t *testing.T) {
	m := newMosquitto(t)
	r := newRig(t, setup{bare: true})
	b := m.bridge(r)
	start(t, b)
	testkit.Eventually(t, within, b.Connected)
	m.publisher(t)(0, 500)
	testkit.Eventually(t, within, func() bool { missing, _ := r.all(t, 500); return missing == 0 })
	m.kill()
	testkit.Eventually(t, within, func() bool { return !b.Connected() })
	m.start(t)
	testkit.Eventually(t, within, b.Connected)
	m.publisher(t)(500, 1000)
	testkit.Eventually(t, within, func() bool { missing, _ := r.all(t, 1000); return missing == 0 })
}

func TestBridgesShareASubscription(t *testing.T) {
	m := newMosquitto(t)
	r := newRig(t, setup{bare: true})
	for i := range 2 {
		b := m.bridge(r, func(o *mqtt.BridgeOptions) {
			o.ClientID, o.Topics = fmt.Sprint("ingest-", i), []string{"$share/foresight/+/+/sensors/+"}
		})
		start(t, b)
		testkit.Eventually(t, within, b.Connected)
	}
	m.publisher(t)(0, 1000)
	counters := r.admitter.Counters()
	testkit.Eventually(t, within, func() bool { return counters.Accepted("acme")+counters.Accepted("globex") == 1000 })
	if missing, repeats := r.all(t, 1000); missing != 0 || repeats != 0 {
		t.Errorf("%d missing, %d repeated", missing, repeats)
	}
}

func TestBridgeIsNotConnectedWithoutSubscription(t *testing.T) {
	m := newMosquitto(t)
	r := newRig(t, setup{bare: true})
	refused := m.bridge(r, func(o *mqtt.BridgeOptions) { o.Password = "wrong" })
	start(t, refused)
	noBroker := m.bridge(r, func(o *mqtt.BridgeOptions) { o.URL = "tcp://127.0.0.1:1" })
	start(t, noBroker)
	good := m.bridge(r, func(o *mqtt.BridgeOptions) { o.ClientID = "other" })
	start(t, good)
	testkit.Eventually(t, within, good.Connected)
	if refused.Connected() || noBroker.Connected() {
		t.Error("connected")
	}
	stop(t, refused)
	stop(t, noBroker)
}
