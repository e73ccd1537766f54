package graph_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"

	"foresight/graph/resolver"
	"foresight/internal/event"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

const ingestQuery = `mutation($in: IngestReadingsInput!) { ingestReadings(input: $in) { acceptedCount rejectedCount
	results { index status ingestId timestamp reason retryAfter message } userErrors { field code message } } }`

func TestIngestReadings(t *testing.T) {
	r := newRig(t)
	at3 := time.Date(2026, 3, 1, 12, 0, 0, 5e6, time.UTC)
	var got []resolver.IngestReading
	r.ingest = func(ctx context.Context, in []resolver.IngestReading) ([]resolver.IngestOutcome, error) {
		got = in
		if _, bounded := ctx.Deadline(); !bounded || tenancy.Must(ctx).TenantID != r.acme.TenantID {
			t.Error("the gate is asked without a bound, or for another tenant")
		}
		return []resolver.IngestOutcome{{IngestID: telemetry.IngestID{1, 2}, Timestamp: at3}, {Reason: "unknown_sensor"},
			{Err: errors.New("secret of the log")}, {Err: errors.New("over"), RetryAfter: 1200 * time.Millisecond}}, nil
	}
	value := func(name string, v any) map[string]any { return map[string]any{"parameter": name, "value": v} }
	in := map[string]any{"readings": []any{
		map[string]any{"sensorCode": "pump-1-a", "timestamp": "2026-03-01T13:00:00.005+01:00", "messageId": `m"1`, "values": []any{value("flow", 2.5), value("flow", 3)}},
		map[string]any{"sensorCode": "pump-9", "values": []any{value("speed", 1e300)}},
		map[string]any{"sensorCode": "pump-1-b", "values": []any{}},
		map[string]any{"sensorCode": "pump-1-b", "values": []any{}},
	}}
	a := r.ask("acme/engineer", ingestQuery, "in", in)
	for i, want := range []string{
		`{"timestamp":"2026-03-01T12:00:00.005Z","ingest_id":"m\"1","parameters":{"flow":2.5,"flow":3}}`,
		`{"parameters":{"speed":1e+300}}`, `{"parameters":{}}`,
	} {
		if s := string(got[i].Payload); s != want || got[i].Sensor != []string{"pump-1-a", "pump-9", "pump-1-b"}[i] {
			t.Errorf("%d: %s says %s, want %s", i, got[i].Sensor, s, want)
		}
	}
	answer := a.Data["ingestReadings"]
	want := "map[acceptedCount:1 rejectedCount:1 results:[" +
		"map[index:0 ingestId:01020000000000000000000000000000 message:<nil> reason:<nil> retryAfter:<nil> status:ACCEPTED timestamp:2026-03-01T12:00:00.005Z] " +
		"map[index:1 ingestId:<nil> message:There is no such sensor. reason:unknown_sensor retryAfter:<nil> status:REJECTED timestamp:<nil>] " +
		"map[index:2 ingestId:<nil> message:The reading was not confirmed: send it again. reason:<nil> retryAfter:<nil> status:RETRY timestamp:<nil>] " +
		"map[index:3 ingestId:<nil> message:Over the quota: send the reading again in 2 s. reason:<nil> retryAfter:2 status:RATE_LIMITED timestamp:<nil>]] userErrors:[]]"
	if s := fmt.Sprint(answer); s != want || strings.Contains(a.raw, "secret") {
		t.Errorf("answer %s, want %s", s, want)
	}

	one := map[string]any{"sensorCode": "s", "values": []any{}}
	many, wide := make([]any, 501), make([]any, 257)
	for i := range many {
		many[i] = one
	}
	for i := range wide {
		wide[i] = value("flow", 1)
	}
	for name, c := range map[string]struct {
		readings []any
		field    string
	}{
		"none":            {[]any{}, "input.readings"},
		"too many":        {many, "input.readings"},
		"too many values": {[]any{one, map[string]any{"sensorCode": "s", "values": wide}}, "input.readings.1.values"},
	} {
		got = nil
		answer := r.data("acme/engineer", ingestQuery, "in", map[string]any{"readings": c.readings})["ingestReadings"]
		if mistake(answer) != "BAD_USER_INPUT "+c.field || got != nil || len(at(answer, "results").([]any)) != 0 {
			t.Errorf("%s: %v", name, answer)
		}
	}
	for who, code := range map[string]string{"acme/operator": "FORBIDDEN", "": "UNAUTHENTICATED"} {
		if a := r.ask(who, ingestQuery, "in", in); !strings.Contains(a.raw, code) {
			t.Errorf("%s: %s", who, a.raw)
		}
	}
	r.ingest = func(context.Context, []resolver.IngestReading) ([]resolver.IngestOutcome, error) {
		return nil, fault.New(fault.Unavailable, "error.ingest.unavailable")
	}
	if a := r.ask("acme/engineer", ingestQuery, "in", in); !strings.Contains(a.raw, "UNAVAILABLE") {
		t.Errorf("a closed gate: %s", a.raw)
	}
}

func TestPictureInTheGraph(t *testing.T) {
	r := newRig(t)
	const upload = `mutation($in: UploadAssetImageInput!) { uploadAssetImage(input: $in) { asset { version imageUrl } userErrors { field code } } }`
	const remove = `mutation($in: DeleteAssetImageInput!) { deleteAssetImage(input: $in) { asset { version imageUrl } userErrors { field code } } }`
	var b bytes.Buffer
	r.ok(png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))))
	picture := base64.StdEncoding.EncodeToString(b.Bytes())
	of := func(asset id.UUID, more ...any) map[string]any {
		in := map[string]any{"id": asset, "content": picture}
		for i := 0; i < len(more); i += 2 {
			in[more[i].(string)] = more[i+1]
		}
		return in
	}
	got := r.data("acme/engineer", upload, "in", of(r.acme.AssetID, "expectedVersion", 1))["uploadAssetImage"]
	url, _ := at(got, "asset", "imageUrl").(string)
	if at(got, "asset", "version") != 2.0 || !strings.HasPrefix(url, "/assets/"+r.acme.AssetID.String()+"/image?link=") {
		t.Fatalf("uploaded %v", got)
	}
	for want, in := range map[string]map[string]any{
		"CONFLICT input.expectedVersion": of(r.acme.AssetID, "expectedVersion", 1),
		"NOT_FOUND input.id":             of(r.globex.AssetID),
		"BAD_USER_INPUT input.content":   of(r.acme.AssetID, "content", "???"),
	} {
		if got := mistake(r.data("acme/engineer", upload, "in", in)["uploadAssetImage"]); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := mistake(r.data("acme/engineer", upload, "in", of(r.acme.AssetID, "content", base64.StdEncoding.EncodeToString([]byte("GIF89a"))))["uploadAssetImage"]); got != "BAD_USER_INPUT input.content" {
		t.Errorf("no picture: %s", got)
	}
	if a := r.ask("acme/operator", upload, "in", of(r.acme.AssetID)); !strings.Contains(a.raw, "FORBIDDEN") {
		t.Errorf("an operator: %s", a.raw)
	}
	if got := r.data("acme/engineer", remove, "in", map[string]any{"id": r.acme.AssetID})["deleteAssetImage"]; at(got, "asset", "imageUrl") != nil || at(got, "asset", "version") != 3.0 {
		t.Errorf("removed %v", got)
	}
}

func TestGatewayStatus(t *testing.T) {
	r := newRig(t)
	south, far := id.New(id.Site), id.New(id.Gateway)
	r.sql(`INSERT INTO sites (id, tenant_id, site_code, name) VALUES ($1, $2, 'south', 'South')`, south, r.acme.TenantID)
	r.sql(`INSERT INTO gateways (id, tenant_id, site_id, gateway_code) VALUES ($1, $2, $3, 'gw-south')`, far, r.acme.TenantID, south)
	r.sql(`INSERT INTO gateway_states (tenant_id, gateway_id, site_id, last_seen_at, is_online, connected_at) VALUES ($1, $2, $3, now(), true, now())`, r.acme.TenantID, far, south)
	query := func(scope string) string {
		return `subscription { gatewayStatus` + scope + ` { gateway { code } isOnline lastSeenAt connectedAt snapshot resync } }`
	}
	change := func(tenant, site, gateway id.UUID, online bool) {
		c := &event.GatewayChange{ID: gateway, IsOnline: online, LastSeenAt: time.Now()}
		if online {
			c.ConnectedAt = time.Now()
		}
		r.ok(r.hub.Publish(t.Context(), event.Event{Kind: event.Gateway, Key: telemetry.Key{Tenant: tenant, Site: site}, Gateway: c}))
	}
	// shown is `code online snapshot`.
	shown := func(item any) string {
		return fmt.Sprint(at(item, "gateway", "code"), " ", at(item, "isOnline"), " ", at(item, "snapshot"), " ", at(item, "connectedAt") != nil)
	}
	all := r.watch("acme/viewer", query(""))
	site := r.watch("acme/viewer", query(`(scope: {siteId: "`+south.String()+`"})`))
	asset := r.watch("acme/viewer", query(`(scope: {assetId: "`+r.acme.AssetID.String()+`"})`))
	r.change = func(a *tenancy.Actor) { a.SiteIDs = []id.UUID{south} }
	limited := r.watch("acme/viewer", query(""))
	r.change = func(*tenancy.Actor) {}
	for name, c := range map[string]struct {
		of   *live
		want []string
	}{
		"all": {all, []string{"gw-1 false true false", "gw-south true true true"}}, "a site": {site, []string{"gw-south true true true"}},
		"an asset": {asset, []string{"gw-1 false true false"}}, "a person of the south": {limited, []string{"gw-south true true true"}},
	} {
		for _, want := range c.want {
			if got := shown(c.of.next("gatewayStatus")); got != want {
				t.Errorf("%s begins with %s, want %s", name, got, want)
			}
		}
	}
	change(r.globex.TenantID, r.globex.SiteID, r.globex.GatewayID, true)
	change(r.acme.TenantID, r.acme.SiteID, r.acme.GatewayID, true)
	change(r.acme.TenantID, south, far, false)
	for name, c := range map[string]struct {
		of   *live
		want []string
	}{
		"all": {all, []string{"gw-1 true false true", "gw-south false false false"}}, "a site": {site, []string{"gw-south false false false"}},
		"an asset": {asset, []string{"gw-1 true false true"}}, "a person of the south": {limited, []string{"gw-south false false false"}},
	} {
		for _, want := range c.want {
			if got := shown(c.of.next("gatewayStatus")); got != want {
				t.Errorf("%s goes on with %s, want %s", name, got, want)
			}
		}
	}
	for _, scope := range []string{`{siteId: "` + r.globex.SiteID.String() + `"}`, `{assetId: "` + r.globex.AssetID.String() + `"}`} {
		l := r.watch("acme/viewer", query(`(scope: `+scope+`)`))
		if m := l.read(); m["type"] != "error" || !strings.Contains(fmt.Sprint(m), "NOT_FOUND") {
			t.Errorf("another tenant's %s: %v", scope, m)
		}
	}
}
