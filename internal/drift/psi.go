package drift

import "math"

// The limits of the population stability index, as they are usual since Siddiqi (Credit
// Risk Scorecards, 2006).
const (
	Moderate = 0.1
	Severe   = 0.25
)

// least is what a smaller share counts as. An empty bin would make the index infinite;
// and what one machine in a hundred shows is no drift of the fleet.
const least = 0.01

// Shift is how far a distribution lies from the expected one.
type Shift struct {
	// PSI is the sum over the bins of (seen - expected) ln(seen / expected), less Noise,
	// never below 0.
	PSI float64
	// Noise is what the index is expected to be when only the choice of machines differs.
	Noise float64
	// Sure: so large an index does not come of the choice of machines.
	Sure bool
}

// Beyond reports whether the shift reaches a limit.
func (s Shift) Beyond(limit float64) bool { return s.Sure && s.PSI >= limit }

// counts are the rows of each machine in each bin: [machine*bins + bin].
type counts struct {
	n        []int32
	bins     int
	machines int
}

func newCounts(machines, bins int) *counts {
	return &counts{make([]int32, machines*bins), bins, machines}
}

// reset makes it count something else, in the same memory when that suffices.
func (c *counts) reset(machines, bins int) {
	if n := machines * bins; cap(c.n) >= n {
		c.n = c.n[:n]
		clear(c.n)
	} else {
		c.n = make([]int32, n)
	}
	c.bins, c.machines = bins, machines
}

func (c *counts) add(machine, bin int) { c.n[machine*c.bins+bin]++ }

// spread is the distribution of a sample: the share of each bin, and how much each
// share varies by the choice of machines.
type spread struct {
	share, variance []float64
	machines, rows  int
}

// spread sums up the counts. Windows of a machine resemble each other, so that a
// thousand of five machines tell as much as five: the variance of a share is that
// between machines (the linearised variance of a ratio over clusters, Särndal, Swensson,
// Wretman, Model Assisted Survey Sampling, 1992, 5.6).
func (c *counts) spread() spread {
	s := spread{share: make([]float64, c.bins), variance: make([]float64, c.bins)}
	for m := range c.machines {
		rows := 0
		for b := range c.bins {
			n := int(c.n[m*c.bins+b])
			rows += n
			s.share[b] += float64(n)
		}
		if s.rows += rows; rows > 0 {
			s.machines++
		}
	}
	if s.rows == 0 {
		return s
	}
	for b := range s.share {
		s.share[b] /= float64(s.rows)
	}
	if s.machines < 2 {
		return s
	}
	for m := range c.machines {
		rows := 0
		for b := range c.bins {
			rows += int(c.n[m*c.bins+b])
		}
		for b := range c.bins {
			d := (float64(c.n[m*c.bins+b]) - float64(rows)*s.share[b]) / float64(s.rows)
			s.variance[b] += d * d
		}
	}
	factor := float64(s.machines) / float64(s.machines-1)
	for b := range s.variance {
		s.variance[b] *= factor
	}
	return s
}

// effective is how many independent rows tell as much as shares with these variances:
// between the number of machines and that of rows, and infinite when nothing varies
// (Kish, Survey Sampling, 1965, 8.2).
func effective(share, variance []float64) float64 {
	var independent, seen float64
	for b, p := range share {
		independent += p * (1 - p)
		seen += variance[b]
	}
	if seen == 0 {
		return math.Inf(1)
	}
	return independent / seen
}

// PSI compares shares with the expected ones, which are given for the same bins.
// variance is that of the expected shares, nil when they are exact. What neither has is
// not counted.
//
// Of n independent rows that come of what is expected, in so many bins, the index is
// about chi-squared over n with one degree of freedom less than bins (Yurdakul,
// Statistical Properties of Population Stability Index, 2018). Its mean is taken off, and
// it is sure where chance gives as much once in some 30,000 times: a report compares
// hundreds of features.
func (s *spread) PSI(expected, variance []float64) Shift {
	raw, bins := 0.0, 0
	for b, seen := range s.share {
		if seen == 0 && expected[b] == 0 {
			continue
		}
		bins++
		p, e := max(seen, least), max(expected[b], least)
		raw += (p - e) * math.Log(p/e)
	}
	if bins < 2 {
		return Shift{}
	}
	freedom := float64(bins - 1)
	// No sample is worth more than its rows, however well they happen to fit.
	noise := freedom / min(float64(s.rows), effective(s.share, s.variance))
	if variance != nil {
		noise += freedom / effective(expected, variance)
	}
	return Shift{PSI: max(0, raw-noise), Noise: noise, Sure: raw > noise*improbable(freedom)}
}

// improbable is how many times its mean a chi-squared variable with so many degrees of
// freedom exceeds once in some 30,000 times (the approximation of Wilson and Hilferty,
// The Distribution of Chi-Square, 1931).
func improbable(freedom float64) float64 {
	const z = 4
	c := 2 / (9 * freedom)
	return math.Pow(1-c+z*math.Sqrt(c), 3)
}
