package explain

import (
	"math"
	"testing"

	"foresight/inference/artifact"
	"foresight/inference/booster"
	"foresight/internal/testkit"
)

// classic is TreeSHAP as published (algorithm 2), with one buffer for all paths: what
// the paths laid out beforehand are measured against.
type classic struct {
	trees    [][]booster.Node
	features int
	outputs  int
	buffer   []element
}

// element is a feature of the unique path: its share, whether the row goes the way (0 or 1), and
// the weight of the sets of so many features.
type element struct {
	feature            int32
	share, met, weight float64
}

func (c *classic) all(x []float32, phi []float64) {
	for i := range c.trees {
		c.node(c.trees[i], x, phi[i%c.outputs*c.features:][:c.features], 0, nil, c.buffer, element{-1, 1, 1, 0})
	}
}

func (c *classic) node(t []booster.Node, x []float32, phi []float64, i int32, parent, buffer []element, next element) {
	way := buffer[:len(parent)+1]
	copy(way, parent)
	extend(way, next)
	n := t[i]
	if n.Right < 0 {
		for k := 1; k < len(way); k++ {
			phi[way[k].feature] += unwound(way, k) * (way[k].met - way[k].share) * float64(n.Value)
		}
		return
	}
	f, v := int32(n.Feature), x[n.Feature]
	left := v < n.Value
	if v != v {
		left = n.Missing
	}
	hot, cold := i+1, n.Right
	if !left {
		hot, cold = cold, hot
	}
	share, met := 1.0, 1.0
	for k := 1; k < len(way); k++ {
		if way[k].feature == f {
			share, met = way[k].share, way[k].met
			way = unwind(way, k)
			break
		}
	}
	sum := float64(t[hot].Hessian) + float64(t[cold].Hessian)
	rest := buffer[len(way)+1:]
	c.node(t, x, phi, hot, way, rest, element{f, share * float64(t[hot].Hessian) / sum, met, 0})
	c.node(t, x, phi, cold, way, rest, element{f, share * float64(t[cold].Hessian) / sum, 0, 0})
}

func extend(way []element, next element) {
	n := len(way) - 1
	way[n] = next
	if n == 0 {
		way[0].weight = 1
	}
	for i := n - 1; i >= 0; i-- {
		way[i+1].weight += next.met * way[i].weight * float64(i+1) / float64(n+1)
		way[i].weight *= next.share * float64(n-i) / float64(n+1)
	}
}

func unwind(way []element, k int) []element {
	n := len(way) - 1
	share, met, next := way[k].share, way[k].met, way[n].weight
	for i := n - 1; i >= 0; i-- {
		if met != 0 {
			was := way[i].weight
			way[i].weight = next * float64(n+1) / float64(i+1)
			next = was - way[i].weight*share*float64(n-i)/float64(n+1)
		} else {
			way[i].weight *= float64(n+1) / (share * float64(n-i))
		}
	}
	for i := k; i < n; i++ {
		way[i].feature, way[i].share, way[i].met = way[i+1].feature, way[i+1].share, way[i+1].met
	}
	return way[:n]
}

func unwound(way []element, k int) (sum float64) {
	n := len(way) - 1
	share, met, next := way[k].share, way[k].met, way[n].weight
	for i := n - 1; i >= 0; i-- {
		if met != 0 {
			w := next * float64(n+1) / float64(i+1)
			sum += w
			next = way[i].weight - w*share*float64(n-i)/float64(n+1)
		} else {
			sum += way[i].weight / share * float64(n+1) / float64(n-i)
		}
	}
	return sum
}

func newClassic(t testing.TB, b *artifact.Bundle) *classic {
	t.Helper()
	f, err := booster.ReadTrees(b.Binary)
	if err != nil {
		t.Fatal(err)
	}
	const deepest = 64
	c := &classic{features: f.Features(), outputs: f.Outputs(), buffer: make([]element, (deepest+2)*(deepest+3))}
	for i := range f.Len() {
		c.trees = append(c.trees, f.Tree(i, nil))
	}
	return c
}

func TestThePublishedAlgorithmAgrees(t *testing.T) {
	b, m := shipped(t)
	c := newClassic(t, b)
	n := m.Features() * m.Outputs()
	got, want, margins := make([]float64, n), make([]float64, n), make([]float64, m.Outputs())
	step := 1
	if testkit.Race { // it is slow then, and has nothing to race with
		step = 8
	}
	for i := 0; i < b.Golden.Rows; i += step {
		clear(got)
		clear(want)
		x := b.Golden.X[i*m.Features() : (i+1)*m.Features()]
		if err := m.All(x, got, margins); err != nil {
			t.Fatal(err)
		}
		c.all(x, want)
		for k := range want {
			if math.Abs(got[k]-want[k]) > 1e-10 {
				t.Fatalf("row %d, place %d: %v, want %v", i, k, got[k], want[k])
			}
		}
	}
}

// Compare: the ratio counts. tools/contribs does it with XGBoost's own.
func BenchmarkExplain(b *testing.B) {
	bundle, m := shipped(b)
	x := bundle.Golden.X[:m.Features()]
	phi, margins := make([]float64, m.Outputs()*m.Features()), make([]float64, m.Outputs())
	b.Run("one class", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := m.Output(x, 0, phi[:m.Features()]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("34 classes", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := m.All(x, phi, margins); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("34 classes by the published algorithm", func(b *testing.B) {
		c := newClassic(b, bundle)
		b.ReportAllocs()
		for b.Loop() {
			c.all(x, phi)
		}
	})
}
