package health

import (
	"math"
	"testing"
	"time"

	"foresight/ent/enum"
	"foresight/ent/settings"
	"foresight/inference/daily"
)

func ptr(v float64) *float64 { return &v }

func TestHealth(t *testing.T) {
	for _, c := range []struct {
		name     string
		evidence Evidence
		want     float64
	}{
		{"all is well", Evidence{Probability30: ptr(0), FaultGravity: ptr(0), Zone: "A"}, 100},
		{"certain to fail", Evidence{Probability30: ptr(1)}, 20},
		{"zone D alone", Evidence{Zone: "D"}, 50},
		{"zone C and half a failure", Evidence{Probability30: ptr(0.5), Zone: "C"}, 42},
		{"an alarm of low severity", Evidence{Probability30: ptr(0), Alarm: enum.SeverityLow}, 90},
		{"the worst of all", Evidence{Probability30: ptr(1), FaultGravity: ptr(1), Zone: "D", Alarm: enum.SeverityCritical}, 3.6},
		{"on a critical machine", Evidence{Probability30: ptr(1), Criticality: enum.CriticalityCritical}, 100 * math.Pow(0.2, 1.25)},
		{"on one that hardly counts", Evidence{Probability30: ptr(1), Criticality: enum.CriticalityLow}, 100 * math.Pow(0.2, 0.9)},
	} {
		if got, ok := c.evidence.Health(); !ok || math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %v, %v, want %v", c.name, got, ok, c.want)
		}
	}
	if got, ok := (&Evidence{Criticality: enum.CriticalityHigh}).Health(); ok {
		t.Errorf("health %v of a machine of which nothing is known", got)
	}
}

func TestLevels(t *testing.T) {
	standard := Limits(settings.Tenant{}.Effective())
	own := Limits(settings.Tenant{RiskMediumFrom: 0.5, RiskHighFrom: 0.6, RiskCriticalFrom: 0.7, HealthyFrom: 90, WarningFrom: 10}.Effective())
	for _, c := range []struct {
		limits      Limits
		probability float64
		criticality enum.Criticality
		want        enum.RiskLevel
	}{
		{standard, 0, "", enum.RiskLow},
		{standard, 0.199, enum.CriticalityMedium, enum.RiskLow},
		{standard, 0.2, enum.CriticalityMedium, enum.RiskMedium},
		{standard, 0.2, enum.CriticalityLow, enum.RiskLow},
		{standard, 0.5, enum.CriticalityMedium, enum.RiskHigh},
		{standard, 0.45, enum.CriticalityHigh, enum.RiskHigh},
		{standard, 0.8, enum.CriticalityMedium, enum.RiskCritical},
		{standard, 0.7, enum.CriticalityCritical, enum.RiskCritical},
		{standard, 1, enum.CriticalityLow, enum.RiskCritical},
		{own, 0.45, enum.CriticalityMedium, enum.RiskLow},
		{own, 0.7, enum.CriticalityMedium, enum.RiskCritical},
	} {
		if got := c.limits.Risk(c.probability, c.criticality); got != c.want {
			t.Errorf("risk of %v on a machine of %q criticality: %s, want %s", c.probability, c.criticality, got, c.want)
		}
	}
	for health, want := range map[float64]enum.HealthStatus{80: enum.HealthHealthy, 79.9: enum.HealthWarning, 50: enum.HealthWarning, 49.9: enum.HealthCritical} {
		if got := standard.Status(health); got != want {
			t.Errorf("status of %v: %s, want %s", health, got, want)
		}
	}
	if got := own.Status(85); got != enum.HealthWarning {
		t.Errorf("status of 85 by own limits: %s", got)
	}
}

func TestADayIsKeptAsItWas(t *testing.T) {
	start := daily.DayOf(time.Unix(1e9, 0))
	d := daily.Day{Start: start, VibrationRMS: daily.Stat{Count: 3, Sum: 1.5, SumSquares: 2, Min: -1, Max: math.Pi}, BearingTemp: daily.Stat{Count: 1},
		OilPressure: daily.Stat{Count: 2}, MotorCurrent: daily.Stat{Count: 4}, Ultrasonic: daily.Stat{Count: 5}, BroadBand: daily.Stat{Count: 6},
		Energy: 7, HighEnergy: 8, Gravity: 9, Heard: 10, Turning: daily.Evidence{Told: 11, Yes: 12}, Drawing: daily.Evidence{Told: 13}, Shaking: daily.Evidence{Told: 14},
		Exceeded: daily.Evidence{Told: 15, Yes: 16}, Predictions: 17, Faults: 18}
	b, err := pack(&d)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := unpack(b, start); err != nil || got != d {
		t.Errorf("%v, %v\nwant %v", got, err, d)
	}
	for _, bad := range [][]byte{nil, b[:len(b)-1], append([]byte{2}, b[1:]...)} {
		if _, err := unpack(bad, start); err == nil {
			t.Errorf("%d bytes were read as a day", len(bad))
		}
	}
}
