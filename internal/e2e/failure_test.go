package e2e

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Readings of several days come over the graph while no process works jobs. The next
// start scores the fleet from them, by the failure predictor that ships, and the graph
// tells: the prediction with features and health, by query and by subscription, to its
// own tenant alone.
func TestAFleetIsScoredFromItsReadings(t *testing.T) {
	dir := filepath.Join(work, "scored")
	i, err := startWith(dir, []string{"FORESIGHT_ROLES=api,ingest,worker"}, "--rate", "0")
	if err != nil {
		t.Fatal(err)
	}
	running := true
	stop := func() {
		if running {
			running = false
			ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 60*time.Second)
			defer cancel()
			if err := i.interrupt(ctx); err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(stop)
	engineer := i.login(t, alpha, "engineer")
	const heard = "pump-a03-s1"
	sensor := i.sensors(t, engineer)[heard]
	if sensor.ID == "" {
		t.Fatalf("the demo has no %s", heard)
	}
	now := time.Now().UTC()
	day := now.Add(-26 * time.Hour).Truncate(24 * time.Hour) // has settled
	for back := range 3 {
		var readings []any
		for h := range 24 {
			values := []any{vars{"parameter": "motor_current", "value": 40.5}, vars{"parameter": "oil_pressure", "value": 2.5}}
			for _, mount := range []string{"motor_DE", "motor_NDE", "pump_DE", "pump_NDE"} {
				for name, v := range map[string]float64{"vib_band_1": 1.5, "vib_band_2": 0.8, "vib_band_3": 0.4, "vib_band_4": 0.2, "ultrasonic": 25, "temperature": 55} {
					values = append(values, vars{"parameter": mount + "_" + name, "value": v})
				}
			}
			at := day.AddDate(0, 0, -back).Add(time.Duration(h)*time.Hour + time.Minute)
			readings = append(readings, vars{"sensorCode": heard, "timestamp": stamp(at), "values": values})
		}
		if in := get[ingested](t, i, engineer, ingestMutation, vars{"in": vars{"readings": readings}}).IngestReadings; in.AcceptedCount != 24 {
			t.Fatalf("taken in: %+v", in)
		}
	}
	within(t, 3*time.Minute, "hourly rollups", func() bool {
		s := get[struct {
			Series struct{ Series []struct{ Times []string } }
		}](t, i, engineer, `query($scope: ScopeInput!, $from: Time!, $to: Time!) { series(scope: $scope, parameters: ["motor_current"], from: $from, to: $to, resolution: D1) { series { times } } }`,
			vars{"scope": vars{"sensorId": sensor.ID}, "from": stamp(day.AddDate(0, 0, -2)), "to": stamp(day.AddDate(0, 0, 1))}).Series.Series
		return len(s) == 1 && len(s[0].Times) == 3
	})
	stop()
	if i, err = start(dir, "--rate", "0"); err != nil {
		t.Fatal(err)
	}
	running = true

	viewer := i.login(t, alpha, "viewer")
	type prediction struct {
		ID, PredictedAt, RiskLabel, ModelVersion string
		Asset                                    struct{ ID, Code string }
		Within7Days, Within30Days                struct{ Probability, Lower, Upper float64 }
		HealthScore                              float64
	}
	type list struct {
		FailurePredictions struct{ Nodes []prediction }
	}
	const ask = `{ failurePredictions(filter: {newestOnly: true}) { nodes { id predictedAt riskLabel modelVersion asset { id code } healthScore
		within7Days { probability lower upper } within30Days { probability lower upper } } } }`
	var found []prediction
	within(t, 2*time.Minute, "a failure prediction", func() bool {
		found = get[list](t, i, viewer, ask, nil).FailurePredictions.Nodes
		return len(found) > 0
	})
	p := found[0]
	if len(found) != 1 || p.Asset.Code != "pump-a03" || p.ModelVersion == "" || p.RiskLabel == "" || !(p.HealthScore > 0 && p.HealthScore <= 100) {
		t.Errorf("predicted %+v", found)
	}
	for _, w := range []struct{ Probability, Lower, Upper float64 }{p.Within7Days, p.Within30Days} {
		if !(0 <= w.Lower && w.Lower <= w.Probability && w.Probability <= w.Upper && w.Upper <= 1) || p.Within7Days.Probability > p.Within30Days.Probability {
			t.Errorf("probabilities %+v and %+v", p.Within7Days, p.Within30Days)
		}
	}
	type day40 struct {
		DailyFeatures struct {
			Nodes []struct {
				Values []struct {
					Name  string
					Value *float64
				}
			}
		}
		Asset struct{ Health *struct{ Score float64 } }
	}
	f := get[day40](t, i, viewer, `query($asset: UUID!) { dailyFeatures(assetId: $asset) { nodes { values { name value } } } asset(id: $asset) { health { score } } }`, vars{"asset": p.Asset.ID})
	values := map[string]*float64{}
	for _, v := range f.DailyFeatures.Nodes[0].Values {
		values[v.Name] = v.Value
	}
	for name, want := range map[string]float64{"motor_current_7d_avg": 40.5, "oil_pressure_7d_min": 2.5, "bearing_temp_7d_max": 55, "running_hours_30d": 72} {
		if v := values[name]; v == nil || *v != want {
			t.Errorf("%s is %v, want %v", name, v, want)
		}
	}
	if f.Asset.Health == nil || f.Asset.Health.Score != p.HealthScore {
		t.Errorf("health %+v, want %v", f.Asset.Health, p.HealthScore)
	}
	s := i.dial(t, viewer)
	if first := i.firstAnswer(t, s, "1", `subscription { failurePredictions { prediction { id } snapshot } }`, nil); !strings.Contains(string(first.Payload), p.ID) {
		t.Errorf("the subscription begins with %+v", first)
	}
	if foreign := get[list](t, i, i.login(t, beta, "admin"), ask, nil).FailurePredictions.Nodes; len(foreign) != 0 {
		t.Errorf("the other tenant sees %+v", foreign)
	}
}
