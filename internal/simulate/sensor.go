package simulate

import (
	"math"
	"math/rand/v2"
	"time"

	"foresight/internal/telemetry"
)

// mode is how a sensor fails.
type mode int

const (
	stuck    mode = iota // repeats one value
	drifting             // runs away from the truth, up to several times the level
	spiking              // throws absurd values now and then
	noisy                // scatters without cause
	cut                  // reads the end of its range: a broken cable
	modes
)

// brokenSensor is a fault of the instrument at one mount point: of all its
// quantities or of one, while the machine and the other sensors are well.
type brokenSensor struct {
	mode     mode
	channels []telemetry.Channel
	severity func(time.Time) float64
	s        float64
	frozen   [telemetry.Channels]float64
	run      int
	onset    int
}

func (m *Machine) breakSensor(r *rand.Rand, severity func(time.Time) float64) *brokenSensor {
	b := &brokenSensor{mode: mode(r.IntN(int(modes))), severity: severity, onset: 20 + r.IntN(60)}
	mount := r.IntN(mounts)
	if m.absent[telemetry.At(mount, telemetry.Band1)] {
		mount = 0
	}
	if whole := r.Float64() < 0.6; whole {
		for q := range telemetry.Quantities {
			b.channels = append(b.channels, telemetry.At(mount, q))
		}
	} else {
		b.channels = append(b.channels, telemetry.At(mount, []int{telemetry.Band1, telemetry.Band2, telemetry.Temperature}[r.IntN(3)]))
	}
	for c := range b.frozen {
		b.frozen[c] = math.NaN()
	}
	return b
}

// distort replaces what the broken channels would read.
func (b *brokenSensor) distort(r *rand.Rand, t time.Time, ch *[telemetry.Channels]float64) {
	b.s = b.severity(t)
	if b.s == 0 {
		return
	}
	b.run++
	jump := r.Float64() < 0.12+0.2*b.s // one event hits all quantities of a cable
	for _, c := range b.channels {
		truth := ch[c]
		q := c.Quantity()
		span := 25.0 // dB or K
		if q < telemetry.Ultrasonic {
			span = max(1, truth) // mm/s
		}
		switch b.mode {
		case stuck:
			if math.IsNaN(b.frozen[c]) {
				b.frozen[c] = truth
			}
			ch[c] = b.frozen[c]
		case drifting:
			steps := float64(min(b.run+b.onset, 120))
			ch[c] = truth + span*0.06*b.s*steps
		case spiking:
			if jump {
				ch[c] = truth + span*(2+6*r.Float64())*b.s
			}
		case noisy:
			ch[c] = max(0, truth+span*1.2*b.s*r.NormFloat64())
		case cut:
			ch[c] = 0
			if q == telemetry.Temperature {
				ch[c] = -50
			}
		}
		low, high := 0.0, 150.0
		if q == telemetry.Temperature {
			low, high = -50, 350
		}
		ch[c] = min(high, max(low, ch[c]))
	}
}
