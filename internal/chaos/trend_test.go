package chaos

import (
	"math"
	"math/rand/v2"
	"testing"
)

// trend is how much a series of samples grows from its first to its last, by least
// squares, and twice the standard error of that.
type trend struct{ mean, total, uncertain float64 }

// growth fits a line through the samples, which are evenly spaced.
func growth(ys []float64) trend {
	n := float64(len(ys))
	if n < 3 {
		return trend{uncertain: math.Inf(1)}
	}
	var sy, sxy, sxx float64
	mid := (n - 1) / 2
	for i, y := range ys {
		x := float64(i) - mid
		sy += y
		sxy += x * y
		sxx += x * x
	}
	mean, slope := sy/n, sxy/sxx
	var residual float64
	for i, y := range ys {
		e := y - mean - slope*(float64(i)-mid)
		residual += e * e
	}
	return trend{mean, slope * (n - 1), 2 * math.Sqrt(residual/(n-2)/sxx) * (n - 1)}
}

// tolerated is the growth of a series that is taken to be flat, beside the floor.
const tolerated = 0.05

// flat reports whether the series does not grow by more than the floor, or a twentieth
// of its mean, as far as its noise lets one tell.
func (g trend) flat(floor float64) bool {
	return g.total-g.uncertain <= g.allowed(floor)
}

// allowed is the growth that is taken for none.
func (g trend) allowed(floor float64) float64 { return max(floor, tolerated*g.mean) }

func TestTrend(t *testing.T) {
	noise := rand.New(rand.NewPCG(3, 5))
	series := func(f func(x float64) float64) []float64 { // x runs from 0 to 1
		ys := make([]float64, 180)
		for i := range ys {
			ys[i] = f(float64(i) / float64(len(ys)-1))
		}
		return ys
	}
	for name, c := range map[string]struct {
		ys    []float64
		floor float64
		flat  bool
	}{
		"constant":                       {series(func(float64) float64 { return 100 }), 5, true},
		"noise":                          {series(func(float64) float64 { return 100 + 20*noise.NormFloat64() }), 5, true},
		"saw teeth of a collector":       {series(func(x float64) float64 { return 60 + 40*math.Mod(17*x, 1) }), 5, true},
		"falling":                        {series(func(x float64) float64 { return 100 - 50*x }), 5, true},
		"within the floor":               {series(func(x float64) float64 { return 10 + 4*x }), 5, true},
		"a leak":                         {series(func(x float64) float64 { return 100 + 20*x }), 5, false},
		"a leak in noise":                {series(func(x float64) float64 { return 100 + 30*x + 20*noise.NormFloat64() }), 5, false},
		"a leak under saw teeth":         {series(func(x float64) float64 { return 60 + 30*x + 40*math.Mod(17*x, 1) }), 5, false},
		"one goroutine for each of many": {series(func(x float64) float64 { return 300 + math.Floor(180*x) }), 20, false},
		"too few to tell":                {[]float64{1, 100}, 5, true},
	} {
		if g := growth(c.ys); g.flat(c.floor) != c.flat {
			t.Errorf("%s: flat %v, trend %+v", name, !c.flat, g)
		}
	}
	if g := growth(series(func(x float64) float64 { return 7 + 12*x })); math.Abs(g.total-12) > 1e-9 || math.Abs(g.mean-13) > 1e-9 || g.uncertain > 1e-6 {
		t.Errorf("a straight line: %+v", g)
	}
}
