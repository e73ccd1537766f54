package daily

import (
	"math"
	"testing"
	"time"
)

func TestHourBecomesPartOfTheDay(t *testing.T) {
	d := Day{Start: day}
	d.AddHour(hour(t, 3,
		map[string]float64{"motor_DE_vib_band_1": 3, "motor_DE_vib_band_2": 4, "motor_DE_vib_band_3": 1, "motor_DE_vib_band_4": 2, "motor_DE_ultrasonic": 20, "motor_DE_temperature": 50},
		map[string]float64{"pump_DE_vib_band_1": 1, "pump_DE_vib_band_2": 1, "pump_DE_ultrasonic": 40, "pump_DE_temperature": 70, "oil_pressure": 2},
	), 4.5)
	if want := (Stat{1, math.Sqrt(30), 30, math.Sqrt(30), math.Sqrt(30)}); d.VibrationRMS.Count != want.Count || math.Abs(d.VibrationRMS.Max-want.Max) > 1e-12 {
		t.Errorf("vibration %+v, want %+v: only where all bands were measured", d.VibrationRMS, want)
	}
	if want := (Stat{2, 120, 50*50 + 70*70, 50, 70}); d.BearingTemp != want {
		t.Errorf("bearing temperature %+v, want %+v", d.BearingTemp, want)
	}
	if want := (Stat{2, 60, 2000, 20, 40}); d.Ultrasonic != want {
		t.Errorf("ultrasonic %+v, want %+v", d.Ultrasonic, want)
	}
	if d.OilPressure != stat(2) {
		t.Errorf("oil pressure %+v", d.OilPressure)
	}
	if d.Energy != 30 || d.HighEnergy != 5 {
		t.Errorf("energies %v and %v, want 30 and 5", d.Energy, d.HighEnergy)
	}
	if d.BroadBand != stat(5) {
		t.Errorf("broad-band velocity %+v, want 5", d.BroadBand)
	}
	if want := Hours(1 << 3); d.Heard != want || d.Exceeded != (Evidence{want, want}) || d.Shaking != (Evidence{want, want}) {
		t.Errorf("heard %b, exceeded %+v, shaking %+v, want hour 3 in all", d.Heard, d.Exceeded, d.Shaking)
	}
}

func TestZoneNeedsALimit(t *testing.T) {
	h := hour(t, 0, map[string]float64{"motor_DE_vib_band_1": 9, "motor_DE_vib_band_2": 9})
	d := Day{Start: day}
	d.AddHour(h, math.NaN())
	if d.Exceeded != (Evidence{}) {
		t.Errorf("graded without a limit: %+v", d.Exceeded)
	}
}

func TestOtherDaysAreLeftAside(t *testing.T) {
	d := Day{Start: day}
	for _, h := range []int{-1, 24, 48} {
		d.AddHour(hour(t, h, map[string]float64{"speed": 1500}), 4.5)
	}
	if d != (Day{Start: day}) {
		t.Errorf("taken from other days: %+v", d)
	}
}

func TestRunning(t *testing.T) {
	for _, c := range []struct {
		name      string
		hours     []map[string]float64 // one sensor's hour each, all of the same hour
		told, ran bool
	}{
		{"speed", []map[string]float64{{"speed": 1480}}, true, true},
		{"speed of a machine that stands", []map[string]float64{{"speed": 0}}, true, false},
		{"speed before current", []map[string]float64{{"speed": 0, "motor_current": 30}}, true, false},
		{"speed before vibration, by another sensor", []map[string]float64{{"vibration_rms": 1}, {"speed": 0}}, true, false},
		{"current", []map[string]float64{{"motor_current": 30}}, true, true},
		{"current before vibration", []map[string]float64{{"motor_current": 0, "vibration_rms": 1}}, true, false},
		{"vibration", []map[string]float64{{"vibration_rms": 0.31}}, true, true},
		{"vibration from the neighbours", []map[string]float64{{"vibration_rms": 0.2}}, true, false},
		{"nothing to tell from", []map[string]float64{{"humidity": 40}}, false, false},
	} {
		d := Day{Start: day}
		for _, h := range c.hours {
			d.AddHour(hour(t, 7, h), math.NaN())
		}
		if got := d.Running(); (got.Told == 1<<7) != c.told || (got.Yes == 1<<7) != c.ran {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	d := Day{Start: day}
	d.AddHour(hour(t, 1, map[string]float64{"speed": 1480}), math.NaN())
	d.AddHour(hour(t, 2, map[string]float64{"vibration_rms": 2}), math.NaN())
	if got := d.Running().Yes; got != 1<<1|1<<2 {
		t.Errorf("hours %b: each by what it has", got)
	}
	if n := (&Inputs{Days: []Day{d}}); Extract(n, day.Add(5*time.Hour))[running30] != 2 {
		t.Errorf("running hours %v, want 2", Extract(n, day)[running30])
	}
}
