package backtest_test

import (
	"testing"
	"time"

	"foresight/internal/backtest"
	"foresight/internal/telemetry"
)

// A backtest from start to end on PostgreSQL, by rules alone and with the fault model
// on every window, of readings with 24 channels.
func BenchmarkBacktest(b *testing.B) {
	const n = 40_000
	w := newIdleWorld(b, nil)
	for from := 0; from < n; from += 2000 {
		raws := make([]telemetry.Raw, 2000)
		for i := range raws {
			at := from + i
			raws[i] = w.reading(w.acme.Key(at%2), float64(at/2)/60, float64(at/2%100))
			for c := range raws[i].Channels {
				raws[i].Channels[c] = 1 + float64(at%7)/10 + float64(c)/1000
			}
		}
		w.stores(raws...)
	}
	for name, predict := range map[string]bool{"rules": false, "model": true} {
		b.Run(name, func(b *testing.B) {
			q := w.whole()
			q.Drafts, q.Predict = []backtest.Draft{{Spec: hot(49)}}, predict
			b.ReportAllocs()
			var took time.Duration
			for b.Loop() {
				x, err := w.Start(w.engineer(), q)
				w.ok(err)
				begin := time.Now()
				w.ok(backtest.Run(w.engineer(), w.Service, x.ID))
				took += time.Since(begin)
				if x, err = w.Backtest(w.engineer(), x.ID); err != nil || x.Outcome.Readings != n {
					b.Fatalf("%+v, %v", x, err)
				}
			}
			b.ReportMetric(float64(b.N)*n/took.Seconds(), "readings/s")
		})
	}
}
