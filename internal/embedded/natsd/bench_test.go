package natsd

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// BenchmarkSync compares the settings of Options by asynchronous appends of 1 KB.
// Run it for longer than the intervals: -benchtime 25s.
func BenchmarkSync(b *testing.B) {
	for _, c := range []struct {
		name string
		opt  Options
	}{
		{"every 2m", Options{SyncInterval: 2 * time.Minute}},
		{"every 10s", Options{SyncInterval: 10 * time.Second}},
		{"every 1s", Options{SyncInterval: time.Second}},
		{"always", Options{SyncAlways: true}},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.opt.StoreDir = b.TempDir()
			s := start(b, c.opt)
			defer stop(b, s)
			js, _ := stream(b, "", nats.InProcessServer(s))
			data := make([]byte, 1024)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if _, err := js.PublishAsync("t", data); err != nil {
					b.Fatal(err)
				}
				if i%2000 == 1999 || i == b.N-1 {
					<-js.PublishAsyncComplete()
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
