package daily

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"foresight/internal/telemetry"
)

var day = time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)

func ago(days int) time.Time { return day.AddDate(0, 0, -days) }

func stat(values ...float64) (s Stat) {
	for _, v := range values {
		s.Add(v)
	}
	return s
}

// history is a machine with something in every window; the values that follow from it
// are worked out by hand.
func history() *Inputs {
	in := &Inputs{
		Alarms: []Alarm{
			{At: day.Add(23 * time.Hour)},
			{At: ago(6)},
			{At: ago(7).Add(23 * time.Hour)}, // outside of the 7 days
			{At: ago(29)},
			{At: ago(30)}, // outside of the 30
		},
		Maintenance: []Maintenance{
			{At: ago(9), Kind: Inspection},
			{At: ago(19), Kind: "preventive"},
			{At: ago(89), Kind: Corrective},
			{At: ago(90), Kind: Corrective}, // outside of the 90 days
			{At: ago(364), Kind: Corrective},
			{At: ago(365), Kind: Corrective}, // outside of the 365
		},
		Descriptions: []Description{{Type: "pump_set", Criticality: "high", InstalledOn: ago(999)}},
	}
	for i := range 120 {
		d := Day{Start: ago(i), BearingTemp: stat(60-0.25*float64(i), 64-0.25*float64(i)), Heard: 0b11, Predictions: 4}
		d.Drawing = Evidence{Told: 0b11, Yes: 0b01}
		d.Exceeded = Evidence{Told: 0b11}
		switch {
		case i < 7:
			d.VibrationRMS, d.Ultrasonic, d.MotorCurrent = stat(4, 6), stat(30, 34), stat(18, 22)
			d.OilPressure = stat(2, 3)
			d.Energy, d.HighEnergy = 10, 4
			d.Faults, d.Exceeded.Yes = 1, 0b10
		case i < 30:
			d.VibrationRMS, d.Ultrasonic = stat(2, 2), stat(20)
			d.Energy, d.HighEnergy = 10, 1
		default:
			d.VibrationRMS, d.OilPressure = stat(1, 9), stat(0.5)
		}
		in.Days = append(in.Days, d)
	}
	return in
}

func TestFeatures(t *testing.T) {
	got := Extract(history(), day)
	// Of 30 days 7 have vibration 4 and 6, and 23 have 2 and 2: mean (70 + 92) / 60.
	mean30 := 162.0 / 60
	std30 := math.Sqrt((7*(16+36)+23*8)/60.0 - mean30*mean30)
	mean90 := (162.0 + 600) / 180
	std90 := math.Sqrt((7*(16+36)+23*8+60*82)/180.0 - mean90*mean90)
	want := map[string]float64{
		"vibration_rms_7d_avg": 5, "vibration_rms_7d_std": 1, "vibration_rms_7d_max": 6,
		"vibration_rms_30d_avg": mean30, "vibration_rms_30d_std": std30, "vibration_rms_30d_max": 6,
		"vibration_rms_90d_avg": mean90, "vibration_rms_90d_std": std90, "vibration_rms_90d_max": 9,
		"bearing_temp_7d_avg": 62 - 0.75, "bearing_temp_7d_max": 64,
		"bearing_temp_30d_avg": 62 - 0.25*14.5, "bearing_temp_30d_max": 64, "bearing_temp_trend_30d": 0.25,
		"oil_pressure_7d_avg": 2.5, "oil_pressure_7d_min": 2, "oil_pressure_30d_avg": 2.5, "oil_pressure_30d_min": 2,
		"oil_pressure_trend_30d": 0,
		"motor_current_7d_avg":   20, "motor_current_7d_std": 2,
		"ultrasonic_7d_avg": 32, "ultrasonic_7d_max": 34,
		"ultrasonic_30d_avg": (14*32 + 23*20) / 37.0, "ultrasonic_30d_max": 34,
		"vib_band_3_4_energy_ratio_7d": 0.4, "vib_band_3_4_energy_ratio_30d": 51.0 / 300,
		"fault_prediction_share_7d": 0.25, "fault_prediction_share_30d": 7.0 / 120,
		"alert_count_7d": 2, "alert_count_30d": 4,
		"days_since_last_maintenance": 20, "maintenance_count_90d": 2, "corrective_count_365d": 3,
		"asset_age_days": 1000, "criticality_encoded": 2,
		"running_hours_30d": 30, "zone_exceed_hours_30d": 7, "telemetry_coverage_7d": 14.0 / 168,
		"asset_type_encoded": 2,
	}
	if len(want) != Count {
		t.Fatalf("%d values wanted, there are %d columns", len(want), Count)
	}
	for name, w := range want {
		i, ok := Place(name)
		if !ok {
			t.Fatalf("no column %s", name)
		}
		if g := float64(got[i]); !(math.Abs(g-w) <= 1e-6*max(1, math.Abs(w))) {
			t.Errorf("%s = %v, want %v", name, g, w)
		}
	}
}

func TestMissingIsNaN(t *testing.T) {
	zero := map[string]bool{"alert_count_7d": true, "alert_count_30d": true, "maintenance_count_90d": true, "corrective_count_365d": true, "telemetry_coverage_7d": true}
	for i, x := range Extract(&Inputs{}, day) {
		if name := columns[i].Name; zero[name] && x != 0 || !zero[name] && x == x {
			t.Errorf("%s = %v of a machine of which nothing is known", name, x)
		}
	}
}

func TestSlopeNeedsAWeek(t *testing.T) {
	in := &Inputs{}
	for i := range leastDays - 1 {
		in.Days = append(in.Days, Day{Start: ago(3 * i), BearingTemp: stat(float64(-3 * i))})
	}
	if got := Extract(in, day)[temperatureTrend]; got == got {
		t.Errorf("a slope of %v from %d days", got, leastDays-1)
	}
	in.Days = append(in.Days, Day{Start: ago(29), BearingTemp: stat(-29)})
	if got := Extract(in, day)[temperatureTrend]; math.Abs(float64(got)-1) > 1e-6 {
		t.Errorf("slope %v, want 1 a day", got)
	}
}

// Whatever happens after the day, or is known only after AsOf, changes nothing, no
// matter where it stands in the lists.
func TestNothingLaterEnters(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	in := history()
	want := Extract(in, day)
	end, asOf := End(day), AsOf(day)
	wild := Day{VibrationRMS: stat(1e3), BearingTemp: stat(400), OilPressure: stat(0), MotorCurrent: stat(1e4), Ultrasonic: stat(200),
		Energy: 1e6, HighEnergy: 1e6, Heard: 1<<24 - 1, Turning: Evidence{1<<24 - 1, 1<<24 - 1}, Exceeded: Evidence{1<<24 - 1, 1<<24 - 1}, Predictions: 100, Faults: 100}
	for range 300 {
		later := func(from time.Time) time.Time { return from.Add(time.Duration(r.Int64N(int64(400 * oneDay)))) }
		past := ago(r.IntN(80))
		switch r.IntN(8) {
		case 0: // a later day
			d := wild
			d.Start = day.AddDate(0, 0, 1+r.IntN(100))
			in.Days = append(in.Days, d)
		case 1: // a day's readings that came later
			d := wild
			d.Start, d.Known = past, later(asOf.Add(1))
			in.Days = append(in.Days, d)
		case 2:
			in.Alarms = append(in.Alarms, Alarm{At: later(end)})
		case 3:
			in.Alarms = append(in.Alarms, Alarm{At: past, Known: later(asOf.Add(1))})
		case 4:
			in.Maintenance = append(in.Maintenance, Maintenance{At: later(end), Kind: Corrective})
		case 5:
			in.Maintenance = append(in.Maintenance, Maintenance{At: past, Known: later(asOf.Add(1)), Kind: Corrective})
		case 6:
			in.Descriptions = append(in.Descriptions, Description{Known: later(asOf.Add(1)), Type: "fan", Criticality: "low", InstalledOn: past})
		case 7: // in the past and in time: only the order changes
			r.Shuffle(len(in.Days), func(i, j int) { in.Days[i], in.Days[j] = in.Days[j], in.Days[i] })
			r.Shuffle(len(in.Alarms), func(i, j int) { in.Alarms[i], in.Alarms[j] = in.Alarms[j], in.Alarms[i] })
		}
		if got := Extract(in, day); got != want {
			for i := range got {
				if got[i] != want[i] {
					t.Errorf("%s = %v with what came later, %v without", columns[i].Name, got[i], want[i])
				}
			}
			t.FailNow()
		}
	}
}

// The same things enter when they happened and were known just in time.
func TestWhatIsKnownInTimeEnters(t *testing.T) {
	in := history()
	before := Extract(in, day)
	last, known := End(day).Add(-1), AsOf(day)
	in.Alarms = append(in.Alarms, Alarm{At: last, Known: known})
	in.Maintenance = append(in.Maintenance, Maintenance{At: last, Known: known, Kind: Corrective})
	in.Descriptions = append(in.Descriptions, Description{Known: known, Type: "fan", Criticality: "low", InstalledOn: last})
	in.Days = append(in.Days, Day{Start: day, Known: known, VibrationRMS: stat(40)})
	after := Extract(in, day)
	for _, i := range []int{alerts7, alerts30, sinceMaintenance, maintenance90, corrective365, age, criticality, assetType, vibration7 + 2} {
		if before[i] == after[i] {
			t.Errorf("%s is %v still", columns[i].Name, after[i])
		}
	}
}

func TestDaysAndTimes(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for now, want := range map[string]string{
		"2026-04-01T01:59:59Z":      "2026-03-30T00:00:00Z",
		"2026-04-01T02:00:00Z":      "2026-03-31T00:00:00Z",
		"2026-04-01T04:00:00+02:00": "2026-03-31T00:00:00Z",
	} {
		if got := LastDay(at(now)); !got.Equal(at(want)) {
			t.Errorf("last day at %s is %s, want %s", now, got, want)
		}
	}
}

func TestSchema(t *testing.T) {
	seen := map[string]bool{}
	for i, c := range Columns() {
		if c.Name == "" || c.Unit == "" || c.Definition == "" || !(c.Min < c.Max) || seen[c.Name] {
			t.Errorf("column %d: %+v", i, c)
		}
		seen[c.Name] = true
		if p, ok := Place(c.Name); !ok || p != i || Names()[i] != c.Name {
			t.Errorf("%s stands at %d, found at %d", c.Name, i, p)
		}
	}
	// Models in stores name this hash. It changes only together with what the features
	// mean, and then every failure predictor must be trained again.
	const want = "30ce843296938d5537c0ceed03a62416f4ae78b764af6e1fcb8b715810d049b1"
	if got := SchemaHash(); got != want {
		t.Errorf("schema hash %s, want %s", got, want)
	}
}

func TestExtractAllocatesNothing(t *testing.T) {
	in := history()
	var v Vector
	if n := testing.AllocsPerRun(100, func() { v = Extract(in, day) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	_ = v
}

func BenchmarkExtract(b *testing.B) {
	in := history()
	in.Days = in.Days[:long]
	b.ReportAllocs()
	for b.Loop() {
		Extract(in, day)
	}
}

// hour is a rollup of readings with the values, by parameter.
func hour(t *testing.T, h int, readings ...map[string]float64) *telemetry.Rollup {
	t.Helper()
	r := &telemetry.Rollup{Start: day.Add(time.Duration(h) * time.Hour)}
	for i, values := range readings {
		raw := telemetry.Raw{LogSeq: uint64(i + 1)}
		raw.Timestamp, raw.Channels = r.Start.Add(time.Duration(i)*time.Second), telemetry.NoChannels()
		for name, v := range values {
			if c, ok := telemetry.ChannelByName(name); ok {
				raw.Channels[c] = v
			} else {
				raw.Values = append(raw.Values, telemetry.Value{Name: name, Value: v})
			}
		}
		r.Add(&raw)
	}
	return r
}
