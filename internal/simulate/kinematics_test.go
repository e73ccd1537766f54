package simulate

import (
	"math"
	"testing"
	"time"

	"foresight/internal/telemetry"
)

// The deep groove ball bearing 6205 of every textbook: 9 balls of 7.94 mm on 39.04 mm.
func TestDefectFrequenciesOfABearing(t *testing.T) {
	k := kinematics{line: 50, balls: 9, ratio: 7.94 / 39.04, vanes: 6, bars: 40}
	for s, want := range map[source]float64{outer: 3.585, inner: 5.415, ball: 4.714, cage: 0.398, shaft: 1, vane: 6, rotorBar: 40} {
		if got := k.frequency(s, 1); math.Abs(got-want) > 0.001 {
			t.Errorf("source %d is at %.3f of the speed, want %.3f", s, got, want)
		}
	}
	if f := k.frequency(twice, 24.75); f != 100 {
		t.Errorf("the stator pulls at %v Hz", f)
	}
}

func TestLinesFallIntoBands(t *testing.T) {
	for _, c := range []struct {
		hz   float64
		band int
	}{{10, 0}, {49.5, 0}, {150, 1}, {700, 1}, {1500, 2}, {4000, 2}, {7000, 3}} {
		parts := share(c.hz)
		total := 0.0
		for _, p := range parts {
			total += p
		}
		if parts[c.band] < 0.85 || total > 1 {
			t.Errorf("%v Hz gives %v", c.hz, parts)
		}
	}
	if parts := share(100); math.Abs(parts[0]-0.5) > 1e-9 || math.Abs(parts[1]-0.5) > 1e-3 {
		t.Errorf("a line at the crossover gives %v", parts)
	}
	if parts := share(30000); parts[3] > 0.01 {
		t.Errorf("a line beyond the last band gives %v", parts)
	}
}

// The second harmonic of a two-pole motor is in band 2 on a 60 Hz grid, and that of a
// six-pole motor in band 1.
func TestSpeedDecidesTheBand(t *testing.T) {
	e := effect{lines: []line{{shaft, 2, 1}}}
	fast, slow := kinematics{}, kinematics{}
	if c := fast.content(&e, 3570.0/60); c.lines[1] < 2*c.lines[0] {
		t.Errorf("at 3570 rpm %v", c.lines)
	}
	if c := slow.content(&e, 990.0/60); c.lines[0] < 0.99 || c.lines[1] > 0.05 {
		t.Errorf("at 990 rpm %v", c.lines)
	}
}

func TestGridFollowsFromTheSpeed(t *testing.T) {
	for rpm, want := range map[float64]float64{1485: 50, 2970: 50, 990: 50, 740: 50, 1785: 60, 3570: 60, 2960: 50} {
		if m := NewMachine(1, Profile{NominalRPM: rpm}); m.kinematics.line != want {
			t.Errorf("%v rpm on %v Hz", rpm, m.kinematics.line)
		}
	}
}

// The order of the signs along the P-F interval: ultrasound before velocity before heat.
func TestABearingCriesBeforeItWarms(t *testing.T) {
	for seed := range uint64(10) {
		healthy, early := twins(t, seed, "bearing_outer_race_defect", 0.15)
		_, late := twins(t, seed, "bearing_outer_race_defect", 1)
		part := func(q int) float64 {
			most, of := 0.0, 0
			for mount := range mounts {
				if d := average(late, telemetry.At(mount, q)) - average(healthy, telemetry.At(mount, q)); d > most {
					most, of = d, mount
				}
			}
			return (average(early, telemetry.At(of, q)) - average(healthy, telemetry.At(of, q))) / most
		}
		ultra, temp := part(telemetry.Ultrasonic), part(telemetry.Temperature)
		if ultra < 0.2 || temp > 0.12 || ultra < 3*temp {
			t.Errorf("machine %d: at severity 0.15 %.2f of the ultrasound, %.2f of the heat", seed, ultra, temp)
		}
	}
}

func TestAStoppedMachineIsStill(t *testing.T) {
	m := NewMachine(3, Profile{Complete: true, Steady: true, DropoutRate: -1, RatedKW: 200})
	if err := m.SetFault("rotor_unbalance", 1); err != nil {
		t.Fatal(err)
	}
	running := take(m, 3)[2]
	m.Stop()
	still := m.Next(start.Add(6 * time.Hour))
	r := telemetry.Reading{Channels: still.Channels}
	if v, _ := r.BroadBand(); v > 0.3 || still.Speed != 0 || still.Current != 0 || still.Flow != 0 || still.Oil != 0 || !m.Standing() {
		t.Errorf("a stopped machine shows %+v", still)
	}
	if c := telemetry.At(0, telemetry.Temperature); still.Channels[c] > running.Channels[c]-10 {
		t.Errorf("it is as warm as before: %v", still.Channels[c])
	}
	m.Run()
	if s := m.Next(start.Add(7 * time.Hour)); s.Speed == 0 || m.Standing() {
		t.Error("it does not run again")
	}
}

func TestDutyIsTheShareOfRunning(t *testing.T) {
	running := 0
	const hours = 40000
	m := NewMachine(4, Profile{Duty: 0.7})
	for h := range hours {
		if s := m.Next(start.Add(time.Duration(h) * time.Hour)); s.Speed > 0 {
			running++
		}
	}
	if d := float64(running) / hours; math.Abs(d-0.7) > 0.03 {
		t.Errorf("runs %.3f of the time", d)
	}
}

func TestOilThinsWithHeat(t *testing.T) {
	p := Profile{Complete: true, Steady: true, DropoutRate: -1, RatedKW: 200, Load: 0.8}
	cool, hot := NewMachine(5, p), NewMachine(5, p)
	if err := hot.SetFault("cooling_failure", 0.8); err != nil {
		t.Fatal(err)
	}
	hot.Settle()
	oil := func(m *Machine) float64 { return mean(take(m, 50), func(s *Sample) float64 { return s.Oil }) }
	a, b := oil(cool), oil(hot)
	if a < 1 || a > 3 || b > 0.9*a {
		t.Errorf("%.2f bar, without cooling %.2f", a, b)
	}
	if s := NewMachine(5, Profile{RatedKW: 30}).Next(start); s.Oil == s.Oil || len(s.Values()) != 4 {
		t.Errorf("a greased machine has oil pressure %v", s.Oil)
	}
}
