package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// users who ask at the same time, each about three times a second.
const (
	users = 150
	think = 333 * time.Millisecond
)

// reads are the pages that people open and the calls that partners make, with the
// p50/p95/p99 in ms that a comparable product publishes for 150 users.
var reads = map[string]struct{ query, published string }{
	"assets": {`{ assets(first: 20, orderBy: {field: ALARMS, direction: DESC}) { totalCount nodes { id code name type criticality site { id code name }
		health { score status } activeAlarmCount worstSeverity lastSeenAt } pageInfo { hasNextPage endCursor } } }`, "18/45/95"},
	"alarms": {`{ alarmEvents(first: 20, filter: {activeOnly: true}) { totalCount nodes { id status severity triggeredAt triggeredValue occurrences
		rule { id name } site { id code } asset { id code name } acknowledgedBy { fullName } } pageInfo { hasNextPage endCursor } } }`, "22/55/110"},
	"rules": {`{ alarmRules(first: 20) { totalCount nodes { id name severity parameter operator threshold isActive } pageInfo { hasNextPage } } }`, "15/38/80"},
	"summary": {`{ dashboard { assetCount reportingAssetCount assetsInAlarm unacknowledgedCount activeAlarms { severity count }
		worstAssets { id code name activeAlarmCount worstSeverity } latestAbnormal { label probability timestamp } } }`, "35/85/170"},
	"token":  {"", "95/200/380"},
	"health": {"", "2/6/12"},

	"me":               {`{ me { user { fullName } tenant { code } role permissions } }`, ""},
	"sites":            {`{ sites(first: 20) { nodes { id code name assetCount activeAlarmCount } } }`, ""},
	"gateways":         {`{ gateways(first: 20) { nodes { id code site { code } } } }`, ""},
	"sensors":          {`{ sensors(first: 20) { nodes { id code type asset { code } lastSeenAt } } }`, ""},
	"parameters":       {`{ parameters(first: 20) { nodes { name unit } } }`, ""},
	"latest readings":  {`{ latestReadings { sensorId timestamp } }`, ""},
	"fault types":      {`{ faultTypes(first: 40) { nodes { code label } } }`, ""},
	"predictions":      {`{ predictions(first: 20) { nodes { label probability asset { code } } } }`, ""},
	"models":           {`{ models(first: 20) { nodes { id name } } }`, ""},
	"deployments":      {`{ deployments(first: 20) { nodes { id isProduction } } }`, ""},
	"rejected reading": {`{ rejectedReadings { reason at } }`, ""},
}

// TestReadLatency measures every read of the catalogue under the load of many users at
// once, and prints the quantiles beside the published ones. It asserts only that all
// are answered.
func TestReadLatency(t *testing.T) {
	i := quiet.get(t)
	span := 5 * time.Second
	if os.Getenv(longEnv) != "" {
		span = 30 * time.Second
	}
	token := i.login(t, alpha, "engineer")
	names := slices.Sorted(maps.Keys(reads))
	for _, n := range names { // warm, and all of them right
		if err := i.read(t, n, token); err != nil {
			t.Errorf("%s: %v", n, err)
		}
	}
	if t.Failed() {
		return
	}
	var mu sync.Mutex
	took := map[string][]time.Duration{}
	var wait sync.WaitGroup
	begin := time.Now()
	for range users {
		wait.Go(func() {
			for due := begin.Add(rand.N(think)); time.Since(begin) < span; due = due.Add(think) {
				<-time.After(time.Until(due)) // the schedule of the load, whatever the answers take
				n := names[rand.N(len(names))]
				if n == "token" && rand.N(10) > 0 { // nobody signs in as often as that
					n = "assets"
				}
				err := i.read(t, n, token)
				mu.Lock()
				took[n] = append(took[n], time.Since(due))
				mu.Unlock()
				if err != nil {
					t.Errorf("%s: %v", n, err)
					return
				}
			}
		})
	}
	wait.Wait()
	total := 0
	for _, n := range names {
		total += len(took[n])
		against := ""
		if p := reads[n].published; p != "" {
			against = "; published elsewhere: p50/p95/p99 " + p + " ms"
		}
		figure("read %s of %d users: %s%s", n, users, quantiles(took[n]), against)
	}
	figure("reads answered: %d in %s, %.0f a second", total, span, float64(total)/span.Seconds())
}

// read makes one of the reads.
func (i *instance) read(t *testing.T, name, token string) error {
	switch name {
	case "health":
		return drained(web.Get(i.url + "/healthz"))
	case "token":
		return drained(web.PostForm(i.url+"/oauth/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {alpha + "-client"}, "client_secret": {clientSecret}}))
	}
	if a := i.ask(t, request{token: token, query: reads[name].query}); a.Status != http.StatusOK || len(a.Errors) > 0 {
		return fmt.Errorf("%d %s", a.Status, strings.TrimSpace(string(a.Body)))
	}
	return nil
}

func drained(p *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer p.Body.Close()
	if p.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", p.StatusCode)
	}
	return nil
}

// quantiles are p50, p95 and p99 of durations.
func quantiles(ds []time.Duration) string {
	if len(ds) == 0 {
		return "none"
	}
	slices.Sort(ds)
	at := func(q float64) float64 { return float64(ds[int(q*float64(len(ds)-1))].Microseconds()) / 1000 }
	return fmt.Sprintf("p50/p95/p99 %.1f/%.1f/%.1f ms (n=%d)", at(0.5), at(0.95), at(0.99), len(ds))
}
