package training

import (
	"math"
	"math/rand/v2"
	"testing"

	"foresight/inference/artifact"
)

func part(features int, labels []int, rows ...[]float32) *Part {
	p := &Part{Labels: labels}
	for _, r := range rows {
		if len(r) != features {
			panic("a row of another length")
		}
		p.X = append(p.X, r...)
	}
	return p
}

func TestAReferenceOfFewRows(t *testing.T) {
	nan := float32(math.NaN())
	// One class; the feature is 0 in eight of ten rows, then 1, and missing once.
	p := part(2, []int{0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		[]float32{0, 7}, []float32{0, 7}, []float32{0, 7}, []float32{0, 7}, []float32{0, 7}, []float32{0, 7}, []float32{0, 7}, []float32{0, 7},
		[]float32{1, 7}, []float32{nan, 7})
	r := FitReference(p, 2, 2)
	if len(r.Edges[0]) != 1 || r.Edges[0][0] != 1 {
		t.Fatalf("edges %v, want one at 1: what is seldom lies apart from what is usual", r.Edges[0])
	}
	if len(r.Edges[1]) != 0 {
		t.Fatalf("edges %v of a constant", r.Edges[1])
	}
	m := r.Mixture([]float64{1, 0})
	for i, want := range []float64{0.8, 0.1, 0.1} {
		if math.Abs(m[0][i]-want) > 1e-12 {
			t.Errorf("bin %d: %v, want %v", i, m[0][i], want)
		}
	}
	if m[1][0] != 1 || m[1][1] != 0 {
		t.Errorf("a constant lies in %v", m[1])
	}
	if r.Mixture([]float64{0, 1}) != nil {
		t.Error("a mixture of a class without rows")
	}
	for v, want := range map[float32]int{-5: 0, 0: 0, 0.99: 0, 1: 1, 40: 1, nan: 2} {
		if v == v && r.Bin(0, v) != want {
			t.Errorf("%v lies in bin %d, want %d", v, r.Bin(0, v), want)
		}
	}
	if got := r.Bin(0, nan); got != 2 {
		t.Errorf("a missing value lies in bin %d", got)
	}
}

// The mixture of classes is what rows drawn in these proportions look like.
func TestAMixtureIsWhatWouldBeSeen(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	draw := func(class int) float32 { return float32(rnd.NormFloat64()) + 3*float32(class) }
	p := &Part{}
	for i := range 6000 {
		k := i % 3
		p.Labels, p.X = append(p.Labels, k), append(p.X, draw(k))
	}
	r := FitReference(p, 1, 3)
	if n := len(r.Edges[0]); n != artifact.ReferenceBins-1 {
		t.Fatalf("%d edges", n)
	}
	seen := make([]float64, len(r.Edges[0])+2)
	const rows = 20_000
	for i := range rows {
		k := 0
		if i%10 == 0 {
			k = 2
		}
		seen[r.Bin(0, draw(k))] += 1. / rows
	}
	for b, want := range r.Mixture([]float64{9, 0, 1})[0] {
		if math.Abs(seen[b]-want) > 0.02 {
			t.Errorf("bin %d: %.3f, the mixture says %.3f", b, seen[b], want)
		}
	}
}
