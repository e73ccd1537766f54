package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"foresight/internal/tenancy"
)

// While one tenant publishes, another tenant that watches everything it can hears
// nothing of it, and neither does a device that listens at the broker.
func TestLiveIsolation(t *testing.T) {
	i := quiet.get(t)
	os := i.operations(t)
	a, b := bothWorlds(t, i, os)
	secrets := b.secrets(a)
	scopes := map[string]vars{"tenant": nil, "site": {"siteId": a.own("Site")}, "asset": {"assetId": a.own("Asset")}, "sensor": {"sensorId": a.own("Sensor")}}
	documents := map[string]string{}
	for _, o := range os {
		if strings.HasPrefix(o.name(), "Subscription.") {
			documents[o.field.Name] = o.document(2)
		}
	}
	watch := func(token string, scopes map[string]vars) *socket {
		s := i.dial(t, token)
		for name, document := range documents {
			for scope, v := range scopes {
				in := vars{}
				if v != nil {
					in["scope"] = v
				}
				s.subscribe(t, name+" of the "+scope, document, in)
			}
		}
		return s
	}
	watchers := map[string]*socket{"admin": watch(i.login(t, alpha, "admin"), scopes), "viewer": watch(i.login(t, alpha, "viewer"), scopes),
		"partner": watch(i.partner(t, alpha), scopes), "key": watch(i.key(t, alpha, "key with everything", nil, true, tenancy.RoleScopes(tenancy.Admin)).token, scopes)}
	theirs := watch(i.login(t, beta, "admin"), map[string]vars{"tenant": nil})

	for _, name := range []string{"telemetry", "predictions", "alarms"} { // there is some of each
		theirs.await(t, "the "+name+" of before at the other tenant", func(f frame) bool { return f.ID == name+" of the tenant" && f.Type == "next" })
	}

	// A device of the one tenant listens to everything, if the broker lets it.
	spy := i.device(t, alpha+".gw-north")
	heard := make(chan string, 1000)
	for _, topic := range []string{"#", beta + "/#", beta + "/jubail-plant/sensors/+", "$SYS/#"} {
		token := spy.Subscribe(topic, 1, listen(heard))
		token.WaitTimeout(patience) // refused or not, nothing may come
	}
	if !spy.IsConnectionOpen() { // the broker ends the connection of one that subscribes
		spy = i.device(t, alpha+".gw-north")
	}

	device := i.device(t, beta+".gw-jubail")
	begin := time.Now()
	other := "pump-d03-s1" // a machine without any alarm so far
	feed(t, device, beta+"/jubail-plant/sensors/"+other, "cavitation", 20)
	for _, name := range []string{"telemetry", "predictions", "alarms"} {
		theirs.await(t, name+" at the other tenant itself", func(f frame) bool {
			return f.ID == name+" of the tenant" && f.at.After(begin) && strings.Contains(string(f.Payload), `"snapshot":false`)
		})
	}
	// A reading with the other tenant's topic, by a device of this one, is refused.
	publish(t, spy, beta+"/jubail-plant/sensors/"+other, []byte(`{"flow":666.125}`))
	// Then one of this tenant's own, behind which nothing can still be on its way.
	marker := 512.625
	publish(t, spy, alpha+"/north-station/sensors/"+alphaFed, fmt.Appendf(nil, `{"timestamp":%q,"flow":%g}`, stamp(time.Now()), marker))
	for who, s := range watchers {
		for scope := range scopes {
			s.await(t, "the marker at "+who, func(f frame) bool {
				return f.ID == "telemetry of the "+scope && strings.Contains(string(f.Payload), fmt.Sprint(marker))
			})
		}
		within(t, patience, "an answer to each subscription of "+who, func() bool { return len(s.received()) >= len(scopes)*len(documents) })
		for _, f := range s.received() {
			if found := leak(secrets, f.Payload); found != "" {
				t.Errorf("%s received %q in %s: %s", who, found, f.ID, f.Payload)
			}
		}
	}
	for _, f := range theirs.received() {
		if strings.Contains(string(f.Payload), "666.125") {
			t.Error("a device published into another tenant")
		}
	}
	select {
	case m := <-heard:
		t.Errorf("a device listens to %s", m)
	default:
	}
}
