package evaluate

// DefaultThreshold is the probability from which on a failure counts as predicted.
const DefaultThreshold = 0.3

// Confusion is what a threshold makes of scores.
type Confusion struct {
	Threshold                                                float64 `json:"threshold"`
	TruePositive, FalsePositive, TrueNegative, FalseNegative int
}

// At counts: a score at or above the threshold predicts the positive.
func At(threshold float64, score []float64, positive []bool) Confusion {
	c := Confusion{Threshold: threshold}
	for i, s := range score {
		switch {
		case s >= threshold && positive[i]:
			c.TruePositive++
		case s >= threshold:
			c.FalsePositive++
		case positive[i]:
			c.FalseNegative++
		default:
			c.TrueNegative++
		}
	}
	return c
}

// Precision is the share of predictions that came true.
func (c Confusion) Precision() float64 { return share(c.TruePositive, c.TruePositive+c.FalsePositive) }

// Recall is the share of positives that were predicted.
func (c Confusion) Recall() float64 { return share(c.TruePositive, c.TruePositive+c.FalseNegative) }

// F1 is the harmonic mean of precision and recall.
func (c Confusion) F1() float64 {
	return share(2*c.TruePositive, 2*c.TruePositive+c.FalsePositive+c.FalseNegative)
}

// FPR is the share of negatives that were taken for positives.
func (c Confusion) FPR() float64 { return share(c.FalsePositive, c.FalsePositive+c.TrueNegative) }

// FNR is the share of positives that were missed.
func (c Confusion) FNR() float64 { return share(c.FalseNegative, c.TruePositive+c.FalseNegative) }

// Accuracy is the share of right answers.
func (c Confusion) Accuracy() float64 {
	right := c.TruePositive + c.TrueNegative
	return share(right, right+c.FalsePositive+c.FalseNegative)
}

// share is NaN for 0 of 0.
func share(a, of int) float64 { return float64(a) / float64(of) }
