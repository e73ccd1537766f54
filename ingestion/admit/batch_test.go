package admit_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"foresight/ingestion/admit"
	"foresight/ingestion/decode"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// Of messages that come together each has an outcome of its own.
func TestAdmitAll(t *testing.T) {
	r := newRig(t, setup{})
	at := time.Now().UTC().Truncate(time.Millisecond)
	own := admit.Credential{Tenant: r.a.TenantID}
	message := func(c admit.Credential, sensor, payload string) admit.Message {
		return admit.Message{Credential: c, Topic: "sensors/" + sensor, Payload: []byte(payload)}
	}
	good := `{"timestamp":"` + at.Format(time.RFC3339Nano) + `","parameters":{"flow":3}}`
	out := r.admitter.AdmitAll(t.Context(), []admit.Message{
		message(own, "pump-1-a", good),
		message(own, "pump-9", good),
		message(own, "pump-1-b", `{"parameters":{"flow":1e9}}`),
		message(own, "pump-1-a", good),
		message(admit.Credential{Tenant: r.a.TenantID, Sites: []id.UUID{id.New(id.Site)}}, "pump-1-a", good),
	})
	for i, want := range []decode.Reason{"", decode.UnknownSensor, decode.Implausible, "", decode.WrongSite} {
		o := out[i]
		switch {
		case o.Err != nil:
			t.Errorf("%d: %v", i, o.Err)
		case want == "" && (o.Rejection != nil || o.Seq == 0 || !o.Timestamp.Equal(at)):
			t.Errorf("%d: %+v", i, o)
		case want != "" && (o.Rejection == nil || o.Rejection.Reason != want || o.Seq != 0):
			t.Errorf("%d: %+v, want %s", i, o, want)
		}
	}
	if out[0].IngestID != out[3].IngestID || out[0].IngestID == (telemetry.IngestID{}) {
		t.Errorf("a repeat has another id: %x, %x", out[0].IngestID, out[3].IngestID)
	}
	if n := len(r.letters.all()); n != 3 {
		t.Errorf("%d dead letters", n)
	}
}

// What the log has not confirmed is neither accepted nor rejected.
func TestAdmitAllSaysWhatIsNotConfirmed(t *testing.T) {
	r := newRig(t, setup{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out := r.admitter.AdmitAll(ctx, []admit.Message{{Credential: admit.Credential{Tenant: r.a.TenantID}, Topic: "sensors/pump-1-a", Payload: []byte(`{"flow":1}`)}})
	if !errors.Is(out[0].Err, context.Canceled) || out[0].Rejection != nil || out[0].Seq != 0 {
		t.Errorf("got %+v", out[0])
	}
}
