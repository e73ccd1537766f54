package graph_test

import (
	"context"
	"fmt"
	"net"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/graph"
	"foresight/internal/testkit"
)

const (
	wantedSubscribers = 5000
	otherFiles        = 1000
)

// affordable returns how many subscribers the limit of open files allows, where each
// takes so many of this process: its own and the server's.
func affordable(t testing.TB, files int) int {
	t.Helper()
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		t.Fatal(err)
	}
	l.Cur = l.Max
	_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l) // as far as it goes
	n := wantedSubscribers
	if most := (int(min(l.Max, 1<<20)) - otherFiles) / files; most < n {
		t.Logf("%d subscribers instead of %d: no more than %d files may be open", most, n, l.Max)
		n = most
	}
	return n
}

// usage is what the process holds after a collection, in bytes.
type usage struct {
	pages      uint64 // of heap and stacks, with the room that is free within
	objects    uint64
	goroutines int
}

func inUse() usage {
	runtime.GC()
	runtime.GC() // what pools kept over the first is gone
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{m.HeapInuse + m.StackInuse, m.HeapAlloc, runtime.NumGoroutine()}
}

// over tells how much more there is for each of n: bytes and goroutines.
func (u usage) over(before usage, n int) (bytes, goroutines float64) {
	return (float64(u.pages) - float64(before.pages)) / float64(n), float64(u.goroutines-before.goroutines) / float64(n)
}

// figure tells a measurement.
func figure(format string, args ...any) { fmt.Printf("FIGURE "+format+"\n", args...) }

// flowOf reads the value at the end of a frame, -1 when there is none.
func flowOf(frame []byte) float64 {
	s := string(frame)
	at := strings.LastIndex(s, `"value":`)
	if at < 0 {
		return -1
	}
	s = s[at+len(`"value":`):]
	v, err := strconv.ParseFloat(s[:max(0, strings.IndexAny(s, ",}"))], 64)
	if err != nil {
		return -1
	}
	return v
}

// metricOf returns the sum of the metric over its labels.
func metricOf(t testing.TB, r prometheus.Gatherer, name string) (sum float64) {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
			return sum
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// sockets is another server on the same services, whose connections have send buffers
// of so many bytes; 0: as the system has them.
func (r *rig) sockets(sendBuffer int, change func(*graph.Options)) (url string) {
	r.Helper()
	o := r.options
	change(&o)
	g := graph.NewServer(o)
	s := httptest.NewUnstartedServer(r.door(g))
	if sendBuffer > 0 {
		s.Listener = narrow{s.Listener, sendBuffer}
	}
	s.Start()
	r.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), time.Minute)
		defer cancel()
		r.ok(g.Shutdown(ctx))
		s.Close()
	})
	return s.URL
}

// narrow bounds what the system keeps of what is written and not yet read.
type narrow struct {
	net.Listener
	sendBuffer int
}

func (n narrow) Accept() (net.Conn, error) {
	c, err := n.Listener.Accept()
	if err == nil {
		err = c.(*net.TCPConn).SetWriteBuffer(n.sendBuffer)
	}
	return c, err
}

// each runs f for every one of the clients, on some goroutines.
func each(clients []rawClient, f func(i int, c rawClient)) {
	const workers = 16
	var w sync.WaitGroup
	for k := range workers {
		w.Go(func() {
			for i := k; i < len(clients); i += workers {
				f(i, clients[i])
			}
		})
	}
	w.Wait()
}

// flowQuery asks for the flow, with names that make its frames some kilobytes long.
func flowQuery(kilobytes int) string {
	var b strings.Builder
	b.WriteString("subscription { telemetry { resync snapshot reading { ")
	for n := range kilobytes {
		fmt.Fprintf(&b, "t%d%s: ingestId ", n, strings.Repeat("_", 950))
	}
	return b.String() + `sensorId values(parameters: ["flow"]) { value } } } }`
}

// Five thousand people watch a plant, and a tenth of them stop reading. The others get
// every reading, in order; the stalled are cut, and when all have left nothing of them
// remains.
func TestFiveThousandSubscribers(t *testing.T) {
	r := newRig(t)
	metrics := prometheus.NewRegistry()
	// Small buffers on both sides have a client stall that does not read.
	url := r.sockets(32<<10, func(o *graph.Options) {
		o.PingInterval, o.WriteTimeout, o.Registerer = time.Hour, 3*time.Second, metrics
	})
	open := func() float64 { return metricOf(t, metrics, "foresight_graphql_ws_connections") }
	n := affordable(t, 2)
	stalledOnes := n / 10
	begin := time.Now().Add(-time.Hour)
	tell := func(i int) {
		d := reading(r.acme.Key(0), begin.Add(time.Duration(i)*time.Second), float64(i))
		if i == 0 {
			r.write(d) // what they all begin with
		}
		r.publish(d)
	}
	tell(0)
	empty := inUse()

	clients := make([]rawClient, n)
	query := flowQuery(4)
	each(clients, func(i int, _ rawClient) {
		buffer := 0
		if i < stalledOnes {
			buffer = 4096
		}
		c, err := dialRaw(t.Context(), url, buffer)
		if err == nil {
			err = c.subscribe("acme/viewer", query)
		}
		var b []byte
		if err == nil {
			b, err = c.receive(nil)
		}
		if err != nil || flowOf(b) != 0 || !strings.Contains(string(b), `"snapshot":true`) {
			t.Errorf("no snapshot: %.200s %v", b, err)
		}
		clients[i] = c
	})
	if t.Failed() {
		t.FailNow()
	}
	perConnection, goroutines := inUse().over(empty, n)
	figure("%d connections with a subscription: %.1f kB of heap and stack each, the client's end included, %.2f goroutines each",
		n, perConnection/1000, goroutines)
	if perConnection > 70_000 {
		t.Errorf("%.0f bytes for each connection", perConnection)
	}

	if snapshots := metricOf(t, metrics, "foresight_graphql_shared_snapshots_total"); snapshots > float64(n)/2 {
		t.Errorf("%.0f snapshots were read for %d who came together", snapshots, n)
	}

	const beside, after, wave = 60, 90, 10 // a wave fits into the buffers of those who read
	// waves tells of the readings in (from, to] and returns how long after a wave was told
	// of each of those who read had all of it.
	waves := func(from, to int) (had []time.Duration) {
		var mu sync.Mutex
		for sent := from; sent < to; sent += wave {
			begin := time.Now()
			for i := sent + 1; i <= sent+wave; i++ {
				tell(i)
			}
			each(clients[stalledOnes:], func(_ int, c rawClient) {
				var b []byte
				err := c.SetDeadline(time.Now().Add(2 * time.Minute)) // of the wave, however many there are
				if err != nil {
					t.Error(err)
					return
				}
				for want := sent + 1; want <= sent+wave; want++ {
					if b, err = c.receive(b); err != nil || flowOf(b) != float64(want) {
						t.Errorf("got %.80s… %.0f, want %d: %v", b, flowOf(b), want, err)
						return
					}
				}
				mu.Lock()
				had = append(had, time.Since(begin))
				mu.Unlock()
			})
			if t.Failed() {
				t.FailNow()
			}
		}
		slices.Sort(had)
		return had
	}
	took := time.Now()
	had := waves(0, beside)
	span := time.Since(took)
	frames := beside * (n - stalledOnes)
	figure("%d frames of %d kB to %d subscribers who read, beside %d who do not: %.0f frames/s; a wave of %d was with them after p50 %v, p99 %v",
		frames, 4, n-stalledOnes, stalledOnes, float64(frames)/span.Seconds(), wave, had[len(had)/2].Round(time.Millisecond), had[len(had)*99/100].Round(time.Millisecond))

	// The stalled are cut, and the others are not.
	testkit.Eventually(t, testkit.Patience, func() bool { return int(open()) == n-stalledOnes })
	if encoded := metricOf(t, metrics, "foresight_graphql_shared_encoded_total"); encoded > 3*beside+float64(n) {
		t.Errorf("%.0f items were encoded for %d readings", encoded, beside)
	}
	perConnection, goroutines = inUse().over(empty, n-stalledOnes)
	figure("when the stalled are cut: %.1f kB each for the others, %.2f goroutines", perConnection/1000, goroutines)
	had = waves(beside, after)
	figure("without them a wave was with the others after p50 %v, p99 %v", had[len(had)/2].Round(time.Millisecond), had[len(had)*99/100].Round(time.Millisecond))

	each(clients, func(_ int, c rawClient) { _ = c.Close() })
	testkit.Eventually(t, testkit.Patience, func() bool { return open() == 0 })
	var left usage
	testkit.Eventually(t, testkit.Patience, func() bool {
		left = inUse()
		return left.goroutines <= empty.goroutines+20
	})
	remain := float64(left.objects) - float64(empty.objects)
	figure("when all have left: %+.1f MB of objects and %+d goroutines against before", remain/1e6, left.goroutines-empty.goroutines)
	if remain > float64(n)*4000 { // the runtime keeps what it knew goroutines by, for those to come
		t.Errorf("%.0f bytes remain", remain)
	}
}
