package rules

import (
	"math"
	"testing"
	"time"

	"foresight/internal/id"
)

func TestASampleIsTakenFromAScore(t *testing.T) {
	at := time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)
	s := Score{At: at, Within7: 0.2, Within30: 0.6, Health: 41}
	for parameter, want := range map[string]float64{FailureProb7: 0.2, FailureProb30: 0.6, HealthScore: 41} {
		r := Rule{Parameter: parameter}
		if got, ok := r.OfScore(&s); !ok || got != (Sample{At: at, Value: want}) || r.Source() != Scores {
			t.Errorf("%s: %+v, %v, from %v", parameter, got, ok, r.Source())
		}
		none := Score{At: at, Within7: math.NaN(), Within30: math.NaN(), Health: math.NaN()}
		if got, ok := r.OfScore(&none); ok {
			t.Errorf("%s: a sample %+v of what is not known", parameter, got)
		}
	}
	for _, parameter := range []string{Confidence, Silence, "speed"} {
		r := Rule{Parameter: parameter}
		if _, ok := r.OfScore(&s); ok || r.Source() == Scores {
			t.Errorf("%s is taken from a score", parameter)
		}
	}
}

// Days in a row, hysteresis and delays, as a rule on daily values means them.
func TestARuleOnDailyValues(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 3, 1+n, 2, 0, 0, 0, time.UTC) }
	type step struct {
		day   int
		value float64
		to    Status // None: nothing happens
	}
	for _, c := range []struct {
		name  string
		rule  Rule
		steps []step
	}{
		{"three days in a row", Rule{Parameter: FailureProb30, Operator: GTE, Threshold: 0.5, MinConsecutive: 3}, []step{
			{0, 0.5, None}, {1, 0.7, None}, {2, 0.4, None}, // the run ends
			{3, 0.6, None}, {4, 0.6, None}, {6, 0.6, Open}, // a day without a prediction is no sample
			{7, 0.49, Cleared},
		}},
		{"a deadband", Rule{Parameter: FailureProb7, Operator: GT, Threshold: 0.5, Deadband: 0.2, MinConsecutive: 1}, []step{
			{0, 0.6, Open}, {1, 0.4, None}, {2, 0.31, None}, {3, 0.3, Cleared}, {4, 0.4, None}, {5, 0.51, Open},
		}},
		{"health falls", Rule{Parameter: HealthScore, Operator: LT, Threshold: 50, Deadband: 10, MinConsecutive: 1}, []step{
			{0, 51, None}, {1, 49, Open}, {2, 55, None}, {3, 60, Cleared},
		}},
		{"delays of a day", Rule{Parameter: HealthScore, Operator: LTE, Threshold: 50, OnDelay: 24 * time.Hour, OffDelay: 24 * time.Hour, MinConsecutive: 1}, []step{
			{0, 50, None}, {1, 50, Open}, {2, 80, None}, {3, 80, Cleared},
		}},
		{"a day that comes late", Rule{Parameter: FailureProb30, Operator: GT, Threshold: 0.5, MinConsecutive: 2}, []step{
			{5, 0.9, None}, {3, 0.9, None}, {6, 0.9, Open},
		}},
	} {
		var s State
		for i, step := range c.steps {
			out := c.rule.Evaluate(&s, Sample{At: day(step.day), Value: step.value}, func() id.UUID { return id.New(id.AlarmEvent) })
			got := None
			if out.Changed() {
				got = out.To
			}
			if got != step.to {
				t.Errorf("%s, step %d: %q, want %q", c.name, i, got, step.to)
			}
		}
	}
}
