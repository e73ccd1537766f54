package simulate

import (
	"math"
	"time"

	"foresight/internal/telemetry"
)

// Sample is what the machine's sensor measures at one time.
type Sample struct {
	Timestamp time.Time
	Channels  [telemetry.Channels]float64 // NaN: missing
	Current   float64                     // A
	Speed     float64                     // rpm
	Flow      float64                     // m³/h
	Pressure  float64                     // bar, discharge
	Oil       float64                     // bar, NaN without forced lubrication
}

// Next measures the machine at t. Times should ascend; the dynamics follow the
// time between samples.
func (m *Machine) Next(t time.Time) Sample {
	m.advance(t)
	if m.fault != nil {
		m.stir()
	}
	s := Sample{Timestamp: t}
	ratio := m.speedRatio()
	r := m.rng
	var added [mounts]felt
	if m.fault != nil && !m.standing {
		added = m.feel()
	}
	for i := range mounts {
		f := &added[i]
		h := &m.healthy[i]
		loaded := 0.72 + 0.35*m.load
		for b := range bands {
			v := h.band[b] * loaded
			if b == telemetry.Band1 {
				v *= ratio * ratio
			}
			v = math.Hypot(v, f.band[b])
			if m.standing {
				v = stillVibration * h.band[b]
			}
			s.Channels[telemetry.At(i, b)] = v * max(0.05, 1+m.mood[i]+0.045*r.NormFloat64())
		}
		s.Channels[telemetry.At(i, telemetry.Ultrasonic)] = max(0, m.ultrasonic(i, f.ultra)+0.9*r.NormFloat64())
		s.Channels[telemetry.At(i, telemetry.Temperature)] = m.temp[i] + 0.2*r.NormFloat64()
	}
	m.process(&s, ratio)
	if m.sensor != nil {
		m.sensor.distort(r, t, &s.Channels)
	}
	for c := range s.Channels {
		if m.absent[c] || r.Float64() < m.profile.DropoutRate {
			s.Channels[c] = math.NaN()
		} else {
			s.Channels[c] = math.Round(s.Channels[c]*1e4) / 1e4 // a transmitter's resolution
		}
	}
	return s
}

// What a stopped machine still shows: vibration from its neighbours, the noise of its
// amplifier, the static head in its discharge.
const (
	stillVibration = 0.08 // of the level when it runs
	stillUltra     = 16   // dB less than when it runs
	staticHead     = 0.35 // of the discharge pressure
)

// ultrasonic is the level at the mount point, dBµV, of which the fault makes a part.
func (m *Machine) ultrasonic(i int, fault float64) float64 {
	if m.standing {
		return m.healthy[i].ultra - stillUltra
	}
	return m.healthy[i].ultra + 4*(m.load-0.8) + fault
}

// process fills current, speed, flow and the pressures.
func (m *Machine) process(s *Sample, ratio float64) {
	r := m.rng
	p := &m.profile
	noise := func(sigma float64) float64 { return 1 + sigma*r.NormFloat64() }
	beat, hydro := 0.0, 0.0
	if f := m.fault; f != nil {
		beat = f.sig.currentJ * f.s * math.Sin(f.phase+r.Float64())
		hydro = f.hydro * f.s
	}
	change := func(of func(*signature) float64) float64 { return max(0, 1+m.faultShare(of)) }
	s.Oil = math.NaN()
	if m.standing {
		s.Pressure = staticHead * p.RatedBar * noise(0.006)
		if m.oilSet > 0 {
			s.Oil = 0
		}
		return
	}
	if m.oilSet > 0 {
		// Warm oil is thin: about a percent less for each kelvin.
		warm := (m.temp[0]+m.temp[1])/2 - m.ambient - 27
		s.Oil = m.oilSet * math.Sqrt(ratio) * math.Exp(-0.01*warm) * change(func(g *signature) float64 { return g.oil }) * noise(0.01)
	}
	s.Speed = p.NominalRPM * ratio
	s.Current = p.RatedKW * 1.8 * (0.3 + 0.7*m.load) * change(func(g *signature) float64 { return g.current }) * (noise(0.01) + beat)
	s.Flow = p.RatedFlow * m.load * ratio * change(func(g *signature) float64 { return g.flow }) * max(0, noise(0.01)+hydro)
	s.Pressure = p.RatedBar * ratio * ratio * (1.15 - 0.15*m.load) * change(func(g *signature) float64 { return g.pressure }) * max(0, noise(0.006)+hydro)
}

// Values returns the process parameters under their catalogue names, sorted.
func (s *Sample) Values() []telemetry.Value {
	v := make([]telemetry.Value, 0, 5)
	v = append(v, telemetry.Value{Name: telemetry.Flow, Value: round(s.Flow)}, telemetry.Value{Name: telemetry.MotorCurrent, Value: round(s.Current)})
	if s.Oil == s.Oil { // not NaN
		v = append(v, telemetry.Value{Name: telemetry.OilPressure, Value: round(s.Oil)})
	}
	return append(v, telemetry.Value{Name: telemetry.Pressure, Value: round(s.Pressure)}, telemetry.Value{Name: telemetry.Speed, Value: round(s.Speed)})
}

func round(v float64) float64 { return math.Round(v*1e4) / 1e4 }
