package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// edit sends a mutation of the plant and returns its payload.
func (r *rig) edit(actor, verb, entity, selection string, input map[string]any) any {
	r.Helper()
	low := strings.ToLower(entity[:1]) + entity[1:]
	query := fmt.Sprintf(`mutation($in: %s%sInput!) { %s%s(input: $in) { %s { id %s } userErrors { field message code } } }`,
		strings.ToUpper(verb[:1])+verb[1:], entity, verb, entity, low, selection)
	return r.data(actor, query, "in", input)[verb+entity]
}

// mistake is `CODE field` of the first mistake of a payload.
func mistake(payload any) string {
	return fmt.Sprint(at(payload, "userErrors", 0, "code"), " ", at(payload, "userErrors", 0, "field"))
}

// Every sort of thing in the plant is added, changed and deleted alike.
func TestPlantIsEdited(t *testing.T) {
	r := newRig(t)
	south := r.edit("acme/engineer", "create", "Site", "version", map[string]any{"code": "south", "name": "South"})
	for entity, c := range map[string]struct {
		create, update map[string]any
		selection      string
		created        string // what the selection shows
		updated        string
		bad            map[string]any // an update that is refused
		blamed         string
	}{
		"Site": {
			map[string]any{"code": "hamburg", "name": " Hamburg ", "latitude": 53.5, "longitude": 10, "timeZone": "Europe/Berlin", "location": "Harbour"},
			map[string]any{"name": "Hamburg 2", "latitude": nil, "isActive": false},
			"code name latitude longitude timeZone location isActive version assetCount",
			"map[assetCount:0 code:hamburg id:# isActive:true latitude:53.5 location:Harbour longitude:10 name:Hamburg timeZone:Europe/Berlin version:1]",
			"map[assetCount:0 code:hamburg id:# isActive:false latitude:<nil> location:Harbour longitude:10 name:Hamburg 2 timeZone:Europe/Berlin version:2]",
			map[string]any{"timeZone": "Mars/Olympus"}, "BAD_USER_INPUT input.timeZone",
		},
		"Gateway": {
			map[string]any{"siteId": r.acme.SiteID, "code": "gw-9", "ipAddress": "2001:db8::1", "firmwareVersion": "1.2"},
			map[string]any{"siteId": at(south, "site", "id"), "ipAddress": nil},
			"code site { code } ipAddress firmwareVersion mqttUsername isOnline lastSeenAt connectedAt isActive version",
			"map[code:gw-9 connectedAt:<nil> firmwareVersion:1.2 id:# ipAddress:2001:db8::1 isActive:true isOnline:false lastSeenAt:<nil> mqttUsername:<nil> site:map[code:north] version:1]",
			"map[code:gw-9 connectedAt:<nil> firmwareVersion:1.2 id:# ipAddress:<nil> isActive:true isOnline:false lastSeenAt:<nil> mqttUsername:<nil> site:map[code:south] version:2]",
			map[string]any{"ipAddress": "localhost"}, "BAD_USER_INPUT input.ipAddress",
		},
		"Asset": {
			map[string]any{"siteId": r.acme.SiteID, "code": "fan-9", "name": "Fan", "type": "FAN", "gatewayId": r.acme.GatewayID, "externalRef": "sap:9", "replacementCost": 10.5},
			map[string]any{"criticality": "CRITICAL", "gatewayId": nil, "replacementCost": nil, "isActive": false},
			"code name type criticality gateway { code } externalRef replacementCost isActive version",
			"map[code:fan-9 criticality:MEDIUM externalRef:sap:9 gateway:map[code:gw-1] id:# isActive:true name:Fan replacementCost:10.5 type:FAN version:1]",
			"map[code:fan-9 criticality:CRITICAL externalRef:sap:9 gateway:<nil> id:# isActive:false name:Fan replacementCost:<nil> type:FAN version:2]",
			map[string]any{"siteId": nil}, "BAD_USER_INPUT input.siteId",
		},
		"Sensor": {
			map[string]any{"assetId": r.acme.AssetID, "code": "s-9", "gatewayId": r.acme.GatewayID, "type": "vibration", "positionX": 12.5, "mqttTopic": "plant/7",
				"installedOn": "2026-02-03T23:00:00Z", "calibration": `{"gain": 1.5}`, "expectedIntervalSec": 60},
			map[string]any{"positionX": 99, "mqttTopic": nil, "calibration": nil, "mountLocation": "DE"},
			"code asset { code } gateway { code } type positionX positionY mqttTopic mountLocation installedOn calibration expectedIntervalSec isOnline windowFill isActive version",
			`map[asset:map[code:pump-1] calibration:{"gain":1.5} code:s-9 expectedIntervalSec:60 gateway:map[code:gw-1] id:# installedOn:2026-02-03T00:00:00.000Z isActive:true isOnline:false mountLocation:<nil> mqttTopic:plant/7 positionX:12.5 positionY:50 type:vibration version:1 windowFill:0]`,
			`map[asset:map[code:pump-1] calibration:{} code:s-9 expectedIntervalSec:60 gateway:map[code:gw-1] id:# installedOn:2026-02-03T00:00:00.000Z isActive:true isOnline:false mountLocation:DE mqttTopic:<nil> positionX:99 positionY:50 type:vibration version:2 windowFill:0]`,
			map[string]any{"calibration": "[1]"}, "BAD_USER_INPUT input.calibration",
		},
		"Parameter": {
			map[string]any{"name": "torque", "unit": "Nm", "minPlausible": 0, "maxPlausible": 500},
			map[string]any{"maxPlausible": nil, "higherIsWorse": false},
			"name unit minPlausible maxPlausible higherIsWorse isBuiltIn isActive version",
			"map[higherIsWorse:true id:# isActive:true isBuiltIn:false maxPlausible:500 minPlausible:0 name:torque unit:Nm version:1]",
			"map[higherIsWorse:false id:# isActive:true isBuiltIn:false maxPlausible:<nil> minPlausible:0 name:torque unit:Nm version:2]",
			map[string]any{"minPlausible": 5, "maxPlausible": 4}, "BAD_USER_INPUT input.maxPlausible",
		},
	} {
		t.Run(entity, func(t *testing.T) {
			low := strings.ToLower(entity)
			made := r.edit("acme/engineer", "create", entity, c.selection, c.create)
			which := at(made, low, "id")
			shown := func(payload any) string {
				m, _ := at(payload, low).(map[string]any)
				if m == nil {
					return fmt.Sprint(payload)
				}
				m["id"] = "#"
				return fmt.Sprint(m)
			}
			if got := shown(made); got != c.created {
				t.Fatalf("created %s, want %s", got, c.created)
			}
			if got := mistake(r.edit("acme/engineer", "create", entity, "", c.create)); !strings.HasPrefix(got, "CONFLICT input.") {
				t.Errorf("once more: %s", got)
			}
			with := func(version int, fields map[string]any) map[string]any {
				in := map[string]any{"id": which, "expectedVersion": version}
				for k, v := range fields {
					in[k] = v
				}
				return in
			}
			if got := shown(r.edit("acme/engineer", "update", entity, c.selection, with(1, c.update))); got != c.updated {
				t.Errorf("updated %s, want %s", got, c.updated)
			}
			if got := mistake(r.edit("acme/engineer", "update", entity, "", with(1, c.update))); got != "CONFLICT input.expectedVersion" {
				t.Errorf("a stale version: %s", got)
			}
			if got := mistake(r.edit("acme/engineer", "update", entity, "", with(2, c.bad))); got != c.blamed {
				t.Errorf("a bad value: %s, want %s", got, c.blamed)
			}
			for _, who := range []string{"globex/admin"} {
				for _, verb := range []string{"update", "delete"} {
					if got := mistake(r.edit(who, verb, entity, "", with(2, nil))); got != "NOT_FOUND input.id" {
						t.Errorf("%s %ss: %s", who, verb, got)
					}
				}
			}
			r.change = func(a *tenancy.Actor) { a.SiteIDs = []id.UUID{id.New(id.Site)} }
			for _, verb := range []string{"update", "delete"} {
				query := fmt.Sprintf(`mutation($in: %s%sInput!) { %s%s(input: $in) { userErrors { field code } } }`, strings.ToUpper(verb[:1])+verb[1:], entity, verb, entity)
				a := r.ask("acme/engineer", query, "in", with(2, nil))
				if got := mistake(a.Data[verb+entity]); entity != "Parameter" && got != "NOT_FOUND input.id" || entity == "Parameter" && !strings.Contains(a.raw, "FORBIDDEN") {
					t.Errorf("from another site, %s: %s", verb, a.raw)
				}
			}
			r.change = func(*tenancy.Actor) {}
			if got := mistake(r.edit("acme/engineer", "delete", entity, "", with(1, nil))); got != "CONFLICT input.expectedVersion" {
				t.Errorf("deleted under a stale version: %s", got)
			}
			if a := r.ask("acme/operator", fmt.Sprintf(`mutation($in: Delete%sInput!) { delete%s(input: $in) { userErrors { code } } }`, entity, entity), "in", with(2, nil)); !strings.Contains(a.raw, "FORBIDDEN") {
				t.Errorf("an operator deletes: %s", a.raw)
			}
			if got := shown(r.edit("acme/engineer", "delete", entity, c.selection, with(2, nil))); got != c.updated {
				t.Errorf("deleted %s, want it as it was: %s", got, c.updated)
			}
			if n := r.data("acme/viewer", `query($id: UUID!) { node(id: $id) { id } }`, "id", which)["node"]; n != nil {
				t.Errorf("deleted, and there: %v", n)
			}
			if got := mistake(r.edit("acme/engineer", "delete", entity, "", with(2, nil))); got != "NOT_FOUND input.id" {
				t.Errorf("deleted twice: %s", got)
			}
			if again := r.edit("acme/engineer", "create", entity, "", c.create); at(again, low, "id") == nil || at(again, low, "id") == which {
				t.Errorf("the code is free again: %v", again)
			}
		})
	}
}

// What cannot live without a site goes with it; alarms still name it.
func TestDeletionTakesAlong(t *testing.T) {
	r := newRig(t)
	m := r.machine(r.acme, 1)
	r.sql(`UPDATE assets SET parent_id = $1 WHERE id = $2`, r.acme.AssetID, m.Asset)
	got := r.edit("acme/engineer", "delete", "Asset", "", map[string]any{"id": r.acme.AssetID})
	if at(got, "asset", "id") != r.acme.AssetID.String() {
		t.Fatalf("deleted %v", got)
	}
	left := r.data("acme/viewer", `query($id: UUID!) { assets { nodes { id parent { id } } } sensors { nodes { code asset { id } } } asset(id: $id) { id } }`, "id", m.Asset)
	if n := at(left, "asset", "id"); n != m.Asset.String() {
		t.Errorf("a part went with its assembly: %v", left)
	}
	for _, s := range at(left, "sensors", "nodes").([]any) {
		if at(s, "asset", "id") == r.acme.AssetID.String() {
			t.Errorf("a sensor outlived its machine: %v", s)
		}
	}
	r.edit("acme/engineer", "delete", "Site", "", map[string]any{"id": r.acme.SiteID})
	gone := r.data("acme/viewer", `{ sites { nodes { id } } gateways { nodes { id } } assets { nodes { id } } sensors { nodes { id } }
		alarmEvents { nodes { id site { code } asset { name site { code } } sensor { code asset { code } } } } }`)
	for _, list := range []string{"sites", "gateways", "assets", "sensors"} {
		if n := at(gone, list, "nodes").([]any); len(n) > 0 {
			t.Errorf("%s are left: %v", list, n)
		}
	}
	if n := at(gone, "alarmEvents", "nodes", 0, "asset", "site", "code"); n != "north" {
		t.Errorf("the alarm forgot where it was: %v", gone["alarmEvents"])
	}
	if theirs := r.data("globex/viewer", `{ sites { nodes { id } } assets { nodes { id } } }`); len(at(theirs, "assets", "nodes").([]any)) != 1 {
		t.Errorf("the other tenant lost something: %v", theirs)
	}
}

func TestPlantRefusesWhatDoesNotFit(t *testing.T) {
	r := newRig(t)
	builtIn := r.data("acme/viewer", `{ parameters(filter: {search: "oil_pressure", isBuiltIn: true}) { nodes { id } } }`)
	oil := at(builtIn, "parameters", "nodes", 0, "id")
	r.sql(`INSERT INTO parameters (id, tenant_id, name, unit) VALUES ($1, $2, 'torque', 'Nm')`, id.New(id.Parameter), r.acme.TenantID)
	r.sql(`INSERT INTO alarm_rules (id, tenant_id, name, parameter, operator, threshold, severity) VALUES ($1, $2, 'r', 'torque', 'gt', 1, 'low')`, id.New(id.AlarmRule), r.acme.TenantID)
	own := r.data("acme/viewer", `{ parameters(filter: {isBuiltIn: false}) { nodes { id name } } }`)
	torque := at(own, "parameters", "nodes", 0, "id")
	sensor := func(more ...any) map[string]any {
		in := map[string]any{"assetId": r.acme.AssetID, "code": "s-x"}
		for i := 0; i < len(more); i += 2 {
			in[more[i].(string)] = more[i+1]
		}
		return in
	}
	for name, c := range map[string]struct {
		verb, entity string
		input        map[string]any
		want         string
	}{
		"a built-in parameter changed":  {"update", "Parameter", map[string]any{"id": oil, "expectedVersion": 1, "unit": "psi"}, "BAD_USER_INPUT input.id"},
		"a built-in parameter deleted":  {"delete", "Parameter", map[string]any{"id": oil}, "BAD_USER_INPUT input.id"},
		"a parameter that a rule needs": {"delete", "Parameter", map[string]any{"id": torque}, "CONFLICT input.id"},
		"a word of payloads":            {"create", "Parameter", map[string]any{"name": "timestamp", "unit": ""}, "BAD_USER_INPUT input.name"},
		"a word of rules":               {"create", "Parameter", map[string]any{"name": "silence", "unit": ""}, "BAD_USER_INPUT input.name"},
		"another unit for a known one":  {"create", "Parameter", map[string]any{"name": "oil_pressure", "unit": "psi", "minPlausible": 1, "maxPlausible": 2}, "BAD_USER_INPUT input.unit"},
		"a wider range for a known one": {"create", "Parameter", map[string]any{"name": "oil_pressure", "unit": "bar"}, "BAD_USER_INPUT input.minPlausible"},
		"a foreign machine":             {"create", "Sensor", sensor("assetId", r.globex.AssetID), "NOT_FOUND input.assetId"},
		"a foreign gateway":             {"create", "Sensor", sensor("gatewayId", r.globex.GatewayID), "NOT_FOUND input.gatewayId"},
		"an unknown type":               {"create", "Sensor", sensor("type", "smell"), "BAD_USER_INPUT input.type"},
		"beside the picture":            {"create", "Sensor", sensor("positionY", 100.1), "BAD_USER_INPUT input.positionY"},
		"no time at all":                {"create", "Sensor", sensor("expectedIntervalSec", 0), "BAD_USER_INPUT input.expectedIntervalSec"},
		"a topic with a wildcard":       {"create", "Sensor", sensor("mqttTopic", "a/+/b"), "BAD_USER_INPUT input.mqttTopic"},
		"a topic of another's":          {"create", "Sensor", sensor("mqttTopic", "acme/north/sensors/pump-1-a"), "BAD_USER_INPUT input.mqttTopic"},
		"a topic of the broker":         {"create", "Sensor", sensor("mqttTopic", "$SYS/x"), "BAD_USER_INPUT input.mqttTopic"},
		"a long calibration":            {"create", "Sensor", sensor("calibration", `{"a":"`+strings.Repeat("x", 17000)+`"}`), "BAD_USER_INPUT input.calibration"},
		"north of the pole":             {"create", "Site", map[string]any{"code": "x", "name": "x", "latitude": 90.1}, "BAD_USER_INPUT input.latitude"},
		"a foreign site":                {"create", "Gateway", map[string]any{"code": "x", "siteId": r.globex.SiteID}, "NOT_FOUND input.siteId"},
	} {
		if got := mistake(r.edit("acme/engineer", c.verb, c.entity, "", c.input)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	narrow := map[string]any{"name": "oil_pressure", "unit": "bar", "minPlausible": 1, "maxPlausible": 9}
	if got := r.edit("acme/engineer", "create", "Parameter", "isBuiltIn", narrow); at(got, "parameter", "isBuiltIn") != false {
		t.Errorf("a narrower range: %v", got)
	}
}

func TestGatewayCredentials(t *testing.T) {
	r := newRig(t)
	const issue = `mutation($id: UUID!) { issueGatewayCredentials(input: {id: $id}) { gateway { mqttUsername version } username password userErrors { field code } } }`
	const revoke = `mutation($id: UUID!) { revokeGatewayCredentials(input: {id: $id}) { gateway { mqttUsername } userErrors { field code } } }`
	hash := func() (h *string) {
		r.ok(r.owner.QueryRow(t.Context(), `SELECT mqtt_password_hash FROM gateways WHERE id = $1`, r.acme.GatewayID).Scan(&h))
		return h
	}
	seen := map[any]bool{}
	for version := 2.0; version <= 3; version++ {
		got := r.data("acme/engineer", issue, "id", r.acme.GatewayID)["issueGatewayCredentials"]
		secret, _ := at(got, "password").(string)
		if at(got, "username") != "acme.gw-1" || at(got, "gateway", "mqttUsername") != "acme.gw-1" || len(secret) < 40 || seen[secret] || at(got, "gateway", "version") != version {
			t.Fatalf("issued %v", got)
		}
		seen[secret] = true
		if h := hash(); h == nil || strings.Contains(*h, secret) || !strings.HasPrefix(*h, "$") {
			t.Errorf("stored %v", h)
		}
	}
	if got := r.data("acme/engineer", revoke, "id", r.acme.GatewayID)["revokeGatewayCredentials"]; at(got, "gateway", "mqttUsername") != nil || hash() != nil {
		t.Errorf("revoked %v", got)
	}
	for _, query := range []string{issue, revoke} {
		if a := r.ask("acme/engineer", query, "id", r.globex.GatewayID); !strings.Contains(a.raw, "NOT_FOUND") {
			t.Errorf("another tenant's: %s", a.raw)
		}
		if a := r.ask("acme/operator", query, "id", r.acme.GatewayID); !strings.Contains(a.raw, "FORBIDDEN") {
			t.Errorf("an operator's: %s", a.raw)
		}
	}
	r.change = func(a *tenancy.Actor) { a.SiteIDs = []id.UUID{id.New(id.Site)} }
	if a := r.ask("acme/engineer", issue, "id", r.acme.GatewayID); !strings.Contains(a.raw, "NOT_FOUND") {
		t.Errorf("from another site: %s", a.raw)
	}
}
