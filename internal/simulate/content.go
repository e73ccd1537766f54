package simulate

import "math"

// line is a component of a vibration: a harmonic of a source. Sidebands are within the
// band of their carrier, and their energy is in its amplitude; what they do from reading
// to reading is in the signature's jitter and swing.
type line struct {
	of    source
	order float64 // of the harmonic; 0.5 is the sub-harmonic of looseness
	mm    float64 // mm/s RMS at severity 1 on a machine of average size
}

// effect is what a fault adds at one mount point at severity 1.
type effect struct {
	lines []line
	// ring is what has no line spectrum in the bands: noise of flow and friction, and
	// resonances of bearing and casing, at 2-10 kHz, that impacts make ring, mm/s RMS.
	ring  [bands]float64
	ultra float64 // dB
	temp  float64 // K
}

// stages are the exponents of severity with which the signs of a fault grow: below 1
// early signs, above 1 late ones. Zero values are 1. A rolling bearing is the textbook
// case: ultrasound first, then ringing at natural frequencies, then the defect's lines
// with their harmonics, warmth last, shortly before the end.
type stages struct{ ultra, ring, lines, temp float64 }

var wearing = stages{ultra: 0.6, ring: 0.8, lines: 1.5, temp: 2}

// grown returns severity to the exponent.
func grown(severity, exponent float64) float64 {
	if exponent == 0 || exponent == 1 || severity <= 0 {
		return severity
	}
	return math.Pow(severity, exponent)
}

// content is an effect seen through the bands' filters at one speed.
type content struct {
	lines, ring [bands]float64 // mm/s RMS
}

func (k *kinematics) content(e *effect, fr float64) content {
	c := content{ring: e.ring}
	for _, l := range e.lines {
		for b, part := range share(l.order * k.frequency(l.of, fr)) {
			c.lines[b] += part * l.mm * l.mm
		}
	}
	for b, energy := range c.lines {
		c.lines[b] = math.Sqrt(energy)
	}
	return c
}
