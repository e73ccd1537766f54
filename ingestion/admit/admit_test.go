package admit_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"foresight/ingestion/admit"
	"foresight/ingestion/decode"
	"foresight/internal/bus"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

const (
	sensorA = "pump-1-a"
	sensorB = "pump-1-b"
)

// who of each case: the credential of a gateway of acme or globex, of acme as a whole,
// of a shared broker, of nobody.
func credentials(r *rig) map[string]admit.Credential {
	return map[string]admit.Credential{
		"gateway":       gateway(r.a),
		"other gateway": gateway(r.b),
		"tenant":        {Tenant: r.a.TenantID},
		"other site":    {Tenant: r.a.TenantID, Sites: []id.UUID{id.New(id.Site)}},
		"no site":       {Tenant: r.a.TenantID, Sites: []id.UUID{}},
		"broker":        {AnyTenant: true},
		"nobody":        {},
	}
}

func TestWhoMaySayWhat(t *testing.T) {
	r := newRig(t, setup{sql: `
		WITH x AS (UPDATE sensors SET mqtt_topic = 'old/plant/1' WHERE tenant_id = $1 AND sensor_code = 'pump-1-a' RETURNING asset_id),
		     y AS (INSERT INTO sensors (id, tenant_id, asset_id, sensor_code, mqtt_topic, validation_data)
		           SELECT gen_random_uuid(), $1, asset_id, 'thief', 'globex/north/sensors/pump-1-a', '{}' FROM x),
		     z AS (INSERT INTO sensors (id, tenant_id, asset_id, sensor_code, mqtt_topic, validation_data)
		           SELECT gen_random_uuid(), $1, asset_id, 'below', 'acme/line-3/vib', '{}' FROM x)
		INSERT INTO sensors (id, tenant_id, asset_id, sensor_code, is_active, validation_data)
		SELECT gen_random_uuid(), $1, asset_id, 'off', false, '{}' FROM x`})
	who := credentials(r)
	for _, c := range []struct {
		name, who, topic, payload string
		sensor                    *telemetry.Key // admitted for it
		reason                    decode.Reason
	}{
		{"the usual topic", "gateway", "acme/north/sensors/pump-1-b", `{"flow":1}`, key(r.a, 1), ""},
		{"the same of the other tenant", "other gateway", "globex/north/sensors/pump-1-b", `{"flow":1}`, key(r.b, 1), ""},
		{"fallback is the credential's tenant", "gateway", "sensors/pump-1-b", `{"flow":1}`, key(r.a, 1), ""},
		{"fallback is the other credential's tenant", "other gateway", "sensors/pump-1-b", `{"flow":1}`, key(r.b, 1), ""},
		{"the payload names the sensor", "gateway", "acme/north/sensors", `{"flow":1,"sensor_code":"pump-1-b"}`, key(r.a, 1), ""},
		{"the payload alone names the sensor", "gateway", "sensors", `{"flow":1,"sensor_code":"pump-1-b"}`, key(r.a, 1), ""},
		{"both name the same", "gateway", "sensors/pump-1-b", `{"flow":1,"sensor_code":"pump-1-b"}`, key(r.a, 1), ""},
		{"a topic of its own", "gateway", "old/plant/1", `{"flow":1}`, key(r.a, 0), ""},
		{"its usual topic still works", "gateway", "acme/north/sensors/pump-1-a", `{"flow":1}`, key(r.a, 0), ""},
		{"a credential of the whole tenant", "tenant", "sensors/pump-1-a", `{"flow":1}`, key(r.a, 0), ""},
		{"a shared broker, tenant a", "broker", "acme/north/sensors/pump-1-a", `{"flow":1}`, key(r.a, 0), ""},
		{"a shared broker, tenant b", "broker", "globex/north/sensors/pump-1-a", `{"flow":1}`, key(r.b, 0), ""},

		{"another tenant's topic", "gateway", "globex/north/sensors/pump-1-b", `{"flow":1}`, nil, decode.WrongTenant},
		{"a tenant that is none", "gateway", "initech/north/sensors/pump-1-b", `{"flow":1}`, nil, decode.WrongTenant},
		{"another tenant's own topic", "other gateway", "old/plant/1", `{"flow":1}`, nil, decode.BadTopic},
		{"another site in the topic", "gateway", "acme/south/sensors/pump-1-b", `{"flow":1}`, nil, decode.WrongSite},
		{"a site that the credential lacks", "other site", "acme/north/sensors/pump-1-b", `{"flow":1}`, nil, decode.WrongSite},
		{"the same by the fallback", "other site", "sensors/pump-1-b", `{"flow":1}`, nil, decode.WrongSite},
		{"the same by its own topic", "other site", "old/plant/1", `{"flow":1}`, nil, decode.WrongSite},
		{"a credential without a site", "no site", "sensors/pump-1-b", `{"flow":1}`, nil, decode.WrongSite},
		{"no such sensor", "gateway", "sensors/pump-9", `{"flow":1}`, nil, decode.UnknownSensor},
		{"a sensor that is off", "gateway", "sensors/off", `{"flow":1}`, nil, decode.InactiveSensor},
		{"topic and payload disagree", "gateway", "sensors/pump-1-b", `{"flow":1,"sensor_code":"pump-1-a"}`, nil, decode.SensorMismatch},
		{"nothing names a sensor", "gateway", "sensors", `{"flow":1}`, nil, decode.BadTopic},
		{"a topic of no form", "gateway", "hello", `{"flow":1}`, nil, decode.BadTopic},
		{"bad JSON", "gateway", "sensors/pump-1-b", `{"flow":`, nil, decode.BadJSON},
		{"an implausible value", "gateway", "sensors/pump-1-b", `{"humidity":101}`, nil, decode.Implausible},
		{"a credential of nobody", "nobody", "sensors/pump-1-b", `{"flow":1}`, nil, decode.InactiveTenant},
		{"a credential of nobody, full topic", "nobody", "acme/north/sensors/pump-1-b", `{"flow":1}`, nil, decode.InactiveTenant},
		{"a shared broker without a tenant", "broker", "sensors/pump-1-b", `{"flow":1}`, nil, decode.BadTopic},
		{"a shared broker, unknown tenant", "broker", "initech/north/sensors/pump-1-b", `{"flow":1}`, nil, decode.WrongTenant},
		{"a shared broker, an own topic outside the tenant", "broker", "old/plant/1", `{"flow":1}`, nil, decode.BadTopic},
	} {
		ticket := r.admitter.Admit(t.Context(), admit.Message{Credential: who[c.who], Topic: c.topic, Payload: []byte(c.payload)})
		if _, err := ticket.Wait(t.Context()); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		switch {
		case c.sensor != nil && (ticket.Rejection != nil || ticket.Key != *c.sensor):
			t.Errorf("%s: %+v for %v, want admission", c.name, ticket.Rejection, ticket.Key)
		case c.sensor == nil && (ticket.Rejection == nil || ticket.Rejection.Reason != c.reason):
			t.Errorf("%s: %v, want %s", c.name, ticket.Rejection, c.reason)
		}
	}

	// On a shared broker nobody draws another tenant's messages to itself.
	ticket := r.admitter.Admit(t.Context(), admit.Message{Credential: who["broker"], Topic: "globex/north/sensors/pump-1-a", Payload: []byte(`{"flow":1}`)})
	if _, err := ticket.Wait(t.Context()); err != nil || ticket.Key != r.b.Key(0) {
		t.Errorf("the topic of globex went to %v, %v", ticket.Key, err)
	}
	ticket = r.admitter.Admit(t.Context(), admit.Message{Credential: who["broker"], Topic: "acme/line-3/vib", Payload: []byte(`{"flow":1}`)})
	if _, err := ticket.Wait(t.Context()); err != nil || ticket.Rejection != nil || ticket.Key.Tenant != r.a.TenantID {
		t.Errorf("an own topic below the tenant: %v, %v", ticket.Rejection, err)
	}
}

func key(p testkit.Plant, i int) *telemetry.Key { k := p.Key(i); return &k }

func TestSwitchedOffTenantIsRejected(t *testing.T) {
	r := newRig(t, setup{sql: `UPDATE tenants SET is_active = false WHERE id = $1`})
	for _, c := range []admit.Credential{gateway(r.a), {AnyTenant: true}} {
		ticket := r.admitter.Admit(t.Context(), admit.Message{Credential: c, Topic: "acme/north/sensors/pump-1-a", Payload: []byte(`{"flow":1}`)})
		if ticket.Rejection == nil || ticket.Rejection.Reason != decode.InactiveTenant {
			t.Errorf("%+v: %v", c, ticket.Rejection)
		}
	}
}

func TestDeadLetterBelongsToTheCredentialsTenant(t *testing.T) {
	r := newRig(t, setup{})
	big := `{"x":"` + strings.Repeat("y", 5000) + `"`
	for _, c := range []struct {
		name   string
		who    admit.Credential
		topic  string
		tenant id.UUID
		code   string
		reason decode.Reason
	}{
		{"own topic", gateway(r.a), "acme/north/sensors/pump-1-a", r.a.TenantID, "acme", decode.BadJSON},
		{"a topic that claims another tenant", gateway(r.a), "globex/north/sensors/pump-1-a", r.a.TenantID, "acme", decode.WrongTenant},
		{"a shared broker's", admit.Credential{AnyTenant: true}, "globex/north/sensors/pump-1-a", r.b.TenantID, "globex", decode.BadJSON},
		{"a shared broker's without a known tenant", admit.Credential{AnyTenant: true}, "initech/x/sensors/y", id.Nil, "", decode.WrongTenant},
	} {
		before := r.admitter.Counters().Rejected(c.code, c.reason)
		ticket := r.admitter.Admit(t.Context(), admit.Message{Credential: c.who, Topic: c.topic, Payload: []byte(big)})
		d := r.letters.last()
		if ticket.Rejection == nil || d.Tenant != c.tenant || d.Reason != c.reason || d.Topic != c.topic || d.At.IsZero() || d.Detail == "" {
			t.Errorf("%s: %v, %+v", c.name, ticket.Rejection, d)
		}
		if got := r.admitter.Counters().Rejected(c.code, c.reason); got != before+1 {
			t.Errorf("%s: counted %d times", c.name, got-before)
		}
	}
}

func TestLogHoldsWhatWasSent(t *testing.T) {
	r := newRig(t, setup{})
	at := time.Now().Add(-time.Hour).UTC().Truncate(time.Millisecond)
	received := time.Now().UTC().Truncate(time.Microsecond)
	payload := fmt.Sprintf(`{"timestamp":%d,"motor_DE_vib_band_1":1.5,"speed":1480,"flow":7,"note":"kept"}`, at.UnixMilli())
	ticket := r.admitter.Admit(t.Context(), admit.Message{
		Credential: gateway(r.a), Topic: "acme/north/sensors/pump-1-a", Payload: []byte(payload), ReceivedAt: received,
	})
	seq, err := ticket.Wait(t.Context())
	if err != nil || seq == 0 {
		t.Fatal(seq, err)
	}
	got := r.records(t, r.log)
	if len(got) != 1 {
		t.Fatalf("%d records", len(got))
	}
	g := got[0]
	if g.Key != r.a.Key(0) || !g.Timestamp.Equal(at) || !g.ReceivedAt.Equal(received) || g.LogSeq != seq ||
		g.IngestID != ticket.IngestID || g.Topic != "acme/north/sensors/pump-1-a" || string(g.Payload) != payload {
		t.Errorf("%+v", g)
	}
	if v, ok := g.Parameter("motor_DE_vib_band_1"); !ok || v != 1.5 {
		t.Errorf("channel %v, %v", v, ok)
	}
	if len(g.Values) != 2 || g.Values[0] != (telemetry.Value{Name: "flow", Value: 7}) || g.Values[1] != (telemetry.Value{Name: "speed", Value: 1480}) {
		t.Errorf("values %v", g.Values)
	}
	if n := r.admitter.Counters().Accepted("acme"); n != 1 {
		t.Errorf("%d accepted", n)
	}
}

func TestIngestIDNamesTheMessage(t *testing.T) {
	r := newRig(t, setup{})
	now := time.Now().UnixMilli()
	of := func(p testkit.Plant, sensor, format string, args ...any) telemetry.IngestID {
		t.Helper()
		ticket := r.admitter.Admit(t.Context(), admit.Message{Credential: gateway(p), Topic: "sensors/" + sensor, Payload: fmt.Appendf(nil, format, args...)})
		if _, err := ticket.Wait(t.Context()); err != nil || ticket.Rejection != nil {
			t.Fatal(err, ticket.Rejection)
		}
		return ticket.IngestID
	}
	first := of(r.a, sensorA, `{"timestamp":%d,"flow":1}`, now)
	if of(r.a, sensorA, `{"timestamp":%d,"flow":1}`, now) != first {
		t.Error("a repeat has another id")
	}
	for name, other := range map[string]telemetry.IngestID{
		"tenant":  of(r.b, sensorA, `{"timestamp":%d,"flow":1}`, now),
		"sensor":  of(r.a, sensorB, `{"timestamp":%d,"flow":1}`, now),
		"payload": of(r.a, sensorA, `{"timestamp":%d,"flow":2}`, now),
		"time":    of(r.a, sensorA, `{"timestamp":%d,"flow":1}`, now-1),
		"own id":  of(r.a, sensorA, `{"timestamp":%d,"flow":1,"ingest_id":"x"}`, now),
	} {
		if other == first {
			t.Errorf("another %s, the same id", name)
		}
	}
	if of(r.a, sensorA, `{"timestamp":%d,"flow":1,"ingest_id":"x"}`, now) != of(r.a, sensorA, `{"ingest_id":"x","flow":1.0,"timestamp":%d}`, now) {
		t.Error("the client's own id does not stand for the payload")
	}
	first = of(r.a, sensorA, `{"flow":1}`)
	if second := of(r.a, sensorA, `{"flow":1}`); first == second {
		t.Error("two readings without a time are taken for one")
	}
}

func TestFullLogIsNotAcknowledged(t *testing.T) {
	r := newRig(t, setup{capacity: 64 << 10})
	var full error
	for i := range 1000 {
		ticket := r.admitter.Admit(t.Context(), admit.Message{
			Credential: gateway(r.a), Topic: "sensors/pump-1-a", Payload: fmt.Appendf(nil, `{"flow":%d,"pad":"%01000d"}`, i, 0),
		})
		if ticket.Rejection != nil {
			t.Fatal(ticket.Rejection)
		}
		if _, full = ticket.Wait(t.Context()); full != nil {
			break
		}
	}
	if !errors.Is(full, bus.ErrFull) {
		t.Fatalf("%v, want ErrFull", full)
	}
	if n := r.admitter.Counters().Rejected("acme", decode.LogFull); n != 1 {
		t.Errorf("counted %d times", n)
	}
	if d := r.letters.last(); d.Reason != "" {
		t.Errorf("%+v is no dead letter: its sender has it still", d)
	}
	if accepted, kept := r.admitter.Counters().Accepted("acme"), len(r.records(t, r.log)); int(accepted) != kept {
		t.Errorf("%d accepted, %d in the log", accepted, kept)
	}
}
