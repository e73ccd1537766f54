// Package iso20816 grades the vibration of a machine after ISO 20816-3 (formerly
// ISO 10816-3): broad-band velocity over 10-1000 Hz in mm/s RMS, measured on bearing
// housings, against the limits of the machine's group and support.
package iso20816

// Support is how the machine stands.
type Support string

// The supports. On a flexible one the machine may move more.
const (
	Rigid    Support = "rigid"
	Flexible Support = "flexible"
)

// The groups of machines.
const (
	Above300kW = 1 // rated above 300 kW
	To300kW    = 2 // rated 15-300 kW
)

// Zone is a grade of vibration.
type Zone string

// The zones, rising.
const (
	A Zone = "A" // as of newly commissioned machines
	B Zone = "B" // fit for unrestricted long-term operation
	C Zone = "C" // unsatisfactory for long-term operation
	D Zone = "D" // severe enough to damage the machine
)

// Limits are the boundaries between the zones, mm/s RMS.
type Limits struct{ AB, BC, CD float64 }

// Of returns the limits for machines of the group on the support. There are none, and
// it returns false, when one of the two is unknown (0 and ""): neither is guessed.
func Of(group int, support Support) (Limits, bool) {
	switch {
	case group == Above300kW && support == Rigid:
		return Limits{2.3, 4.5, 7.1}, true
	case group == Above300kW && support == Flexible:
		return Limits{3.5, 7.1, 11.0}, true
	case group == To300kW && support == Rigid:
		return Limits{1.4, 2.8, 4.5}, true
	case group == To300kW && support == Flexible:
		return Limits{2.3, 4.5, 7.1}, true
	}
	return Limits{}, false
}

// Zone returns the zone of a velocity in mm/s RMS. A velocity on a boundary is in the
// better zone.
func (l Limits) Zone(velocity float64) Zone {
	switch {
	case velocity <= l.AB:
		return A
	case velocity <= l.BC:
		return B
	case velocity <= l.CD:
		return C
	}
	return D
}
