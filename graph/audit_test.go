package graph_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"foresight/graph/schema"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// written finds the tables that a statement writes to.
var written = regexp.MustCompile(`(?i)\b(?:INSERT INTO|DELETE FROM|UPDATE)\s+"?(\w+)"?`)

// notRecorded are tables whose rows are records themselves, or no change of anything
// that people hold.
var notRecorded = []string{"audit_logs", "idempotency_keys", "refresh_tokens", "alarm_transitions", "alarm_sequences",
	"import_jobs", "uploads", "job_progress", "river", // an import is recorded when it is done
	"summarised_days",             // of readings, kept for whoever asks next
	"of", "set", "skip", "nowait"} // from FOR UPDATE OF and DO UPDATE SET

// unrecorded returns the tables that the statements write to, when none of them adds
// to the audit log.
func unrecorded(statements []string) []string {
	var out []string
	for _, s := range statements {
		for _, m := range written.FindAllStringSubmatch(s, -1) {
			table := strings.ToLower(m[1])
			if table == "audit_logs" {
				return nil
			}
			if !slices.Contains(notRecorded, table) && !slices.Contains(out, table) {
				out = append(out, table)
			}
		}
	}
	return out
}

// isMutation reports whether the document is one, with the names of its fields.
func isMutation(query string) ([]string, bool) {
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil || len(doc.Operations) == 0 || doc.Operations[0].Operation != ast.Mutation {
		return nil, false
	}
	var names []string
	for _, s := range doc.Operations[0].SelectionSet {
		if f, ok := s.(*ast.Field); ok {
			names = append(names, f.Name)
		}
	}
	return names, true
}

// recorded fails the test when a mutation has changed something without an entry in
// the audit log. Every mutation that a test of this package makes passes here.
func (r *rig) recorded(query string, a answer, statements []string) {
	r.Helper()
	names, ok := isMutation(query)
	for _, payload := range a.Data {
		if mistakes, _ := at(payload, "userErrors").([]any); len(mistakes) > 0 {
			return // and nothing was done
		}
	}
	if !ok || len(a.Errors) > 0 || len(names) == 1 && goesOn[names[0]] {
		return
	}
	if tables := unrecorded(statements); len(tables) > 0 {
		r.Errorf("%v wrote to %v and left no entry in the audit log", names, tables)
	}
	if slices.ContainsFunc(statements, func(s string) bool { return strings.Contains(s, "audit_logs") }) && len(names) == 1 {
		seenRecorded.Store(names[0], true)
	}
}

// goesOn are the mutations of leaveNothing whose work is done behind their answer: by the
// time that this is read any part of it may have been written, and the entry not yet.
var goesOn = map[string]bool{"importAssets": true, "requestPasswordReset": true}

// seenRecorded are the mutations that were seen to leave an entry.
var seenRecorded sync.Map

// leaveNothing are the mutations that change nothing that people hold.
var leaveNothing = map[string]string{
	"refreshToken":         "goes on with a session",
	"testWebhook":          "sends and stores nothing",
	"ingestReadings":       "adds measurements, which the log of the pipeline keeps",
	"importAssets":         "asks for an import, which is recorded in the transaction that makes the things",
	"predictFault":         "changes nothing",
	"predictFailure":       "keeps nothing",
	"requestPasswordReset": "is answered before anything is looked up, the same for all",
}

// everyMutationIsRecorded compares what the tests of the package saw with the schema.
func everyMutationIsRecorded() error {
	s, err := gqlparser.LoadSchema(&ast.Source{Name: "schema", Input: schema.SDL()})
	if err != nil {
		return err
	}
	var missed []string
	for _, f := range s.Mutation.Fields {
		_, seen := seenRecorded.Load(f.Name)
		if _, exempt := leaveNothing[f.Name]; !seen && !exempt {
			missed = append(missed, f.Name)
		}
	}
	if len(missed) > 0 {
		return fmt.Errorf("no test of this package makes these mutations leave an entry in the audit log: %v", missed)
	}
	return nil
}

func TestAuditLog(t *testing.T) {
	r := newRig(t)
	const list = `query($f: AuditLogFilter) { auditLog(filter: $f) { totalCount nodes { id at actorKind actorId actor { fullName } action entity entityId changes { field before after } ip requestId } } }`
	in := map[string]any{"siteId": r.acme.SiteID, "code": "fan-1", "name": "Fan", "type": "FAN"}
	asset := at(r.data("acme/engineer", createAsset, "in", in), "createAsset", "asset", "id")
	r.data("acme/engineer", updateAsset, "in", map[string]any{"id": asset, "expectedVersion": 1, "name": "Fan 2"})
	m := r.machine(r.acme, 1)
	r.data("acme/operator", `mutation($id: UUID!) { clearAlarm(input: {id: $id, note: "cool"}) { userErrors { code } } }`, "id", m.alarm)

	all := r.data("acme/admin", list, "f", map[string]any{"actorKind": "USER"})["auditLog"]
	if at(all, "totalCount") != 3.0 {
		t.Fatalf("%v", all)
	}
	for i, want := range [][]any{{"clear", "AlarmEvent", m.alarm.String(), "operator"}, {"update", "Asset", asset, "engineer"}, {"create", "Asset", asset, "engineer"}} {
		n := at(all, "nodes", i)
		if at(n, "action") != want[0] || at(n, "entity") != want[1] || at(n, "entityId") != want[2] || at(n, "actor", "fullName") != want[3] ||
			at(n, "actorKind") != "USER" || at(n, "requestId") != "request-1" {
			t.Errorf("entry %d: %v, want %v", i, n, want)
		}
	}
	if c := at(all, "nodes", 1, "changes"); at(c, 0, "field") != "name" || at(c, 0, "before") != `"Fan"` || at(c, 0, "after") != `"Fan 2"` || at(c, 1) != nil {
		t.Errorf("changes %v", c)
	}
	if c := at(all, "nodes", 0, "changes"); at(c, 1, "field") != "status" || at(c, 1, "before") != `"acknowledged"` || at(c, 1, "after") != `"cleared"` {
		t.Errorf("changes of an alarm %v", c)
	}
	when := at(all, "nodes", 1, "at")
	for name, c := range map[string]struct {
		filter map[string]any
		want   float64
	}{
		"kind of thing": {map[string]any{"entity": "Asset"}, 2}, "thing": {map[string]any{"entityId": m.alarm}, 1},
		"who": {map[string]any{"actorId": r.acme.Users[tenancy.Operator]}, 1}, "action": {map[string]any{"action": "update"}, 1},
		"sort of credential": {map[string]any{"actorKind": "KEY"}, 0}, "from": {map[string]any{"from": when, "actorKind": "USER"}, 2},
		"to": {map[string]any{"to": "2020-01-01T00:00:00Z"}, 0}, "both": {map[string]any{"entity": "Asset", "action": "clear"}, 0},
	} {
		if got := at(r.data("acme/admin", list, "f", c.filter), "auditLog", "totalCount"); got != c.want {
			t.Errorf("by %s: %v entries, want %v", name, got, c.want)
		}
	}
	if got := at(r.data("globex/admin", list, "f", map[string]any{"actorKind": "USER"}), "auditLog", "totalCount"); got != 0.0 {
		t.Errorf("another tenant sees %v entries", got)
	}
	if a := r.ask("acme/engineer", list); len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "FORBIDDEN" {
		t.Errorf("an engineer: %s", a.raw)
	}
}

// Who is limited to sites sees what concerns them, and nothing whose place is unknown.
func TestAuditLogOfASite(t *testing.T) {
	r := newRig(t)
	south := id.New(id.Site)
	r.sql(`INSERT INTO sites (id, tenant_id, site_code, name) VALUES ($1, $2, 'south', 'South')`, south, r.acme.TenantID)
	for i, site := range []any{r.acme.SiteID, south} {
		in := map[string]any{"siteId": site, "code": []string{"fan-n", "fan-s"}[i], "name": "Fan", "type": "FAN"}
		r.data("acme/engineer", createAsset, "in", in)
		rule := map[string]any{"name": "Hot", "parameter": "bearing_temp", "operator": "GT", "threshold": 90, "severity": "LOW", "siteId": site}
		r.data("acme/engineer", `mutation($in: CreateAlarmRuleInput!) { createAlarmRule(input: $in) { userErrors { code } } }`, "in", rule)
	}
	r.data("acme/engineer", `mutation { createAlarmRule(input: {name: "All", parameter: "bearing_temp", operator: GT, threshold: 90, severity: LOW}) { userErrors { code } } }`)
	m := r.machine(r.acme, 1)
	r.data("acme/operator", `mutation($id: UUID!) { clearAlarm(input: {id: $id}) { userErrors { code } } }`, "id", m.alarm)
	r.data("acme/admin", createWebhook, "in", map[string]any{"name": "w", "url": "https://example.com", "events": []string{"ALARM_RAISED"}})
	const list = `{ auditLog(filter: {actorKind: USER}) { totalCount nodes { id entity action changes { field after } } } }`
	all := r.data("acme/admin", list)["auditLog"]
	for site, want := range map[id.UUID]float64{r.acme.SiteID: 3, south: 2, id.New(id.Site): 0} {
		r.change = func(a *tenancy.Actor) { a.SiteIDs = []id.UUID{site} }
		got := r.data("acme/admin", list)["auditLog"]
		if at(got, "totalCount") != want {
			t.Errorf("%v entries, want %v: %v", at(got, "totalCount"), want, at(got, "nodes"))
		}
		seen := r.data("acme/admin", `query($ids: [UUID!]!) { nodes(ids: $ids) { id } }`, "ids", ids(all))["nodes"].([]any)
		found := 0
		for _, n := range seen {
			if n != nil {
				found++
			}
		}
		if float64(found) != want {
			t.Errorf("%d entries by id, want %v", found, want)
		}
	}
	if at(all, "totalCount") != 7.0 {
		t.Errorf("the whole tenant has %v entries", at(all, "totalCount"))
	}
}

func ids(connection any) (out []any) {
	for _, n := range at(connection, "nodes").([]any) {
		out = append(out, at(n, "id"))
	}
	return out
}

func TestExportsAndSignOutsAreRecorded(t *testing.T) {
	r := newRig(t)
	if got := r.do("acme/engineer", "export", "ExportInput", "job { id }", map[string]any{"kind": "ASSETS", "idempotencyKey": "k"}); at(got, "job", "id") == nil {
		t.Errorf("%v", got)
	}
	session := at(r.signIn(), "refreshToken")
	if got := r.do("", "logout", "LogoutInput", "ok", map[string]any{"refreshToken": session}); at(got, "ok") != true {
		t.Errorf("%v", got)
	}
	log := r.data("acme/admin", `{ auditLog(filter: {actorKind: USER}) { nodes { action entity actor { username } } } }`)["auditLog"]
	if fmt.Sprint(at(log, "nodes")) != "[map[action:logout actor:map[username:operator] entity:User] map[action:login actor:map[username:operator] entity:User] "+
		"map[action:export actor:map[username:engineer] entity:ExportJob]]" {
		t.Errorf("%v", at(log, "nodes"))
	}
}
