package graph_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"foresight/internal/id"
	"foresight/internal/tenancy"
)

func TestIngestionStats(t *testing.T) {
	r := newRig(t)
	now := time.Now().UTC().Truncate(time.Minute)
	add := func(tenant id.UUID, ago int, outcome string, n int) {
		r.sql(`INSERT INTO ingestion_counts (tenant_id, minute, outcome, n) VALUES ($1, $2, $3, $4)`, tenant, now.Add(-time.Duration(ago)*time.Minute), outcome, n)
	}
	for outcome, n := range map[string]int{"accepted": 100, "slowed": 7, "bad_json": 3, "unknown_sensor": 5, "log_full": 2} {
		add(r.acme.TenantID, 3, outcome, n)
	}
	add(r.acme.TenantID, 0, "accepted", 3_000_000_000) // more than 32 bits
	add(r.acme.TenantID, 0, "deferred", 4)
	add(r.acme.TenantID, 0, "told", 6)
	add(r.acme.TenantID, 70, "accepted", 1000) // before
	add(r.globex.TenantID, 0, "accepted", 1)
	const query = `query($m: Int) { ingestionStats(minutes: $m) { accepted rejected unconfirmed slowed deferred rateLimited messagesPerSecond
		reasons { reason message count } minutes { at accepted rejected overQuota } } }`
	got := r.data("acme/viewer", query)["ingestionStats"]
	if per, _ := at(got, "messagesPerSecond").(float64); per < 3_000_000_100/3600. || per > 3_000_000_100/3539. {
		t.Errorf("%v messages per second", per)
	}
	want := fmt.Sprint("map[accepted:3.0000001e+09 deferred:4 messagesPerSecond:", at(got, "messagesPerSecond"),
		" minutes:[map[accepted:100 at:", now.Add(-3*time.Minute).Format("2006-01-02T15:04:05.000Z"), " overQuota:7 rejected:8] map[accepted:3e+09 at:", now.Format("2006-01-02T15:04:05.000Z"),
		" overQuota:10 rejected:0]] rateLimited:6",
		" reasons:[map[count:5 message:There is no such sensor. reason:unknown_sensor] map[count:3 message:", at(got, "reasons", 1, "message"), " reason:bad_json]]",
		" rejected:8 slowed:7 unconfirmed:2]")
	if s := fmt.Sprint(got); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if got := r.data("acme/viewer", query, "m", 2)["ingestionStats"]; at(got, "accepted") != 3e9 || at(got, "rejected") != 0.0 {
		t.Errorf("the last two minutes: %v", got)
	}
	for _, minutes := range []int{0, 1441} {
		if a := r.ask("acme/viewer", query, "m", minutes); !strings.Contains(a.raw, "BAD_USER_INPUT") {
			t.Errorf("%d minutes: %s", minutes, a.raw)
		}
	}
	if a := r.ask("", query); !strings.Contains(a.raw, "UNAUTHENTICATED") {
		t.Errorf("nobody: %s", a.raw)
	}
	r.change = func(a *tenancy.Actor) { a.SiteIDs = []id.UUID{r.acme.SiteID} }
	if got := r.data("acme/viewer", query)["ingestionStats"]; at(got, "accepted") != 0.0 || len(at(got, "minutes").([]any)) != 0 {
		t.Errorf("a person of one site: %v", got)
	}
}
