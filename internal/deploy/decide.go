package deploy

import (
	"math"

	"foresight/ent/enum"
)

// Verdict is what the rules say of a candidate.
type Verdict string

// The verdicts.
const (
	Promote  Verdict = "promote"
	Hold     Verdict = "hold"
	RollBack Verdict = "roll_back"
)

// ReasonCode is why.
type ReasonCode string

// The reasons.
const (
	LimitsMet       ReasonCode = "limits_met"       // all of them
	Young           ReasonCode = "young"            // hours since its share changed
	FewPredictions  ReasonCode = "few_predictions"  // predictions since then
	NoBaseline      ReasonCode = "no_baseline"      // nothing to compare it with
	AlarmsHigh      ReasonCode = "alarms_high"      // the ratio of alarms, beyond chance
	AlarmsUnsure    ReasonCode = "alarms_unsure"    // the ratio of alarms, perhaps by chance
	PrecisionLow    ReasonCode = "precision_low"    // the precision, beyond chance
	PrecisionUnsure ReasonCode = "precision_unsure" // the precision, perhaps by chance
	FewFeedback     ReasonCode = "few_feedback"     // judged predictions
	DriftHigh       ReasonCode = "drift_high"       // the newest drift report: 0 stable, 1 moderate, 2 severe
	ByHand          ReasonCode = "by_hand"          // a person changed the share
)

// Reason is why, with what was measured and the limit that it was held against, in the
// unit that the code tells; both are 0 where there is none.
type Reason struct {
	Code  ReasonCode `json:"code"`
	Value float64    `json:"value"`
	Limit float64    `json:"limit"`
}

// Side is what was measured of one version. Of failure predictors a prediction that calls
// it a failure counts as a fault named, and as an alarm.
type Side struct {
	Predictions int64 `json:"predictions"`
	Abnormal    int64 `json:"abnormal"` // predictions that named a fault
	Alarms      int64 `json:"alarms"`   // raised by them
	// Probability is the mean that it gave to what it named, 0-1; 0 without predictions.
	Probability float64 `json:"probability"`
	Judged      int64   `json:"judged"` // faults it named of which people said whether it was right
	Right       int64   `json:"right"`  // and it was
}

// AlarmRate is alarms for each prediction; 0 without predictions.
func (s *Side) AlarmRate() float64 { return share(s.Alarms, s.Predictions) }

// Precision is the share of judged faults that people found right, false without any.
func (s *Side) Precision() (float64, bool) { return share(s.Right, s.Judged), s.Judged > 0 }

func share(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// Measures are what a candidate is judged by.
type Measures struct {
	Hours     float64           `json:"hours"` // since its share changed
	Candidate Side              `json:"candidate"`
	Baseline  Side              `json:"baseline"`
	Drift     enum.DriftVerdict `json:"drift,omitempty"` // "" without a report
}

// confidence of what is called harm, one-sided, with its quantile z.
const (
	confidence = 0.95
	z          = 1.645
)

// AlarmRatio is how many times as many alarms the candidate raises for as many
// predictions. A baseline without alarms is taken for one with half an alarm. It is false
// when one side has no predictions.
func (m *Measures) AlarmRatio() (ratio float64, ok bool) {
	c, b := &m.Candidate, &m.Baseline
	if c.Predictions == 0 || b.Predictions == 0 {
		return 0, false
	}
	return c.AlarmRate() * float64(b.Predictions) / max(float64(b.Alarms), 0.5), true
}

// exceeds reports whether the candidate's rate of alarms is more than ratio times the
// baseline's beyond chance: the exact conditional test of two Poisson counts (Przyborowski
// and Wilenski, 1940). At that ratio, of all alarms each is the candidate's with a known
// probability, and as many as it raised, or more, come about in less than 5 % of cases.
func (m *Measures) exceeds(ratio float64) bool {
	mine := ratio * float64(m.Candidate.Predictions)
	return tail(m.Candidate.Alarms, m.Candidate.Alarms+m.Baseline.Alarms, mine/(mine+float64(m.Baseline.Predictions))) < 1-confidence
}

// tail is the probability of k or more successes in n trials of probability p, 0 < p < 1.
func tail(k, n int64, p float64) float64 {
	if k <= 0 {
		return 1
	}
	lgamma := func(x int64) float64 { v, _ := math.Lgamma(float64(x)); return v }
	sum := 0.0
	for i := k; i <= n; i++ {
		term := math.Exp(lgamma(n+1) - lgamma(i+1) - lgamma(n-i+1) + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
		if sum += term; term < sum*1e-12 && float64(i) > float64(n)*p { // the rest falls faster
			break
		}
	}
	return min(sum, 1)
}

// atMost is the upper end of Wilson's score interval of a share, one-sided, 95 %.
func atMost(part, whole int64) float64 {
	n, p := float64(whole), share(part, whole)
	return (p + z*z/(2*n) + z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))) / (1 + z*z/n)
}

// rank orders drift verdicts; no report, or one that cannot tell, is stable.
func rank(v enum.DriftVerdict) float64 {
	switch v {
	case enum.DriftModerate:
		return 1
	case enum.DriftSevere:
		return 2
	}
	return 0
}

// Decide judges a candidate. What harms beyond chance is rolled back, however young it
// is; what has not been seen for long enough, or may harm, waits; the rest is promoted.
func (p *Policy) Decide(m *Measures) (Verdict, []Reason) {
	var harm, wait []Reason
	if ratio, ok := m.AlarmRatio(); !ok {
		wait = append(wait, Reason{Code: NoBaseline})
	} else if ratio > p.MaxAlarmRatio && m.exceeds(p.MaxAlarmRatio) {
		harm = append(harm, Reason{AlarmsHigh, ratio, p.MaxAlarmRatio})
	} else if ratio > p.MaxAlarmRatio {
		wait = append(wait, Reason{AlarmsUnsure, ratio, p.MaxAlarmRatio})
	}
	c := &m.Candidate
	if precision, ok := c.Precision(); ok && atMost(c.Right, c.Judged) < p.MinPrecision {
		harm = append(harm, Reason{PrecisionLow, precision, p.MinPrecision})
	} else if ok && precision < p.MinPrecision {
		wait = append(wait, Reason{PrecisionUnsure, precision, p.MinPrecision})
	}
	if len(harm) > 0 {
		return RollBack, harm
	}
	for _, least := range [...]Reason{{Young, m.Hours, float64(p.MinHours)}, {FewPredictions, float64(c.Predictions), float64(p.MinPredictions)},
		{FewFeedback, float64(c.Judged), float64(p.MinFeedback)}} {
		if least.Value < least.Limit {
			wait = append(wait, least)
		}
	}
	if d, most := rank(m.Drift), rank(p.MaxDrift); d > most {
		wait = append(wait, Reason{DriftHigh, d, most})
	}
	if len(wait) > 0 {
		return Hold, wait
	}
	return Promote, []Reason{{Code: LimitsMet}}
}
