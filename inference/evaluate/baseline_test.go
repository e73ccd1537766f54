package evaluate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// blobs are rows of normal classes whose log odds are linear: class k is at k in the
// first feature; the second has another scale and says nothing, the third is constant.
func blobs(seed uint64, rows, classes int) (x []float32, labels []int) {
	r := rand.New(rand.NewPCG(seed, 1))
	for range rows {
		k := r.IntN(classes)
		labels = append(labels, k)
		second := float32(1000 * r.NormFloat64())
		if r.IntN(10) == 0 {
			second = float32(math.NaN())
		}
		x = append(x, float32(float64(2*k)+r.NormFloat64()), second, 7)
	}
	return x, labels
}

func TestLogisticFindsTheTrueOdds(t *testing.T) {
	x, labels := blobs(1, 20000, 2)
	l := FitLogistic(x, labels, nil, 3, 2, LogisticOptions{Seed: 1})
	for _, v := range []float32{-1, 0, 1, 2, 3} {
		// Two normal classes at 0 and 2: the log odds are 2x - 2.
		want := 1 / (1 + math.Exp(2-2*float64(v)))
		if got := l.Probabilities([]float32{v, 0, 7})[1]; math.Abs(got-want) > 0.02 {
			t.Errorf("at %v: %v, want %v", v, got, want)
		}
	}
}

func TestBaselinesWeighRows(t *testing.T) {
	x, labels := blobs(2, 4000, 2)
	w := make([]float32, len(labels))
	for i, l := range labels {
		w[i] = float32(1 + 8*l)
	}
	at := []float32{1, 0, 7} // between the two: odds 1 : 9
	if p := FitLogistic(x, labels, w, 3, 2, LogisticOptions{}).Probabilities(at)[1]; math.Abs(p-0.9) > 0.03 {
		t.Errorf("logistic regression gives the heavy class %v", p)
	}
	if p := FitForest(x, labels, w, 3, 2, ForestOptions{MinLeaf: 200}).Probabilities(at)[1]; p < 0.8 {
		t.Errorf("the forest gives the heavy class %v", p)
	}
}

func TestForestLearnsWhatIsNoLine(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	draw := func(n int) (x []float32, y []int) {
		for range n {
			a, b := r.NormFloat64(), r.NormFloat64()
			label := 0
			if a*b > 0 {
				label = 1
			}
			x, y = append(x, float32(a), float32(b), float32(r.NormFloat64())), append(y, label)
		}
		return x, y
	}
	x, y := draw(4000)
	unseen, truth := draw(1000)
	f := FitForest(x, y, nil, 3, 2, ForestOptions{Trees: 50, Seed: 1})
	p := f.Probabilities(unseen)
	if a := Judge(p, truth, 2).Accuracy; a < 0.95 {
		t.Errorf("the forest is right in %v", a)
	}
	if a := Judge(FitLogistic(x, y, nil, 3, 2, LogisticOptions{}).Probabilities(unseen), truth, 2).Accuracy; a > 0.6 {
		t.Errorf("logistic regression is right in %v of what has no line", a)
	}
	if !slices.Equal(p, FitForest(x, y, nil, 3, 2, ForestOptions{Trees: 50, Seed: 1}).Probabilities(unseen)) {
		t.Error("the same seed grew another forest")
	}
}
