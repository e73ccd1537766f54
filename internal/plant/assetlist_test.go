package plant_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"foresight/ent/enum"
	"foresight/internal/id"
	"foresight/internal/page"
	"foresight/internal/plant"
	"foresight/internal/tenancy"
)

var everything = plant.Beside{Site: true, Health: true, Alarms: true, Seen: true}

// What the list reads by hand is what the ORM reads, in every column.
func TestAssetListReadsWhatTheORMReads(t *testing.T) {
	w := newWorld(t)
	ctx := w.as(tenancy.Viewer)
	person := w.acme.Users[tenancy.Engineer]
	w.sql(`UPDATE sites SET location = 'Dock 4', latitude = 1.5, longitude = -2.5, time_zone = 'Europe/Paris', version = 3, created_by = $2, updated_by = $2
		WHERE id = $1`, w.acme.SiteID, person)
	parent := w.asset(w.acme.SiteID, "line-1", nil)
	w.sql(`UPDATE assets SET is_active = false, created_by = $2, updated_by = $2, version = 7, gateway_id = $3, parent_id = $4, name = 'Pump', manufacturer = 'KSB',
		model = 'Etanorm', serial_number = 'S-1', installed_on = '2020-02-03', location = 'Cellar', image_path = 'a/b', iso_machine_group = 2, iso_support_type = 'rigid',
		rated_power_kw = 30.5, replacement_cost = 9000, downtime_cost_per_hour = 120, external_ref = 'sap:1' WHERE id = $1`,
		w.acme.AssetID, person, w.acme.GatewayID, parent)
	code := "pump-1"
	want, err := w.Asset(ctx, nil, &code)
	w.ok(err)
	_, found, err := w.Assets(ctx, page.Args{}, plant.AssetFilter{Search: &code}, plant.ByCode, false, everything)
	w.ok(err)
	if len(found) != 1 {
		t.Fatalf("%d machines", len(found))
	}
	same(t, "asset", found[0].Asset, want)
	for v, i := reflect.ValueOf(*want), 0; i < v.NumField(); i++ {
		if name := v.Type().Field(i).Name; v.Field(i).IsZero() && v.Type().Field(i).IsExported() && name != "Edges" &&
			name != "IsActive" && name != "IsDeleted" && name != "DeletedAt" && name != "DeletedBy" {
			t.Errorf("the test leaves %s empty", name)
		}
	}
	sites, err := w.Sites(ctx, page.Args{}, plant.SiteFilter{}, "", false)
	w.ok(err)
	same(t, "site", found[0].Site, sites.Items[0])
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	text := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if text(got) != text(want) {
		t.Errorf("%s\n got %s\nwant %s", what, text(got), text(want))
	}
}

// What stands beside a machine is its own, the newest and of the actor's tenant.
func TestAssetListShowsWhatStandsBeside(t *testing.T) {
	w := newWorld(t)
	far := w.asset(w.south, "far-1", nil)
	now := time.Now().UTC().Truncate(time.Second)
	health := func(p id.UUID, site, asset id.UUID, score float64, status string, at time.Time) {
		w.sql(`INSERT INTO asset_health (id, tenant_id, site_id, asset_id, health_score, health_status, method, calculated_at) VALUES ($1, $2, $3, $4, $5, $6, 'm/1', $7)`,
			id.New(id.AssetHealth), p, site, asset, score, status, at)
	}
	health(w.acme.TenantID, w.acme.SiteID, w.acme.AssetID, 90, "healthy", now.Add(-time.Hour))
	health(w.acme.TenantID, w.acme.SiteID, w.acme.AssetID, 40, "critical", now)
	health(w.globex.TenantID, w.globex.SiteID, w.globex.AssetID, 10, "critical", now)
	w.alarm(w.acme, w.acme.SiteID, w.acme.AssetID, "medium", "open")
	w.alarm(w.acme, w.acme.SiteID, w.acme.AssetID, "high", "acknowledged")
	w.alarm(w.acme, w.acme.SiteID, w.acme.AssetID, "critical", "resolved")
	w.sql(`INSERT INTO sensor_states (tenant_id, sensor_id, site_id, asset_id, partition, last_seen_at, is_online, window_fill, latest_at, latest)
		VALUES ($1, $2, $3, $4, 0, $5, true, 1, $5, '{}')`, w.acme.TenantID, w.acme.SensorIDs[0], w.acme.SiteID, w.acme.AssetID, now)

	p, found, err := w.Assets(w.as(tenancy.Viewer), page.Args{Total: true}, plant.AssetFilter{}, plant.ByCode, true, everything)
	w.ok(err)
	if p.Total != 2 || len(found) != 2 || found[0].Asset.AssetCode != "pump-1" || found[1].Asset.ID != far {
		t.Fatalf("%d machines: %v", p.Total, p.Items)
	}
	n := found[0]
	want := plant.Health{Score: 40, Status: enum.HealthCritical, Method: "m/1", CalculatedAt: now}
	if n.Health == nil || *n.Health != want {
		t.Errorf("health %+v", n.Health)
	}
	if n.Alarms != (plant.AlarmLoad{Active: 2, Worst: enum.SeverityHigh}) || !n.Seen.Equal(now) || n.Site.SiteCode != "north" {
		t.Errorf("beside the pump: %+v", n)
	}
	if n := found[1]; n.Health != nil || n.Alarms != (plant.AlarmLoad{}) || !n.Seen.IsZero() || n.Site.ID != w.south {
		t.Errorf("beside the other: %+v", n)
	}
	_, none, err := w.Assets(w.as(tenancy.Viewer), page.Args{}, plant.AssetFilter{}, plant.ByCode, true, plant.Beside{})
	w.ok(err)
	if n := none[0]; n.Site != nil || n.Health != nil || n.Alarms.Active != 0 {
		t.Errorf("not asked for: %+v", n)
	}
}
