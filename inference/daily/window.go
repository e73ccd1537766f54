package daily

import "math"

// sums is what the days of a window amount to.
type sums struct {
	vibration, temperature, oil, current, ultrasonic Stat
	energy, highEnergy                               float64
	predictions, faults                              uint64
	heard                                            int // hours
	running, exceeded                                answers
}

// answers counts hours.
type answers struct{ told, yes int }

func (a *answers) add(e Evidence) {
	a.told += e.Told.Len()
	a.yes += e.Yes.Len()
}

// hours is how many had the answer yes, NaN when none had an answer.
func (a *answers) hours() float64 {
	if a.told == 0 {
		return math.NaN()
	}
	return float64(a.yes)
}

func (s *sums) add(d *Day) {
	s.vibration.merge(&d.VibrationRMS)
	s.temperature.merge(&d.BearingTemp)
	s.oil.merge(&d.OilPressure)
	s.current.merge(&d.MotorCurrent)
	s.ultrasonic.merge(&d.Ultrasonic)
	s.energy += d.Energy
	s.highEnergy += d.HighEnergy
	s.predictions += uint64(d.Predictions)
	s.faults += uint64(d.Faults)
	s.heard += d.Heard.Len()
	s.running.add(d.Running())
	s.exceeded.add(d.Exceeded)
}

// slope fits a line through the daily means by least squares and returns its slope a
// day, NaN for fewer than leastDays days with samples. days[i] is i days ago.
func slope(days []*Day, of func(*Day) *Stat) float64 {
	n, x, y := 0.0, 0.0, 0.0
	for i, d := range days {
		if d != nil && of(d).Count > 0 {
			n++
			x -= float64(i)
			y += of(d).Mean()
		}
	}
	if n < leastDays {
		return math.NaN()
	}
	x, y = x/n, y/n
	var xx, xy float64
	for i, d := range days {
		if d != nil && of(d).Count > 0 {
			dx := -float64(i) - x
			xx += dx * dx
			xy += dx * (of(d).Mean() - y)
		}
	}
	return xy / xx
}
