package simulate

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"foresight/internal/telemetry"
)

func TestWeibullLives(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	w := wearout{shape: 2, scale: 1000}
	fresh, old := 0.0, 0.0
	const n = 20000
	for range n {
		fresh += w.remaining(r, 0, 1) / n
		old += w.remaining(r, 1000, 1) / n
	}
	// The mean of a Weibull life of shape 2 is Γ(1.5) of its scale; after one scale it is
	// erfc(1) e √π/2 of it, 0.379.
	if math.Abs(fresh-886) > 15 || math.Abs(old-379) > 10 {
		t.Errorf("mean lives %.0f when new, %.0f when old", fresh, old)
	}
	chance := wearout{shape: 1, scale: 1000}
	if a, b := chance.remaining(rand.New(rand.NewPCG(2, 2)), 0, 1), chance.remaining(rand.New(rand.NewPCG(2, 2)), 5000, 1); math.Abs(a-b) > 1e-6 {
		t.Error("chance remembers")
	}
}

func TestLivesAreReproducible(t *testing.T) {
	a, b := NewLife(7, Profile{}, start, 700), NewLife(7, Profile{}, start, 700)
	strip := func(l *Life) []Episode {
		out := slices.Clone(l.Episodes)
		for i := range out {
			out[i].Growth.Start = out[i].Growth.Start.UTC()
		}
		return out
	}
	if !reflect.DeepEqual(strip(a), strip(b)) || !reflect.DeepEqual(a.Services, b.Services) {
		t.Error("one seed, two lives")
	}
	var x, y Hour
	one, two := a.Begin(), b.Begin()
	for h := range 2000 {
		at := start.Add(time.Duration(h) * time.Hour)
		if one.Hour(at, &x) != two.Hour(at, &y) || x.Faults != y.Faults || x.Rollup.Channels[0] != y.Rollup.Channels[0] {
			t.Fatalf("hour %d differs", h)
		}
	}
}

// What a reliability engineer asks of a fleet: how often machines fail, of what, and
// with how much warning.
func TestFleetIsPlausible(t *testing.T) {
	failures, repairs, years := 0, 0, 0.0
	byCode := map[string]int{}
	var intervals []float64
	for seed := range uint64(1000) {
		l := NewLife(seed, Profile{}, start, 730)
		years += 2
		last := l.Start
		for _, e := range l.Episodes {
			if e.Growth.Start.Before(last) || e.End.Before(e.Growth.Start) || e.End.After(l.End) {
				t.Fatalf("machine %d: episode %+v after %v", seed, e, last)
			}
			last = e.End
			switch e.Outcome {
			case Failed:
				failures++
				byCode[e.Code]++
				if s := e.Growth.At(e.End); s < 0.999 || !e.Fails {
					t.Fatalf("machine %d: %s fails at severity %v", seed, e.Code, s)
				}
				if e.Code == "bearing_outer_race_defect" {
					intervals = append(intervals, e.End.Sub(e.Growth.Start).Hours()/24)
				}
			case Repaired:
				repairs++
			}
		}
		if !slices.IsSortedFunc(l.Services, func(a, b Service) int { return a.At.Compare(b.At) }) {
			t.Fatalf("machine %d: services out of order", seed)
		}
	}
	if rate := float64(failures) / years; rate < 0.5 || rate > 1.6 {
		t.Errorf("%.2f failures a year and machine", rate)
	}
	if float64(repairs) < 0.15*float64(failures) || len(byCode) < 18 {
		t.Errorf("%d repairs for %d failures of %d kinds", repairs, failures, len(byCode))
	}
	slices.Sort(intervals)
	if m := intervals[len(intervals)/2]; m < 40 || m > 75 {
		t.Errorf("outer races give a median warning of %.0f days", m)
	}
}

func TestFailsWithin(t *testing.T) {
	day := func(n float64) time.Time { return start.Add(days24(n)) }
	l := &Life{Start: start, End: day(200), Episodes: []Episode{
		{Code: "rotor_unbalance", Growth: Degradation{Start: day(5), Life: days24(10)}, End: day(30), Outcome: Repaired},
		{Code: "cavitation", Growth: Degradation{Start: day(40), Life: days24(20)}, End: day(60), Outcome: Failed, Fails: true},
		{Code: "impeller_wear", Growth: Degradation{Start: day(90), Life: days24(60)}, End: day(120), Outcome: Repaired, Fails: true},
	}}
	for _, c := range []struct {
		at, horizon  float64
		fails, known bool
	}{
		{10, 30, false, true}, // a nuisance is no failure
		{31, 30, true, true},
		{29, 30, false, true},  // a day too early
		{60, 30, false, true},  // after the failure
		{100, 30, false, true}, // mended on day 120, would have failed on day 150
		{119, 30, false, true},
		{119.5, 31, false, false}, // would have failed within, had nobody mended it
		{180, 30, false, false},   // the record ends
	} {
		if fails, known := l.FailsWithin(day(c.at), days24(c.horizon)); fails != c.fails || known != c.known {
			t.Errorf("day %v, %v ahead: %v, %v", c.at, c.horizon, fails, known)
		}
	}
	if at, ok := l.NextFailure(day(10)); !ok || !at.Equal(day(60)) {
		t.Errorf("next failure %v", at)
	}
	if _, ok := l.NextFailure(day(60)); ok {
		t.Error("a failure after the last")
	}
}

func TestACourseFollowsItsLife(t *testing.T) {
	checked := 0
	for seed := uint64(0); checked < 10; seed++ {
		l := NewLife(seed, Profile{}, start, 500)
		if len(l.Episodes) == 0 || l.Episodes[0].Outcome != Failed {
			continue
		}
		checked++
		e := l.Episodes[0]
		c := l.Begin()
		at := func(t time.Time) (string, float64) { c.Next(t); return c.Machine().Fault() }
		if code, _ := at(e.Growth.Start.Add(-time.Minute)); code != telemetry.Normal {
			t.Errorf("machine %d begins with %s", seed, code)
		}
		middle := e.Growth.Start.Add(e.Growth.Life / 2)
		if code, s := at(middle); code != e.Code || s != e.Growth.At(middle) {
			t.Errorf("machine %d: %s at %v, want %s at %v", seed, code, s, e.Code, e.Growth.At(middle))
		}
		if at(e.End.Add(time.Minute)); !c.Machine().Standing() {
			t.Errorf("machine %d runs on after its failure", seed)
		}
		if code, _ := at(l.Stops[0].To.Add(time.Minute)); code == e.Code && (len(l.Episodes) < 2 || l.Episodes[1].Code != code) {
			t.Errorf("machine %d still has %s after the repair", seed, code)
		}
	}
}

// A day made of 24 representative readings is like one of all readings.
func TestHoursStandForTheirReadings(t *testing.T) {
	for seed := range uint64(12) {
		l := NewLife(seed, Profile{Complete: true, Steady: true, Duty: 1, DropoutRate: -1}, start, 300)
		l.PerHour, l.Silences = 60, nil
		day := start.AddDate(0, 0, 150)
		short, long := l.Begin(), l.Begin()
		var quick, full telemetry.Rollup
		full.Start, quick.Start = day, day
		for h := range 24 {
			var hour Hour
			if !short.Hour(day.Add(time.Duration(h)*time.Hour), &hour) {
				t.Fatal("not heard")
			}
			quick.Merge(&hour.Rollup)
			for i := range 60 {
				s, _ := long.Next(day.Add(time.Duration(h)*time.Hour + time.Duration(i)*time.Minute))
				full.Add(&telemetry.Raw{Reading: telemetry.Reading{Timestamp: s.Timestamp, Channels: s.Channels, Values: s.Values()}, LogSeq: uint64(h*60 + i + 1)})
			}
		}
		for _, name := range []string{telemetry.VibrationRMS, telemetry.BearingTemp, telemetry.MotorCurrent, "pump_DE_ultrasonic"} {
			a, b := quick.Parameter(name), full.Parameter(name)
			if a.Count != b.Count || math.Abs(a.Mean()/b.Mean()-1) > 0.06 || math.Abs(a.Max/b.Max-1) > 0.15 || math.Abs(a.Min/b.Min-1) > 0.15 || a.StdDev() > 2*b.StdDev()+0.05*b.Mean() || a.StdDev() < 0.4*b.StdDev() {
				code, s := long.Machine().Fault()
				t.Errorf("machine %d (%s %.2f): %s %.2f ± %.2f, %.2f to %.2f of %d; with all readings %.2f ± %.2f, %.2f to %.2f of %d", seed, code, s, name,
					a.Mean(), a.StdDev(), a.Min, a.Max, a.Count, b.Mean(), b.StdDev(), b.Min, b.Max, b.Count)
			}
		}
	}
}

// An hour in which the machine stands counts as much as one in which it runs.
func TestHoursOfAStopCount(t *testing.T) {
	l := NewLife(5, Profile{Duty: 1, DropoutRate: -1}, start, 300)
	l.PerHour, l.Silences, l.Stops, l.Episodes = 60, nil, []Span{{start.Add(time.Hour), start.Add(2 * time.Hour)}}, nil
	c := l.Begin()
	for i := range 3 {
		var h Hour
		c.Hour(start.Add(time.Duration(i)*time.Hour), &h)
		a := h.Rollup.Parameter(telemetry.MotorCurrent)
		if stands := i == 1; a.Count != 60 || (a.Mean() == 0) != stands || c.Machine().Standing() != stands {
			t.Errorf("hour %d: %+v", i, a)
		}
	}
}

func BenchmarkHour(b *testing.B) {
	l := NewLife(1, Profile{}, start, 10000)
	c := l.Begin()
	var h Hour
	b.ReportAllocs()
	at := start
	for b.Loop() {
		at = at.Add(time.Hour)
		c.Hour(at, &h)
	}
}
