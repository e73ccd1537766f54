package training

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestPoolByHand(t *testing.T) {
	got := pool([]float64{0.1, 0.5, 0.3, 0.2, 0.9}, []float64{1, 1, 1, 2, 1})
	if want := []float64{0.1, 0.3, 0.3, 0.3, 0.9}; !slices.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }) {
		t.Errorf("%v, want %v", got, want)
	}
}

// drawn are machines with many rows each. A machine's offset moves all of its rows, as
// days of a machine resemble each other.
func drawn(seed uint64, machines, rows int) (margins []float32, labels []int, group []uint32) {
	r := rand.New(rand.NewPCG(seed, 9))
	for m := range machines {
		offset := 1.2 * r.NormFloat64()
		for range rows {
			x := 2*r.NormFloat64() - 2
			label := 0
			if r.Float64() < 1/(1+math.Exp(-x-offset)) {
				label = 1
			}
			// The model is twice too sure.
			margins, labels, group = append(margins, float32(2*x)), append(labels, label), append(group, uint32(m))
		}
	}
	return margins, labels, group
}

func TestIsotonicCalibratesUnseenMachines(t *testing.T) {
	margins, labels, group := drawn(1, 600, 30)
	c := FitIsotonic(margins, labels, group, 1)
	if c.Machines != 600 || c.Rows != 18000 {
		t.Errorf("fitted on %d machines and %d rows", c.Machines, c.Rows)
	}
	unseen, truth, _ := drawn(2, 3000, 30)
	var rows, hits, sum [10]float64
	for i, m := range unseen {
		p, low, high := c.At(float64(m))
		if !(low <= p && p <= high && p > 0 && p < 1) {
			t.Fatalf("at %v: %v in %v to %v", m, p, low, high)
		}
		b := min(9, int(p*10))
		rows[b]++
		hits[b] += float64(truth[i])
		sum[b] += p
	}
	for b := range rows {
		if rows[b] > 500 && math.Abs(hits[b]-sum[b])/rows[b] > 0.04 {
			t.Errorf("bin %d says %.3f, and it is %.3f", b, sum[b]/rows[b], hits[b]/rows[b])
		}
	}
}

// With fewer machines the interval is wider, however many rows each has.
func TestIntervalIsOfMachines(t *testing.T) {
	width := func(machines, rows int) float64 {
		margins, labels, group := drawn(3, machines, rows)
		c := FitIsotonic(margins, labels, group, 1)
		_, low, high := c.At(-1)
		return high - low
	}
	if few, many := width(20, 1000), width(2000, 10); few < 1.5*many {
		t.Errorf("width %.3f with 20 machines, %.3f with 2000", few, many)
	}
}

func TestConformalCovers(t *testing.T) {
	const classes = 5
	draw := func(seed uint64, n int) (p []float64, labels []int) {
		r := rand.New(rand.NewPCG(seed, 7))
		for range n {
			row := make([]float32, classes)
			for k := range row {
				row[k] = float32(1.5 * r.NormFloat64())
			}
			q := Probabilities(row, classes, classes, 1)
			u, l := r.Float64(), 0
			for ; l < classes-1 && u > q[l]; l++ {
				u -= q[l]
			}
			// The model exaggerates: coverage must hold all the same.
			p = append(p, Probabilities(row, classes, classes, 0.4)...)
			labels = append(labels, l)
		}
		return p, labels
	}
	p, labels := draw(1, 5000)
	c := FitConformal(p, labels, classes, 500)
	unseen, truth := draw(2, 20000)
	for _, level := range c.Levels {
		in := 0.0
		for i, l := range truth {
			if unseen[i*classes+l] >= level.Probability {
				in++
			}
		}
		if got := in / float64(len(truth)); math.Abs(got-level.Coverage) > 0.012 {
			t.Errorf("coverage %v, nominal %v", got, level.Coverage)
		}
	}
	if few := FitConformal(p[:classes*20], labels[:20], classes, 20); few.Levels[2].Probability != 0 {
		t.Error("20 rows cannot tell 99 %: all classes must be in the set")
	}
}
