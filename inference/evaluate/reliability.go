package evaluate

import "math"

// Bin is one of the equal bins of probability.
type Bin struct {
	Low, High float64 // of the probability
	Rows      int
	Predicted float64 // mean probability of its rows, NaN without rows
	Observed  float64 // share of positives among them
}

// Calibration sorts the probabilities into equally wide bins: the reliability diagram.
func Calibration(p []float64, positive []bool, bins int) []Bin {
	out := make([]Bin, bins)
	hits := make([]int, bins)
	sums := make([]float64, bins)
	for i, v := range p {
		b := min(bins-1, int(v*float64(bins)))
		out[b].Rows++
		sums[b] += v
		if positive[i] {
			hits[b]++
		}
	}
	for b := range out {
		out[b].Low, out[b].High = float64(b)/float64(bins), float64(b+1)/float64(bins)
		out[b].Predicted = sums[b] / float64(out[b].Rows)
		out[b].Observed = share(hits[b], out[b].Rows)
	}
	return out
}

// ECE is the expected calibration error: the mean distance between what the bins
// predict and what is observed, by their rows.
func ECE(bins []Bin) float64 {
	rows, off := 0, 0.0
	for _, b := range bins {
		if b.Rows > 0 {
			rows += b.Rows
			off += float64(b.Rows) * math.Abs(b.Predicted-b.Observed)
		}
	}
	return off / float64(rows)
}

// Brier is the mean squared distance between probability and outcome.
func Brier(p []float64, positive []bool) float64 {
	total := 0.0
	for i, v := range p {
		if positive[i] {
			v = 1 - v
		}
		total += v * v
	}
	return total / float64(len(p))
}

// LogLoss is the mean of -ln(probability of what happened), nats. Probabilities are
// kept 1e-15 away from 0 and 1.
func LogLoss(p []float64, positive []bool) float64 {
	total := 0.0
	for i, v := range p {
		if !positive[i] {
			v = 1 - v
		}
		total -= math.Log(min(1-1e-15, max(1e-15, v)))
	}
	return total / float64(len(p))
}
