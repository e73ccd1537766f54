package admit_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"foresight/ingestion/admit"
	"foresight/ingestion/decode"
	"foresight/ingestion/decode/sparkplug"
	"foresight/ingestion/decode/sparkplug/spb"
	"foresight/internal/bus"
	"foresight/internal/testkit"
)

func number(name string, at time.Time, v float64) *spb.Metric {
	return &spb.Metric{Name: &name, Timestamp: proto.Uint64(uint64(at.UnixMilli())), Datatype: proto.Uint32(10), Value: &spb.Metric_DoubleValue{DoubleValue: v}}
}

func told(m *spb.Metric) *spb.Metric { m.IsHistorical = proto.Bool(true); return m }

// A message of Sparkplug holds readings of several times, present and historical: each
// stands in the log in the product's own form, and is acknowledged with the others.
func TestSparkplugReadings(t *testing.T) {
	var history *bus.Log
	r := newRig(t, setup{options: func(r *rig, o *admit.Options) {
		history = r.openLog(t, bus.LogOptions{Name: "HISTORY", Prefix: "history", MaxBytes: 1 << 20, Partitions: 2})
		o.History = admit.BusLog(history)
	}})
	send := func(c admit.Credential, topic string, p *sparkplug.Payload) admit.Ticket {
		t.Helper()
		b, err := proto.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		ticket := r.admitter.Admit(t.Context(), admit.Message{Credential: c, Topic: topic, Payload: b})
		if _, err := ticket.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		return ticket
	}
	now := time.Now().Truncate(time.Millisecond)
	message := &sparkplug.Payload{Seq: proto.Uint64(0), Metrics: []*spb.Metric{
		number("flow", now.Add(-10*time.Second), 1), number("flow", now.Add(-5*time.Second), 2),
		number("motor/DE/vib_band_1", now.Add(-5*time.Second+300*time.Millisecond), 3),
		told(number("flow", now.Add(-time.Hour), 9)), number("humidity", now, 500), // not plausible
	}}
	for name, c := range map[string]struct {
		credential admit.Credential
		group      string
		plant      testkit.Plant
	}{"a gateway's": {gateway(r.a), "line 3", r.a}, "a shared broker's": {admit.Credential{AnyTenant: true}, "globex", r.b}} {
		if ticket := send(c.credential, "spBv1.0/"+c.group+"/DDATA/gw-1/pump-1-a", message); ticket.Rejection != nil {
			t.Errorf("%s: %v", name, ticket.Rejection)
		}
		code := c.plant.TenantCode
		if n, bad := r.admitter.Counters().Accepted(code), r.admitter.Counters().Rejected(code, decode.Implausible); n != 3 || bad != 1 {
			t.Errorf("%s: %d readings accepted, %d not plausible", name, n, bad)
		}
	}
	live, old := r.records(t, r.log), r.records(t, history)
	if len(live) != 4 || len(old) != 2 {
		t.Fatalf("%d live readings and %d historical, want 4 and 2", len(live), len(old))
	}
	for _, raw := range live {
		if flow, _ := raw.Parameter("flow"); flow != 2 {
			continue
		}
		if v, ok := raw.Parameter("motor_DE_vib_band_1"); !ok || v != 3 || !raw.Timestamp.Equal(now.Add(-5*time.Second+300*time.Millisecond)) {
			t.Errorf("values that belong together: %v at %s", v, raw.Timestamp)
		}
		if raw.Topic != "acme/north/sensors/pump-1-a" && raw.Topic != "globex/north/sensors/pump-1-a" {
			t.Errorf("topic %s", raw.Topic)
		}
	}
	ids := map[string]int{}
	send(gateway(r.a), "spBv1.0/line 3/DDATA/gw-1/pump-1-a", message)
	for _, raw := range append(r.records(t, r.log), r.records(t, history)...) {
		ids[string(raw.IngestID[:])]++
	}
	if len(ids) != 6 {
		t.Errorf("%d ids of 6 readings, three of them twice", len(ids))
	}
	for name, c := range map[string]struct {
		credential admit.Credential
		topic      string
		reason     decode.Reason
	}{
		"a group of no tenant":   {admit.Credential{AnyTenant: true}, "spBv1.0/line 3/DDATA/gw-1/pump-1-a", decode.WrongTenant},
		"no gateway":             {gateway(r.a), "spBv1.0/x/DDATA/gw-2/pump-1-a", decode.UnknownNode},
		"no sensor":              {gateway(r.a), "spBv1.0/x/DDATA/gw-1/pump-9", decode.UnknownSensor},
		"a credential of nobody": {admit.Credential{}, "spBv1.0/acme/DDATA/gw-1/pump-1-a", decode.InactiveTenant},
		"no form":                {gateway(r.a), "spBv1.0/x", decode.BadTopic},
	} {
		if ticket := send(c.credential, c.topic, message); ticket.Rejection == nil || ticket.Rejection.Reason != c.reason {
			t.Errorf("%s: %v", name, ticket.Rejection)
		}
	}
	if ticket := send(gateway(r.a), "spBv1.0/x/NCMD/gw-1", message); ticket.Rejection != nil {
		t.Errorf("a command of a host: %v", ticket.Rejection)
	}
}
