//go:build cgo && xgboost

package xgboost

import (
	"math"
	"testing"

	"foresight/inference/booster"
)

// What is served is XGBoost's answer, on 10,000 rows with missing and repeated values
// and values on thresholds: to the last bit by the server's evaluator, one by one and in
// batches, and within 1e-5 by leaves.
func TestServedMarginsAreXGBoosts(t *testing.T) {
	const rows = 10_000
	for _, s := range append(subjects(t), published(t)...) {
		t.Run(s.name, func(t *testing.T) {
			x := s.rows(rows, 1)
			want := s.ask(t, s.binary, x)
			batch, single, wide := make([]float32, rows*s.outputs), make([]float32, s.outputs), make([]float64, s.outputs)
			if err := s.ours.Batch(x, batch); err != nil {
				t.Fatal(err)
			}
			missing, different, worst := 0, 0, 0.0
			for i := range rows {
				row := x[i*s.features : (i+1)*s.features]
				for _, v := range row {
					if v != v {
						missing++
					}
				}
				if err := s.ours.Margins(row, single); err != nil {
					t.Fatal(err)
				}
				if err := s.leaves.Margins(row, wide); err != nil {
					t.Fatal(err)
				}
				for k := range s.outputs {
					at := i*s.outputs + k
					if single[k] != want[at] || batch[at] != want[at] {
						different++
					}
					worst = max(worst, math.Abs(wide[k]-float64(want[at]))/max(1, math.Abs(float64(want[at]))))
				}
			}
			t.Logf("%d trees, %d of %d values missing: %d of %d margins differ by a bit or more, leaves by %.1e at most", s.ours.Trees(), missing, len(x), different, len(want), worst)
			if different > 0 || worst > 1e-5 || missing < len(x)/50 {
				t.Error("not XGBoost's answers, or not the rows to tell")
			}
		})
	}
}

// ask returns XGBoost's margins.
func (s *subject) ask(t testing.TB, model []byte, x []float32) []float32 {
	t.Helper()
	b, err := Load(model, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Free()
	q := b.Ask(x, s.features)
	defer q.Free()
	out, err := q.Answer()
	if err != nil {
		t.Fatal(err)
	}
	return append([]float32(nil), out...)
}

// XGBoost reads what is written of one format for the other, and answers the same.
func TestXGBoostReadsConvertedModels(t *testing.T) {
	for _, s := range subjects(t) {
		t.Run(s.name, func(t *testing.T) {
			x := s.rows(200, 2)
			want := s.ask(t, s.binary, x)
			_, json, err := booster.Convert(s.binary)
			if err != nil {
				t.Fatal(err)
			}
			binary, _, err := booster.Convert(json)
			if err != nil {
				t.Fatal(err)
			}
			for format, model := range map[string][]byte{"JSON": json, "binary": binary} {
				got := s.ask(t, model, x)
				for i := range want {
					if got[i] != want[i] {
						t.Fatalf("%s: margin %d is %v, want %v", format, i, got[i], want[i])
					}
				}
			}
		})
	}
}
