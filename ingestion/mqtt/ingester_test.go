package mqtt_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/ingestion/admit"
	"foresight/ingestion/mqtt"
	"foresight/ingestion/registry"
	"foresight/internal/bus"
	"foresight/internal/postgres"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

// An ingesting process is the test binary itself, told by its environment what to do.
const (
	childNATS   = "FORESIGHT_TEST_INGESTER_NATS"
	childDSN    = "FORESIGHT_TEST_INGESTER_DSN"
	childBroker = "FORESIGHT_TEST_INGESTER_BROKER"
	childID     = "FORESIGHT_TEST_INGESTER_ID"
	childReady  = "connected"
)

func TestMain(m *testing.M) {
	if os.Getenv(childNATS) != "" {
		if err := ingesterProcess(context.Background()); err != nil {
			slog.Error("ingesting process", "error", err)
		}
		os.Exit(1)
	}
	testkit.Main(m)
}

// ingesterProcess takes messages from the broker into the log until it is killed.
func ingesterProcess(ctx context.Context) error {
	pool, err := postgres.Open(ctx, os.Getenv(childDSN), postgres.Options{MaxConns: 2})
	if err != nil {
		return err
	}
	known := registry.New(registry.Options{Pool: pool, Refresh: time.Hour, Log: quiet,
		Limits: registry.Limits{Retention: 30 * 24 * time.Hour, Rate: 1e6, Burst: 1e6}})
	if err := known.Start(ctx); err != nil {
		return err
	}
	conn, err := bus.Connect(ctx, bus.Options{URL: os.Getenv(childNATS), Log: quiet})
	if err != nil {
		return err
	}
	log, err := bus.OpenLog(ctx, conn, bus.LogOptions{MaxBytes: 2 << 30, Partitions: 2})
	if err != nil {
		return err
	}
	b := mqtt.NewBridge(mqtt.BridgeOptions{
		URL: "tcp://" + os.Getenv(childBroker), Username: ingestUser, Password: password, ClientID: os.Getenv(childID),
		Topics: []string{"$share/foresight/+/+/sensors/+"}, Credential: admit.Credential{AnyTenant: true}, Log: quiet,
		Admitter: admit.New(admit.Options{Snapshot: known.Snapshot, Log: admit.BusLog(log), Partition: bus.Partition, DeadLetters: &letterBox{}, Metrics: prometheus.NewRegistry()}),
	})
	if err := b.Start(ctx); err != nil {
		return err
	}
	for !b.Connected() {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	fmt.Println(childReady)
	<-ctx.Done()
	return ctx.Err()
}

// ingester starts a process, and returns when it is connected to the broker.
func (m *mosquitto) ingester(t *testing.T, r *rig, id string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childNATS+"="+r.nats.ClientURL(), childDSN+"="+r.db.WorkerDSN, childBroker+"="+m.addr, childID+"="+id)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), childReady) {
			return c
		}
	}
	t.Fatal("the process does not connect")
	return nil
}

// Two processes share the subscription of the broker as it is deployed. One is killed by
// signal 9 while messages flow, and comes back under its client id: nothing that the
// broker had acknowledged is missing, and what was sent again is the same message.
func TestAnIngestingProcessIsKilled(t *testing.T) {
	const n = 6000
	m := newMosquitto(t)
	r := newRig(t, setup{bare: true, listen: true})
	first := m.ingester(t, r, "ingest-1")
	m.ingester(t, r, "ingest-2")
	publish := m.publisher(t)
	publish(0, n/3)
	died := make(chan struct{})
	go func() {
		defer close(died)
		_ = first.Process.Kill()
		_ = first.Wait()
	}()
	publish(n/3, 2*n/3)
	<-died
	m.ingester(t, r, "ingest-1")
	publish(2*n/3, n)
	missing, repeats := 0, 0
	testkit.Eventually(t, 2*within, func() bool { missing, repeats = r.all(t, n); return missing == 0 })
	ids := map[telemetry.IngestID]bool{}
	r.each(t, func(raw *telemetry.Raw) { ids[raw.IngestID] = true })
	t.Logf("%d acknowledged by the broker, %d missing, %d brought again, %d ids", n, missing, repeats, len(ids))
	if len(ids) != n {
		t.Errorf("%d messages have %d ids", n, len(ids))
	}
}

// The probe of the start-up tells a broker that drops from one that is deployed as ours.
func TestBridgeNoticesABrokerThatDrops(t *testing.T) {
	for name, c := range map[string]struct {
		change map[string]string
		drops  float64
		said   string
	}{
		"as deployed":  {nil, 0, ""},
		"its defaults": {map[string]string{"max_queued_messages 0": "", "max_inflight_messages 4096": ""}, 1, "DROPS"},
		"not allowed":  {map[string]string{"topic readwrite foresight/probe/+": ""}, 0, "is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMosquitto(t, c.change)
			r := newRig(t, setup{bare: true})
			metrics, said := prometheus.NewRegistry(), &buffer{}
			b := m.bridge(r, func(o *mqtt.BridgeOptions) { o.Metrics, o.Log = metrics, slog.New(slog.NewTextHandler(said, nil)) })
			start(t, b)
			testkit.Eventually(t, 2*within, func() bool { return b.Inspected() })
			if got := gauge(t, metrics, "foresight_mqtt_bridge_broker_drops"); got != c.drops {
				t.Errorf("the gauge says %v", got)
			}
			if got := said.String(); !strings.Contains(got, c.said) || c.said == "" && strings.Contains(got, "WARN") {
				t.Errorf("the log says %s", got)
			}
		})
	}
}

// buffer is one that several goroutines write to.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func gauge(t *testing.T, from prometheus.Gatherer, name string) float64 {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no %s", name)
	return 0
}
