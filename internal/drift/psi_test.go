package drift

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// table is the rows of machines in bins.
func table(machines ...[]int32) *counts {
	c := newCounts(len(machines), len(machines[0]))
	for m, bins := range machines {
		copy(c.n[m*c.bins:], bins)
	}
	return c
}

// repeated is n machines of the same rows: nothing varies between them.
func repeated(n int, bins ...int32) *counts {
	many := make([]int32, len(bins)) // so that the number of rows does not matter
	for i, b := range bins {
		many[i] = 100_000 * b
	}
	all := make([][]int32, n)
	for i := range all {
		all[i] = many
	}
	return table(all...)
}

func TestPSIByHand(t *testing.T) {
	for _, c := range []struct {
		name     string
		seen     *counts
		expected []float64
		want     float64
	}{
		{"the same", repeated(10, 5, 3, 2), []float64{0.5, 0.3, 0.2}, 0},
		// (0.6-0.5) ln(0.6/0.5) + (0.4-0.5) ln(0.4/0.5) = 0.0182322 + 0.0223144
		{"two bins", repeated(10, 6, 4), []float64{0.5, 0.5}, 0.0405465},
		// (0.8-0.5) ln 1.6 + (0.2-0.5) ln 0.4 = 0.1410011 + 0.2748872
		{"far", repeated(10, 8, 2), []float64{0.5, 0.5}, 0.4158883},
		// An empty bin counts as 0.01: (0.01-0.5) ln 0.02 + (1-0.5) ln 2 = 1.9168913 + 0.3465736
		{"an empty bin", repeated(10, 0, 4), []float64{0.5, 0.5}, 2.2634649},
		// What was never expected: (0.9-1) ln 0.9 + (0.1-0.01) ln 10 = 0.0105361 + 0.2072327
		{"a bin that nobody expected", repeated(10, 9, 1), []float64{1, 0}, 0.2177687},
		{"less than one in a hundred", repeated(10, 995, 5), []float64{1, 0}, 0.0000251},
		{"a constant", repeated(10, 7), []float64{1}, 0},
		{"neither has it", repeated(10, 5, 0, 5), []float64{0.5, 0, 0.5}, 0},
	} {
		s := c.seen.spread()
		got := s.PSI(c.expected, nil)
		near(t, c.name, got.PSI, c.want, 1e-6)
		near(t, c.name+": noise of equal machines", got.Noise, 0, 1e-5)
		if got.Sure != (c.want > 0) {
			t.Errorf("%s: sure is %v", c.name, got.Sure)
		}
	}
}

// Two machines that disagree: the variance of a share by hand.
func TestTheSpreadBetweenMachines(t *testing.T) {
	s := table([]int32{10, 0}, []int32{0, 10}).spread()
	if s.share[0] != 0.5 || s.machines != 2 || s.rows != 20 {
		t.Fatalf("%+v", s)
	}
	// Each machine is off by 5 of 20 rows; two machines: 2/(2-1) * (0.25² + 0.25²).
	near(t, "variance", s.variance[0], 0.25, 1e-12)
	// As one row that is independent of the others: 0.5/(0.25+0.25).
	near(t, "effective rows", effective(s.share, s.variance), 1, 1e-12)
	none := newCounts(3, 2).spread()
	if none.rows != 0 || none.machines != 0 {
		t.Errorf("of nothing: %+v", none)
	}
	one := table([]int32{9, 1}, []int32{0, 0}).spread()
	if one.machines != 1 || one.variance[0] != 0 {
		t.Errorf("of one machine: %+v", one)
	}
}

// Machines that are drawn from what is expected differ by chance. The index as it is
// usually computed takes that for drift; less its noise it does not.
func TestFewMachinesAreNoDrift(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	const bins, trials = 10, 400
	expected := slices.Repeat([]float64{1. / bins}, bins)
	var raw, corrected float64
	alarms := 0
	for range trials {
		c := newCounts(25, bins)
		for m := range 25 {
			home := rnd.IntN(bins) // a machine is nearly always where it is
			for range 80 {
				b := home
				if rnd.IntN(10) == 0 {
					b = rnd.IntN(bins)
				}
				c.add(m, b)
			}
		}
		s := c.spread()
		shift := s.PSI(expected, nil)
		for b, p := range s.share {
			p = max(p, least)
			raw += (p - expected[b]) * math.Log(p/expected[b]) / trials
		}
		corrected += shift.PSI / trials
		if shift.Beyond(Moderate) {
			alarms++
		}
	}
	t.Logf("mean index %.3f, less its noise %.3f; %d of %d beyond %v", raw, corrected, alarms, trials, Moderate)
	if raw < Severe {
		t.Errorf("the usual index is %.3f: the test shows nothing", raw)
	}
	if corrected > Moderate || alarms > trials/100 {
		t.Errorf("%.3f, %d alarms in %d samples without drift", corrected, alarms, trials)
	}
}

// As many machines, of which half have moved.
func TestRealDriftShowsInFewMachines(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	const bins = 10
	expected := slices.Repeat([]float64{1. / bins}, bins)
	c := newCounts(25, bins)
	for m := range 25 {
		for range 80 {
			b := rnd.IntN(bins)
			if m%2 == 0 {
				b = bins - 1
			}
			c.add(m, b)
		}
	}
	s := c.spread()
	if shift := s.PSI(expected, nil); !shift.Beyond(Severe) {
		t.Errorf("%+v", shift)
	}
}

// Near the quantiles of 1 - 1/31574 of the chi-squared distribution.
func TestImprobable(t *testing.T) {
	for freedom, want := range map[float64]float64{1: 17.3, 4: 26, 9: 36.7} {
		near(t, "quantile", freedom*improbable(freedom), want, 0.1*want)
	}
}

func TestBinsAreMerged(t *testing.T) {
	for _, c := range []struct {
		name           string
		expected, want []float64
		to             []int
	}{
		{"nothing to merge", []float64{0.4, 0.6, 0}, []float64{0.4, 0.6, 0}, []int{0, 1, 2}},
		{"neighbours", []float64{0.05, 0.05, 0.3, 0.02, 0.58, 0}, []float64{0.1, 0.3, 0.6, 0}, []int{0, 0, 1, 2, 2, 3}},
		{"the rest joins the last", []float64{0.5, 0.45, 0.03, 0.02}, []float64{0.5, 0.48, 0.02}, []int{0, 1, 1, 2}},
		{"all missing", []float64{0, 0, 1}, []float64{0, 1}, []int{0, 0, 1}},
		{"a constant", []float64{1, 0}, []float64{1, 0}, []int{0, 1}},
	} {
		to, merged := merge(c.expected, nil)
		if !slices.Equal(to, c.to) {
			t.Errorf("%s: places %v, want %v", c.name, to, c.to)
		}
		if len(merged) != len(c.want) {
			t.Errorf("%s: %v, want %v", c.name, merged, c.want)
			continue
		}
		for i := range merged {
			near(t, c.name, merged[i], c.want[i], 1e-12)
		}
	}
}
