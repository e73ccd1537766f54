package artifact

import (
	"math"
	"strings"
	"testing"
)

func calibration() *Calibration {
	return &Calibration{
		Method: Isotonic, Margins: []float64{-2, 0, 4}, Probability: []float64{0.1, 0.2, 0.6},
		Low: []float64{0.05, 0.1, 0.5}, High: []float64{0.2, 0.3, 0.9}, Level: 0.9,
	}
}

func TestCalibrationInterpolates(t *testing.T) {
	c := calibration()
	for _, v := range []struct{ margin, p, low, high float64 }{
		{-9, 0.1, 0.05, 0.2}, {-2, 0.1, 0.05, 0.2}, {-1, 0.15, 0.075, 0.25}, {0, 0.2, 0.1, 0.3}, {1, 0.3, 0.2, 0.45}, {4, 0.6, 0.5, 0.9}, {math.Inf(1), 0.6, 0.5, 0.9},
	} {
		p, low, high := c.At(v.margin)
		if math.Abs(p-v.p)+math.Abs(low-v.low)+math.Abs(high-v.high) > 1e-12 {
			t.Errorf("at %v: %v in %v to %v, want %v in %v to %v", v.margin, p, low, high, v.p, v.low, v.high)
		}
	}
	if p, _, _ := c.At(math.NaN()); p == p {
		t.Errorf("no margin has the probability %v", p)
	}
}

func TestConformalLimit(t *testing.T) {
	c := Conformal{Method: LAC, Levels: []ConformalLevel{{0.9, 0.4}, {0.95, 0.1}}}
	for coverage, want := range map[float64]float64{0.8: 0.4, 0.9: 0.4, 0.93: 0.1} {
		if p, ok := c.Limit(coverage); !ok || p != want {
			t.Errorf("coverage %v: %v, %v", coverage, p, ok)
		}
	}
	if _, ok := c.Limit(0.99); ok {
		t.Error("a coverage above all levels")
	}
}

func TestManifestRefusesBadCalibration(t *testing.T) {
	binary := Manifest{Format: FormatVersion, Objective: Logistic, Features: 1, Classes: []string{"well", "fails"}, Temperature: 1}
	for name, change := range map[string]func(*Calibration){
		"not known": func(c *Calibration) { c.Method = "wishes" }, "do not ascend": func(c *Calibration) { c.Margins[1] = 4 },
		"falls": func(c *Calibration) { c.Probability[2], c.Low[2] = 0.15, 0.1 }, "3 knots, 2 prob": func(c *Calibration) { c.Probability = c.Probability[1:] },
		"0 knots": func(c *Calibration) { *c = Calibration{Method: Isotonic, Level: 0.9} }, "0.6 in 0.7": func(c *Calibration) { c.Low[2] = 0.7 },
		"level": func(c *Calibration) { c.Level = 1 }, "NaN": func(c *Calibration) { c.Probability[1] = math.NaN() },
	} {
		m := binary
		m.Calibration = calibration()
		if err := m.check(); err != nil {
			t.Fatal(err)
		}
		change(m.Calibration)
		if err := m.check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	sets := func(levels ...ConformalLevel) error {
		m := binary
		m.Objective, m.Conformal = Softprob, &Conformal{Method: LAC, Levels: levels}
		return m.check()
	}
	if err := sets(ConformalLevel{0.9, 0.4}, ConformalLevel{0.95, 0.1}); err != nil {
		t.Error(err)
	}
	if sets() == nil || sets(ConformalLevel{1.5, 0.4}) == nil || sets(ConformalLevel{0.9, 0.1}, ConformalLevel{0.95, 0.4}) == nil {
		t.Error("bad levels pass")
	}
	m := binary
	m.Conformal = &Conformal{Method: LAC, Levels: []ConformalLevel{{0.9, 0.4}}}
	if m.check() == nil {
		t.Error("label sets of a binary model")
	}
}
