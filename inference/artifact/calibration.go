package artifact

import (
	"errors"
	"fmt"
	"math"
	"sort"
)

// Isotonic is the only method of Calibration: isotonic regression of the outcome on
// the margin, through the middles of its steps, with an interval from the bootstrap
// over machines.
const Isotonic = "isotonic"

// Calibration turns the margin of a binary model into the probability that is told.
// It is fitted on machines that took no part in training, and interpolates linearly
// between knots; before the first and after the last it is constant.
//
// The interval is that of the calibrated probability, not of the outcome: how far the
// share of failures at this margin moves when other machines had been drawn to
// calibrate on. Whole machines are drawn, because days of one machine resemble each
// other.
type Calibration struct {
	Method      string    `json:"method"`
	Margins     []float64 `json:"margins"`     // knots, ascending; raw margins, before any temperature
	Probability []float64 `json:"probability"` // at the knots, 0-1, not descending
	Low         []float64 `json:"low"`         // ends of the interval at the knots, 0-1, not descending
	High        []float64 `json:"high"`
	Level       float64   `json:"level"`    // of the interval, such as 0.9
	Machines    int       `json:"machines"` // it was fitted on
	Rows        int       `json:"rows"`
}

// At returns the probability for a margin with the ends of its interval. NaN gives
// NaN. It allocates nothing.
func (c *Calibration) At(margin float64) (p, low, high float64) {
	n := len(c.Margins)
	i := sort.SearchFloat64s(c.Margins, margin)
	switch {
	case margin != margin:
		return margin, margin, margin
	case i == 0:
		return c.Probability[0], c.Low[0], c.High[0]
	case i == n:
		return c.Probability[n-1], c.Low[n-1], c.High[n-1]
	}
	a, b := c.Margins[i-1], c.Margins[i]
	w := (margin - a) / (b - a)
	between := func(v []float64) float64 { return v[i-1] + w*(v[i]-v[i-1]) }
	return between(c.Probability), between(c.Low), between(c.High)
}

const maxKnots = 4096

func (c *Calibration) check() error {
	n := len(c.Margins)
	if c.Method != Isotonic {
		return fmt.Errorf("calibration by %.40q is not known", c.Method)
	}
	if n < 1 || n > maxKnots || len(c.Probability) != n || len(c.Low) != n || len(c.High) != n {
		return fmt.Errorf("calibration with %d knots, %d probabilities, %d and %d ends", n, len(c.Probability), len(c.Low), len(c.High))
	}
	if !(c.Level > 0 && c.Level < 1) {
		return fmt.Errorf("calibration interval at level %v", c.Level)
	}
	for i, m := range c.Margins {
		if math.IsNaN(m) || math.IsInf(m, 0) || i > 0 && m <= c.Margins[i-1] {
			return errors.New("the knots of the calibration do not ascend")
		}
		if !(c.Low[i] >= 0 && c.Low[i] <= c.Probability[i] && c.Probability[i] <= c.High[i] && c.High[i] <= 1) {
			return fmt.Errorf("calibrated probability %v in %v to %v", c.Probability[i], c.Low[i], c.High[i])
		}
		if i > 0 && c.Probability[i] < c.Probability[i-1] {
			return errors.New("the calibrated probability falls with the margin")
		}
	}
	return nil
}
