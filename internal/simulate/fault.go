package simulate

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"

	"foresight/internal/telemetry"
)

// sensorFault is the one code that is no state of the machine.
const sensorFault = "sensor_fault"

// fault is what is wrong with the machine: a signature placed on it.
type fault struct {
	code     string
	sig      *signature
	severity func(time.Time) float64
	s        float64         // severity at the present sample, 0-1
	at       [mounts]float64 // share of the main effect that arises at the mount point
	far      [mounts]float64 // share of the far effect
	scale    [bands]float64  // the machine's own deviation from the usual signature
	fr       float64         // rotational frequency for which main and apart hold, Hz
	main     content         // of the signature's main effect
	apart    content         // of its far effect
	phase    float64         // of the swing, radians
	period   float64         // of the swing, readings
	unsteady [mounts]float64 // factor of the added energy at the present sample
	hydro    float64         // relative deviation of flow and pressure at the present sample
}

// SetFault gives the machine the fault at a constant severity, 0 to 1; about 0.35
// and above is what an analyst would call visible. `normal` or severity 0 mends it.
// It replaces any fault before; an unknown code is an error. Where the fault sits
// follows from the machine's seed and the code.
func (m *Machine) SetFault(code string, severity float64) error {
	s := min(1, max(0, severity))
	return m.place(code, s == 0, func(time.Time) float64 { return s })
}

// Degrade lets the fault grow along the curve.
func (m *Machine) Degrade(code string, d Degradation) error { return m.place(code, false, d.At) }

// Fault returns the code and the severity at the last sample; `normal` and 0 for a
// healthy machine.
func (m *Machine) Fault() (string, float64) {
	switch {
	case m.fault != nil:
		return m.fault.code, m.fault.s
	case m.sensor != nil:
		return sensorFault, m.sensor.s
	}
	return telemetry.Normal, 0
}

func (m *Machine) place(code string, mend bool, severity func(time.Time) float64) error {
	sig, known := signatures[code]
	if !known && code != telemetry.Normal && code != sensorFault {
		return fmt.Errorf("simulate: unknown fault code %q", code)
	}
	m.fault, m.sensor = nil, nil
	if mend || code == telemetry.Normal {
		return nil
	}
	h := fnv.New64a()
	h.Write([]byte(code))
	r := rand.New(rand.NewPCG(m.seed, h.Sum64()))
	if code == sensorFault {
		m.sensor = m.breakSensor(r, severity)
		m.sensor.s = severity(m.now)
		return nil
	}
	f := &fault{code: code, sig: &sig, severity: severity, phase: 2 * math.Pi * r.Float64()}
	f.period = sig.period * (0.75 + 0.5*r.Float64())
	for b := range f.scale {
		f.scale[b] = m.size * lognormal(r, 0.2)
	}
	f.at = m.sites(r, sig.at)
	uneven := 1 - sig.skew*(0.5+0.5*r.Float64())
	weaker := r.IntN(2)
	for i := range f.at {
		if f.at[i] > 0 && side(sig.at, i) == weaker && sig.skew > 0 {
			f.at[i] = uneven
		}
		if sig.far != nil {
			f.far[other(i)] = f.at[i]
		}
	}
	f.s = severity(m.now)
	for i := range f.unsteady {
		f.unsteady[i] = 1
	}
	m.fault = f
	return nil
}

// sites places the fault: 1 at the mount points where its energy arises. Faults of
// one bearing arise where the machine is measured.
func (m *Machine) sites(r *rand.Rand, w where) (at [mounts]float64) {
	last := mounts
	if m.absent[telemetry.At(3, telemetry.Band1)] {
		last--
	}
	one, half := r.IntN(last), 2*r.IntN(2)
	switch w {
	case oneBearing:
		at[one] = 1
	case casing:
		at[half], at[half+1] = 1, 1
	case motorCasing:
		at[0], at[1] = 1, 1
	case pumpCasing:
		at[2], at[3] = 1, 1
	case couplingSide:
		at[0], at[2] = 1, 1
	case pumpDE:
		at[2] = 1
	}
	return at
}

// side tells the two mount points of a pair apart: the ends of a casing, or the
// motor from the pump for what sits at the coupling.
func side(w where, mount int) int {
	if w == couplingSide {
		return mount / 2
	}
	return mount % 2
}

// other is the opposite end of the same casing.
func other(mount int) int { return mount ^ 1 }

// travel is the usual share of what arises at one mount point that reaches another: of
// the velocity by band, of the ultrasonic level and of the temperature rise.
type travel struct {
	band        [bands]float64
	ultra, temp float64
}

var (
	alongCasing  = travel{[bands]float64{0.45, 0.33, 0.18, 0.10}, 0.25, 0.18}
	overCoupling = travel{[bands]float64{0.22, 0.15, 0.06, 0.03}, 0.10, 0.07}
	toFarEnd     = travel{[bands]float64{0.10, 0.06, 0.02, 0.01}, 0.03, 0.02}
)

func path(from, to int) *travel {
	switch {
	case from/2 == to/2:
		return &alongCasing
	case from%2 == 0 && to%2 == 0:
		return &overCoupling
	}
	return &toFarEnd
}

// felt is what a mount point feels of the fault in a sample.
type felt struct {
	band  [bands]float64 // mm/s RMS
	ultra float64        // dB
}

// arising is the velocity that the fault adds at the mount point by itself in the
// present sample.
func (m *Machine) arising(i int) (band [bands]float64) {
	f := m.fault
	part, from := f.at[i], &f.main
	if part == 0 {
		part, from = f.far[i], &f.apart
	}
	if part == 0 {
		return band
	}
	strength := part * f.unsteady[i] * math.Pow(m.speedRatio(), f.sig.speedPower) * math.Pow(m.load/0.8, f.sig.loadPower)
	lines, ring := grown(f.s, f.sig.grows.lines), grown(f.s, f.sig.grows.ring)
	for b := range band {
		band[b] = strength * f.scale[b] * math.Hypot(lines*from.lines[b], ring*from.ring[b])
	}
	return band
}

// share of the main and of the far effect at the mount point.
func (f *fault) effectAt(i int) (part float64, e *effect) {
	if f.at[i] > 0 {
		return f.at[i], &f.sig.main
	}
	return f.far[i], f.sig.far
}

// feel is what the fault adds at every mount point in the present sample, travelled
// energy included.
func (m *Machine) feel() (out [mounts]felt) {
	f := m.fault
	if fr := m.kinematics.nominal * m.speedRatio(); math.Abs(fr-f.fr) > 0.002*fr {
		f.fr, f.main = fr, m.kinematics.content(&f.sig.main, fr)
		if f.sig.far != nil {
			f.apart = m.kinematics.content(f.sig.far, fr)
		}
	}
	ultra := grown(f.s, f.sig.grows.ultra)
	for from := range mounts {
		part, e := f.effectAt(from)
		if part == 0 {
			continue
		}
		band := m.arising(from)
		for to := range mounts {
			if from == to {
				for b, v := range band {
					out[to].band[b] += v * v
				}
				out[to].ultra += part * e.ultra * ultra * math.Sqrt(f.unsteady[from])
				continue
			}
			along := path(from, to)
			for b, v := range band {
				v *= min(1, along.band[b]*m.transfer[from][to])
				out[to].band[b] += v * v
			}
			out[to].ultra += part * e.ultra * ultra * along.ultra
		}
	}
	for i := range out {
		for b, energy := range out[i].band {
			out[i].band[b] = math.Sqrt(energy)
		}
	}
	return out
}

// faultTemp is the temperature rise at the mount point that the fault leads to, K.
func (m *Machine) faultTemp(to int) (rise float64) {
	if m.fault == nil {
		return 0
	}
	for from := range mounts {
		part, e := m.fault.effectAt(from)
		if part == 0 {
			continue
		}
		along := 1.0
		if from != to {
			along = path(from, to).temp
		}
		rise += along * part * e.temp
	}
	return rise * grown(m.fault.s, m.fault.sig.grows.temp)
}

// faultShare is a relative change of a process quantity at the present severity.
func (m *Machine) faultShare(of func(*signature) float64) float64 {
	if m.fault == nil {
		return 0
	}
	return of(m.fault.sig) * m.fault.s
}

// stir draws how unsteady the fault is in this sample.
func (m *Machine) stir() {
	f, r := m.fault, m.rng
	f.s = f.severity(m.now)
	swing := 1.0
	if f.sig.swing > 0 {
		f.phase += 2 * math.Pi / f.period * (0.8 + 0.4*r.Float64())
		swing = max(0, 1+f.sig.swing*math.Sin(f.phase))
	}
	impulse := 1.0
	if r.Float64() < f.sig.spikes {
		impulse = 2 + 2*r.Float64()
	}
	for i := range f.unsteady {
		f.unsteady[i] = swing * impulse * max(0.05, 1+f.sig.jitter*r.NormFloat64())
	}
	f.hydro = f.sig.hydroJ * r.NormFloat64()
}
