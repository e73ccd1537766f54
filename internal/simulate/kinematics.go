package simulate

import (
	"math"
	"math/rand/v2"
)

// kinematics is what the frequencies of a machine follow from.
type kinematics struct {
	line    float64 // frequency of the grid, Hz
	balls   float64 // rolling elements of a bearing
	ratio   float64 // diameter of a ball over the pitch diameter, times the cosine of the contact angle
	vanes   float64 // of the impeller
	bars    float64 // of the rotor
	nominal float64 // rotational frequency at the nominal speed, Hz
}

func newKinematics(r *rand.Rand, rpm float64) kinematics {
	k := kinematics{line: 50, nominal: rpm / 60}
	// 1785 and 3570 rpm are the asynchronous speeds of 60 Hz, as 1485 and 2970 of 50.
	if slip60, slip50 := math.Mod(3600, rpm), math.Mod(3000, rpm); slip60/rpm < 0.08 && slip50/rpm > 0.08 {
		k.line = 60
	}
	k.balls = float64(8 + r.IntN(5))
	k.ratio = 0.18 + 0.08*r.Float64()
	k.vanes = float64(5 + r.IntN(3))
	k.bars = float64(28 + 4*r.IntN(6))
	return k
}

// source is what a periodic excitation follows.
type source uint8

const (
	shaft    source = iota // 1x: revolutions
	twice                  // 2 LF: the pull of the stator's field, twice the grid's frequency
	outer                  // BPFO: balls over a place of the outer race
	inner                  // BPFI: balls over a place of the inner race
	ball                   // 2 BSF: a place of a ball over both races
	cage                   // FTF: the cage's revolutions
	vane                   // vane pass
	rotorBar               // rotor bar pass
)

// frequency is the fundamental of the source at the rotational frequency fr, Hz (the
// kinematic formulas of every bearing handbook, outer race at rest, without slip; for
// 2 BSF the contact angle of a deep groove bearing, near 0).
func (k *kinematics) frequency(s source, fr float64) float64 {
	switch s {
	case twice:
		return 2 * k.line
	case outer:
		return k.balls / 2 * fr * (1 - k.ratio)
	case inner:
		return k.balls / 2 * fr * (1 + k.ratio)
	case ball:
		return fr / k.ratio * (1 - k.ratio*k.ratio)
	case cage:
		return fr / 2 * (1 - k.ratio)
	case vane:
		return k.vanes * fr
	case rotorBar:
		return k.bars * fr
	}
	return fr
}

// edges are the crossovers between the bands and the end of the last, Hz.
var edges = [bands]float64{100, 1000, 5000, 10000}

// share returns the part of the energy of a line at f Hz that passes the filter of each
// band: Butterworth flanks of fourth order, so that a line at a crossover is seen by
// both neighbours.
func share(f float64) (out [bands]float64) {
	left := 1.0
	for b, edge := range edges {
		x := f / edge
		x *= x
		x *= x
		below := 1 / (1 + x*x)
		out[b] = left * below
		left *= 1 - below
	}
	return out
}
