package inference

import (
	"math"

	"foresight/inference/artifact"
	"foresight/inference/daily"
)

// The horizons of failure predictors, in days: a model has a booster for each.
const (
	ShortHorizon = 7
	LongHorizon  = 30
)

// horizons in the order of Failure.
var horizons = [...]int{ShortHorizon, LongHorizon}

// Failure is what a failure predictor says of one machine and day.
type Failure struct {
	Within7, Within30 Chance // a failure within 7 and 30 days
	// OutOfDistribution: the features are unlike all training.
	OutOfDistribution bool
}

// Chance is a calibrated probability, 0-1, with the ends of its interval: low <=
// probability <= high. Which interval it is stands in the model's calibration; of a
// model without one, both ends are the probability.
type Chance struct {
	Probability, Low, High float64
	// Margin is the raw margin, before calibration: what explanations speak of.
	Margin float32
}

// Level returns the nominal level of the intervals of Chance, the lowest of the
// boosters', 0-1; 0 for a model without intervals.
func (m *Model) Level() float64 {
	level := 1.0
	for i := range m.parts {
		k := m.parts[i].manifest.Calibration
		if k == nil {
			return 0
		}
		level = min(level, k.Level)
	}
	return level
}

// Failure judges one machine and day. What is likely within 7 days is at least as likely
// within 30: where the boosters say otherwise, the longer horizon is raised. It allocates
// nothing.
func (m *Model) Failure(x *daily.Vector) (Failure, error) {
	if m.Kind() != artifact.FailurePredictor {
		return Failure{}, errTask
	}
	s := m.scratch.Get().(*scratch)
	defer m.scratch.Put(s)
	var margins [len(horizons)]float32
	for i := range m.parts {
		if err := m.parts[i].booster.Margins(x[:], s.margins); err != nil {
			return Failure{}, err
		}
		margins[i] = s.margins[0]
	}
	return m.failure(x[:], margins)
}

// Failures judges many machines, out[i] from x[i], with the same results as Failure and
// several times as fast.
func (m *Model) Failures(x []daily.Vector, out []Failure) error {
	if m.Kind() != artifact.FailurePredictor {
		return errTask
	}
	rows := make([]float32, 0, len(x)*daily.Count)
	for i := range x {
		rows = append(rows, x[i][:]...)
	}
	var margins [len(horizons)][]float32
	for i := range m.parts {
		margins[i] = make([]float32, len(x))
		if err := m.parts[i].booster.Batch(rows, margins[i]); err != nil {
			return err
		}
	}
	for i := range x {
		f, err := m.failure(x[i][:], [...]float32{margins[0][i], margins[1][i]})
		if err != nil {
			return err
		}
		out[i] = f
	}
	return nil
}

func (m *Model) failure(x []float32, margins [len(horizons)]float32) (f Failure, err error) {
	short, ok := m.parts[0].chance(margins[0])
	long, ok30 := m.parts[1].chance(margins[1])
	if !ok || !ok30 {
		return f, errDegenerate
	}
	long.Probability = max(long.Probability, short.Probability)
	long.Low, long.High = max(long.Low, short.Low), max(long.High, short.High)
	return Failure{short, long, m.parts[0].outside(x) || m.parts[1].outside(x)}, nil
}

// chance calibrates a margin, and reports whether it could.
func (p *part) chance(margin float32) (Chance, bool) {
	c := Chance{Margin: margin}
	if k := p.manifest.Calibration; k != nil {
		c.Probability, c.Low, c.High = k.At(float64(margin))
	} else {
		c.Probability = 1 / (1 + math.Exp(-float64(margin)/p.manifest.Temperature))
		c.Low, c.High = c.Probability, c.Probability
	}
	return c, c.Low >= 0 && c.Low <= c.Probability && c.Probability <= c.High && c.High <= 1 // NaN is none of it
}
