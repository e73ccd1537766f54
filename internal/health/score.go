package health

import (
	"math"

	"foresight/ent/enum"
	"foresight/ent/settings"
	"foresight/internal/telemetry/iso20816"
)

// Method names the formula of Evidence.Health. Another formula gets another number.
const Method = "foresight-health/1"

// Evidence is what the health of a machine is judged by. What is not known is nil, or
// "", and weighs nothing.
type Evidence struct {
	Probability30 *float64 // of a failure within 30 days, 0-1
	// FaultGravity is the share of the last 7 days' predictions that named a fault, each
	// weighed by how severe the fault is, 0-1.
	FaultGravity *float64
	Zone         iso20816.Zone // by the day's mean vibration
	// Alarm is the severity of the worst alarm whose condition holds.
	Alarm       enum.Severity
	Criticality enum.Criticality
}

// The weights: how much of the health each piece of evidence takes at its worst.
const (
	weightProbability = 0.8
	weightFaults      = 0.4
	weightZone        = 0.5
	weightAlarm       = 0.4
)

// Health is 0 (broken) to 100 (as new), and false when nothing is known of the machine.
//
//	health = 100 · [(1 - 0.8 p) (1 - 0.4 f) (1 - 0.5 z) (1 - 0.4 a)]^k
//
// p: the probability of a failure within 30 days; f: the gravity of faults; z: 0, 0.15,
// 0.6 and 1 in the zones A to D of ISO 20816-3; a: 0.25, 0.5, 0.75 and 1 for a standing
// alarm of low to critical severity. Each piece of evidence takes away from what the
// others leave, so that the worst of them decides and none heals another. k is 0.9, 1,
// 1.1 and 1.25 for machines of low to critical criticality.
func (e *Evidence) Health() (float64, bool) {
	if e.Probability30 == nil && e.FaultGravity == nil && e.Zone == "" && e.Alarm == "" {
		return 0, false
	}
	left := 1.0
	take := func(weight, of float64) { left *= 1 - weight*of }
	if e.Probability30 != nil {
		take(weightProbability, *e.Probability30)
	}
	if e.FaultGravity != nil {
		take(weightFaults, *e.FaultGravity)
	}
	take(weightZone, zones[e.Zone])
	take(weightAlarm, gravity(e.Alarm))
	return 100 * math.Pow(left, factor(e.Criticality).health), true
}

var zones = map[iso20816.Zone]float64{iso20816.B: 0.15, iso20816.C: 0.6, iso20816.D: 1}

// gravity is how severe a fault or an alarm is, 0-1.
func gravity(s enum.Severity) float64 { return float64(s.Rank()) / 4 }

// factors are the exponents by which a criticality weighs.
type factors struct{ health, risk float64 }

func factor(c enum.Criticality) factors {
	switch c {
	case enum.CriticalityLow:
		return factors{0.9, 0.8}
	case enum.CriticalityHigh:
		return factors{1.1, 1.2}
	case enum.CriticalityCritical:
		return factors{1.25, 1.5}
	}
	return factors{1, 1}
}

// inputs records what the formula was given, so that a score can be explained.
func (e *Evidence) inputs() map[string]any {
	m := map[string]any{"criticality": string(e.Criticality)}
	if e.Probability30 != nil {
		m[inputProbability] = *e.Probability30
	}
	if e.FaultGravity != nil {
		m["fault_gravity_7d"] = *e.FaultGravity
	}
	if e.Zone != "" {
		m["iso_zone"] = string(e.Zone)
	}
	if e.Alarm != "" {
		m["alarm"] = string(e.Alarm)
	}
	return m
}

// inputProbability is the input that is absent while a score waits for a model.
const inputProbability = "failure_prob_30d"

// Limits are where states and levels begin: the tenant's effective settings.
type Limits settings.Tenant

// Status is the state of a health score.
func (l Limits) Status(health float64) enum.HealthStatus {
	switch {
	case health >= l.HealthyFrom:
		return enum.HealthHealthy
	case health >= l.WarningFrom:
		return enum.HealthWarning
	}
	return enum.HealthCritical
}

// Risk is the level of a 30-day probability p, weighed by criticality: that of
// 1 - (1-p)^k, with k 0.8, 1, 1.2 and 1.5 for machines of low to critical criticality.
func (l Limits) Risk(probability30 float64, c enum.Criticality) enum.RiskLevel {
	p := probability30
	if k := factor(c).risk; k != 1 { // else rounding would move what lies on a limit
		p = 1 - math.Pow(1-p, k)
	}
	switch {
	case p >= l.RiskCriticalFrom:
		return enum.RiskCritical
	case p >= l.RiskHighFrom:
		return enum.RiskHigh
	case p >= l.RiskMediumFrom:
		return enum.RiskMedium
	}
	return enum.RiskLow
}
