package simulate

import (
	"math"
	"testing"
	"time"

	"foresight/internal/telemetry"
)

var start = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

// take measures n samples, 5 s apart.
func take(m *Machine, n int) []Sample {
	out := make([]Sample, n)
	for i := range out {
		out[i] = m.Next(start.Add(time.Duration(i) * 5 * time.Second))
	}
	return out
}

// average of one channel over the samples that have it.
func average(samples []Sample, c telemetry.Channel) float64 {
	total, n := 0.0, 0.0
	for _, s := range samples {
		if v := s.Channels[c]; !math.IsNaN(v) {
			total, n = total+v, n+1
		}
	}
	return total / n
}

func mean(samples []Sample, f func(*Sample) float64) float64 {
	total := 0.0
	for i := range samples {
		total += f(&samples[i])
	}
	return total / float64(len(samples))
}

// twins are the same machine, healthy and with the fault, at the same load.
func twins(t *testing.T, seed uint64, code string, severity float64) (healthy, faulty []Sample) {
	t.Helper()
	p := Profile{Complete: true, Steady: true, DropoutRate: -1}
	a, b := NewMachine(seed, p), NewMachine(seed, p)
	if err := b.SetFault(code, severity); err != nil {
		t.Fatal(err)
	}
	b.Settle()
	return take(a, 200), take(b, 200)
}

func TestSameSeedSameSamples(t *testing.T) {
	same := func(a, b []Sample) bool {
		for i := range a {
			for c := range a[i].Channels {
				if math.Float64bits(a[i].Channels[c]) != math.Float64bits(b[i].Channels[c]) {
					return false
				}
			}
		}
		return true
	}
	run := func(seed uint64) []Sample {
		m := NewMachine(seed, Profile{})
		if err := m.SetFault("cavitation", 0.7); err != nil {
			t.Fatal(err)
		}
		return take(m, 50)
	}
	if !same(run(1), run(1)) {
		t.Error("one seed, two histories")
	}
	if same(run(1), run(2)) {
		t.Error("two seeds, one history")
	}
}

func TestEveryCodeIsKnown(t *testing.T) {
	m := NewMachine(1, Profile{})
	for _, c := range telemetry.FaultCodes() {
		if err := m.SetFault(c.Code, 0.5); err != nil {
			t.Error(err)
		}
		want := 0.5
		if c.Code == telemetry.Normal {
			want = 0
		}
		m.Next(start)
		if code, s := m.Fault(); code != c.Code || s != want {
			t.Errorf("%s at 0.5 is %s at %v", c.Code, code, s)
		}
	}
	if len(signatures) != len(telemetry.FaultCodes())-2 {
		t.Errorf("%d signatures", len(signatures))
	}
	if err := m.SetFault("gremlins", 1); err == nil {
		t.Error("an unknown code is no error")
	}
	if err := m.SetFault("cavitation", 0); err != nil {
		t.Error(err)
	}
	if code, _ := m.Fault(); code != telemetry.Normal {
		t.Errorf("severity 0 is %s", code)
	}
}

// Whatever is simulated passes admission, and healthy machines are in the zones A
// and B of ISO 20816-3 on their support.
func TestSamplesArePlausible(t *testing.T) {
	limits := map[string]telemetry.Parameter{}
	for _, p := range telemetry.BuiltIn() {
		limits[p.Name] = p
	}
	for seed := range uint64(40) {
		for _, c := range telemetry.FaultCodes() {
			m := NewMachine(seed, Profile{})
			if err := m.SetFault(c.Code, 1); err != nil {
				t.Fatal(err)
			}
			m.Settle()
			for _, s := range take(m, 20) {
				r := telemetry.Reading{Channels: s.Channels}
				l, judged := m.Profile().Limits()
				if v, ok := r.BroadBand(); c.Code == telemetry.Normal && ok && judged && v > l.BC {
					t.Errorf("seed %d: a healthy machine at %v mm/s, the limit of zone B is %v", seed, v, l.BC)
				}
				values := s.Values()
				for ch, v := range s.Channels {
					if !math.IsNaN(v) {
						values = append(values, telemetry.Value{Name: telemetry.Channel(ch).String(), Value: v})
					}
				}
				for _, v := range values {
					if p := limits[v.Name]; !(v.Value >= p.Min && v.Value <= p.Max) {
						t.Fatalf("seed %d, %s: %s = %v, plausible %v to %v", seed, c.Code, v.Name, v.Value, p.Min, p.Max)
					}
				}
			}
		}
	}
}

// What an analyst expects of a fault, beside the same machine in health.
func TestSignatures(t *testing.T) {
	const motorDE, motorNDE, pumpDE, pumpNDE = 0, 1, 2, 3
	at := telemetry.At
	ratio := func(h, f []Sample, c telemetry.Channel) float64 { return average(f, c) / average(h, c) }
	rise := func(h, f []Sample, c telemetry.Channel) float64 { return average(f, c) - average(h, c) }
	for _, c := range []struct {
		name, code string
		holds      func(h, f []Sample) bool
	}{
		{"cavitation cries in ultrasound at the pump", "cavitation", func(h, f []Sample) bool {
			return rise(h, f, at(pumpDE, telemetry.Ultrasonic)) > 10 && rise(h, f, at(motorNDE, telemetry.Ultrasonic)) < 4
		}},
		{"cavitation is broad-band above 1 kHz at the pump", "cavitation", func(h, f []Sample) bool {
			return ratio(h, f, at(pumpNDE, telemetry.Band4)) > 5 && ratio(h, f, at(pumpNDE, telemetry.Band3)) > 3 && ratio(h, f, at(motorNDE, telemetry.Band4)) < 1.5
		}},
		{"cavitation costs pressure", "cavitation", func(h, f []Sample) bool {
			return mean(f, func(s *Sample) float64 { return s.Pressure }) < 0.98*mean(h, func(s *Sample) float64 { return s.Pressure })
		}},
		{"misalignment shakes the coupling side more than the far ends", "parallel_misalignment", func(h, f []Sample) bool {
			return ratio(h, f, at(motorDE, telemetry.Band1))+ratio(h, f, at(motorDE, telemetry.Band2)) >
				1.4*(ratio(h, f, at(motorNDE, telemetry.Band1))+ratio(h, f, at(motorNDE, telemetry.Band2)))
		}},
		{"angular misalignment rocks the far ends too", "angular_misalignment", func(h, f []Sample) bool {
			return ratio(h, f, at(motorNDE, telemetry.Band1)) > 1.5 && ratio(h, f, at(pumpNDE, telemetry.Band1)) > 1.5
		}},
		{"unbalance stays below 100 Hz", "rotor_unbalance", func(h, f []Sample) bool {
			low := max(ratio(h, f, at(motorDE, telemetry.Band1)), ratio(h, f, at(pumpDE, telemetry.Band1)))
			return low > 2 && ratio(h, f, at(motorDE, telemetry.Band3)) < 1.1 && ratio(h, f, at(pumpDE, telemetry.Band3)) < 1.1
		}},
		{"without cooling the motor warms and does not shake", "cooling_failure", func(h, f []Sample) bool {
			return rise(h, f, at(motorNDE, telemetry.Temperature)) > 12 && ratio(h, f, at(motorDE, telemetry.Band2)) < 1.1
		}},
		{"a dry pump delivers nothing", "dry_running", func(h, f []Sample) bool {
			return mean(f, func(s *Sample) float64 { return s.Flow }) < 0.4*mean(h, func(s *Sample) float64 { return s.Flow })
		}},
		{"single phasing draws current", "single_phasing", func(h, f []Sample) bool {
			return mean(f, func(s *Sample) float64 { return s.Current }) > 1.3*mean(h, func(s *Sample) float64 { return s.Current })
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var not []uint64
			for seed := range uint64(20) {
				if h, f := twins(t, seed, c.code, 0.8); !c.holds(h, f) {
					not = append(not, seed)
				}
			}
			if len(not) > 2 { // machines differ: some are loud in health
				t.Errorf("not on machines %v of 20", not)
			}
		})
	}
}

func TestUnbalanceGoesWithTheSquareOfTheSpeed(t *testing.T) {
	level := func(share float64) float64 {
		p := Profile{Complete: true, Steady: true, DropoutRate: -1}
		m := NewMachine(5, p)
		if err := m.SetFault("rotor_unbalance", 1); err != nil {
			t.Fatal(err)
		}
		m.speedSet = share
		s := take(m, 300)
		return max(average(s, telemetry.At(0, telemetry.Band1)), average(s, telemetry.At(2, telemetry.Band1)))
	}
	if r := level(0.5) / level(1); r < 0.22 || r > 0.29 {
		t.Errorf("half the speed has %.2f of the velocity, want about a quarter", r)
	}
}

func TestTemperatureFollowsWithInertia(t *testing.T) {
	m := NewMachine(3, Profile{Complete: true, Steady: true, DropoutRate: -1, Load: 0.8})
	m.Next(start)
	before := m.temp[0]
	if err := m.SetFault("cooling_failure", 1); err != nil {
		t.Fatal(err)
	}
	m.Next(start.Add(time.Second))
	soon := m.temp[0] - before
	for i := range 30 {
		m.Next(start.Add(time.Duration(i+1) * time.Minute))
	}
	half := m.temp[0] - before
	m.Settle()
	full := m.target(0) - before
	if soon > 0.2 || half < 0.6*full || half > 0.98*full || full < 20 {
		t.Errorf("rose %.2f K in a second, %.1f in half an hour, %.1f in the end", soon, half, full)
	}
}

func TestBrokenSensorsBreakPhysics(t *testing.T) {
	seen := map[mode]bool{}
	for seed := range uint64(60) {
		m := NewMachine(seed, Profile{Complete: true, Steady: true, DropoutRate: -1})
		if err := m.SetFault(sensorFault, 1); err != nil {
			t.Fatal(err)
		}
		healthy := take(NewMachine(seed, Profile{Complete: true, Steady: true, DropoutRate: -1}), 14)
		samples := take(m, 14)
		seen[m.sensor.mode] = true
		broken := map[telemetry.Channel]bool{}
		for _, c := range m.sensor.channels {
			broken[c] = true
			var lo, hi, off float64 = math.Inf(1), math.Inf(-1), 0
			for i, s := range samples {
				lo, hi = min(lo, s.Channels[c]), max(hi, s.Channels[c])
				off = max(off, math.Abs(s.Channels[c]-healthy[i].Channels[c]))
			}
			if mode := m.sensor.mode; (mode == stuck || mode == cut) && hi != lo {
				t.Errorf("seed %d: %s moves in mode %d", seed, c, mode)
			} else if mode == drifting && off < 0.5 {
				t.Errorf("seed %d: %s drifts by %v only", seed, c, off)
			}
		}
		for c := range telemetry.Channel(telemetry.Channels) {
			if a, b := average(healthy, c), average(samples, c); !broken[c] && math.Abs(a-b) > 0.15*math.Abs(a)+2 {
				t.Errorf("seed %d: %s is well and reads %v for %v", seed, c, b, a)
			}
		}
	}
	if len(seen) != int(modes) {
		t.Errorf("only %d ways to fail in 60 machines", len(seen))
	}
}

func TestDegradation(t *testing.T) {
	d := Degradation{Start: start, Life: 100 * time.Hour, From: 0.1, To: 0.9, Steepness: 4}
	at := func(h float64) float64 { return d.At(start.Add(time.Duration(h * float64(time.Hour)))) }
	if at(-5) != 0.1 || math.Abs(at(100)-0.9) > 1e-12 || math.Abs(at(500)-0.9) > 1e-12 {
		t.Errorf("from %v to %v", at(-5), at(500))
	}
	if mid := at(50); mid > 0.25 {
		t.Errorf("half the life has %v: the growth is late", mid)
	}
	for h := 0.0; h < 100; h++ {
		if at(h+1) < at(h) {
			t.Fatalf("heals at hour %v", h)
		}
	}
	straight := Degradation{Start: start, Life: time.Hour, To: 1}
	if got := straight.At(start.Add(15 * time.Minute)); math.Abs(got-0.25) > 1e-12 {
		t.Errorf("a quarter along the straight line is %v", got)
	}
	m := NewMachine(1, Profile{})
	if err := m.Degrade("impeller_wear", d); err != nil {
		t.Fatal(err)
	}
	m.Next(start.Add(100 * time.Hour))
	if _, s := m.Fault(); math.Abs(s-0.9) > 1e-12 {
		t.Errorf("the machine is at %v", s)
	}
}

func TestDropouts(t *testing.T) {
	missing := func(p Profile) (n int) {
		for _, s := range take(NewMachine(1, p), 100) {
			for _, v := range s.Channels {
				if math.IsNaN(v) {
					n++
				}
			}
		}
		return n
	}
	if n := missing(Profile{Complete: true, DropoutRate: -1}); n != 0 {
		t.Errorf("%d missing values without drop-outs", n)
	}
	if n := missing(Profile{Complete: true, DropoutRate: 0.1}); n < 150 || n > 350 {
		t.Errorf("%d of 2400 values missing at 10 %%", n)
	}
}

func BenchmarkNext(b *testing.B) {
	m := NewMachine(1, Profile{})
	if err := m.SetFault("cavitation", 0.8); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	at := start
	for b.Loop() {
		at = at.Add(time.Second)
		m.Next(at)
	}
}
