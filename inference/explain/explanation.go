package explain

import (
	"cmp"
	"math"
	"slices"

	"foresight/ent/document"
)

// Contribution is the part that one feature had in an answer.
type Contribution struct {
	Feature int     // its place in the row
	Value   float32 // its value, NaN: it was missing
	// Margin is what it added to the raw margin: log-odds of a binary model; of a
	// classifier above 0 it speaks for the class.
	Margin float64
}

// Explanation says why an output has its margin: Bias + the margins of Top + Others
// = Margin, but for rounding.
type Explanation struct {
	Output int     // class, or 0 of a binary model
	Margin float64 // raw: before softmax or sigmoid, and before calibration
	Bias   float64 // the mean margin over the training rows
	Top    []Contribution
	Others float64 // what the features beyond Top added together
}

// Explain returns the features that moved an output's margin for the row x most, the
// strongest first (equal ones in the features' order), at most top of them and none
// that moved nothing.
func (m *Model) Explain(x []float32, output, top int) (*Explanation, error) {
	phi := make([]float64, m.features)
	margin, err := m.Output(x, output, phi)
	if err != nil {
		return nil, err
	}
	e := &Explanation{Output: output, Margin: margin, Bias: m.Bias(output)}
	e.Top, e.Others = strongest(x, phi, top)
	return e, nil
}

func strongest(x []float32, phi []float64, top int) (most []Contribution, others float64) {
	for f, v := range phi {
		if v != 0 {
			most = append(most, Contribution{Feature: f, Value: x[f], Margin: v})
		}
	}
	slices.SortStableFunc(most, func(a, b Contribution) int { return cmp.Compare(math.Abs(b.Margin), math.Abs(a.Margin)) })
	for i := max(0, top); i < len(most); i++ {
		others += most[i].Margin
	}
	return slices.Clip(most[:min(len(most), max(0, top))]), others
}

// Named returns the contributions with the features' names, as they are stored.
func (e *Explanation) Named(name func(feature int) string) []document.Contribution {
	out := make([]document.Contribution, len(e.Top))
	for i, c := range e.Top {
		out[i] = document.Contribution{Feature: name(c.Feature), Contribution: c.Margin}
		if v := float64(c.Value); v-v == 0 {
			out[i].Value = &v
		}
	}
	return out
}
