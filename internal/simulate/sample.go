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
	for i := range mounts {
		var f effect
		if m.fault != nil {
			f = m.felt(i)
		}
		h := &m.healthy[i]
		loaded := 0.72 + 0.35*m.load
		for b := range bands {
			v := h.band[b] * loaded
			if b == telemetry.Band1 {
				v *= ratio * ratio
			}
			v = math.Hypot(v, f.band[b])
			s.Channels[telemetry.At(i, b)] = v * max(0.05, 1+m.mood[i]+0.045*r.NormFloat64())
		}
		s.Channels[telemetry.At(i, telemetry.Ultrasonic)] = max(0, h.ultra+4*(m.load-0.8)+f.ultra+0.9*r.NormFloat64())
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

// process fills current, speed, flow and pressure.
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
	s.Speed = p.NominalRPM * ratio
	s.Current = p.RatedKW * 1.8 * (0.3 + 0.7*m.load) * change(func(g *signature) float64 { return g.current }) * (noise(0.01) + beat)
	s.Flow = p.RatedFlow * m.load * ratio * change(func(g *signature) float64 { return g.flow }) * max(0, noise(0.01)+hydro)
	s.Pressure = p.RatedBar * ratio * ratio * (1.15 - 0.15*m.load) * change(func(g *signature) float64 { return g.pressure }) * max(0, noise(0.006)+hydro)
}

// Values returns the process parameters under their catalogue names, sorted.
func (s *Sample) Values() []telemetry.Value {
	return []telemetry.Value{
		{Name: telemetry.Flow, Value: round(s.Flow)},
		{Name: telemetry.MotorCurrent, Value: round(s.Current)},
		{Name: telemetry.Pressure, Value: round(s.Pressure)},
		{Name: telemetry.Speed, Value: round(s.Speed)},
	}
}

func round(v float64) float64 { return math.Round(v*1e4) / 1e4 }
