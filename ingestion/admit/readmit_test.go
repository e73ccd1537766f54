package admit_test

import (
	"fmt"
	"testing"
	"time"

	"foresight/ingestion/admit"
	"foresight/ingestion/decode"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

// What was admitted once enters again as it was; whether it may is judged as of now.
func TestReadmission(t *testing.T) {
	r := newRig(t, setup{sql: `UPDATE sensors SET is_active = false WHERE tenant_id = $1 AND sensor_code = '` + testkit.SensorCodes[1] + `'`})
	at := time.Now().UTC().Truncate(time.Millisecond).Add(-48 * time.Hour)
	message := func(change func(*telemetry.Raw)) *telemetry.Raw {
		m := &telemetry.Raw{Reading: telemetry.Reading{Key: r.a.Key(0), Timestamp: at, Channels: telemetry.NoChannels(), Values: []telemetry.Value{{Name: "flow", Value: 3}}},
			IngestID: telemetry.IngestID{1, 2, 3}, ReceivedAt: at.Add(time.Second), Topic: "x", Payload: []byte{0, 1, 2}}
		if change != nil {
			change(m)
		}
		return m
	}
	own := admit.Credential{Tenant: r.a.TenantID}
	for name, c := range map[string]struct {
		as   admit.Credential
		what *telemetry.Raw
		want decode.Reason
	}{
		"another tenant's":  {admit.Credential{Tenant: r.b.TenantID}, message(nil), decode.WrongTenant},
		"of any tenant":     {admit.Credential{AnyTenant: true}, message(nil), decode.WrongTenant},
		"a deleted sensor":  {own, message(func(m *telemetry.Raw) { m.Sensor = id.New(id.Sensor) }), decode.UnknownSensor},
		"a sensor of b's":   {own, message(func(m *telemetry.Raw) { m.Sensor = r.b.SensorIDs[0] }), decode.UnknownSensor},
		"switched off":      {own, message(func(m *telemetry.Raw) { m.Key = r.a.Key(1) }), decode.InactiveSensor},
		"another site":      {admit.Credential{Tenant: r.a.TenantID, Sites: []id.UUID{r.b.SiteID}}, message(nil), decode.WrongSite},
		"too old":           {own, message(func(m *telemetry.Raw) { m.Timestamp = time.Now().Add(-31 * 24 * time.Hour) }), decode.TooOld},
		"tenant is unknown": {admit.Credential{Tenant: r.a.SiteID}, message(func(m *telemetry.Raw) { m.Tenant = r.a.SiteID }), decode.InactiveTenant},
	} {
		ticket := r.admitter.Readmit(t.Context(), c.as, c.what)
		seq, err := ticket.Wait(t.Context())
		if ticket.Rejection == nil || ticket.Rejection.Reason != c.want || seq != 0 || err != nil {
			t.Errorf("%s: %+v, %d, %v", name, ticket.Rejection, seq, err)
		}
	}
	if n := len(r.letters.all()); n != 0 {
		t.Errorf("%d dead letters", n)
	}
	// The sensor stands elsewhere by now: the key is today's, all else as it was.
	was := message(func(m *telemetry.Raw) { m.Site, m.Asset = id.New(id.Site), id.New(id.Asset) })
	ticket := r.admitter.Readmit(t.Context(), gateway(r.a), was)
	seq, err := ticket.Wait(t.Context())
	if err != nil || seq == 0 {
		t.Fatalf("%+v, %v", ticket.Rejection, err)
	}
	got := r.records(t, r.log)[0]
	want := *was
	want.Key, want.LogSeq, got.LogSeq = r.a.Key(0), 0, 0
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("in the log:\n%+v\nwant\n%+v", got, want)
	}
}
