package simulate

import (
	"math"
	"time"
)

// Degradation is a curve along which a fault grows: slowly for long, then fast, as
// the run-to-failure of bearings does. At Start the severity is From; after Life it
// is To, and stays there.
type Degradation struct {
	Start    time.Time
	Life     time.Duration
	From, To float64 // severity, 0-1
	// Steepness bends the exponential: 0 is a straight line, 4 spends most of the
	// life near From.
	Steepness float64
}

// At returns the severity at a time, 0-1.
func (d Degradation) At(t time.Time) float64 {
	x := 1.0
	if d.Life > 0 {
		x = min(1, max(0, t.Sub(d.Start).Seconds()/d.Life.Seconds()))
	}
	if k := d.Steepness; k > 0 {
		x = math.Expm1(k*x) / math.Expm1(k)
	}
	return min(1, max(0, d.From+(d.To-d.From)*x))
}
