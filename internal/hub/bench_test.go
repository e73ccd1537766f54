package hub

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// BenchmarkFanOut compares handing one event to many draining subscribers with the
// bare minimum, a non-blocking send to as many channels.
func BenchmarkFanOut(b *testing.B) {
	e := fullReading()
	item := event.Item{Event: e}
	for _, n := range []int{1000, 5000} {
		channels := make([]chan event.Item, n)
		w := newWatch(topic{e.Key.Tenant, e.Kind}, newMetrics(nil), slog.New(slog.DiscardHandler))
		h := &Hub{opt: Options{Buffer: 256}}
		for i := range channels {
			s := h.newSubscriber(event.Filter{Tenant: e.Key.Tenant, Kind: e.Kind})
			channels[i] = s.items
			w.add(s)
		}
		var drained sync.WaitGroup
		for _, c := range channels {
			drained.Go(func() {
				for range c {
				}
			})
		}
		b.Run(fmt.Sprintf("%d/bare", n), func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				for _, c := range channels {
					select {
					case c <- item:
					default:
					}
				}
			}
		})
		b.Run(fmt.Sprintf("%d/hub", n), func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				w.mu.Lock()
				w.fanOut(e)
				w.mu.Unlock()
			}
		})
		for _, c := range channels {
			close(c)
		}
		drained.Wait()
	}
}

// BenchmarkFanOutScoped has the subscribers watch an asset each: an event concerns
// one of them.
func BenchmarkFanOutScoped(b *testing.B) {
	e := fullReading()
	w := newWatch(topic{e.Key.Tenant, e.Kind}, newMetrics(nil), slog.New(slog.DiscardHandler))
	h := &Hub{opt: Options{Buffer: 256}}
	for i := range 5000 {
		asset := id.New(id.Asset)
		if i == 0 {
			asset = e.Key.Asset
		}
		w.add(h.newSubscriber(event.Filter{Tenant: e.Key.Tenant, Kind: e.Kind, Scope: telemetry.Scope{Asset: asset}}))
	}
	b.ReportAllocs()
	for range b.N {
		w.mu.Lock()
		w.fanOut(e)
		w.mu.Unlock()
	}
}

// jsonReading is what the event would be as JSON, which knows no NaN.
type jsonReading struct {
	At, Timestamp, ReceivedAt time.Time
	Key                       telemetry.Key
	IngestID                  telemetry.IngestID
	LogSeq                    uint64
	Late                      bool
	Channels                  map[string]float64
	Values                    []telemetry.Value
	Publisher, Seq            uint64
}

func BenchmarkCodec(b *testing.B) {
	e := fullReading()
	r := e.Reading
	j := jsonReading{At: e.At, Timestamp: r.Timestamp, ReceivedAt: r.ReceivedAt, Key: e.Key, IngestID: r.IngestID,
		LogSeq: r.LogSeq, Channels: map[string]float64{}, Values: r.Values, Publisher: 1, Seq: 2}
	for c, v := range r.Channels {
		j.Channels[telemetry.Channel(c).String()] = v
	}
	b.Run("encode/binary", func(b *testing.B) {
		b.ReportAllocs()
		var buf []byte
		for range b.N {
			buf, _ = appendEvent(buf[:0], e, origin{1, 2})
		}
		b.ReportMetric(float64(len(buf)), "bytes")
	})
	b.Run("encode/json", func(b *testing.B) {
		b.ReportAllocs()
		var buf []byte
		for range b.N {
			buf, _ = json.Marshal(j)
		}
		b.ReportMetric(float64(len(buf)), "bytes")
	})
	binary, _ := appendEvent(nil, e, origin{1, 2})
	text, _ := json.Marshal(j)
	b.Run("decode/binary", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if _, _, err := decode(binary); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode/json", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			var out jsonReading
			if err := json.Unmarshal(text, &out); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPublishToSubscriber(b *testing.B) {
	h := oneHub(b, Options{Buffer: 4096})
	e := fullReading()
	items := subscribe(b, h, event.Filter{Tenant: e.Key.Tenant, Kind: e.Kind})
	b.ReportAllocs()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range items { // the newest is never dropped
			if i.Event.Reading.LogSeq == uint64(b.N) {
				return
			}
		}
	}()
	const window = 1000
	for i := range b.N {
		e.Reading.LogSeq = uint64(i) + 1
		if err := h.Publish(b.Context(), e); err != nil {
			b.Fatal(err)
		}
		if i%window == window-1 { // no faster than it is read
			if err := h.conn.Flush(); err != nil {
				b.Fatal(err)
			}
		}
	}
	<-done
}
