package artifact

import (
	"errors"
	"fmt"
)

// LAC is the only method of Conformal: split conformal prediction with the score
// 1 - probability of the true class (Sadinle, Lei, Wasserman, Least Ambiguous
// Set-Valued Classifiers With Bounded Error Levels, 2019).
const LAC = "lac"

// Conformal says which classes belong to a label set: all whose calibrated
// probability reaches the limit of the wanted coverage. A set holds the true class
// in the share Coverage of windows from machines like those of the calibration. It
// may be empty: then no class is likely enough.
type Conformal struct {
	Method   string           `json:"method"`
	Levels   []ConformalLevel `json:"levels"` // coverage ascending, limit not ascending
	Machines int              `json:"machines"`
	Rows     int              `json:"rows"`
}

// ConformalLevel is the limit of one coverage.
type ConformalLevel struct {
	Coverage    float64 `json:"coverage"`    // nominal, 0-1
	Probability float64 `json:"probability"` // least of a class in the set
}

// Limit returns the least probability of a class in the set of the least level that
// covers at least as much; false when there is none.
func (c *Conformal) Limit(coverage float64) (probability float64, ok bool) {
	for _, l := range c.Levels {
		if l.Coverage >= coverage {
			return l.Probability, true
		}
	}
	return 0, false
}

func (c *Conformal) check() error {
	if c.Method != LAC {
		return fmt.Errorf("label sets by %.40q are not known", c.Method)
	}
	if len(c.Levels) < 1 || len(c.Levels) > 16 {
		return fmt.Errorf("label sets of %d levels", len(c.Levels))
	}
	for i, l := range c.Levels {
		if !(l.Coverage > 0 && l.Coverage < 1 && l.Probability >= 0 && l.Probability <= 1) {
			return fmt.Errorf("label sets with coverage %v at probability %v", l.Coverage, l.Probability)
		}
		if i > 0 && (l.Coverage <= c.Levels[i-1].Coverage || l.Probability > c.Levels[i-1].Probability) {
			return errors.New("the levels of label sets do not ascend")
		}
	}
	return nil
}
