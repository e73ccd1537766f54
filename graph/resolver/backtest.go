package resolver

import (
	"foresight/graph/model"
	"foresight/internal/backtest"
)

func backtestRequest(in model.StartBacktestInput) backtest.Request {
	q := backtest.Request{Name: in.Name, From: in.From, To: in.To, Site: in.SiteID.Value(), Asset: in.AssetID.Value(), Sensors: in.SensorIds.Value(),
		Rules: in.RuleIds.Value(), Active: in.ActiveRules, Version: in.ModelVersionID.Value(), Predict: in.Predict}
	for _, d := range in.Drafts.Value() {
		q.Drafts = append(q.Drafts, backtest.Draft{Spec: ruleSpec(*d.Rule), Replaces: d.RuleID.Value()})
	}
	return q
}

// backtestRules are the rules of a backtest in their order.
func backtestRules(b *backtest.Backtest) []*model.BacktestRule {
	out := make([]*model.BacktestRule, len(b.Rules))
	for i := range b.Rules {
		r, did := &b.Rules[i].Rule, b.Rule(i)
		out[i] = &model.BacktestRule{Number: i, Name: r.Name, Parameter: r.Parameter, Operator: r.Operator, Threshold: r.Threshold, Severity: r.Severity,
			Raised: did.Raised, Reopened: did.Reopened}
		if !b.Rules[i].Draft {
			out[i].StoredID, out[i].Version = &r.ID, &r.Version
		}
		if x := did.Real; x != nil {
			out[i].Real = &model.BacktestComparison{At: x.At, Raised: x.Raised, Caught: x.Caught, Missed: x.Raised - x.Caught, Additional: x.Additional,
				Confirmed: x.Confirmed, ConfirmedCaught: x.ConfirmedCaught}
		}
	}
	return out
}

func backtestAgreement(b *backtest.Backtest) *model.BacktestAgreement {
	if !b.Predicts {
		return nil
	}
	o := &b.Outcome
	return &model.BacktestAgreement{Windows: o.Predictions, Stored: o.Stored, Agreed: o.Agreed, Feedback: o.Feedback, Right: o.Right, StoredRight: o.StoredRight}
}
