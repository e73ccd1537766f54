package bulk_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"foresight/ent/enum"
	"foresight/internal/bulk"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// What is exported can be imported: it gives the same plant.
func TestExportsAreImports(t *testing.T) {
	w := newWorld(t, bulk.Limits{})
	acme, globex := w.as(tenancy.Engineer), w.globex.As(t.Context(), tenancy.Engineer)
	i := w.importFile(acme, "kind,code,name,location,parent,site,type,manufacturer,rated_power_kw,external_ref,serial_number\n"+
		"site,rt,\"Rund, \"\"Reise\"\"\",-12 m,,,,,,,\n"+
		"asset,rt-1,'=1+1,Halle ü,rt-2,rt,pump,@maker,7.25,sap:1,+49\n"+
		"asset,rt-2,''-x,\"two\nlines\",,rt,pump_set,,,,\n", bulk.ImportRequest{})
	if i.Status != enum.JobSucceeded {
		t.Fatal(mistakes(i))
	}
	if n := w.count(`SELECT count(*) FROM assets WHERE name IN ('=1+1', '''-x')`); n != 2 {
		t.Errorf("%d of 2 names lost their guard", n)
	}
	var files []string
	for _, k := range []bulk.ExportKind{bulk.ExportSites, bulk.ExportGateways, bulk.ExportAssets, bulk.ExportSensors} {
		e, file := w.export(acme, bulk.ExportRequest{Kind: k, Format: enum.ExportCSV})
		if lines := strings.Count(file, "\n"); *e.Rows == 0 || uint64(lines) < *e.Rows+1 {
			t.Errorf("%s: %d rows in %d lines", k, *e.Rows, lines)
		}
		files = append(files, file)
	}
	if !strings.Contains(files[2], `asset,rt-1,'=1+1,rt,,rt-2,pump,medium,Halle ü,'@maker,,'+49,,7.25,,,,,sap:1,true`) ||
		!strings.Contains(files[2], `asset,rt-2,''-x,rt,,,pump_set,medium,"two`) {
		t.Errorf("assets:\n%s", files[2])
	}
	w.sql(`UPDATE sites SET site_code = 'g-' || site_code WHERE tenant_id = $1`, w.globex.TenantID)
	w.sql(`UPDATE gateways SET gateway_code = 'g-' || gateway_code WHERE tenant_id = $1`, w.globex.TenantID)
	w.sql(`UPDATE assets SET asset_code = 'g-' || asset_code WHERE tenant_id = $1`, w.globex.TenantID)
	w.sql(`UPDATE sensors SET sensor_code = 'g-' || sensor_code WHERE tenant_id = $1`, w.globex.TenantID)
	for _, file := range files {
		if i := w.importFile(globex, file, bulk.ImportRequest{}); i.Status != enum.JobSucceeded {
			t.Errorf("%v %v", i.Failure, mistakes(i))
		}
	}
	for _, table := range []string{"sites", "assets"} {
		if n := w.count(`SELECT count(*) FROM ` + table + ` a JOIN ` + table + ` g ON g.name = a.name AND g.location IS NOT DISTINCT FROM a.location
			WHERE a.tenant_id <> g.tenant_id AND a.name LIKE '%un%' OR a.tenant_id <> g.tenant_id AND a.name IN ('=1+1', '''-x')`); n < 2 {
			t.Errorf("%s: only %d rows are the same", table, n)
		}
	}
}

func TestLinesOfJSON(t *testing.T) {
	w := newWorld(t, bulk.Limits{})
	w.sql(`UPDATE assets SET name = '=SUM(A1)', rated_power_kw = 7.5 WHERE id = $1`, w.acme.AssetID)
	e, file := w.export(w.as(tenancy.Viewer), bulk.ExportRequest{Kind: bulk.ExportAssets, Format: enum.ExportNDJSON})
	var got map[string]any
	w.ok(json.Unmarshal([]byte(file), &got))
	if *e.Rows != 1 || got["code"] != "pump-1" || got["name"] != "=SUM(A1)" || got["rated_power_kw"] != 7.5 || got["parent"] != nil || got["active"] != true ||
		!strings.HasPrefix(file, `{"kind":"asset","code":"pump-1",`) {
		t.Errorf("%s", file)
	}
}

// alarm raises an alarm on a machine, under a rule of its own that is limited to the machine.
func (w *world) alarm(tenant, site, asset id.UUID, name string, at time.Time) {
	w.Helper()
	rule := id.New(id.AlarmRule)
	w.sql(`INSERT INTO alarm_rules (id, tenant_id, name, parameter, operator, threshold, severity, asset_id, fault_codes) VALUES ($1, $2, $3, 'flow', 'gt', 1.5, 'high', $4, '["wear", "cavitation"]')`,
		rule, tenant, name, asset)
	w.sql(`INSERT INTO alarm_events (id, tenant_id, site_id, asset_id, rule_id, severity, status, triggered_value, triggered_at, last_triggered_at)
		VALUES ($1, $2, $3, $4, $5, 'high', 'open', -2, $6, $6)`, id.New(id.AlarmEvent), tenant, site, asset, rule, at)
}

func TestExportsStayWithinTenantAndSites(t *testing.T) {
	w := newWorld(t, bulk.Limits{})
	acme, limited := w.as(tenancy.Engineer), w.limited(w.south)
	if i := w.importFile(acme, "kind,code,name,site,asset,type\nasset,s-1,S,south,,pump\nsensor,s-1-a,,,s-1,vibration\ngateway,s-gw,,south,,\n", bulk.ImportRequest{}); i.Status != enum.JobSucceeded {
		t.Fatal(mistakes(i))
	}
	var south id.UUID
	w.ok(w.owner.QueryRow(t.Context(), `SELECT id FROM assets WHERE asset_code = 's-1'`).Scan(&south))
	at := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	w.alarm(w.acme.TenantID, w.acme.SiteID, w.acme.AssetID, "northern", at)
	w.alarm(w.acme.TenantID, w.south, south, "southern", at)
	w.alarm(w.globex.TenantID, w.globex.SiteID, w.globex.AssetID, "foreign", at)
	for n, p := range []struct {
		tenant, site, asset, sensor id.UUID
	}{
		{w.acme.TenantID, w.acme.SiteID, w.acme.AssetID, w.acme.SensorIDs[0]},
		{w.globex.TenantID, w.globex.SiteID, w.globex.AssetID, w.globex.SensorIDs[0]},
	} {
		docs := make([]telemetry.Raw, 0, 1200)
		for i := range 1200 {
			d := telemetry.Raw{IngestID: telemetry.IngestID{byte(n + 1), byte(i >> 8), byte(i)}, LogSeq: uint64(i + 1), ReceivedAt: at}
			d.Key = telemetry.Key{Tenant: p.tenant, Site: p.site, Asset: p.asset, Sensor: p.sensor}
			d.Timestamp, d.Channels = at.Add(time.Duration(i)*time.Second), telemetry.NoChannels()
			d.Channels[0], d.Values = float64(i), []telemetry.Value{{Name: "flow", Value: 3.5}}
			docs = append(docs, d)
		}
		_, err := w.store.WriteReadings(t.Context(), docs)
		w.ok(err)
	}
	from, to := at, at.Add(1100*time.Second)
	for _, c := range []struct {
		kind             bulk.ExportKind
		all, limited     uint64
		northern, shared string // in the first only, in both
		filter           bulk.ExportFilter
	}{
		{bulk.ExportSites, 2, 1, "north", "south", bulk.ExportFilter{}},
		{bulk.ExportGateways, 2, 1, "gw-1,north", "s-gw", bulk.ExportFilter{}},
		{bulk.ExportAssets, 2, 1, "pump-1", "s-1", bulk.ExportFilter{}},
		{bulk.ExportSensors, 3, 1, "pump-1-a", "s-1-a", bulk.ExportFilter{}},
		{bulk.ExportAlarms, 2, 1, "northern,,high,open,-2", "southern", bulk.ExportFilter{From: &from}},
		{bulk.ExportAlarms, 0, 0, "", "", bulk.ExportFilter{To: &from}},
		{bulk.ExportRules, 2, 1, "northern", "cavitation wear", bulk.ExportFilter{}},
		{bulk.ExportReadings, 2200, 0, "north,pump-1,pump-1-a,flow,3.5", "", bulk.ExportFilter{From: &from, To: &to}},
	} {
		whole, file := w.export(acme, bulk.ExportRequest{Kind: c.kind, Format: enum.ExportCSV, Filter: c.filter})
		own, part := w.export(limited, bulk.ExportRequest{Kind: c.kind, Format: enum.ExportCSV, Filter: c.filter})
		if *whole.Rows != c.all || *own.Rows != c.limited {
			t.Errorf("%s: %d and %d rows, want %d and %d", c.kind, *whole.Rows, *own.Rows, c.all, c.limited)
		}
		if c.northern != "" && (!strings.Contains(file, c.northern) || strings.Contains(part, c.northern)) || !strings.Contains(part, c.shared) || strings.Contains(file, "foreign") {
			t.Errorf("%s:\n%.300s\nlimited:\n%.300s", c.kind, file, part)
		}
		for who, ctx := range map[string]context.Context{"limited": limited, "globex": w.globex.As(t.Context(), tenancy.Admin)} {
			if _, err := w.Open(ctx, whole.ID); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %s opens the export of the whole tenant: %v", c.kind, who, err)
			}
			if _, err := w.Export(ctx, whole.ID); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %s sees it: %v", c.kind, who, err)
			}
		}
		var again int
		w.ok(w.owner.QueryRow(t.Context(), `SELECT count(*) FROM river.river_job WHERE attempt > 1`).Scan(&again))
		if again > 0 {
			t.Fatalf("%s: %d jobs needed another attempt", c.kind, again)
		}
		d, err := w.Open(acme, own.ID)
		if err != nil {
			t.Errorf("%s: who sees all does not open the part: %v", c.kind, err)
		} else {
			w.ok(d.Close())
		}
	}
	// By site: a part of the tenant that the limited person may then see, too.
	e, file := w.export(acme, bulk.ExportRequest{Kind: bulk.ExportAssets, Format: enum.ExportCSV, Filter: bulk.ExportFilter{Site: &w.south}})
	if *e.Rows != 1 || !strings.Contains(file, "s-1") {
		t.Errorf("%s", file)
	}
	if _, err := w.Export(limited, e.ID); err != nil {
		t.Error(err)
	}
	for entity, f := range map[string]bulk.ExportFilter{"Site": {Site: &w.acme.SiteID}, "Asset": {Asset: &w.acme.AssetID}} {
		if _, err := w.StartExport(limited, bulk.ExportRequest{Kind: bulk.ExportAssets, Format: enum.ExportCSV, Filter: f}); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s of another site: %v", entity, err)
		}
	}
}

func TestExportsNeedThePermissionOfWhatTheyHold(t *testing.T) {
	w := newWorld(t, bulk.Limits{})
	client := func(ps ...tenancy.Permission) context.Context {
		return tenancy.With(t.Context(), &tenancy.Actor{Kind: tenancy.Client, ID: id.New(id.OAuthClient), TenantID: w.acme.TenantID, Scopes: tenancy.NewSet(ps...)})
	}
	e, _ := w.export(client(tenancy.PlantRead, tenancy.AlarmsRead), bulk.ExportRequest{Kind: bulk.ExportAlarms, Format: enum.ExportCSV})
	for name, ctx := range map[string]context.Context{"alarms alone": client(tenancy.AlarmsRead), "plant alone": client(tenancy.PlantRead)} {
		if _, err := w.StartExport(ctx, bulk.ExportRequest{Kind: bulk.ExportAlarms, Format: enum.ExportCSV}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := w.Open(ctx, e.ID); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s opens: %v", name, err)
		}
	}
	for name, c := range map[string]struct {
		ctx  context.Context
		want int
	}{
		"plant alone":      {client(tenancy.PlantRead), 0},
		"plant and rules":  {client(tenancy.PlantRead, tenancy.RulesRead), 0},
		"plant and alarms": {client(tenancy.PlantRead, tenancy.AlarmsRead), 1},
		"alarms on a site": {tenancy.With(t.Context(), &tenancy.Actor{Kind: tenancy.Client, ID: id.New(id.OAuthClient), TenantID: w.acme.TenantID,
			Scopes: tenancy.NewSet(tenancy.PlantRead), OnSites: map[tenancy.Permission][]id.UUID{tenancy.AlarmsRead: {w.acme.SiteID}}}), 0},
	} {
		if p, err := w.Jobs(c.ctx, pageArgs(50, nil)); err != nil || len(p.Items) != c.want || p.Total != c.want {
			t.Errorf("%s lists %d of %d, want %d: %v", name, len(p.Items), p.Total, c.want, err)
		}
	}
}

func TestExportsThatMakeNoSense(t *testing.T) {
	w := newIdleWorld(t, bulk.Limits{})
	now := time.Now()
	before, long := now.Add(-time.Hour), now.Add(400*24*time.Hour)
	for _, c := range []struct {
		q    bulk.ExportRequest
		want string
	}{
		{bulk.ExportRequest{Kind: "users"}, "input.kind"},
		{bulk.ExportRequest{Kind: bulk.ExportSites, Format: enum.ExportPDF}, "input.format"},
		{bulk.ExportRequest{Kind: bulk.ExportSites, Filter: bulk.ExportFilter{From: &now}}, "input.filter.from"},
		{bulk.ExportRequest{Kind: bulk.ExportSites, Filter: bulk.ExportFilter{Asset: &w.acme.AssetID}}, "input.filter.assetId"},
		{bulk.ExportRequest{Kind: bulk.ExportReadings}, "input.filter.from"},
		{bulk.ExportRequest{Kind: bulk.ExportReadings, Filter: bulk.ExportFilter{From: &now, To: &before}}, "input.filter.to"},
		{bulk.ExportRequest{Kind: bulk.ExportReadings, Filter: bulk.ExportFilter{From: &now, To: &long}}, "input.filter.to"},
	} {
		if c.q.Format == "" {
			c.q.Format = enum.ExportCSV
		}
		if _, err := w.StartExport(w.as(tenancy.Admin), c.q); !fault.Is(err, fault.BadInput) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.q, err)
		}
	}
}

func TestFilesExpire(t *testing.T) {
	w := newWorld(t, bulk.Limits{})
	ctx := w.as(tenancy.Viewer)
	e, _ := w.export(ctx, bulk.ExportRequest{Kind: bulk.ExportSites, Format: enum.ExportCSV})
	w.sql(`UPDATE export_jobs SET created_at = now() - interval '25 hours' WHERE id = $1`, e.ID)
	if _, err := w.Open(ctx, e.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("an expired file: %v", err)
	}
	// The job that deletes it is due.
	w.sql(`UPDATE river.river_job SET scheduled_at = now(), state = 'available' WHERE kind = 'sweep_bulk'`)
	testkit.Eventually(t, testkit.Patience, func() bool { return w.count(`SELECT count(*) FROM export_jobs WHERE path IS NOT NULL`) == 0 })
	if got, err := w.Export(ctx, e.ID); err != nil || got.ExpiresAt() != nil || got.Status != enum.JobSucceeded {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestExportsTooLargeFail(t *testing.T) {
	w := newWorld(t, bulk.Limits{MaxExport: 100})
	ctx := w.as(tenancy.Viewer)
	e, err := w.StartExport(ctx, bulk.ExportRequest{Kind: bulk.ExportSites, Format: enum.ExportCSV})
	w.ok(err)
	if e = last(w, follow(w, ctx, e.ID, w.Export)); e.Status != enum.JobFailed || e.Failure == nil || e.Failure.Key != "error.export.tooLarge" {
		t.Errorf("%s, %v", e.Status, e.Failure)
	}
	if _, err := w.Open(ctx, e.ID); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
}

func TestLargeExportsComeInOrder(t *testing.T) {
	w := newWorld(t, bulk.Limits{})
	ctx := w.as(tenancy.Engineer)
	i := w.importFile(ctx, plantOf(5000), bulk.ImportRequest{})
	if i.Status != enum.JobSucceeded {
		t.Fatal(mistakes(i))
	}
	begin := time.Now()
	e, file := w.export(ctx, bulk.ExportRequest{Kind: bulk.ExportAssets, Format: enum.ExportNDJSON})
	took := time.Since(begin)
	var codes []string
	for l := range strings.Lines(file) {
		var row struct{ Code string }
		w.ok(json.Unmarshal([]byte(l), &row))
		codes = append(codes, row.Code)
	}
	if uint64(len(codes)) != *e.Rows || len(codes) != i.Created[bulk.Asset]+1 || len(slices.Compact(slices.Clone(codes))) != len(codes) {
		t.Errorf("%d lines, %d rows, %d machines", len(codes), *e.Rows, i.Created[bulk.Asset]+1)
	}
	t.Logf("%d machines (%d kB) exported in %v", len(codes), len(file)>>10, took.Round(time.Millisecond))
}

func TestJobsAreListed(t *testing.T) {
	w := newIdleWorld(t, bulk.Limits{})
	ctx := w.as(tenancy.Engineer)
	var want []id.UUID
	for n := range 3 {
		want = append(want, w.start(ctx, fmt.Sprintf("kind,code\nsite,a%d\n", n), bulk.ImportRequest{}).ID)
		e, err := w.StartExport(ctx, bulk.ExportRequest{Kind: bulk.ExportSites, Format: enum.ExportCSV})
		w.ok(err)
		want = append(want, e.ID)
	}
	own, err := w.StartExport(w.limited(w.south), bulk.ExportRequest{Kind: bulk.ExportSites, Format: enum.ExportCSV})
	w.ok(err)
	slices.Reverse(want)
	want = append([]id.UUID{own.ID}, want...)

	var got []id.UUID
	args := pageArgs(4, nil)
	for {
		p, err := w.Jobs(ctx, args)
		w.ok(err)
		if p.Total != 7 {
			t.Errorf("%d in all", p.Total)
		}
		for _, j := range p.Items {
			got = append(got, j.Base().ID)
		}
		if !p.HasNext {
			break
		}
		args = pageArgs(4, ptr(p.Cursor(p.Items[len(p.Items)-1])))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for who, c := range map[string]struct {
		ctx  context.Context
		want int
	}{"limited": {w.limited(w.south), 1}, "globex": {w.globex.As(t.Context(), tenancy.Admin), 0}} {
		if p, err := w.Jobs(c.ctx, pageArgs(50, nil)); err != nil || len(p.Items) != c.want || p.Total != c.want {
			t.Errorf("%s: %d of %d, %v", who, len(p.Items), p.Total, err)
		}
	}
}
