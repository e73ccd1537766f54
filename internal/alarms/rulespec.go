package alarms

import (
	"slices"
	"strings"
	"time"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/internal/id"
	"foresight/internal/rules"
)

// RuleSpec is what people set of a rule, in the terms of the graph's inputs.
type RuleSpec struct {
	Name      string
	SiteID    *id.UUID
	AssetType *enum.AssetType
	AssetID   *id.UUID
	SensorID  *id.UUID

	Parameter          string
	Operator           rules.Operator
	Threshold          float64
	FaultCodes         []string
	OnlyInDistribution bool
	Severity           rules.Severity
	Deadband           float64
	OnDelaySec         int
	OffDelaySec        int
	MinConsecutive     int
	IsActive           bool
}

// DefaultRules are what a new tenant begins with: a predicted fault other than
// `normal` that is more than 60 % sure, three times in a row: a classifier that is
// wrong about one window in a hundred would else ring for every healthy machine now
// and then.
func DefaultRules() []RuleSpec {
	return []RuleSpec{{
		Name: "Fault predicted", Parameter: rules.Confidence, Operator: rules.GT, Threshold: 0.6,
		Severity: rules.High, MinConsecutive: 3, IsActive: true,
	}}
}

// SpecOf returns what people have set of a stored rule.
func SpecOf(r *ent.AlarmRule) RuleSpec {
	return RuleSpec{
		Name: r.Name, SiteID: r.SiteID, AssetType: r.AssetType, AssetID: r.AssetID, SensorID: r.SensorID,
		Parameter: r.Parameter, Operator: r.Operator, Threshold: r.Threshold,
		FaultCodes: slices.Clone(r.FaultCodes), OnlyInDistribution: r.OnlyInDistribution, Severity: r.Severity,
		Deadband: r.Deadband, OnDelaySec: r.OnDelaySec, OffDelaySec: r.OffDelaySec,
		MinConsecutive: r.MinConsecutive, IsActive: r.IsActive,
	}
}

// rule is the spec as the state machine sees it.
func (s *RuleSpec) rule() *rules.Rule {
	return &rules.Rule{
		Name: s.Name, Parameter: s.Parameter, Operator: s.Operator, Threshold: s.Threshold,
		Scope:      rules.Scope{Site: deref(s.SiteID), AssetType: string(deref(s.AssetType)), Asset: deref(s.AssetID), Sensor: deref(s.SensorID)},
		FaultCodes: s.FaultCodes, OnlyInDistribution: s.OnlyInDistribution, Severity: s.Severity, Deadband: s.Deadband,
		OnDelay: time.Duration(s.OnDelaySec) * time.Second, OffDelay: time.Duration(s.OffDelaySec) * time.Second,
		MinConsecutive: s.MinConsecutive,
	}
}

// write puts a valid spec into a creation or an update.
func (s *RuleSpec) write(m *ent.AlarmRuleMutation) {
	m.SetName(strings.TrimSpace(s.Name))
	setOrClear(s.SiteID, m.SetSiteID, m.ClearSiteID)
	setOrClear(s.AssetType, m.SetAssetType, m.ClearAssetType)
	setOrClear(s.AssetID, m.SetAssetID, m.ClearAssetID)
	setOrClear(s.SensorID, m.SetSensorID, m.ClearSensorID)
	m.SetParameter(s.Parameter)
	m.SetOperator(s.Operator)
	m.SetThreshold(s.Threshold)
	codes := slices.Clone(s.FaultCodes)
	slices.Sort(codes)
	m.SetFaultCodes(append([]string{}, slices.Compact(codes)...)) // an empty list, not null
	m.SetOnlyInDistribution(s.OnlyInDistribution)
	m.SetSeverity(s.Severity)
	m.SetDeadband(s.Deadband)
	m.SetOnDelaySec(s.OnDelaySec)
	m.SetOffDelaySec(s.OffDelaySec)
	m.SetMinConsecutive(s.MinConsecutive)
	m.SetIsActive(s.IsActive)
}

func setOrClear[T any](v *T, set func(T), clear func()) {
	if v != nil {
		set(*v)
	} else {
		clear()
	}
}
