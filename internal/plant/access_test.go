package plant_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"foresight/ent"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/page"
	"foresight/internal/plant"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// operations are all that an actor can ask for, each giving what it sees.
func (w *world) operations() map[string]struct {
	needs []tenancy.Permission
	run   func(ctx context.Context) (any, error)
} {
	type op = struct {
		needs []tenancy.Permission
		run   func(ctx context.Context) (any, error)
	}
	plantRead, both := []tenancy.Permission{tenancy.PlantRead}, []tenancy.Permission{tenancy.PlantRead, tenancy.AlarmsRead}
	write := []tenancy.Permission{tenancy.PlantWrite}
	all := page.Args{First: ptr(100)}
	return map[string]op{
		"sites": {plantRead, func(ctx context.Context) (any, error) {
			p, err := w.Sites(ctx, all, plant.SiteFilter{}, plant.OrderCode, false)
			return len(p.Items), err
		}},
		"gateways": {plantRead, func(ctx context.Context) (any, error) {
			p, err := w.Gateways(ctx, all, plant.GatewayFilter{}, plant.OrderCode, false)
			return len(p.Items), err
		}},
		"sensors": {plantRead, func(ctx context.Context) (any, error) {
			p, err := w.Sensors(ctx, all, plant.SensorFilter{}, plant.OrderCode, false)
			return len(p.Items), err
		}},
		"parameters": {plantRead, func(ctx context.Context) (any, error) {
			p, err := w.Parameters(ctx, all, plant.ParameterFilter{})
			return len(p.Items) > 0, err
		}},
		"assets": {plantRead, func(ctx context.Context) (any, error) {
			p, _, err := w.Assets(ctx, all, plant.AssetFilter{}, plant.ByCode, false, plant.Beside{})
			return codes(p.Items), err
		}},
		"assets in alarm": {both, func(ctx context.Context) (any, error) {
			p, _, err := w.Assets(ctx, all, plant.AssetFilter{HasActiveAlarm: ptr(true)}, plant.ByCode, false, plant.Beside{})
			return codes(p.Items), err
		}},
		"assets by alarms": {both, func(ctx context.Context) (any, error) {
			p, _, err := w.Assets(ctx, all, plant.AssetFilter{}, plant.ByAlarms, true, plant.Beside{})
			return codes(p.Items), err
		}},
		"asset": {plantRead, func(ctx context.Context) (any, error) { e, err := w.Asset(ctx, nil, ptr("far")); return e != nil, err }},
		"dashboard": {both, func(ctx context.Context) (any, error) {
			d, err := w.Dashboard(ctx, nil)
			if err != nil {
				return nil, err
			}
			return fmt.Sprint(d.Assets, d.Reporting, d.InAlarm, d.BySeverity, d.Unacknowledged, codes(d.Worst)), nil
		}},
		"rejected": {[]tenancy.Permission{tenancy.TelemetryRead}, func(ctx context.Context) (any, error) { r, err := w.Rejected(ctx, 10); return len(r), err }},
		"createAsset": {[]tenancy.Permission{tenancy.PlantWrite}, func(ctx context.Context) (any, error) {
			e, err := w.CreateAsset(ctx, w.pump(nil))
			if err == nil {
				w.sql(`DELETE FROM assets WHERE id = $1`, e.ID)
			}
			return err == nil, err
		}},
		"tree": {plantRead, func(ctx context.Context) (any, error) {
			tree, err := w.Tree(ctx, plant.TreeQuery{MaxDepth: 3, Limit: 100})
			if err != nil {
				return nil, err
			}
			shown := ""
			for _, s := range tree.Sites {
				shown += fmt.Sprint(s.Site.SiteCode, " ", s.Assets, " ", len(s.Nodes), ";")
			}
			return shown, nil
		}},
		"createSite": {write, func(ctx context.Context) (any, error) {
			e, err := w.CreateSite(ctx, plant.SiteSpec{Code: "west", Name: "West"})
			if err == nil {
				w.sql(`DELETE FROM sites WHERE id = $1`, e.ID)
			}
			return err == nil, err
		}},
		"updateSite": {write, func(ctx context.Context) (any, error) {
			_, err := w.UpdateSite(ctx, w.acme.SiteID, 1, func(c *plant.SiteSpec) { c.Name = "North works" })
			w.sql(`UPDATE sites SET version = 1 WHERE id = $1`, w.acme.SiteID)
			return err == nil, err
		}},
		"deleteSite": {write, func(ctx context.Context) (any, error) {
			_, err := w.DeleteSite(ctx, w.acme.SiteID, nil)
			for _, table := range []string{"sites", "gateways", "assets", "sensors", "alarm_rules"} {
				w.sql(`UPDATE `+table+` SET is_deleted = false, deleted_at = NULL, deleted_by = NULL, version = 1 WHERE tenant_id = $1`, w.acme.TenantID)
			}
			return err == nil, err
		}},
		"updateGateway": {write, func(ctx context.Context) (any, error) {
			_, err := w.UpdateGateway(ctx, w.acme.GatewayID, 1, func(c *plant.GatewaySpec) { c.IsActive = true })
			w.sql(`UPDATE gateways SET version = 1 WHERE id = $1`, w.acme.GatewayID)
			return err == nil, err
		}},
		"issueCredential": {write, func(ctx context.Context) (any, error) {
			_, err := w.IssueCredential(ctx, w.acme.GatewayID)
			w.sql(`UPDATE gateways SET version = 1 WHERE id = $1`, w.acme.GatewayID)
			return err == nil, err
		}},
		"updateSensor": {write, func(ctx context.Context) (any, error) {
			_, err := w.UpdateSensor(ctx, w.acme.SensorIDs[0], 1, func(c *plant.SensorSpec) { c.PositionX = 1 })
			w.sql(`UPDATE sensors SET version = 1 WHERE id = $1`, w.acme.SensorIDs[0])
			return err == nil, err
		}},
		"createParameter": {write, func(ctx context.Context) (any, error) {
			e, err := w.CreateParameter(ctx, plant.ParameterSpec{Name: "torque", Unit: "Nm"})
			if err == nil {
				w.sql(`DELETE FROM parameters WHERE id = $1`, e.ID)
			}
			return err == nil, err
		}},
		"updateAsset": {write, func(ctx context.Context) (any, error) {
			e, err := w.UpdateAsset(ctx, w.acme.AssetID, 1, func(c *plant.AssetSpec) { c.Name = "Feed pump" })
			if err == nil {
				w.sql(`UPDATE assets SET version = 1 WHERE id = $1`, e.ID)
			}
			return err == nil, err
		}},
	}
}

func TestOperationsNeedTheirPermissions(t *testing.T) {
	w := newWorld(t)
	w.asset(w.south, "far", nil)
	for name, op := range w.operations() {
		t.Run(name, func(t *testing.T) {
			if _, err := op.run(t.Context()); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("without an actor: %v", err)
			}
			if _, err := op.run(w.holding(op.needs...)); err != nil {
				t.Errorf("with %v: %v", op.needs, err)
			}
			for i := range op.needs {
				others := slices.DeleteFunc(tenancy.Permissions(), func(p tenancy.Permission) bool { return p == op.needs[i] })
				if _, err := op.run(w.holding(others...)); !fault.Is(err, fault.Forbidden) {
					t.Errorf("with all but %s: %v", op.needs[i], err)
				}
			}
		})
	}
	if _, err := w.Tenant(t.Context()); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("tenant without an actor: %v", err)
	}
}

// An actor limited to sites sees nothing of others, in no list, count or batch.
func TestOtherSitesDoNotExist(t *testing.T) {
	w := newWorld(t)
	far := w.asset(w.south, "far", nil)
	farSensor, farGateway := id.New(id.Sensor), id.New(id.Gateway)
	w.sql(`INSERT INTO gateways (id, tenant_id, site_id, gateway_code) VALUES ($1, $2, $3, 'gw-far')`, farGateway, w.acme.TenantID, w.south)
	w.sql(`INSERT INTO sensors (id, tenant_id, asset_id, sensor_code, validation_data) VALUES ($1, $2, $3, 'far-1', '{}')`, farSensor, w.acme.TenantID, far)
	w.alarm(w.acme, w.south, far, "critical", "open")
	w.alarm(w.acme, w.acme.SiteID, w.acme.AssetID, "low", "open")
	w.alarm(w.globex, w.globex.SiteID, w.globex.AssetID, "high", "open")
	now := time.Now()
	w.spoke(w.acme, w.south, far, farSensor, now, now)
	w.spoke(w.acme, w.acme.SiteID, w.acme.AssetID, w.acme.SensorIDs[0], now, now.Add(-time.Hour))
	w.spoke(w.globex, w.globex.SiteID, w.globex.AssetID, w.globex.SensorIDs[0], now, now)
	w.sql(`INSERT INTO rejected_readings (tenant_id, id, reason, detail, topic, payload, at) VALUES ($1, $2, 'unknown_sensor', '', 't', 'p', now())`, w.acme.TenantID, id.New(id.RejectedReading))

	views := map[string]struct {
		ctx  context.Context
		want map[string]string
	}{
		"the whole tenant": {w.as(tenancy.Engineer), map[string]string{
			"sites": "2", "gateways": "2", "sensors": "3", "parameters": "true", "assets": "[far pump-1]", "assets in alarm": "[far pump-1]",
			"assets by alarms": "[far pump-1]", "asset": "true", "dashboard": "2 1 2 map[critical:1 low:1] 2 [far pump-1]", "rejected": "1", "createAsset": "true", "updateAsset": "true", "tree": "north 1 1;south 1 1;", "createSite": "true", "updateSite": "true", "deleteSite": "true", "updateGateway": "true", "issueCredential": "true", "updateSensor": "true", "createParameter": "true"}},
		"north": {w.limited(w.acme.SiteID), map[string]string{
			"sites": "1", "gateways": "1", "sensors": "2", "parameters": "true", "assets": "[pump-1]", "assets in alarm": "[pump-1]",
			"assets by alarms": "[pump-1]", "asset": "NOT_FOUND", "dashboard": "1 0 1 map[low:1] 1 [pump-1]", "rejected": "0", "createAsset": "true", "updateAsset": "true", "tree": "north 1 1;", "createSite": "FORBIDDEN", "updateSite": "true", "deleteSite": "true", "updateGateway": "true", "issueCredential": "true", "updateSensor": "true", "createParameter": "FORBIDDEN"}},
		"south": {w.limited(w.south), map[string]string{
			"sites": "1", "gateways": "1", "sensors": "1", "parameters": "true", "assets": "[far]", "assets in alarm": "[far]",
			"assets by alarms": "[far]", "asset": "true", "dashboard": "1 1 1 map[critical:1] 1 [far]", "rejected": "0", "createAsset": "NOT_FOUND", "updateAsset": "NOT_FOUND", "tree": "south 1 1;", "createSite": "FORBIDDEN", "updateSite": "NOT_FOUND", "deleteSite": "NOT_FOUND", "updateGateway": "NOT_FOUND", "issueCredential": "NOT_FOUND", "updateSensor": "NOT_FOUND", "createParameter": "FORBIDDEN"}},
		"the other tenant": {w.globex.As(t.Context(), tenancy.Engineer), map[string]string{
			"sites": "1", "gateways": "1", "sensors": "2", "parameters": "true", "assets": "[pump-1]", "assets in alarm": "[pump-1]",
			"assets by alarms": "[pump-1]", "asset": "NOT_FOUND", "dashboard": "1 1 1 map[high:1] 1 [pump-1]", "rejected": "0", "createAsset": "NOT_FOUND", "updateAsset": "NOT_FOUND", "tree": "north 1 1;", "createSite": "true", "updateSite": "NOT_FOUND", "deleteSite": "NOT_FOUND", "updateGateway": "NOT_FOUND", "issueCredential": "NOT_FOUND", "updateSensor": "NOT_FOUND", "createParameter": "true"}},
	}
	operations := w.operations()
	for view, v := range views {
		for name, want := range v.want {
			got, err := operations[name].run(v.ctx)
			shown := fmt.Sprint(got)
			if err != nil {
				shown = string(fault.KindOf(err))
			}
			if shown != want {
				t.Errorf("%s, %s: %s, want %s (%v)", view, name, shown, want, err)
			}
		}
	}

	ids := func(is ...id.UUID) []id.UUID { return is }
	batches := map[string]func(ctx context.Context) (int, error){
		"sites": func(ctx context.Context) (int, error) {
			m, err := w.SitesByID(ctx, ids(w.acme.SiteID, w.south, w.globex.SiteID))
			return len(m), err
		},
		"gateways": func(ctx context.Context) (int, error) {
			m, err := w.GatewaysByID(ctx, ids(w.acme.GatewayID, farGateway, w.globex.GatewayID))
			return len(m), err
		},
		"assets": func(ctx context.Context) (int, error) {
			m, err := w.AssetsByID(ctx, ids(w.acme.AssetID, far, w.globex.AssetID))
			return len(m), err
		},
		"sensors": func(ctx context.Context) (int, error) {
			m, err := w.SensorsByID(ctx, ids(w.acme.SensorIDs[0], farSensor, w.globex.SensorIDs[0]))
			return len(m), err
		},
		"sensorsOf": func(ctx context.Context) (int, error) {
			m, err := w.SensorsOf(ctx, ids(w.acme.AssetID, far, w.globex.AssetID))
			return len(m), err
		},
		"counts": func(ctx context.Context) (int, error) {
			m, err := w.AssetCounts(ctx, ids(w.acme.SiteID, w.south, w.globex.SiteID))
			return len(m), err
		},
		"alarms of assets": func(ctx context.Context) (int, error) {
			m, err := w.AlarmLoadOfAssets(ctx, ids(w.acme.AssetID, far, w.globex.AssetID))
			return len(m), err
		},
		"alarms of sites": func(ctx context.Context) (int, error) {
			m, err := w.AlarmLoadOfSites(ctx, ids(w.acme.SiteID, w.south, w.globex.SiteID))
			return len(m), err
		},
		"last seen of sensors": func(ctx context.Context) (int, error) {
			m, err := w.SensorStates(ctx, ids(w.acme.SensorIDs[0], farSensor, w.globex.SensorIDs[0]))
			return len(m), err
		},
		"last seen of assets": func(ctx context.Context) (int, error) {
			m, err := w.LastSeenOfAssets(ctx, ids(w.acme.AssetID, far, w.globex.AssetID))
			return len(m), err
		},
	}
	for name, batch := range batches {
		for view, want := range map[string]int{"the whole tenant": 2, "north": 1, "south": 1, "the other tenant": 1} {
			if n, err := batch(views[view].ctx); err != nil || n != want {
				t.Errorf("%s, batch of %s: %d, want %d (%v)", view, name, n, want, err)
			}
		}
	}
	people, err := w.UsersByID(w.as(tenancy.Viewer), ids(w.acme.Users[tenancy.Admin], w.globex.Users[tenancy.Admin]))
	if err != nil || len(people) != 1 {
		t.Errorf("people %v, %v", people, err)
	}
}

func TestDashboardOfASite(t *testing.T) {
	w := newWorld(t)
	w.asset(w.south, "idle", nil)
	w.alarm(w.acme, w.acme.SiteID, w.acme.AssetID, "high", "cleared")
	w.alarm(w.acme, w.acme.SiteID, w.acme.AssetID, "high", "acknowledged")
	w.alarm(w.acme, w.acme.SiteID, w.acme.AssetID, "low", "resolved")
	for name, c := range map[string]struct {
		ctx  context.Context
		site id.UUID
		want string
	}{
		"with alarms":         {w.as(tenancy.Viewer), w.acme.SiteID, "1 assets, 1 in alarm, map[high:2], 1 unseen"},
		"without":             {w.as(tenancy.Viewer), w.south, "1 assets, 0 in alarm, map[], 0 unseen"},
		"another tenant's":    {w.as(tenancy.Viewer), w.globex.SiteID, "NOT_FOUND"},
		"beyond the limit":    {w.limited(w.south), w.acme.SiteID, "NOT_FOUND"},
		"within the limit":    {w.limited(w.acme.SiteID), w.acme.SiteID, "1 assets, 1 in alarm, map[high:2], 1 unseen"},
		"that does not exist": {w.as(tenancy.Viewer), id.New(id.Site), "NOT_FOUND"},
	} {
		d, err := w.Dashboard(c.ctx, &c.site)
		got := string(fault.KindOf(err))
		if err == nil {
			got = fmt.Sprintf("%d assets, %d in alarm, %v, %d unseen", d.Assets, d.InAlarm, d.BySeverity, d.Unacknowledged)
		}
		if got != c.want {
			t.Errorf("a site %s: %s, want %s", name, got, c.want)
		}
	}
}

func TestListsByCode(t *testing.T) {
	w := newWorld(t)
	far := w.asset(w.south, "far", nil)
	w.sql(`INSERT INTO sensors (id, tenant_id, asset_id, sensor_code, validation_data) VALUES ($1, $2, $3, 'a-far', '{}')`, id.New(id.Sensor), w.acme.TenantID, far)
	w.sql(`INSERT INTO gateways (id, tenant_id, site_id, gateway_code) VALUES ($1, $2, $3, 'a-gw')`, id.New(id.Gateway), w.acme.TenantID, w.south)
	ctx, all := w.as(tenancy.Admin), page.Args{First: ptr(100), Total: true}
	sensors := func(f plant.SensorFilter) (page.Page[string], error) {
		p, err := w.Sensors(ctx, all, f, plant.OrderCode, false)
		return texts(p, func(e *ent.Sensor) string { return e.SensorCode }), err
	}
	gateways := func(at *id.UUID) (page.Page[string], error) {
		p, err := w.Gateways(ctx, all, plant.GatewayFilter{Site: at}, plant.OrderCode, false)
		return texts(p, func(e *ent.Gateway) string { return e.GatewayCode }), err
	}
	for name, c := range map[string]struct {
		list func() (page.Page[string], error)
		want string
	}{
		"sites": {func() (page.Page[string], error) {
			p, err := w.Sites(ctx, all, plant.SiteFilter{}, plant.OrderCode, false)
			return texts(p, func(e *ent.Site) string { return e.SiteCode }), err
		}, "north south"},
		"gateways":            {func() (page.Page[string], error) { return gateways(nil) }, "a-gw gw-1"},
		"gateways of a site":  {func() (page.Page[string], error) { return gateways(&w.south) }, "a-gw"},
		"sensors":             {func() (page.Page[string], error) { return sensors(plant.SensorFilter{}) }, "a-far pump-1-a pump-1-b"},
		"sensors of an asset": {func() (page.Page[string], error) { return sensors(plant.SensorFilter{Asset: &w.acme.AssetID}) }, "pump-1-a pump-1-b"},
		"sensors of a site":   {func() (page.Page[string], error) { return sensors(plant.SensorFilter{Site: &w.south}) }, "a-far"},
		"sensors by code":     {func() (page.Page[string], error) { return sensors(plant.SensorFilter{Search: ptr("-B")}) }, "pump-1-b"},
	} {
		p, err := c.list()
		if got := strings.Join(p.Items, " "); err != nil || got != c.want || p.Total != len(p.Items) {
			t.Errorf("%s: %s, %d in all, %v; want %s", name, got, p.Total, err, c.want)
		}
	}
}

func texts[T any](p page.Page[T], text func(T) string) page.Page[string] {
	out := page.Page[string]{Total: p.Total}
	for _, v := range p.Items {
		out.Items = append(out.Items, text(v))
	}
	return out
}

func TestLastSeenIsByEventTime(t *testing.T) {
	w := newWorld(t)
	old, late := time.Now().Add(-time.Hour).UTC().Truncate(time.Microsecond), time.Now().Add(-time.Minute).UTC().Truncate(time.Microsecond)
	w.spoke(w.acme, w.acme.SiteID, w.acme.AssetID, w.acme.SensorIDs[0], old, time.Now())
	w.spoke(w.acme, w.acme.SiteID, w.acme.AssetID, w.acme.SensorIDs[1], late, time.Now())
	seen, err := w.LastSeenOfAssets(w.as(tenancy.Viewer), []id.UUID{w.acme.AssetID})
	w.ok(err)
	if !seen[w.acme.AssetID].Equal(late) {
		t.Errorf("asset last seen %v, want %v", seen, late)
	}
	states, err := w.SensorStates(w.as(tenancy.Viewer), w.acme.SensorIDs[:])
	w.ok(err)
	for i, want := range []time.Time{old, late} {
		if st := states[w.acme.SensorIDs[i]]; !st.LatestAt.Equal(want) || !st.IsOnline || st.WindowFill != 1 {
			t.Errorf("sensor %d: %+v", i, st)
		}
	}
}

func TestRejectedAreTheNewest(t *testing.T) {
	w := newWorld(t)
	for i, p := range []testkit.Plant{w.acme, w.acme, w.acme, w.globex} {
		w.sql(`INSERT INTO rejected_readings (tenant_id, id, reason, detail, topic, payload, at) VALUES ($1, $2, 'unknown_sensor', 'x', $3, $4, now() - $5 * interval '1 minute')`,
			p.TenantID, id.New(id.RejectedReading), fmt.Sprintf("t/%d", i), []byte{0xff, byte(i)}, i)
	}
	found, err := w.Rejected(w.as(tenancy.Viewer), 2)
	w.ok(err)
	if len(found) != 2 || found[0].Topic != "t/0" || found[1].Topic != "t/1" || !slices.Equal(found[1].Payload, []byte{0xff, 1}) || found[0].Reason != "unknown_sensor" {
		t.Errorf("got %+v", found)
	}
}
