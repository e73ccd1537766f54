//go:build cgo && xgboost

package xgboost

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// Compare: `x-of-xgboost` counts. It is the time of the server's evaluator as a multiple
// of libxgboost's in the same run, by the medians of turns that alternate;
// `leaves-x-of-xgboost` is that of stock leaves. All run on one thread, and predict rows
// that they have not just seen. libxgboost predicts in place, the fastest way that
// its C interface has.
func BenchmarkServing(b *testing.B) {
	for _, s := range subjects(b) {
		for _, rows := range []int{1, 1000} {
			b.Run(fmt.Sprintf("%s, rows %d", s.name, rows), func(b *testing.B) { s.serve(b, rows) })
		}
	}
}

// turn is how many rows one evaluator predicts before the next one does.
const turn = 1000

func (s *subject) serve(b *testing.B, rows int) {
	x := s.rows(turn, 3)
	theirs, err := Load(s.binary, 1)
	if err != nil {
		b.Fatal(err)
	}
	defer theirs.Free()
	var questions []*Question
	for at := 0; at < len(x); at += rows * s.features {
		q := theirs.Ask(x[at:at+rows*s.features], s.features)
		defer q.Free()
		questions = append(questions, q)
	}
	out, wide := make([]float32, rows*s.outputs), make([]float64, s.outputs)
	var ours, xgboost, leaves []float64 // ns a row, by turn
	took := func(to *[]float64, f func() error) {
		begin := time.Now()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		*to = append(*to, float64(time.Since(begin).Nanoseconds())/turn)
	}
	for b.Loop() {
		took(&ours, func() error {
			if rows > 1 {
				return s.ours.Batch(x, out)
			}
			for i := range turn {
				if err := s.ours.Margins(x[i*s.features:(i+1)*s.features], out); err != nil {
					return err
				}
			}
			return nil
		})
		took(&xgboost, func() error {
			for _, q := range questions {
				if _, err := q.Answer(); err != nil {
					return err
				}
			}
			return nil
		})
		took(&leaves, func() error {
			for i := range turn {
				if err := s.leaves.Margins(x[i*s.features:(i+1)*s.features], wide); err != nil {
					return err
				}
			}
			return nil
		})
	}
	mine, yours := median(ours), median(xgboost)
	b.ReportMetric(mine, "ns/row")
	b.ReportMetric(yours, "xgboost-ns/row")
	b.ReportMetric(mine/yours, "x-of-xgboost")
	b.ReportMetric(median(leaves)/yours, "leaves-x-of-xgboost")
	b.ReportMetric(0, "ns/op") // of all three together: of no use
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
