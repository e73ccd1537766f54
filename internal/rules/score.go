package rules

import (
	"math"
	"time"
)

// The parameters of what is said of a machine once a day. Their samples belong to the
// machine, not to a sensor, and there is one for each UTC day: MinConsecutive counts
// days, and a delay of up to 24 h holds back by one day at most. A day without a
// prediction is no sample: it neither lengthens a run nor ends it.
const (
	FailureProb7  = "failure_prob_7d"  // calibrated probability of a failure within 7 days, 0-1
	FailureProb30 = "failure_prob_30d" // within 30 days, 0-1
	HealthScore   = "health_score"     // 0 (broken) to 100 (as new)
)

// Score is what was said of a machine at the end of a day. What is not known is NaN.
type Score struct {
	At                time.Time // as of when
	Within7, Within30 float64   // probability of a failure, 0-1
	Health            float64   // 0-100
}

// ScoreParameters lists the parameters that are judged once a day. The slice is the
// caller's.
func ScoreParameters() []string { return []string{FailureProb7, FailureProb30, HealthScore} }

// OfScore takes the rule's sample from what was said of a machine. What is not known
// gives no sample.
func (r *Rule) OfScore(s *Score) (Sample, bool) {
	value := math.NaN()
	switch r.Parameter {
	case FailureProb7:
		value = s.Within7
	case FailureProb30:
		value = s.Within30
	case HealthScore:
		value = s.Health
	}
	return Sample{At: s.At, Value: value}, finite(value)
}
