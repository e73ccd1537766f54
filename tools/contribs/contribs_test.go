//go:build cgo && xgboost

package main

import (
	"fmt"
	"testing"
	"time"
)

func open(t testing.TB, rows int) []*subject {
	t.Helper()
	out, err := subjects(rows)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range out {
		t.Cleanup(s.free)
	}
	return out
}

func TestExplanationsAreXGBoosts(t *testing.T) {
	for _, s := range open(t, 300) {
		missing := 0
		for _, v := range s.x {
			if v != v {
				missing++
			}
		}
		if missing < len(s.x)/20 {
			t.Errorf("%s: only %d of %d values are missing", s.name, missing, len(s.x))
		}
		worst, err := s.difference()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: largest difference %.2g", s.name, worst)
		if !(worst <= 1e-5) {
			t.Errorf("%s: off by %v", s.name, worst)
		}
	}
}

// Compare: the ratio counts. Both explain all outputs on one thread; XGBoost's matrix
// stands before the clock runs.
func BenchmarkContributions(b *testing.B) {
	for _, n := range []int{1, 200} {
		for _, s := range open(b, n) {
			b.Run(fmt.Sprintf("%s, rows %d", s.name, n), func(b *testing.B) {
				phi, sums := make([]float64, s.ours.Outputs()*s.ours.Features()), make([]float64, s.ours.Outputs())
				var ours, theirs time.Duration
				for b.Loop() {
					begin := time.Now()
					for i := range n {
						clear(phi)
						if err := s.ours.All(s.row(i), phi, sums); err != nil {
							b.Fatal(err)
						}
					}
					between := time.Now()
					if _, err := s.theirs.Contributions(s.rows); err != nil {
						b.Fatal(err)
					}
					ours, theirs = ours+between.Sub(begin), theirs+time.Since(between)
				}
				rows := float64(b.N * n)
				b.ReportMetric(float64(ours)/rows, "ours-ns/row")
				b.ReportMetric(float64(theirs)/rows, "xgboost-ns/row")
				b.ReportMetric(float64(ours)/float64(theirs), "ratio")
			})
		}
	}
}
