package inference

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"foresight/internal/id"
)

// BenchmarkSwaps is what it costs those who predict that versions take over from each
// other meanwhile, each read, checked and loaded anew since the registry has room for
// fewer: the time of one prediction, without and with ten swaps a second.
func BenchmarkSwaps(b *testing.B) {
	for _, every := range []time.Duration{0, 100 * time.Millisecond} {
		b.Run(fmt.Sprintf("every %s", every), func(b *testing.B) {
			f := &fleet{}
			s := newService(b, f)
			s.registry.config.MaxModels = 3
			tenant := id.New(id.Tenant)
			var versions []Version
			for i := range 10 {
				versions = append(versions, f.add(b, fmt.Sprintf("8.0.%d", i)))
			}
			f.serve(tenant, versions[0])
			if err := s.registry.Refresh(b.Context()); err != nil {
				b.Fatal(err)
			}
			stop, done := make(chan struct{}), make(chan int)
			go func() {
				swaps := 0
				defer func() { done <- swaps }()
				if every == 0 {
					return
				}
				clock := time.NewTicker(every)
				defer clock.Stop()
				for {
					select {
					case <-stop:
						return
					case <-clock.C:
					}
					swaps++
					f.serve(tenant, versions[swaps%len(versions)])
					if err := s.registry.Refresh(b.Context()); err != nil {
						b.Error(err)
					}
				}
			}()
			key, w, raw := someKey(), fullWindow(3), newest()
			key.Tenant = tenant
			took := make([]time.Duration, 0, 1<<20)
			for b.Loop() {
				begin := time.Now()
				p, err := s.Predict(b.Context(), key, w, raw)
				took = append(took, time.Since(begin))
				if err != nil || p.VersionLabel == "" {
					b.Fatalf("%+v, %v", p, err)
				}
			}
			close(stop)
			swaps := <-done
			slices.Sort(took)
			at := func(q float64) float64 {
				return float64(took[int(q*float64(len(took)-1))].Nanoseconds()) / 1e3
			}
			b.ReportMetric(at(0.5), "p50-µs")
			b.ReportMetric(at(0.99), "p99-µs")
			b.ReportMetric(at(0.999), "p99.9-µs")
			b.ReportMetric(at(1), "max-µs")
			b.ReportMetric(float64(swaps), "swaps")
		})
	}
}
