package resolver

import (
	"github.com/99designs/gqlgen/graphql"

	"foresight/graph/model"
	"foresight/internal/alarms"
	"foresight/internal/id"
)

func ruleSpec(in model.CreateAlarmRuleInput) alarms.RuleSpec {
	return alarms.RuleSpec{
		Name: in.Name, SiteID: in.SiteID.Value(), AssetType: in.AssetType.Value(), AssetID: in.AssetID.Value(), SensorID: in.SensorID.Value(),
		Parameter: in.Parameter, Operator: in.Operator, Threshold: in.Threshold, FaultCodes: in.FaultCodes.Value(),
		OnlyInDistribution: in.OnlyInDistribution, Severity: in.Severity, Deadband: in.Deadband,
		OnDelaySec: in.OnDelaySec, OffDelaySec: in.OffDelaySec, MinConsecutive: in.MinConsecutive, IsActive: in.IsActive,
	}
}

// applyRule sets what the input names. A null clears what may be absent and leaves
// the rest as it is.
func applyRule(in model.UpdateAlarmRuleInput, s *alarms.RuleSpec) {
	clearable(in.SiteID, &s.SiteID)
	clearable(in.AssetType, &s.AssetType)
	clearable(in.AssetID, &s.AssetID)
	clearable(in.SensorID, &s.SensorID)
	if in.FaultCodes.IsSet() {
		s.FaultCodes = in.FaultCodes.Value()
	}
	set(in.Name, &s.Name)
	set(in.Parameter, &s.Parameter)
	set(in.Operator, &s.Operator)
	set(in.Threshold, &s.Threshold)
	set(in.OnlyInDistribution, &s.OnlyInDistribution)
	set(in.Severity, &s.Severity)
	set(in.Deadband, &s.Deadband)
	set(in.OnDelaySec, &s.OnDelaySec)
	set(in.OffDelaySec, &s.OffDelaySec)
	set(in.MinConsecutive, &s.MinConsecutive)
	set(in.IsActive, &s.IsActive)
}

func clearable[T any](in graphql.Omittable[*T], target **T) {
	if in.IsSet() {
		*target = in.Value()
	}
}

func set[T any](in graphql.Omittable[*T], target *T) {
	if v := in.Value(); v != nil {
		*target = *v
	}
}

func ruleFilter(f *model.AlarmRuleFilter) alarms.RuleFilter {
	if f == nil {
		return alarms.RuleFilter{}
	}
	out := alarms.RuleFilter{Search: text(f.Search.Value()), IsActive: f.IsActive.Value()}
	if t := f.AssetType.Value(); t != nil {
		out.AssetType = *t
	}
	return out
}

func eventFilter(f *model.AlarmEventFilter) alarms.EventFilter {
	if f == nil {
		return alarms.EventFilter{}
	}
	active, days := f.ActiveOnly.Value(), f.Days.Value()
	out := alarms.EventFilter{Statuses: f.Statuses.Value(), Severities: f.Severities.Value(), ActiveOnly: active != nil && *active,
		SiteID: orZero(f.SiteID.Value()), AssetID: orZero(f.AssetID.Value()), RuleID: orZero(f.RuleID.Value())}
	if days != nil {
		out.Days = *days
		if *days < 1 {
			out.Days = -1 // refused by the service; 0 there means no limit
		}
	}
	return out
}

func orZero(u *id.UUID) id.UUID {
	if u == nil {
		return id.Nil
	}
	return *u
}
