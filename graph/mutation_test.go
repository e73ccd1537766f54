package graph_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"foresight/internal/id"
	"foresight/internal/tenancy"
)

const (
	createAsset = `mutation($in: CreateAssetInput!) { createAsset(input: $in) { asset { id code name version site { code } } userErrors { field message code } } }`
	updateAsset = `mutation($in: UpdateAssetInput!) { updateAsset(input: $in) { asset { id name manufacturer version } userErrors { field message code } } }`
)

func TestAssetMutations(t *testing.T) {
	r := newRig(t)
	in := map[string]any{"siteId": r.acme.SiteID, "code": "fan-1", "name": " Fan ", "type": "FAN", "manufacturer": "Howden", "isoMachineGroup": "GROUP_2"}
	got := r.data("acme/engineer", createAsset, "in", in)["createAsset"]
	if at(got, "asset", "code") != "fan-1" || at(got, "asset", "name") != "Fan" || at(got, "asset", "version") != 1.0 ||
		at(got, "asset", "site", "code") != "north" || len(at(got, "userErrors").([]any)) != 0 {
		t.Fatalf("created %v", got)
	}
	made := at(got, "asset", "id")
	update := func(fields ...any) any {
		in := map[string]any{"id": made}
		for i := 0; i < len(fields); i += 2 {
			in[fields[i].(string)] = fields[i+1]
		}
		return r.data("acme/engineer", updateAsset, "in", in)["updateAsset"]
	}
	if got := update("expectedVersion", 1, "name", "Fan 2"); at(got, "asset", "name") != "Fan 2" || at(got, "asset", "manufacturer") != "Howden" || at(got, "asset", "version") != 2.0 {
		t.Errorf("what is left out stays: %v", got)
	}
	if got := update("expectedVersion", 2, "manufacturer", nil); at(got, "asset", "manufacturer") != nil || at(got, "asset", "name") != "Fan 2" {
		t.Errorf("null clears: %v", got)
	}
	stale := update("expectedVersion", 1, "name", "lost")
	if at(stale, "asset") != nil || at(stale, "userErrors", 0, "code") != "CONFLICT" || at(stale, "userErrors", 0, "field") != "input.expectedVersion" {
		t.Errorf("a stale version: %v", stale)
	}
}

func TestUserErrorsNameFieldsInTheLanguageOfTheRequest(t *testing.T) {
	r := newRig(t)
	in := map[string]any{"siteId": r.globex.SiteID, "code": "NO", "name": "", "type": "FAN"}
	for language, want := range map[string][]string{
		"en":            {"A code has 1-100 lower-case letters, digits, hyphens or underscores.", "A name has 1-200 characters.", "There is no such site."},
		"ar":            {"يتكوّن الرمز من 1 إلى 100 من الأحرف اللاتينية الصغيرة أو الأرقام أو الشرطات.", "يتكوّن الاسم من 1 إلى 200 حرف.", "«موقع»"},
		"ja, ar;q=0.5":  {"يتكوّن الرمز", "يتكوّن الاسم", "«موقع»"},
		"xx-yy, *;q=.1": {"A code has", "A name has", "There is no such"},
	} {
		got := r.data("acme/engineer", createAsset, "in", in, "Accept-Language", language)["createAsset"]
		if at(got, "asset") != nil {
			t.Fatalf("made %v", got)
		}
		for i, field := range []string{"input.code", "input.name", "input.siteId"} {
			message, _ := at(got, "userErrors", i, "message").(string)
			if at(got, "userErrors", i, "field") != field || !strings.Contains(strings.ToLower(message), strings.ToLower(want[i])) {
				t.Errorf("%s: %v, want %s: %s", language, at(got, "userErrors", i), field, want[i])
			}
		}
		for i, code := range []string{"BAD_USER_INPUT", "BAD_USER_INPUT", "NOT_FOUND"} {
			if at(got, "userErrors", i, "code") != code {
				t.Errorf("code %v, want %s", at(got, "userErrors", i, "code"), code)
			}
		}
	}
}

func TestRuleAndAlarmMutations(t *testing.T) {
	r := newRig(t)
	const create = `mutation($in: CreateAlarmRuleInput!) { createAlarmRule(input: $in) { rule { id name parameter operator threshold severity version isActive site { code } faultCodes } userErrors { field code } } }`
	got := r.data("acme/engineer", create, "in", map[string]any{"name": "Hot", "parameter": "bearing_temp", "operator": "GTE", "threshold": 95, "severity": "HIGH", "siteId": r.acme.SiteID})["createAlarmRule"]
	rule := at(got, "rule", "id")
	if rule == nil || at(got, "rule", "operator") != "GTE" || at(got, "rule", "site", "code") != "north" || at(got, "rule", "isActive") != true {
		t.Fatalf("created %v", got)
	}
	const update = `mutation($in: UpdateAlarmRuleInput!) { updateAlarmRule(input: $in) { rule { site { code } threshold version } userErrors { field code } } }`
	got = r.data("acme/engineer", update, "in", map[string]any{"id": rule, "expectedVersion": 1, "threshold": 90, "siteId": nil})["updateAlarmRule"]
	if at(got, "rule", "threshold") != 90.0 || at(got, "rule", "site") != nil || at(got, "rule", "version") != 2.0 {
		t.Errorf("updated %v", got)
	}
	got = r.data("acme/engineer", update, "in", map[string]any{"id": rule, "expectedVersion": 1, "threshold": 1})["updateAlarmRule"]
	if at(got, "userErrors", 0, "code") != "CONFLICT" {
		t.Errorf("a stale version: %v", got)
	}
	got = r.data("acme/engineer", create, "in", map[string]any{"name": "", "parameter": "nonsense", "operator": "GT", "threshold": 1, "severity": "LOW", "assetId": r.globex.AssetID})["createAlarmRule"]
	if s := fmt.Sprint(at(got, "userErrors")); !strings.Contains(s, "input.name") || !strings.Contains(s, "input.parameter") || !strings.Contains(s, "NOT_FOUND field:input.assetId") {
		t.Errorf("mistakes %v", s)
	}
	for _, verb := range []string{"delete", "restore"} {
		field := verb + "AlarmRule"
		got := r.data("acme/engineer", fmt.Sprintf(`mutation($id: UUID!) { %s(input: {id: $id}) { rule { id } userErrors { field code } } }`, field), "id", rule)[field]
		if at(got, "rule", "id") != rule {
			t.Errorf("%s: %v", verb, got)
		}
	}

	m := r.machine(r.acme, 1)
	for _, c := range []struct{ field, input, want string }{
		{"clearAlarm", `{id: $id}`, "CLEARED"},
		{"acknowledgeAlarm", `{id: $id, note: "seen"}`, "RESOLVED"},
	} {
		q := fmt.Sprintf(`mutation($id: UUID!) { %s(input: %s) { alarm { status transitions { from to note by { fullName } } } userErrors { field message code } } }`, c.field, c.input)
		if got := r.data("acme/operator", q, "id", m.alarm)[c.field]; at(got, "alarm", "status") != c.want {
			t.Errorf("%s: %v, want %s", c.field, got, c.want)
		}
	}
	resolve := `mutation($id: UUID!, $plan: String!) { resolveAlarm(input: {id: $id, correctionPlan: $plan}) { alarm { status correctionPlan resolvedBy { fullName } } userErrors { field code } } }`
	other := r.machine(r.acme, 2)
	if got := r.data("acme/operator", resolve, "id", other.alarm, "plan", " ")["resolveAlarm"]; at(got, "userErrors", 0, "field") != "input.correctionPlan" || at(got, "alarm") != nil {
		t.Errorf("no plan: %v", got)
	}
	if got := r.data("acme/operator", resolve, "id", other.alarm, "plan", "new seal")["resolveAlarm"]; at(got, "alarm", "status") != "RESOLVED" || at(got, "alarm", "resolvedBy", "fullName") != "operator" {
		t.Errorf("resolved: %v", got)
	}
}

// A mutation about a thing that is not there, or is another tenant's, blames the id.
func TestMutationsOfWhatIsNotThere(t *testing.T) {
	r := newRig(t)
	foreign := r.machine(r.globex, 1)
	for field, input := range map[string]string{
		"updateAsset":      `{id: "%s", expectedVersion: 1, name: "x"}`,
		"updateAlarmRule":  `{id: "%s", expectedVersion: 1, name: "x"}`,
		"deleteAlarmRule":  `{id: "%s"}`,
		"restoreAlarmRule": `{id: "%s"}`,
		"acknowledgeAlarm": `{id: "%s"}`,
		"clearAlarm":       `{id: "%s"}`,
		"resolveAlarm":     `{id: "%s", correctionPlan: "x"}`,
	} {
		for name, u := range map[string]id.UUID{"foreign asset": r.globex.AssetID, "foreign alarm": foreign.alarm, "unknown": id.New(id.AlarmRule), "nil": id.Nil} {
			got := r.data("acme/admin", fmt.Sprintf(`mutation { `+field+`(input: `+input+`) { userErrors { field code message } } }`, u))[field]
			if at(got, "userErrors", 0, "field") != "input.id" || at(got, "userErrors", 0, "code") != "NOT_FOUND" {
				t.Errorf("%s of %s: %v", field, name, got)
			}
		}
	}
}

func TestLogin(t *testing.T) {
	r := newRig(t)
	const login = `mutation($in: LoginInput!) { login(input: $in) { session { accessToken } userErrors { field message code } } }`
	a := r.ask("", login, "in", map[string]any{"email": "admin@example.com", "password": "wrong", "tenantCode": "acme"})
	if at(a.Data, "login", "session") != nil || at(a.Data, "login", "userErrors", 0, "code") != "BAD_USER_INPUT" {
		t.Errorf("a wrong password: %s", a.raw)
	}
	if got := r.data("", `{ me { user { email } } }`); got["me"] != nil {
		t.Errorf("nobody is %v", got)
	}
	got := r.data("acme/viewer", `{ me { role permissions tenant { code } user { email username lastLoginAt isActive } } }`)["me"]
	if at(got, "role") != "VIEWER" || at(got, "tenant", "code") != "acme" || at(got, "user", "email") != "viewer@example.com" {
		t.Errorf("me: %v", got)
	}
}

func TestTopLevelErrors(t *testing.T) {
	r := newRig(t)
	m := r.machine(r.acme, 1)
	r.sql(`ALTER TABLE gateways RENAME TO gateways_gone`) // what the server cannot help
	for name, c := range map[string]struct {
		actor, query string
		code         string
		field        any
	}{
		"no credential":        {"", `{ sites { nodes { id } } }`, "UNAUTHENTICATED", nil},
		"no permission":        {"acme/viewer", `{ users { nodes { id } } }`, "FORBIDDEN", nil},
		"page too large":       {"acme/viewer", `{ rejectedReadings(first: 101) { id } }`, "BAD_USER_INPUT", "first"},
		"page of none":         {"acme/viewer", `{ rejectedReadings(first: 0) { id } }`, "BAD_USER_INPUT", "first"},
		"both directions":      {"acme/viewer", `{ sites(first: 1, last: 1) { nodes { id } } }`, "BAD_USER_INPUT", "last"},
		"a garbage cursor":     {"acme/viewer", `{ sites(after: "x") { nodes { id } } }`, "BAD_USER_INPUT", "after"},
		"a garbage id":         {"acme/viewer", `{ node(id: "x") { id } }`, "BAD_USER_INPUT", "id"},
		"a zero character":     {"acme/viewer", `{ asset(code: "a\u0000") { id } }`, "BAD_USER_INPUT", "code"},
		"zero in a filter":     {"acme/viewer", `{ assets(filter: {search: "\u0000"}) { nodes { id } } }`, "BAD_USER_INPUT", "filter.search"},
		"two scopes":           {"acme/viewer", fmt.Sprintf(`{ latestReadings(scope: {siteId: "%s", assetId: "%s"}) { sensorId } }`, m.Site, m.Asset), "BAD_USER_INPUT", nil},
		"too wide a scope":     {"acme/viewer", fmt.Sprintf(`{ telemetry(scope: {siteId: "%s"}) { nodes { sensorId } } }`, m.Site), "BAD_USER_INPUT", "scope"},
		"foreign scope":        {"acme/viewer", fmt.Sprintf(`{ latestReadings(scope: {assetId: "%s"}) { sensorId } }`, r.globex.AssetID), "NOT_FOUND", nil},
		"foreign dashboard":    {"acme/viewer", fmt.Sprintf(`{ dashboard(siteId: "%s") { assetCount } }`, r.globex.SiteID), "NOT_FOUND", nil},
		"neither id nor code":  {"acme/viewer", `{ asset { id } }`, "BAD_USER_INPUT", nil},
		"no such field":        {"acme/viewer", `{ nonsense }`, "BAD_USER_INPUT", nil},
		"no document":          {"acme/viewer", `{`, "BAD_USER_INPUT", nil},
		"days out of range":    {"acme/viewer", `{ alarmEvents(filter: {days: 0}) { nodes { id } } }`, "BAD_USER_INPUT", "filter.days"},
		"the server's mistake": {"acme/viewer", `{ gateways { nodes { id } } }`, "INTERNAL", nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := r.ask(c.actor, c.query)
			if len(a.Errors) != 1 {
				t.Fatalf("%s", a.raw)
			}
			e := a.Errors[0].Extensions
			if e["code"] != c.code || e["requestId"] != "request-1" || e["field"] != c.field {
				t.Errorf("want %s at %v: %s", c.code, c.field, a.raw)
			}
			for _, inner := range []string{"SQLSTATE", "relation", "gateways_gone", "pgx", "ent:", ".go", "goroutine", "error."} {
				if strings.Contains(a.raw, inner) {
					t.Errorf("tells %q: %s", inner, a.raw)
				}
			}
			if arabic := r.ask(c.actor, c.query, "Accept-Language", "ar"); e["reason"] == nil && strings.ContainsAny(arabic.Errors[0].Message, "etaoin") && !strings.Contains(arabic.Errors[0].Message, ":") {
				t.Errorf("not in Arabic: %s", arabic.raw)
			}
		})
	}
}

// Every kind of entity is found by its id alone, by those who may read it.
func TestNodes(t *testing.T) {
	r := newRig(t)
	m, foreign := r.machine(r.acme, 1), r.machine(r.globex, 1)
	one := func(tenant id.UUID, sql string) (u id.UUID) {
		r.ok(r.owner.QueryRow(t.Context(), sql, tenant).Scan(&u))
		return u
	}
	kinds := map[string]func(tenant id.UUID) id.UUID{
		"Tenant":  func(tenant id.UUID) id.UUID { return tenant },
		"User":    func(x id.UUID) id.UUID { return one(x, `SELECT id FROM users WHERE tenant_id = $1 LIMIT 1`) },
		"Site":    func(x id.UUID) id.UUID { return one(x, `SELECT id FROM sites WHERE tenant_id = $1 LIMIT 1`) },
		"Gateway": func(x id.UUID) id.UUID { return one(x, `SELECT id FROM gateways WHERE tenant_id = $1 LIMIT 1`) },
		"Asset":   func(x id.UUID) id.UUID { return one(x, `SELECT id FROM assets WHERE tenant_id = $1 LIMIT 1`) },
		"Sensor":  func(x id.UUID) id.UUID { return one(x, `SELECT id FROM sensors WHERE tenant_id = $1 LIMIT 1`) },
		"Model":   func(x id.UUID) id.UUID { return one(x, `SELECT id FROM ml_models WHERE tenant_id = $1 LIMIT 1`) },
		"ModelVersion": func(x id.UUID) id.UUID {
			return one(x, `SELECT id FROM ml_model_versions WHERE tenant_id = $1 LIMIT 1`)
		},
		"Deployment": func(x id.UUID) id.UUID {
			return one(x, `SELECT id FROM ml_model_deployments WHERE tenant_id = $1 LIMIT 1`)
		},
		"AlarmRule":  func(x id.UUID) id.UUID { return one(x, `SELECT id FROM alarm_rules WHERE tenant_id = $1 LIMIT 1`) },
		"AlarmEvent": func(x id.UUID) id.UUID { return one(x, `SELECT id FROM alarm_events WHERE tenant_id = $1 LIMIT 1`) },
		"FaultPrediction": func(x id.UUID) id.UUID {
			if x == r.acme.TenantID {
				return m.prediction
			}
			return foreign.prediction
		},
		"Parameter": func(x id.UUID) id.UUID {
			return one(x, `SELECT id FROM parameters WHERE tenant_id IS NULL OR tenant_id = $1 LIMIT 1`)
		},
		"FaultType": func(x id.UUID) id.UUID {
			return one(x, `SELECT id FROM fault_types WHERE tenant_id IS NULL OR tenant_id = $1 LIMIT 1`)
		},
	}
	for name, table := range map[string]string{"AuditEntry": "audit_logs", "ImportJob": "import_jobs", "ExportJob": "export_jobs", "ReplayJob": "replay_jobs", "Backtest": "backtests", "RetrainingProposal": "retraining_proposals", "DriftReport": "drift_reports", "DriftCheck": "drift_checks", "TrainingRun": "training_runs", "AssetModelBinding": "asset_model_versions", "DeploymentRequest": "deployment_requests",
		"Feedback": "feedback", "ScoringJob": "scoring_jobs", "FailurePrediction": "failure_predictions", "ApiKey": "api_keys",
		"OAuthClient": "oauth_clients", "Membership": "memberships", "Invite": "invites", "AccessRole": "roles", "Webhook": "webhooks"} {
		kinds[name] = func(x id.UUID) id.UUID { return one(x, `SELECT id FROM `+table+` WHERE tenant_id = $1 LIMIT 1`) }
	}
	r.furnish(r.acme, 1)
	r.furnish(r.globex, 1)
	// The kinds are those of the schema.
	var possible []any
	for _, p := range r.data("acme/admin", `{ __type(name: "Node") { possibleTypes { name } } }`)["__type"].(map[string]any)["possibleTypes"].([]any) {
		possible = append(possible, at(p, "name"))
		if kinds[at(p, "name").(string)] == nil {
			t.Errorf("say in this test how to find a %v", at(p, "name"))
		}
	}
	if len(possible) != len(kinds) {
		t.Errorf("the schema has nodes %v", possible)
	}
	const q = `query($ids: [UUID!]!) { nodes(ids: $ids) { __typename id } }`
	var own, others []id.UUID
	var names []string
	for name, find := range kinds {
		names, own, others = append(names, name), append(own, find(r.acme.TenantID)), append(others, find(r.globex.TenantID))
	}
	got := r.data("acme/admin", q, "ids", own)
	for i, name := range names {
		if at(got, "nodes", i, "__typename") != name || at(got, "nodes", i, "id") != own[i].String() {
			t.Errorf("%s: %v", name, at(got, "nodes", i))
		}
	}
	foreigners := r.data("acme/admin", q, "ids", others)
	for i, name := range names {
		if shared := name == "Parameter" || name == "FaultType"; (at(foreigners, "nodes", i) != nil) != shared {
			t.Errorf("another tenant's %s: %v", name, at(foreigners, "nodes", i))
		}
	}
	// What one may not read does not exist; neither does what is of no kind, or of another.
	wrong := own[0]
	wrong[15] ^= 1
	ids := []id.UUID{r.acme.Users[tenancy.Admin], id.Nil, id.New(id.Asset), id.New(id.AlarmTransition), wrong}
	got = r.data("acme/viewer", q, "ids", ids)
	for i := range ids {
		if at(got, "nodes", i) != nil {
			t.Errorf("%s is %v to a viewer", ids[i], at(got, "nodes", i))
		}
	}
	twice := r.data("acme/viewer", q, "ids", []id.UUID{m.Asset, id.Nil, m.Asset})
	if at(twice, "nodes", 0, "id") != m.Asset.String() || at(twice, "nodes", 1) != nil || at(twice, "nodes", 2, "id") != m.Asset.String() {
		t.Errorf("not in the order of the ids: %v", twice)
	}
	if a := r.ask("acme/viewer", q, "ids", make([]id.UUID, 101)); len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "BAD_USER_INPUT" {
		t.Errorf("101 ids: %s", a.raw)
	}
	r.change = func(a *tenancy.Actor) { a.SiteIDs = []id.UUID{id.New(id.Site)} }
	got = r.data("acme/admin", q, "ids", []id.UUID{m.Asset, m.Sensor, m.alarm, m.prediction, m.Site})
	for i := range 5 {
		if at(got, "nodes", i) != nil {
			t.Errorf("seen from another site: %v", at(got, "nodes", i))
		}
	}
}

// Refused payloads are bytes of strangers; the answer is JSON all the same.
func TestRejectedReadingsAreText(t *testing.T) {
	r := newRig(t)
	r.machine(r.acme, 1)
	a := r.ask("acme/viewer", `{ rejectedReadings { reason message payload } }`)
	if !json.Valid([]byte(a.raw)) || at(a.Data, "rejectedReadings", 0, "payload") != "{\uFFFD" || at(a.Data, "rejectedReadings", 0, "message") == "unknown_sensor" {
		t.Errorf("%s", a.raw)
	}
}
