package deploy_test

import (
	"math"
	"testing"

	"foresight/ent/enum"
	"foresight/internal/deploy"
)

// Each rule by itself: what is measured, what the policy says, what follows.
func TestDecide(t *testing.T) {
	good := deploy.Measures{Hours: 48, Candidate: deploy.Side{Predictions: 10_000, Alarms: 10}, Baseline: deploy.Side{Predictions: 100_000, Alarms: 100}}
	policy := deploy.Policy{MinHours: 24, MinPredictions: 1000, MaxAlarmRatio: 2, MinPrecision: 0.7, MaxDrift: enum.DriftModerate, Steps: []int{5, 25, 100}}
	for name, c := range map[string]struct {
		change  func(*deploy.Measures, *deploy.Policy)
		verdict deploy.Verdict
		reasons []deploy.ReasonCode
	}{
		"all is well":    {func(*deploy.Measures, *deploy.Policy) {}, deploy.Promote, []deploy.ReasonCode{deploy.LimitsMet}},
		"alarms explode": {func(m *deploy.Measures, _ *deploy.Policy) { m.Candidate.Alarms = 200 }, deploy.RollBack, []deploy.ReasonCode{deploy.AlarmsHigh}},
		"alarms explode at once": {func(m *deploy.Measures, _ *deploy.Policy) {
			m.Hours, m.Candidate = 0.2, deploy.Side{Predictions: 50, Alarms: 20}
		}, deploy.RollBack, []deploy.ReasonCode{deploy.AlarmsHigh}},
		"two alarms more than none are chance": {func(m *deploy.Measures, _ *deploy.Policy) {
			m.Candidate, m.Baseline = deploy.Side{Predictions: 1000, Alarms: 2}, deploy.Side{Predictions: 1000}
		}, deploy.Hold, []deploy.ReasonCode{deploy.AlarmsUnsure}},
		"fewer alarms":                       {func(m *deploy.Measures, _ *deploy.Policy) { m.Candidate.Alarms = 0 }, deploy.Promote, []deploy.ReasonCode{deploy.LimitsMet}},
		"nothing to compare with":            {func(m *deploy.Measures, _ *deploy.Policy) { m.Baseline = deploy.Side{} }, deploy.Hold, []deploy.ReasonCode{deploy.NoBaseline}},
		"young":                              {func(m *deploy.Measures, _ *deploy.Policy) { m.Hours = 23.9 }, deploy.Hold, []deploy.ReasonCode{deploy.Young}},
		"few and young":                      {func(m *deploy.Measures, _ *deploy.Policy) { m.Hours, m.Candidate = 1, deploy.Side{Predictions: 10} }, deploy.Hold, []deploy.ReasonCode{deploy.Young, deploy.FewPredictions}},
		"people find it wrong":               {func(m *deploy.Measures, _ *deploy.Policy) { m.Candidate.Judged, m.Candidate.Right = 50, 10 }, deploy.RollBack, []deploy.ReasonCode{deploy.PrecisionLow}},
		"people found it wrong once":         {func(m *deploy.Measures, _ *deploy.Policy) { m.Candidate.Judged = 1 }, deploy.Hold, []deploy.ReasonCode{deploy.PrecisionUnsure}},
		"people find it right":               {func(m *deploy.Measures, _ *deploy.Policy) { m.Candidate.Judged, m.Candidate.Right = 50, 45 }, deploy.Promote, []deploy.ReasonCode{deploy.LimitsMet}},
		"people must have judged it":         {func(_ *deploy.Measures, p *deploy.Policy) { p.MinFeedback = 5 }, deploy.Hold, []deploy.ReasonCode{deploy.FewFeedback}},
		"moderate drift is let pass":         {func(m *deploy.Measures, _ *deploy.Policy) { m.Drift = enum.DriftModerate }, deploy.Promote, []deploy.ReasonCode{deploy.LimitsMet}},
		"severe drift is not":                {func(m *deploy.Measures, _ *deploy.Policy) { m.Drift = enum.DriftSevere }, deploy.Hold, []deploy.ReasonCode{deploy.DriftHigh}},
		"a report where none may drift":      {func(m *deploy.Measures, p *deploy.Policy) { m.Drift, p.MaxDrift = enum.DriftModerate, enum.DriftStable }, deploy.Hold, []deploy.ReasonCode{deploy.DriftHigh}},
		"harm is told without what is short": {func(m *deploy.Measures, _ *deploy.Policy) { m.Hours, m.Candidate.Alarms = 1, 500 }, deploy.RollBack, []deploy.ReasonCode{deploy.AlarmsHigh}},
	} {
		t.Run(name, func(t *testing.T) {
			m, p := good, policy
			c.change(&m, &p)
			verdict, reasons := p.Decide(&m)
			same := len(reasons) == len(c.reasons)
			for i := range c.reasons {
				same = same && reasons[i].Code == c.reasons[i]
			}
			if verdict != c.verdict || !same {
				t.Errorf("%s for %+v, want %s for %v", verdict, reasons, c.verdict, c.reasons)
			}
		})
	}
}

func TestAlarmRatio(t *testing.T) {
	for name, c := range map[string]struct {
		m    deploy.Measures
		want float64
		ok   bool
	}{
		"as many":         {deploy.Measures{Candidate: deploy.Side{Predictions: 100, Alarms: 1}, Baseline: deploy.Side{Predictions: 1000, Alarms: 10}}, 1, true},
		"four times":      {deploy.Measures{Candidate: deploy.Side{Predictions: 1000, Alarms: 40}, Baseline: deploy.Side{Predictions: 10_000, Alarms: 100}}, 4, true},
		"none":            {deploy.Measures{Candidate: deploy.Side{Predictions: 10}, Baseline: deploy.Side{Predictions: 1000, Alarms: 10}}, 0, true},
		"more than none":  {deploy.Measures{Candidate: deploy.Side{Predictions: 100, Alarms: 1}, Baseline: deploy.Side{Predictions: 100}}, 2, true},
		"beside nothing":  {deploy.Measures{Candidate: deploy.Side{Predictions: 100, Alarms: 1}}, 0, false},
		"of nothing said": {deploy.Measures{Baseline: deploy.Side{Predictions: 100, Alarms: 1}}, 0, false},
	} {
		if got, ok := c.m.AlarmRatio(); ok != c.ok || math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %v %v, want %v %v", name, got, ok, c.want, c.ok)
		}
	}
}
