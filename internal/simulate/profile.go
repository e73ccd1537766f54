package simulate

import (
	"math"
	"math/rand/v2"

	"foresight/internal/telemetry/iso20816"
)

// Mount is the kind of support, as ISO 20816-3 tells them apart.
type Mount string

// The kinds of support.
const (
	Rigid    Mount = "rigid"
	Flexible Mount = "flexible"
)

// Profile is what a machine is. The zero value of a field lets NewMachine draw it
// from its seed.
type Profile struct {
	RatedKW    float64 // rated power of the motor, kW
	NominalRPM float64 // speed at no load, rpm
	Mount      Mount
	Load       float64 // set point, share of the rated power, 0.4-1.05
	AmbientC   float64 // mean ambient temperature, °C
	RatedFlow  float64 // m³/h at full load
	RatedBar   float64 // discharge pressure at full load, bar

	// DropoutRate is the chance of one channel to miss in one sample. Negative
	// means none; zero lets the seed choose (most machines have few).
	DropoutRate float64
	// Complete gives the machine all 24 channels; otherwise the seed may leave
	// out a quantity or the far ends, as plants do.
	Complete bool
	// Duty is the share of time in which the machine runs, in runs and stops of hours;
	// zero and 1: it runs through.
	Duty float64
	// Steady keeps the load's set point where it is: no changes of regime.
	Steady bool
}

// Limits returns the zones that ISO 20816-3 has for the machine; false below 15 kW.
func (p Profile) Limits() (iso20816.Limits, bool) {
	group := 0
	switch {
	case p.RatedKW > 300:
		group = iso20816.Above300kW
	case p.RatedKW >= 15:
		group = iso20816.To300kW
	}
	support := iso20816.Rigid
	if p.Mount == Flexible {
		support = iso20816.Flexible
	}
	return iso20816.Of(group, support)
}

var speeds = []float64{740, 990, 1485, 1485, 1485, 1485, 2970, 2970, 2970, 3570, 1785}

// fill draws what the profile leaves open.
func (p Profile) fill(r *rand.Rand) Profile {
	set := func(v *float64, drawn float64) {
		if *v == 0 {
			*v = drawn
		}
	}
	set(&p.RatedKW, 11*math.Pow(30, r.Float64())) // 11-330 kW, logarithmic
	set(&p.NominalRPM, speeds[r.IntN(len(speeds))])
	set(&p.Load, 0.6+0.35*r.Float64())
	set(&p.AmbientC, 12+18*r.Float64())
	set(&p.RatedFlow, p.RatedKW*(2+4*r.Float64()))
	set(&p.RatedBar, 3+9*r.Float64())
	set(&p.DropoutRate, 0.02*r.Float64()*r.Float64())
	flexible := r.Float64() < 0.35
	if p.Mount == "" {
		p.Mount = Rigid
		if flexible {
			p.Mount = Flexible
		}
	}
	return p
}
