package graph_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"foresight/graph"
	"foresight/internal/event"
	"foresight/internal/telemetry"
)

// audience reads the same frames at many clients, each through a buffer, on as many
// goroutines as there are processors.
type audience struct{ parts []*part }

type part struct {
	clients []rawClient
	readers []io.Reader
	heard   chan struct{} // once for each frame that all of the part have
	err     error         // once heard is closed
}

func newAudience(clients []rawClient) *audience {
	a := &audience{parts: make([]*part, runtime.GOMAXPROCS(0))}
	for i := range a.parts {
		a.parts[i] = &part{heard: make(chan struct{}, 1<<16)}
	}
	for i, c := range clients {
		p := a.parts[i%len(a.parts)]
		p.clients, p.readers = append(p.clients, c), append(p.readers, bufio.NewReaderSize(c, 4096))
	}
	for _, p := range a.parts {
		go func() {
			defer close(p.heard)
			var buf []byte
			for {
				for i, c := range p.clients {
					if buf, p.err = c.receiveBy(p.readers[i], buf); p.err != nil {
						return // closed at the end
					}
				}
				p.heard <- struct{}{}
			}
		}()
	}
	return a
}

// hears returns when everybody has had another frame.
func (a *audience) hears(b *testing.B) {
	for _, p := range a.parts {
		if _, ok := <-p.heard; !ok {
			b.Fatal(p.err)
		}
	}
}

// underway is how many frames may be on their way to each client: it keeps both cores
// busy and is far from what is dropped.
const underway = 8

// BenchmarkFanout sends a reading to many subscribers: bare is coder/websocket writing
// the same bytes to as many connections, from as many goroutines as there are
// processors, and nothing else; shared is the product, from the publication on.
func BenchmarkFanout(b *testing.B) {
	const query = `subscription { telemetry { snapshot resync reading { ingestId siteId assetId sensorId timestamp late values { parameter value } } } }`
	for _, n := range []int{100, 1000, affordable(b, 4)} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := newRig(b)
			url := r.sockets(0, func(o *graph.Options) { o.PingInterval = time.Hour })
			k, begin, told := r.acme.Key(0), time.Now().Add(-time.Hour), 0
			first := full(reading(k, begin, 0))
			r.write(first)
			shared := make([]rawClient, n)
			var frame []byte
			each(shared, func(i int, _ rawClient) {
				c, err := dialRaw(b.Context(), url, 0)
				if err == nil {
					err = c.subscribe("acme/viewer", query)
				}
				var got []byte
				if err == nil {
					got, err = c.receive(nil)
				}
				if err != nil || !strings.Contains(string(got), `"snapshot":true`) {
					b.Errorf("%s %v", got, err)
					return
				}
				_ = c.SetDeadline(time.Time{})
				shared[i] = c
				if i == 0 {
					frame = slices.Clone(got)
				}
			})
			if b.Failed() {
				b.FailNow()
			}
			b.Cleanup(func() { each(shared, func(_ int, c rawClient) { _ = c.Close() }) })
			bare, broadcast := newBroadcast(b, n)
			hearBare, hearShared := newAudience(bare), newAudience(shared)
			var rate float64
			b.Run("bare", func(b *testing.B) {
				rate = measure(b, n, hearBare, func() { broadcast(frame) })
			})
			b.Run("shared", func(b *testing.B) {
				got := measure(b, n, hearShared, func() {
					told++
					d := full(reading(k, begin.Add(time.Duration(told)*time.Millisecond), float64(told)))
					if err := r.hub.Publish(b.Context(), event.Event{Kind: event.Telemetry, Key: d.Key, At: time.Now(), Reading: &d}); err != nil {
						b.Fatal(err)
					}
				})
				b.ReportMetric(got/rate, "of-bare")
				b.ReportMetric(float64(len(frame)), "frame-bytes")
			})
		})
	}
}

// full is a reading with all channels.
func full(d telemetry.Raw) telemetry.Raw {
	for i := range d.Channels {
		d.Channels[i] = float64(i) + 0.25
	}
	return d
}

// measure sends b.N times and returns the frames per second that all heard.
func measure(b *testing.B, clients int, a *audience, send func()) float64 {
	b.ReportAllocs()
	begin := time.Now()
	for i := range b.N {
		send()
		if i >= underway {
			a.hears(b)
		}
	}
	for range min(b.N, underway) {
		a.hears(b)
	}
	rate := float64(b.N*clients) / time.Since(begin).Seconds()
	b.ReportMetric(rate, "frames/s")
	return rate
}

// newBroadcast returns connections to a server of coder/websocket, and what writes a
// text message to all of them.
func newBroadcast(b testing.TB, n int) ([]rawClient, func([]byte)) {
	var mu sync.Mutex
	var open []*websocket.Conn
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"graphql-transport-ws"}})
		if err != nil {
			return
		}
		mu.Lock()
		open = append(open, c)
		mu.Unlock()
		<-c.CloseRead(r.Context()).Done()
	}))
	clients := make([]rawClient, n)
	each(clients, func(i int, _ rawClient) {
		c, err := dialRaw(b.Context(), s.URL, 0)
		if err != nil {
			b.Error(err)
			return
		}
		_ = c.SetDeadline(time.Time{})
		clients[i] = c
	})
	if b.Failed() {
		b.FailNow()
	}
	b.Cleanup(func() {
		each(clients, func(_ int, c rawClient) { _ = c.Close() })
		s.Close()
	})
	for {
		mu.Lock()
		ready := len(open) == n
		mu.Unlock()
		if ready {
			break
		}
		runtime.Gosched()
	}
	writers := runtime.GOMAXPROCS(0)
	work := make([]chan []byte, writers)
	for w := range work {
		work[w] = make(chan []byte, underway)
		go func() {
			for m := range work[w] {
				for i := w; i < n; i += writers {
					_ = open[i].Write(context.WithoutCancel(b.Context()), websocket.MessageText, m)
				}
			}
		}()
	}
	b.Cleanup(func() {
		for _, c := range work {
			close(c)
		}
	})
	return clients, func(m []byte) {
		for _, c := range work {
			c <- m
		}
	}
}

// BenchmarkPublishToFrame measures, at a thousand readings a second, how long one is
// underway from its publication to the frame at a subscriber.
func BenchmarkPublishToFrame(b *testing.B) {
	r := newRig(b)
	k, begin := r.acme.Key(0), time.Now().Add(-time.Hour)
	r.write(reading(k, begin, 0))
	c, err := dialRaw(b.Context(), r.URL, 0)
	r.ok(err)
	b.Cleanup(func() { _ = c.Close() })
	r.ok(c.subscribe("acme/viewer", `subscription { telemetry { resync reading { sensorId timestamp values { parameter value } } } }`))
	_, err = c.receive(nil)
	r.ok(err)
	_ = c.SetDeadline(time.Time{})
	b.ReportAllocs()
	b.ResetTimer()
	sent, took := make([]time.Time, b.N), make([]time.Duration, 0, b.N)
	var heard sync.WaitGroup
	heard.Go(func() {
		var buf []byte
		for i := range b.N {
			var err error
			if buf, err = c.receive(buf); err != nil || strings.Contains(string(buf), `"resync":true`) {
				b.Errorf("%.200s %v", buf, err)
				return
			}
			took = append(took, time.Since(sent[i]))
		}
	})
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for i := range b.N {
		<-tick.C
		d := full(reading(k, begin.Add(time.Duration(i+1)*time.Millisecond), float64(i)))
		sent[i] = time.Now()
		r.publish(d)
	}
	heard.Wait()
	slices.Sort(took)
	for _, q := range []struct {
		name string
		at   float64
	}{{"p50-µs", 0.5}, {"p99-µs", 0.99}} {
		if len(took) > 0 {
			b.ReportMetric(float64(took[int(q.at*float64(len(took)-1))].Nanoseconds())/1000, q.name)
		}
	}
}
