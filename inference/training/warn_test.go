package training

import (
	"maps"
	"math"
	"testing"
	"time"

	"foresight/inference/artifact"
)

// Two machines are watched for 60 days. One fails on day 50 and is warned of from day 30
// on; the other never fails, and is warned of from day 10 to 12.
func TestWhatAWarningIsWorth(t *testing.T) {
	const days = 60
	m := &artifact.Manifest{Objective: artifact.Logistic, Classes: []string{"survives", "fails"}, Temperature: 1}
	failure := at(50)
	when := NewMoments()
	var p Part
	var margins []float32
	row := func(group uint32, day int, margin float32, moment *Moment) {
		x := []float32{float32(day), float32(math.NaN())}
		p.X, p.Group, p.Labels, margins = append(p.X, x...), append(p.Group, group), append(p.Labels, 0), append(margins, margin)
		if moment != nil {
			when.Set(group, x, *moment)
		}
	}
	for d := range days {
		if d < 50 {
			margin := float32(-3)
			if d >= 30 {
				margin = 3
			}
			row(plants, d, margin, &Moment{at(d), failure})
		}
		margin := float32(-3)
		if d >= 10 && d <= 12 {
			margin = 3
		}
		row(plants+1, d, margin, &Moment{At: at(d)})
		row(7, d, 3, nil) // nobody knows when
	}
	judge := func(horizon int, when *Moments) map[string]float64 {
		r := &Report{Metrics: map[string]map[string]float64{"test": {}}}
		r.Warn(m, margins, &p, 2, time.Duration(horizon)*24*time.Hour, 36*time.Hour, when)
		return r.Metrics["test"]
	}
	months := float64(49+59) / 30.44
	if got, want := judge(30, when), map[string]float64{"lead_time_days": 20, "warned": 1, "false_alarms_per_asset_month": 1 / months}; !maps.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := judge(30, NewMoments()); len(got) != 0 {
		t.Errorf("without moments: %v", got)
	}
}
