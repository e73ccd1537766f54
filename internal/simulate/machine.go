package simulate

import (
	"math"
	"math/rand/v2"
	"time"

	"foresight/internal/telemetry"
)

const (
	thermalTau = 15 * time.Minute // of a bearing housing or a winding
	loadTau    = 3 * time.Minute  // how fast the load follows its set point
	regimeMean = 4 * time.Hour    // between changes of the set point
	mounts     = telemetry.MountPoints
	bands      = 4

	// Smaller machines have grease or an oil bath.
	forcedLubrication = 110 // kW
	// stopMean is the mean length of a stop of a machine that does not run through.
	stopMean = 8 * time.Hour
)

// Machine is one motor-pump set. It is not safe for concurrent use.
type Machine struct {
	profile Profile
	seed    uint64
	rng     *rand.Rand // runs on with every sample

	kinematics kinematics
	healthy    [mounts]level // at rated speed and load 0.8
	size       float64       // velocity of a fault relative to an average machine
	variable   bool          // on a variable-speed drive
	absent     [telemetry.Channels]bool
	transfer   [mounts][mounts]float64 // the machine's own deviation from the usual path

	now      time.Time
	steps    int
	setPoint float64
	load     float64
	speedSet float64 // share of the nominal speed
	ambient  float64
	temp     [mounts]float64 // °C
	mood     [mounts]float64 // slow common scatter of a mount point's levels

	halted   bool    // by Stop
	idle     bool    // between two runs of its duty
	standing bool    // one of the two, at the last sample
	oilSet   float64 // oil pressure at rated speed in a warm and healthy machine, bar; 0: no forced lubrication

	fault  *fault
	sensor *brokenSensor
}

// level is what a healthy mount point shows.
type level struct {
	band  [bands]float64 // mm/s RMS
	ultra float64        // dBµV
	rise  float64        // K above ambient at rated load
}

// NewMachine makes the machine that the seed and the profile determine.
func NewMachine(seed uint64, p Profile) *Machine {
	r := rand.New(rand.NewPCG(seed, 0x6d616368696e65)) // "machine"
	m := &Machine{seed: seed, rng: rand.New(rand.NewPCG(seed, 0x73616d706c6573))}
	m.profile = p.fill(r)
	m.size = math.Pow(m.profile.RatedKW/60, 0.12) * lognormal(r, 0.18)
	m.variable = r.Float64() < 0.25 && !p.Steady
	m.setPoint, m.load, m.speedSet = m.profile.Load, m.profile.Load, 1
	machineUltra := 31 + 4*r.NormFloat64()
	motorRise, pumpRise := 3.5*r.NormFloat64(), 2.5*r.NormFloat64()
	softness := 1.0
	if m.profile.Mount == Flexible {
		softness = 1.6
	}
	for i := range m.healthy {
		motor, end := i < 2, i%2 // end 1 is the non-drive end
		l := &m.healthy[i]
		for b, typical := range [bands]float64{0.85 * softness, 0.45, 0.17, 0.08} {
			l.band[b] = typical * m.size * lognormal(r, 0.28) * (1 - 0.08*float64(end))
		}
		l.ultra = machineUltra + 2*r.NormFloat64()
		l.rise = 15 + pumpRise + 2*r.NormFloat64()
		if motor {
			l.rise = 27 + motorRise + 2*r.NormFloat64() - 3*float64(end)
		}
		for j := range m.transfer[i] {
			m.transfer[i][j] = lognormal(r, 0.25)
		}
	}
	k := rand.New(rand.NewPCG(seed, 0x6b696e656d617469)) // "kinemati"
	m.kinematics = newKinematics(k, m.profile.NominalRPM)
	if m.profile.RatedKW >= forcedLubrication {
		m.oilSet = 1.4 + 0.9*k.Float64()
	}
	noUltrasonic, noFarPump := r.Float64() < 0.08, r.Float64() < 0.05
	if !p.Complete {
		for c := telemetry.Channel(0); c < telemetry.Channels; c++ {
			m.absent[c] = noUltrasonic && c.Quantity() == telemetry.Ultrasonic || noFarPump && c.Mount() == 3
		}
	}
	m.Settle()
	return m
}

// Profile returns what the machine is, with all that the seed drew.
func (m *Machine) Profile() Profile { return m.profile }

// Settle lets the temperatures reach what the present state leads to, as if it had
// lasted for hours.
func (m *Machine) Settle() {
	m.ambient = m.profile.AmbientC
	for i := range m.temp {
		m.temp[i] = m.target(i)
	}
}

// target is the temperature at which the mount point ends up, °C.
func (m *Machine) target(i int) float64 {
	if m.standing {
		return m.ambient
	}
	load := m.load / 0.8
	return m.ambient + m.healthy[i].rise*(0.35+0.65*load*load) + m.faultTemp(i)
}

// advance moves the operating point and the temperatures on to t. Samples at or
// before the last one's time leave them where they are.
func (m *Machine) advance(t time.Time) {
	var dt time.Duration
	if m.steps > 0 {
		dt = max(0, t.Sub(m.now))
	}
	m.now = t
	m.steps++
	r := m.rng
	if !m.profile.Steady && r.Float64() < 1-decay(dt, regimeMean) {
		m.setPoint = 0.5 + 0.5*r.Float64()
		if m.variable {
			m.speedSet = 0.75 + 0.25*r.Float64()
		}
	}
	if d := m.profile.Duty; d > 0 && d < 1 && !m.profile.Steady {
		// The machine runs for a mean of stopMean d/(1-d): the share d of all time.
		mean := stopMean
		if !m.idle {
			mean = time.Duration(float64(stopMean) * d / (1 - d))
		}
		if r.Float64() < 1-decay(dt, mean) {
			m.idle = !m.idle
		}
	}
	m.standing = m.halted || m.idle
	k := decay(dt, loadTau)
	m.load = m.setPoint + (m.load-m.setPoint)*k + 0.02*math.Sqrt(1-k*k)*r.NormFloat64()
	m.load = min(1.2, max(0.2, m.load))
	day := 2 * math.Pi * float64(t.Unix()%86400) / 86400
	m.ambient = m.profile.AmbientC - 3*math.Cos(day)
	k = decay(dt, thermalTau)
	for i := range m.temp {
		target := m.target(i)
		m.temp[i] = target + (m.temp[i]-target)*k
		m.mood[i] = 0.6*m.mood[i] + 0.8*0.035*r.NormFloat64()
	}
}

// Standing reports whether the machine stood still at the last sample.
func (m *Machine) Standing() bool { return m.standing }

// Stop brings the machine to a standstill from the next sample on, Run lets it run
// again, as its duty wants.
func (m *Machine) Stop() { m.halted = true }

// Run ends what Stop began.
func (m *Machine) Run() { m.halted = false }

// speedRatio is the speed relative to the nominal one.
func (m *Machine) speedRatio() float64 {
	return m.speedSet * (1 - 0.012*m.load - m.faultShare(func(s *signature) float64 { return s.slip }))
}

// decay is the part of a deviation that is left after dt.
func decay(dt, tau time.Duration) float64 { return math.Exp(-dt.Seconds() / tau.Seconds()) }

// lognormal is a positive factor with median 1.
func lognormal(r *rand.Rand, sigma float64) float64 { return math.Exp(sigma * r.NormFloat64()) }
