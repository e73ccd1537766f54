package landing

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"foresight/internal/bus"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// vibrations are messages as machines send them: 24 channels in JSON.
func vibrations(n int) []bus.Entry {
	rnd := rand.New(rand.NewPCG(1, 2))
	key := telemetry.Key{Tenant: id.New(id.Tenant), Site: id.New(id.Site), Asset: id.New(id.Asset)}
	var sensors []id.UUID
	for range 100 {
		sensors = append(sensors, id.New(id.Sensor))
	}
	out := make([]bus.Entry, n)
	at := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	for i := range out {
		key.Sensor = sensors[i%len(sensors)]
		raw := telemetry.Raw{Reading: telemetry.Reading{Key: key, Timestamp: at.Add(time.Duration(i) * 10 * time.Millisecond)}, Topic: fmt.Sprintf("acme/north/sensors/pump-%d", i%100)}
		raw.ReceivedAt = raw.Timestamp.Add(20 * time.Millisecond)
		values := map[string]any{"timestamp": raw.Timestamp}
		for c := range raw.Channels {
			raw.Channels[c] = float64(rnd.IntN(100_000)) / 1000
			values[telemetry.Channel(c).String()] = raw.Channels[c]
		}
		raw.Payload, _ = json.Marshal(values)
		for b := range raw.IngestID {
			raw.IngestID[b] = byte(rnd.Uint32())
		}
		out[i] = bus.Entry{Seq: uint64(i) + 1, Data: telemetry.AppendEnvelope(nil, &raw)}
	}
	return out
}

// BenchmarkLand makes a batch of 4,000 messages and encodes it, beside gzipped lines of
// the payloads alone, which hold less.
func BenchmarkLand(b *testing.B) {
	entries := vibrations(4000)
	in := 0
	for i := range entries {
		in += len(entries[i].Data)
	}
	b.Run("parquet", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(in))
		size := 0
		for b.Loop() {
			batch := newBatch()
			for i := range entries {
				batch.add(&entries[i], time.Time{})
			}
			files, err := batch.encode("stream", 0, 16)
			if err != nil {
				b.Fatal(err)
			}
			size = 0
			for i := range files {
				size += len(files[i].content)
			}
		}
		b.ReportMetric(float64(size)/float64(len(entries)), "file-B/msg")
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(entries)), "ns/msg")
	})
	b.Run("gzip-lines", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(in))
		size := 0
		for b.Loop() {
			var out bytes.Buffer
			z := gzip.NewWriter(&out)
			for i := range entries {
				var raw telemetry.Raw
				if err := telemetry.DecodeEnvelope(entries[i].Data, &raw); err != nil {
					b.Fatal(err)
				}
				_, _ = z.Write(raw.Payload) // to memory
			}
			_ = z.Close()
			size = out.Len()
		}
		b.ReportMetric(float64(size)/float64(len(entries)), "file-B/msg")
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(entries)), "ns/msg")
	})
}
