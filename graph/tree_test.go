package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// asset adds a machine to a site by SQL.
func (r *rig) asset(site id.UUID, tenant id.UUID, code string, parent *id.UUID) id.UUID {
	r.Helper()
	of := id.New(id.Asset)
	r.sql(`INSERT INTO assets (id, tenant_id, site_id, parent_id, asset_code, name, asset_type) VALUES ($1, $2, $3, $4, $5, $5, 'pump')`, of, tenant, site, parent, code)
	return of
}

const treeQuery = `query($site: UUID, $root: UUID, $depth: Int! = 4, $limit: Int! = 500) {
	assetTree(siteId: $site, assetId: $root, maxDepth: $depth, limit: $limit) { isTruncated sites {
		site { code } assetCount activeAlarmCount worstSeverity worstHealth
		nodes { asset { code } depth assetCount activeAlarmCount worstSeverity worstHealth parentId } } } }`

// drawn writes a tree as `north 4/1 HIGH CRITICAL: pump-1 3/1 > part 2/1 >> grain 1/0; …`.
func drawn(tree any) string {
	var b strings.Builder
	for _, s := range at(tree, "sites").([]any) {
		fmt.Fprintf(&b, "%v %v/%v %v %v:", at(s, "site", "code"), at(s, "assetCount"), at(s, "activeAlarmCount"), at(s, "worstSeverity"), at(s, "worstHealth"))
		for _, n := range at(s, "nodes").([]any) {
			fmt.Fprintf(&b, " %s%v %v/%v %v %v", strings.Repeat(">", int(at(n, "depth").(float64))), at(n, "asset", "code"), at(n, "assetCount"), at(n, "activeAlarmCount"),
				at(n, "worstSeverity"), at(n, "worstHealth"))
		}
		b.WriteString(";")
	}
	if at(tree, "isTruncated") == true {
		b.WriteString(" and more")
	}
	return strings.ReplaceAll(b.String(), "<nil>", "-")
}

func TestAssetTree(t *testing.T) {
	r := newRig(t)
	south := id.New(id.Site)
	r.sql(`INSERT INTO sites (id, tenant_id, site_code, name) VALUES ($1, $2, 'south', 'South')`, south, r.acme.TenantID)
	part := r.asset(r.acme.SiteID, r.acme.TenantID, "part", &r.acme.AssetID)
	grain := r.asset(r.acme.SiteID, r.acme.TenantID, "grain", &part)
	r.asset(r.acme.SiteID, r.acme.TenantID, "alone", nil)
	far := r.asset(south, r.acme.TenantID, "far", nil)
	r.asset(south, r.acme.TenantID, "stray", &r.acme.AssetID) // its assembly stands elsewhere
	for i, severity := range []string{"low", "high"} {
		rule := id.New(id.AlarmRule)
		r.sql(`INSERT INTO alarm_rules (id, tenant_id, name, parameter, operator, threshold, severity) VALUES ($1, $2, $3, 'flow', 'gt', 1, $4)`, rule, r.acme.TenantID, fmt.Sprint("rule ", i), severity)
		r.sql(`INSERT INTO alarm_events (id, tenant_id, site_id, asset_id, rule_id, severity, status, triggered_value, triggered_at, last_triggered_at)
			VALUES ($1, $2, $3, $4, $5, $6, 'open', 2, now(), now())`, id.New(id.AlarmEvent), r.acme.TenantID, r.acme.SiteID, []id.UUID{part, grain}[i], rule, severity)
	}
	for i, status := range []string{"critical", "healthy"} { // the newest counts
		r.sql(`INSERT INTO asset_health (id, tenant_id, site_id, asset_id, health_score, health_status, method, calculated_at) VALUES ($1, $2, $3, $4, 50, $5, 'm', now() + $6 * interval '1 minute')`,
			id.New(id.AssetHealth), r.acme.TenantID, south, far, status, i)
	}
	r.sql(`INSERT INTO asset_health (id, tenant_id, site_id, asset_id, health_score, health_status, method) VALUES ($1, $2, $3, $4, 50, 'warning', 'm')`,
		id.New(id.AssetHealth), r.acme.TenantID, r.acme.SiteID, grain)

	const (
		north = "north 4/2 HIGH WARNING: alone 1/0 - - pump-1 3/2 HIGH WARNING >part 2/2 HIGH WARNING >>grain 1/1 HIGH WARNING;"
		souse = "south 2/0 - HEALTHY: far 1/0 - HEALTHY stray 1/0 - -;"
	)
	for name, c := range map[string]struct {
		who  string
		vars []any
		want string
	}{
		"all":               {"acme/viewer", nil, north + souse},
		"a site":            {"acme/viewer", []any{"site", south}, souse},
		"a machine":         {"acme/viewer", []any{"root", part}, "north 4/2 HIGH WARNING: part 2/2 HIGH WARNING >grain 1/1 HIGH WARNING;"},
		"one level":         {"acme/viewer", []any{"site", r.acme.SiteID, "depth", 0}, "north 4/2 HIGH WARNING: alone 1/0 - - pump-1 3/2 HIGH WARNING;"},
		"three nodes":       {"acme/viewer", []any{"limit", 3}, "north 4/2 HIGH WARNING: alone 1/0 - - pump-1 3/2 HIGH WARNING >part 2/2 HIGH WARNING;south 2/0 - HEALTHY:; and more"},
		"as many as are":    {"acme/viewer", []any{"limit", 6}, north + souse},
		"the other tenant":  {"globex/viewer", nil, "north 1/0 - -: pump-1 1/0 - -;"},
		"one site's person": {"south", nil, souse},
	} {
		who := c.who
		if who == "south" {
			who = "acme/viewer"
			r.change = func(a *tenancy.Actor) { a.SiteIDs = []id.UUID{south} }
		}
		if got := drawn(r.data(who, treeQuery, c.vars...)["assetTree"]); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", name, got, c.want)
		}
		r.change = func(*tenancy.Actor) {}
	}
	for name, vars := range map[string][]any{
		"NOT_FOUND another tenant's site":    {"site", r.globex.SiteID},
		"NOT_FOUND another tenant's machine": {"root", r.globex.AssetID},
		"NOT_FOUND a machine elsewhere":      {"root", far, "site", r.acme.SiteID},
		"BAD_USER_INPUT too deep":            {"depth", 11},
		"BAD_USER_INPUT too many":            {"limit", 2001},
		"BAD_USER_INPUT none":                {"limit", 0},
	} {
		code, _, _ := strings.Cut(name, " ")
		if a := r.ask("acme/viewer", treeQuery, vars...); !strings.Contains(a.raw, `"`+code+`"`) {
			t.Errorf("%s: %s", name, a.raw)
		}
	}
	r.change = func(a *tenancy.Actor) { a.SiteIDs = []id.UUID{south} }
	if a := r.ask("acme/viewer", treeQuery, "site", r.acme.SiteID); !strings.Contains(a.raw, "NOT_FOUND") {
		t.Errorf("a site out of sight: %s", a.raw)
	}
	// Alarms need their permission; the rest of the tree does not.
	r.change = func(a *tenancy.Actor) { a.Scopes = tenancy.NewSet(tenancy.PlantRead) }
	if a := r.ask("acme/viewer", treeQuery); !strings.Contains(a.raw, "FORBIDDEN") {
		t.Errorf("alarms without the permission: %s", a.raw)
	}
	if got := r.data("acme/viewer", `{ assetTree { sites { nodes { asset { code } } } } }`); len(at(got, "assetTree", "sites").([]any)) != 2 {
		t.Errorf("without alarms: %v", got)
	}
}

// The lists can be narrowed to what a planner looks for.
func TestPlantFilters(t *testing.T) {
	r := newRig(t)
	south, gateway := id.New(id.Site), id.New(id.Gateway)
	r.sql(`INSERT INTO sites (id, tenant_id, site_code, name, location, is_active) VALUES ($1, $2, 'south', 'A works', 'Harbour', false)`, south, r.acme.TenantID)
	r.sql(`INSERT INTO gateways (id, tenant_id, site_id, gateway_code) VALUES ($1, $2, $3, 'gw-south')`, gateway, r.acme.TenantID, south)
	fan := r.asset(south, r.acme.TenantID, "fan", nil)
	part := r.asset(r.acme.SiteID, r.acme.TenantID, "part", &r.acme.AssetID)
	r.sql(`UPDATE assets SET is_active = false, gateway_id = $2, location = 'Hall 7' WHERE id = $1`, fan, gateway)
	sensor := id.New(id.Sensor)
	r.sql(`INSERT INTO sensors (id, tenant_id, asset_id, gateway_id, sensor_code, sensor_type, mount_location, validation_data) VALUES ($1, $2, $3, $4, 'flow-1', 'flow', 'outlet', '{}')`, sensor, r.acme.TenantID, fan, gateway)
	r.sql(`INSERT INTO sensor_states (tenant_id, sensor_id, site_id, asset_id, partition, last_seen_at, is_online, window_fill, latest_at, latest)
		VALUES ($1, $2, $3, $4, 0, now(), true, 1, now(), '{}')`, r.acme.TenantID, sensor, south, fan)
	r.sql(`INSERT INTO gateway_states (tenant_id, gateway_id, site_id, last_seen_at, is_online, connected_at) VALUES ($1, $2, $3, now(), true, now())`, r.acme.TenantID, gateway, south)
	r.sql(`INSERT INTO asset_health (id, tenant_id, site_id, asset_id, health_score, health_status, method) VALUES ($1, $2, $3, $4, 90, 'critical', 'm')`, id.New(id.AssetHealth), r.acme.TenantID, south, fan)
	model, version := id.New(id.MLModel), id.New(id.MLModelVersion)
	r.sql(`INSERT INTO ml_models (id, tenant_id, name, type, feature_schema) VALUES ($1, $2, 'failure', 'failure_prediction', '{}')`, model, r.acme.TenantID)
	r.sql(`INSERT INTO ml_model_versions (id, tenant_id, model_id, semantic_version, full_version_label, stage, artifact_path, dataset_hash, feature_schema_hash, metrics, classes)
		VALUES ($1, $2, $3, '1.0.0', 'failure:1.0.0', 'production', 'x', '', '', '{}', '[]')`, version, r.acme.TenantID, model)
	r.sql(`INSERT INTO failure_predictions (id, tenant_id, asset_id, model_version_id, failure_prob_7d, failure_prob_30d, confidence_lower_7d, confidence_upper_7d, confidence_lower_30d, confidence_upper_30d, health_score, risk_level)
		VALUES ($1, $2, $3, $4, 0.5, 0.6, 0.4, 0.6, 0.5, 0.7, 40, 'high')`, id.New(id.FailurePrediction), r.acme.TenantID, part, version)

	for query, want := range map[string]string{
		`sites(orderBy: {field: NAME})`:                                                              "south north",
		`sites(orderBy: {field: CODE, direction: DESC})`:                                             "south north",
		`sites(filter: {search: "HARB"})`:                                                            "south",
		`sites(filter: {isActive: true})`:                                                            "north",
		`gateways(filter: {isOnline: true})`:                                                         "gw-south",
		`gateways(filter: {isOnline: false})`:                                                        "gw-1",
		`gateways(filter: {search: "GW-S", isActive: true})`:                                         "gw-south",
		`gateways(siteId: "` + south.String() + `")`:                                                 "gw-south",
		`gateways(orderBy: {field: CREATED_AT})`:                                                     "gw-1 gw-south",
		`sensors(filter: {types: ["flow"]})`:                                                         "flow-1",
		`sensors(filter: {isOnline: true})`:                                                          "flow-1",
		`sensors(filter: {isOnline: false})`:                                                         "pump-1-a pump-1-b",
		`sensors(filter: {search: "OUTL"})`:                                                          "flow-1",
		`sensors(filter: {gatewayId: "` + gateway.String() + `"})`:                                   "flow-1",
		`sensors(filter: {isActive: false})`:                                                         "",
		`assets(filter: {isActive: false})`:                                                          "fan",
		`assets(filter: {isOnline: true})`:                                                           "fan",
		`assets(filter: {isOnline: false})`:                                                          "part pump-1",
		`assets(filter: {isRoot: false})`:                                                            "part",
		`assets(filter: {isRoot: true})`:                                                             "fan pump-1",
		`assets(filter: {gatewayId: "` + gateway.String() + `"})`:                                    "fan",
		`assets(filter: {search: "hall 7"})`:                                                         "fan",
		`assets(filter: {healthStatuses: [CRITICAL]})`:                                               "fan",
		`assets(filter: {healthStatuses: [HEALTHY, WARNING]})`:                                       "",
		`assets(filter: {riskLevels: [HIGH, CRITICAL]})`:                                             "part",
		`assets(filter: {riskLevels: [LOW]})`:                                                        "",
		`assets(filter: {criticalities: [MEDIUM], types: [PUMP], siteId: "` + south.String() + `"})`: "fan",
	} {
		field, _, _ := strings.Cut(query, "(")
		list := at(r.data("acme/viewer", fmt.Sprintf(`{ %s { totalCount nodes { code } } }`, query)), field)
		var codes []string
		for _, n := range at(list, "nodes").([]any) {
			codes = append(codes, at(n, "code").(string))
		}
		if got := strings.Join(codes, " "); got != want || at(list, "totalCount") != float64(len(codes)) {
			t.Errorf("%s: %s, %v in all; want %s", query, got, at(list, "totalCount"), want)
		}
	}
	if a := r.ask("acme/viewer", `{ sensors(filter: {types: ["smell"]}) { nodes { id } } }`); !strings.Contains(a.raw, "BAD_USER_INPUT") {
		t.Errorf("an unknown type: %s", a.raw)
	}
}
