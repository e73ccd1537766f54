package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// predictions and alarms of the machine that the simulator takes first.
const (
	watchPredictions = `subscription($scope: ScopeInput) { predictions(scope: $scope, onlyAbnormal: true) {
		prediction { code sensorId probability timestamp } snapshot resync } }`
	watchAlarms = `subscription($scope: ScopeInput) { alarms(scope: $scope) {
		alarm { id ruleName status faultCode triggeredValue sensor { id } } seq snapshot resync } }`
)

// `foresight simulate` makes a machine cavitate: the model names it within a window
// of readings, and the alarm reaches a person who watches.
func TestSimulatedFaultRaisesAnAlarm(t *testing.T) {
	i := quiet.get(t)
	token := i.login(t, alpha, "operator")
	sensor := i.sensors(t, token)["pump-a01-s1"] // the first of the demo's plant
	scope := vars{"scope": vars{"sensorId": sensor.ID}}
	s := i.dial(t, token)
	s.subscribe(t, "p", watchPredictions, scope)
	s.subscribe(t, "a", watchAlarms, scope)

	cmd, out, err := command(filepath.Join(work, "simulate"), "simulate", "--broker", "tcp://"+i.mqtt,
		"--tenant", alpha, "--assets", "1", "--rate", "20", "--fault", "cavitation")
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // it may have ended
		if err := <-ended; err != nil {
			t.Errorf("simulate: %v\n%s", err, out)
		}
		if !strings.Contains(out.String(), "acknowledged") {
			t.Errorf("simulate says nothing of what was acknowledged:\n%s", out)
		}
	})

	type item struct {
		Data struct {
			Predictions *struct {
				Prediction *struct {
					Code        string
					Probability float64
					Timestamp   time.Time
				}
			}
			Alarms *struct {
				Alarm *struct {
					RuleName, Status, FaultCode string
					Sensor                      struct{ ID string }
				}
			}
		}
	}
	predicted := s.await(t, "a prediction of cavitation", func(f frame) bool {
		if f.ID != "p" || f.Type != "next" {
			return false
		}
		p := decode[item](t, f.Payload).Data.Predictions.Prediction
		return p != nil && p.Code == "cavitation"
	})
	raised := s.await(t, "an alarm of cavitation", func(f frame) bool {
		if f.ID != "a" || f.Type != "next" {
			return false
		}
		a := decode[item](t, f.Payload).Data.Alarms.Alarm
		return a != nil && a.FaultCode == "cavitation" && a.Status == "OPEN" && a.Sensor.ID == sensor.ID
	})
	type history struct {
		Predictions struct {
			Nodes []struct {
				Code      string
				Timestamp time.Time
			}
		}
		Telemetry struct {
			Nodes []struct{ Timestamp time.Time }
		}
	}
	h := get[history](t, i, token, `query($scope: ScopeInput!) {
		predictions(first: 100, scope: $scope) { nodes { code timestamp } }
		telemetry(first: 100, scope: $scope) { nodes { timestamp } } }`, scope)
	first := h.Predictions.Nodes[len(h.Predictions.Nodes)-1].Timestamp
	before := 0 // readings of the command up to the one that the first prediction is made of
	for _, r := range h.Telemetry.Nodes {
		if !r.Timestamp.Before(begin) && !r.Timestamp.After(first) {
			before++
		}
	}
	if len(h.Telemetry.Nodes) < 100 && before > 14 {
		t.Errorf("the first prediction came with reading %d, want the window of 14 at the latest", before)
	}
	figure("simulate --fault cavitation: predicted after %.1f s, alarm on the screen after %.1f s (from the start of the command, 20 readings/s)",
		predicted.at.Sub(begin).Seconds(), raised.at.Sub(begin).Seconds())
}
