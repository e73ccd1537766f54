package hub

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/obs/tracing"
	"foresight/internal/telemetry"
)

func fullReading() event.Event {
	k := key(id.New(id.Tenant))
	e := reading(k, 77)
	e.At = time.Unix(3, 4).UTC()
	for i := range e.Reading.Channels {
		e.Reading.Channels[i] = float64(i) * 1.1
	}
	e.Reading.Timestamp, e.Reading.ReceivedAt = time.Unix(1, 5e6).UTC(), time.Unix(2, 0).UTC()
	e.Reading.Values = []telemetry.Value{{Name: "flow", Value: 12}, {Name: "oil_pressure", Value: 3.25}}
	return e
}

func fullPrediction() event.Event {
	k := key(id.New(id.Tenant))
	return event.Event{Kind: event.Prediction, Key: k, At: time.Unix(9, 0).UTC(), Prediction: &telemetry.FaultPrediction{
		Key: k, ID: id.New(id.Prediction), Timestamp: time.Unix(8, 0).UTC(), IngestID: telemetry.IngestID{7},
		Label: "cavitation", Probability: 0.93, Top: []telemetry.LabelProbability{{Label: "cavitation", Probability: 0.93}, {Label: "normal", Probability: 0.02}},
		VersionID: id.New(id.MLModelVersion), VersionLabel: "fault_classifier:1.0.0", Role: telemetry.Canary, OutOfDistribution: true,
	}}
}

func fullHint() event.Event {
	e := hint(key(id.New(id.Tenant)), 1<<40)
	e.Alarm.EventID = id.New(id.AlarmEvent)
	e.At = time.Unix(5, 0).UTC()
	return e
}

func fullProgress() event.Event {
	return event.Event{Kind: event.Job, Key: telemetry.Key{Tenant: id.New(id.Tenant)}, At: time.Unix(6, 0).UTC(),
		Job: &event.JobProgress{ID: id.New(id.ExportJob), Status: "running", Phase: "writing", Done: 1 << 40, Total: -1}}
}

func fullGateway() event.Event {
	return event.Event{Kind: event.Gateway, Key: telemetry.Key{Tenant: id.New(id.Tenant), Site: id.New(id.Site)}, At: time.Unix(7, 0).UTC(),
		Gateway: &event.GatewayChange{ID: id.New(id.Gateway), IsOnline: true, LastSeenAt: time.Unix(8, 9).UTC(), ConnectedAt: time.Unix(2, 0).UTC()}}
}

func fullHealth() event.Event {
	return event.Event{Kind: event.Health, Key: telemetry.Key{Tenant: id.New(id.Tenant), Site: id.New(id.Site), Asset: id.New(id.Asset)}, At: time.Unix(8, 0).UTC(),
		Health: &event.HealthChange{CalculatedAt: time.Unix(9, 0).UTC(), Score: 41.5, Status: "critical", Method: "m/1",
			Failure: event.FailureChange{ID: id.New(id.FailurePrediction), Version: id.New(id.MLModelVersion), Within7: [3]float64{.2, .1, .3}, Within30: [3]float64{.5, .4, .6}, Risk: "high"}}}
}

func fullDeployment() event.Event {
	return event.Event{Kind: event.Deployment, Key: telemetry.Key{Tenant: id.New(id.Tenant)}, At: time.Unix(8, 0).UTC(),
		Deployment: &event.DeploymentNews{ID: id.New(id.MLModelDeployment), News: "opened"}}
}

func followedHint() event.Event {
	e := fullHint()
	e.Trace = tracing.Ref{Trace: [16]byte{1}, Span: [8]byte{2}}
	return e
}

func TestEventsSurviveTheWire(t *testing.T) {
	for _, e := range []event.Event{fullReading(), fullPrediction(), fullHint(), fullProgress(), fullGateway(), fullHealth(), fullDeployment(), followedHint()} {
		b, err := appendEvent(nil, e, origin{5, 6})
		if err != nil {
			t.Fatal(err)
		}
		got, from, err := decode(b)
		if err != nil || from != (origin{5, 6}) || !reflect.DeepEqual(got, e) {
			t.Errorf("%s: %+v from %v, want %+v (%v)", e.Kind, got, from, e, err)
		}
		for n := range len(b) {
			if _, _, err := decode(b[:n]); err == nil {
				t.Errorf("%s: cut to %d of %d bytes it decodes", e.Kind, n, len(b))
			}
		}
		if _, _, err := decode(append(b, 0)); err == nil {
			t.Errorf("%s: with a byte too many it decodes", e.Kind)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, e := range []event.Event{fullReading(), fullPrediction(), fullHint(), fullProgress(), fullGateway(), fullHealth(), fullDeployment(), followedHint()} {
		b, err := appendEvent(nil, e, origin{5, 6})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, from, err := decode(b)
		if err != nil {
			return
		}
		again, err := appendEvent(nil, e, from)
		if err != nil {
			t.Fatal(err)
		}
		e2, from2, err := decode(again)
		if err != nil || from2 != from {
			t.Fatalf("encoded again it is %v from %v", err, from2)
		}
		if third, err := appendEvent(nil, e2, from2); err != nil || !bytes.Equal(third, again) {
			t.Errorf("it changes with every round trip (%v)", err)
		}
	})
}
