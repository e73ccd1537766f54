package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// liveFed is a machine of the other site without any alarm so far.
const liveFed = "pump-b02-s1"

// While machines of one site report, those who work on another site of the same
// tenant hear nothing of it, though they watch all that they can.
func TestLiveIsolationOfSites(t *testing.T) {
	i := quiet.get(t)
	os := i.operations(t)
	here, there, a, b := bothSites(t, i, os)
	secrets := b.secrets(a)
	live := []string{"alarms", "predictions", "telemetry"}
	watch := func(c caller) *socket {
		s := i.dial(t, c.token)
		for _, name := range live {
			o := os[slices.IndexFunc(os, func(o operation) bool { return o.name() == "Subscription."+name })]
			s.subscribe(t, name, o.document(2, c.may()...), nil)
		}
		// Alarms, which were asked for first, may have nothing to begin with.
		for _, name := range live[1:] {
			s.await(t, "a snapshot of "+name, func(f frame) bool { return f.ID == name })
		}
		return s
	}
	mine, theirs := watch(here), watch(there)
	theirs.await(t, "the alarm of before", func(f frame) bool { return f.ID == "alarms" }) // that bothSites has made

	begin := time.Now()
	feed(t, i.device(t, alpha+".gw-river"), alpha+"/"+thereSite+"/sensors/"+liveFed, "cavitation", 20)
	for _, name := range live {
		theirs.await(t, name+" on the other site itself", func(f frame) bool {
			return f.ID == name && f.at.After(begin) && strings.Contains(string(f.Payload), `"snapshot":false`)
		})
	}
	// Then a reading of the own site, behind which nothing can still be on its way.
	marker := 384.375
	publish(t, i.device(t, alpha+".gw-north"), alpha+"/north-station/sensors/"+hereFed, fmt.Appendf(nil, `{"timestamp":%q,"flow":%g}`, stamp(time.Now()), marker))
	mine.await(t, "the marker", func(f frame) bool {
		return f.ID == "telemetry" && strings.Contains(string(f.Payload), fmt.Sprint(marker))
	})
	frames := mine.received()
	for _, f := range frames {
		if found := leak(secrets, f.Payload); found != "" {
			t.Errorf("received %q in %s: %s", found, f.ID, f.Payload)
		}
	}
	figure("live isolation of sites: %d frames with %d secrets looked for", len(frames), len(secrets))
}
