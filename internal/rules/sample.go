package rules

import (
	"math"
	"slices"
	"time"
)

// Sample is one value of a rule's parameter.
type Sample struct {
	At    time.Time // event time; for Silence the time at which it was measured
	Value float64
	// Foreign: the value is of something that the rule is not about (a prediction of
	// another fault), so the condition is gone whatever the value.
	Foreign bool
}

// Values gives the parameters of a reading by catalogue name and whether they were
// measured; *telemetry.Reading does.
type Values interface {
	Parameter(name string) (float64, bool)
}

// OfReading takes the rule's sample from a reading. A parameter that is missing in
// it gives no sample: the condition is then neither met nor gone.
func (r *Rule) OfReading(at time.Time, v Values) (Sample, bool) {
	value, ok := v.Parameter(r.Parameter)
	if !ok || !finite(value) {
		return Sample{}, false
	}
	return Sample{At: at, Value: value}, true
}

// OfPrediction takes the rule's sample from a fault prediction: its probability,
// Foreign when the label is not one of the rule's. A prediction far from the
// training data is no sample for a rule that leaves such out.
func (r *Rule) OfPrediction(at time.Time, label string, probability float64, outOfDistribution bool) (Sample, bool) {
	if r.OnlyInDistribution && outOfDistribution || !finite(probability) {
		return Sample{}, false
	}
	return Sample{At: at, Value: probability, Foreign: !r.about(label)}, true
}

// OfSilence is the sample of a rule on Silence: at the time at, the sensor had not
// spoken for so long.
func (r *Rule) OfSilence(at time.Time, silent time.Duration) Sample {
	return Sample{At: at, Value: silent.Seconds()}
}

func (r *Rule) about(label string) bool {
	if len(r.FaultCodes) == 0 {
		return label != Normal
	}
	return slices.Contains(r.FaultCodes, label)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
