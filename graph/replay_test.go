package graph_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"foresight/internal/bulk"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// emptyZone is a landing zone that has nothing.
type emptyZone struct{}

func (emptyZone) Parts(context.Context, bulk.Stretch) ([]bulk.HistoryPart, error) { return nil, nil }
func (emptyZone) Retention(id.UUID) (time.Duration, bool)                         { return 30 * 24 * time.Hour, true }
func (emptyZone) Readmit(context.Context, id.UUID, []id.UUID, []*telemetry.Raw) ([]bulk.Readmitted, error) {
	return nil, nil
}

func TestReplaysInTheGraph(t *testing.T) {
	r := newRig(t)
	const engineer, fields = "acme/engineer", "job { id status from to appended rejected { reason count } by { fullName } } "
	hours := func(n int) string {
		return time.Now().UTC().Add(time.Duration(n) * time.Hour).Truncate(time.Second).Format("2006-01-02T15:04:05.000Z")
	}
	input := map[string]any{"from": hours(-2), "to": hours(-1), "assetId": r.acme.AssetID}
	r.bulk.History, r.bulk.Gate = emptyZone{}, emptyZone{}
	r.worksJobs()
	got := r.do(engineer, "replay", "ReplayInput", fields, input)
	if at(got, "job", "from") != input["from"] || at(got, "job", "to") != input["to"] || at(got, "job", "by", "fullName") != "engineer" {
		t.Fatalf("%v", got)
	}
	j := r.ended(engineer, at(got, "job", "id"), `... on ReplayJob { appended rejected { reason count } failure }`, "en")
	if at(j, "status") != "SUCCEEDED" || at(j, "appended") != 0.0 || at(j, "failure") != nil {
		t.Errorf("%v", j)
	}
	for name, c := range map[string]struct {
		change map[string]any
		want   string
	}{
		"beyond the retention":  {map[string]any{"from": hours(-31 * 24)}, "input.from BAD_USER_INPUT Raw readings are kept for 30 days"},
		"backwards":             {map[string]any{"to": hours(-3)}, "input.to BAD_USER_INPUT The end comes after"},
		"another tenant's site": {map[string]any{"siteId": r.globex.SiteID}, "input.siteId NOT_FOUND"},
	} {
		in := map[string]any{"from": input["from"], "to": input["to"]}
		for k, v := range c.change {
			in[k] = v
		}
		got := r.do(engineer, "replay", "ReplayInput", fields, in)
		told := fmt.Sprint(at(got, "userErrors", 0, "field"), " ", at(got, "userErrors", 0, "code"), " ", at(got, "userErrors", 0, "message"))
		if at(got, "job") != nil || !strings.HasPrefix(told, c.want) {
			t.Errorf("%s: %s", name, told)
		}
	}
	log := r.data("acme/admin", `{ auditLog(filter: {actorKind: USER}) { nodes { action entity } } }`)["auditLog"]
	if fmt.Sprint(at(log, "nodes")) != "[map[action:replay entity:ReplayJob]]" {
		t.Errorf("%v", at(log, "nodes"))
	}
}
