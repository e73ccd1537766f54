package inference

import (
	"math"
	"sort"
	"sync"
	"testing"

	"foresight/inference/features"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

func TestClassifyIsSoftmaxOfXGBoostsMargins(t *testing.T) {
	m := activated(t)
	classes := m.Manifest().Classes
	top := make([]telemetry.LabelProbability, 50)
	for i := range shipped().Golden.Rows {
		x, margins := golden(i)
		n, _, err := m.Classify(x, top)
		if err != nil {
			t.Fatal(err)
		}
		if n != len(classes) {
			t.Fatalf("%d classes, want %d", n, len(classes))
		}
		total, want := 0.0, map[string]float64{}
		for k, v := range margins {
			want[classes[k]] = math.Exp(float64(v) / m.Manifest().Temperature)
			total += want[classes[k]]
		}
		sum := 0.0
		for _, p := range top[:n] {
			sum += p.Probability
			if !near(p.Probability, want[p.Label]/total, 1e-5) {
				t.Errorf("row %d: %s %v, want %v", i, p.Label, p.Probability, want[p.Label]/total)
			}
		}
		if !near(sum, 1, 1e-9) {
			t.Errorf("row %d: probabilities add to %v", i, sum)
		}
		if !sort.SliceIsSorted(top[:n], func(a, b int) bool { return top[a].Probability > top[b].Probability }) {
			t.Errorf("row %d: not in descending order", i)
		}
		var three [3]telemetry.LabelProbability
		if k, _, _ := m.Classify(x, three[:]); k != 3 || three != [3]telemetry.LabelProbability(top[:3]) {
			t.Errorf("row %d: the top 3 are not the first of all", i)
		}
	}
}

func TestClassifyAllocatesNothing(t *testing.T) {
	if testkit.Race {
		t.Log("the race detector makes sync.Pool drop at random: not counted")
		return
	}
	m := activated(t)
	x, _ := golden(0)
	var top [3]telemetry.LabelProbability
	if n := testing.AllocsPerRun(200, func() { m.Classify(x, top[:]) }); n >= 1 {
		t.Errorf("%v allocations", n)
	}
}

func TestClassifyConcurrently(t *testing.T) {
	m := activated(t)
	var want [60]telemetry.LabelProbability
	for i := range want {
		x, _ := golden(i)
		if _, _, err := m.Classify(x, want[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range want {
				x, _ := golden(i)
				var got [1]telemetry.LabelProbability
				if _, _, err := m.Classify(x, got[:]); err != nil || got[0] != want[i] {
					t.Errorf("row %d: %v, want %v (%v)", i, got[0], want[i], err)
				}
			}
		})
	}
	wg.Wait()
}

func TestOutOfDistribution(t *testing.T) {
	m := activated(t)
	var top [1]telemetry.LabelProbability
	outside := func(change func(i int, v float32) float32) (share float64) {
		rows := 0
		for i := 0; i < shipped().Golden.Rows; i += 3 { // the untouched rows of the test split
			x, _ := golden(i)
			y := *x
			for k := range y {
				y[k] = change(k, y[k])
			}
			_, out, err := m.Classify(&y, top[:])
			if err != nil {
				t.Fatal(err)
			}
			if rows++; out {
				share++
			}
		}
		return share / float64(rows)
	}
	for _, c := range []struct {
		name     string
		change   func(i int, v float32) float32
		low, top float64
	}{
		{"held-out machines", func(_ int, v float32) float32 { return v }, 0, 0.1},
		{"in µm/s", func(_ int, v float32) float32 { return v * 1000 }, 1, 1},
		{"nothing measured", func(int, float32) float32 { return float32(math.NaN()) }, 1, 1},
		{"all zero", func(int, float32) float32 { return 0 }, 1, 1},
	} {
		if got := outside(c.change); got < c.low || got > c.top {
			t.Errorf("%s: %.0f %% flagged", c.name, 100*got)
		}
	}
}

func TestInsertKeepsTheBest(t *testing.T) {
	var top [2]telemetry.LabelProbability
	n := 0
	for _, p := range []telemetry.LabelProbability{{Label: "a", Probability: 0.2}, {Label: "b", Probability: 0.2}, {Label: "c", Probability: 0.1}, {Label: "d", Probability: 0.5}} {
		n = insert(top[:], n, p)
	}
	if n != 2 || top[0].Label != "d" || top[1].Label != "a" {
		t.Errorf("%d: %v", n, top)
	}
	if insert(nil, 0, telemetry.LabelProbability{}) != 0 {
		t.Error("room for none holds one")
	}
}

// One prediction of 34 classes; with the features it is what a reading costs.
func BenchmarkPrediction(b *testing.B) {
	m := activated(b)
	x, _ := golden(0)
	w := fullWindow(1)
	var top [3]telemetry.LabelProbability
	b.Run("classify", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.Classify(x, top[:])
		}
	})
	b.Run("features and classify", func(b *testing.B) {
		b.ReportAllocs()
		var v features.Vector
		for b.Loop() {
			features.Extract(w, &v)
			m.Classify(&v, top[:])
		}
	})
}
