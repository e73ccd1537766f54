package rules

import (
	"math"
	"slices"
	"time"

	"foresight/internal/telemetry"
)

// Sample is one value of a rule's parameter.
type Sample struct {
	At    time.Time // event time; for Silence the time at which it was measured
	Value float64
	// Foreign: the value is of something that the rule is not about (a prediction of
	// another fault), so the condition is gone whatever the value.
	Foreign bool
}

// OfReading takes the rule's sample from a reading. A parameter that is missing in
// it gives no sample: the condition is then neither met nor gone.
func (r *Rule) OfReading(in *telemetry.Reading) (Sample, bool) {
	value, ok := in.Parameter(r.Parameter)
	if !ok || !finite(value) {
		return Sample{}, false
	}
	return Sample{At: in.Timestamp, Value: value}, true
}

// OfPrediction takes the rule's sample from a fault prediction: its probability,
// Foreign when the label is not one of the rule's. A prediction far from the
// training data is no sample for a rule that leaves such out.
func (r *Rule) OfPrediction(p *telemetry.FaultPrediction) (Sample, bool) {
	if r.OnlyInDistribution && p.OutOfDistribution || !finite(p.Probability) {
		return Sample{}, false
	}
	return Sample{At: p.Timestamp, Value: p.Probability, Foreign: !r.about(p.Label)}, true
}

// OfSilence is the sample of a rule on Silence: at the time at, the sensor had not
// spoken for so long.
func (r *Rule) OfSilence(at time.Time, silent time.Duration) Sample {
	return Sample{At: at, Value: silent.Seconds()}
}

func (r *Rule) about(label string) bool {
	if len(r.FaultCodes) == 0 {
		return label != telemetry.Normal
	}
	return slices.Contains(r.FaultCodes, label)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
