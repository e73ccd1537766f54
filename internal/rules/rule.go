// Package rules judges samples by alarm rules. It is the alarm state machine of
// ISA-18.2 (IEC 62682), pure: the clock is the samples' own time, nothing is read or
// written, no goroutine runs. A caller keeps one State per (rule, asset, sensor),
// hands samples to Rule.Evaluate in the order of their time and stores what came out.
package rules

import (
	"time"

	"foresight/internal/id"
)

// The parameters that are no reading parameters.
const (
	// Confidence is the probability (0-1) of a fault prediction.
	Confidence = "confidence"
	// Silence is how long a sensor has not spoken, in seconds.
	Silence = "silence"
)

// Rule is a condition that raises alarms. It is immutable once it is in a Set.
type Rule struct {
	ID      id.UUID
	Tenant  id.UUID
	Version int // of the stored rule; a change restarts the timers of its states
	Name    string
	Scope   Scope

	Parameter string // a reading parameter, Confidence, Silence or one of ScoreParameters
	Operator  Operator
	Threshold float64 // in the parameter's unit

	// For Confidence. No codes means any fault but telemetry.Normal.
	FaultCodes         []string
	OnlyInDistribution bool // predictions far from the training data are no samples

	Severity Severity
	// Deadband is how far the value must fall back behind the threshold before the
	// condition is gone, in the parameter's unit, 0 or more (hysteresis).
	Deadband float64
	// OnDelay is how long the condition must hold before it alarms, OffDelay how
	// long it must be gone before it clears, both by the samples' time.
	OnDelay, OffDelay time.Duration
	// MinConsecutive is how many samples in a row must meet the condition, at least 1.
	MinConsecutive int
	// Latching: an ACKNOWLEDGED alarm whose condition is gone stays until a person
	// closes it.
	Latching bool
}

// Source is what a rule takes its samples from.
type Source uint8

// The sources.
const (
	Readings Source = iota
	Predictions
	Silences
	Scores // of machines, once a day
	sources
)

// Source returns where the rule's samples come from.
func (r *Rule) Source() Source {
	switch r.Parameter {
	case Confidence:
		return Predictions
	case Silence:
		return Silences
	case FailureProb7, FailureProb30, HealthScore:
		return Scores
	}
	return Readings
}

// Scope is what a rule is limited to. Fields are and-ed; zero fields do not limit.
type Scope struct {
	Site      id.UUID
	AssetType string
	Asset     id.UUID
	Sensor    id.UUID
}

// Place is where a sample was taken, within one tenant.
type Place struct {
	Site      id.UUID
	AssetType string
	Asset     id.UUID
	Sensor    id.UUID
}

// Contains reports whether the place lies within the scope.
func (s *Scope) Contains(p *Place) bool {
	return (s.Sensor == id.Nil || s.Sensor == p.Sensor) &&
		(s.Asset == id.Nil || s.Asset == p.Asset) &&
		(s.Site == id.Nil || s.Site == p.Site) &&
		(s.AssetType == "" || s.AssetType == p.AssetType)
}

// Key names what has at most one active alarm: a rule on a sensor, or on an asset
// where Sensor is Nil.
type Key struct{ Rule, Asset, Sensor id.UUID }
