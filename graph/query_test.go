package graph_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"foresight/graph/schema"
)

// selection writes all fields of a type, following objects to the depth but never
// into a type that it comes from.
func selection(s *ast.Schema, d *ast.Definition, depth int, from map[string]bool) string {
	var b strings.Builder
	b.WriteString("{ __typename ")
	for _, f := range d.Fields {
		t := s.Types[f.Type.Name()]
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		if t.IsLeafType() {
			b.WriteString(f.Name + " ")
			continue
		}
		if depth == 0 || from[t.Name] {
			continue
		}
		from[t.Name] = true
		b.WriteString(f.Name + " " + selection(s, t, depth-1, from) + " ")
		delete(from, t.Name)
	}
	return b.String() + "}"
}

// queries writes every query of the schema with all its fields, by name. args are
// those that a query cannot do without.
func queries(t testing.TB, size int, args map[string]string) map[string]string {
	t.Helper()
	s, err := gqlparser.LoadSchema(&ast.Source{Name: "schema", Input: schema.SDL()})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range s.Query.Fields {
		a, given := args[f.Name]
		switch {
		case strings.HasPrefix(f.Name, "__") || s.Types[f.Type.Name()].Kind == ast.Interface:
			continue // nodes have tests of their own
		case f.Arguments.ForName("first") != nil:
			a = strings.TrimPrefix(a+fmt.Sprintf(", first: %d", size), ", ")
		}
		for _, need := range f.Arguments {
			if need.Type.NonNull && need.DefaultValue == nil && !given {
				t.Fatalf("say in this test how to ask for %s: it needs %s", f.Name, need.Name)
			}
		}
		if a != "" {
			a = "(" + a + ")"
		}
		out[f.Name] = "{ " + f.Name + a + " " + selection(s, s.Types[f.Type.Name()], 5, map[string]bool{}) + " }"
	}
	return out
}

// Every query, with all its fields, answers without an error and with a number of
// statements that does not grow with the length of its lists.
func TestStatementsDoNotGrowWithThePage(t *testing.T) {
	r := newRig(t)
	const short, long = 3, 30
	count := func(n int, args map[string]string, want map[string][]string) map[string][]string {
		out := map[string][]string{}
		for name, q := range queries(t, n, args) {
			var answer map[string]any
			ask := func(r *rig) []string {
				r.statements.taken()
				answer = r.data("acme/admin", q)
				return r.statements.taken()
			}
			if want == nil {
				out[name] = ask(r)
			} else {
				out[name] = r.least(len(want[name]), ask)
			}
			if at(answer, name) == nil {
				t.Errorf("%s is null", name)
			}
			if nodes, list := at(answer, name, "nodes").([]any); list && len(nodes) != n && !fewer[name] {
				t.Errorf("%s gave %d of %d items", name, len(nodes), n)
			}
		}
		return out
	}
	said, _ := r.judged(r.acme, long+1)
	var first machine
	for i := range long {
		if m := r.machine(r.acme, i+1); i == 0 {
			first = m
		}
	}
	for i := range long - 1 { // what m-001 has many of
		r.write(reading(first.Key, first.earlier(i), 1))
		r.sql(`INSERT INTO sites (id, tenant_id, site_code, name) SELECT gen_random_uuid(), $1, $2, $2`, r.acme.TenantID, fmt.Sprintf("s-%d", i))
		r.sql(`INSERT INTO gateways (id, tenant_id, site_id, gateway_code) SELECT gen_random_uuid(), $1, $2, $3`, r.acme.TenantID, r.acme.SiteID, fmt.Sprintf("g-%d", i))
	}
	r.furnish(r.acme, long)
	r.explained()
	var tried string
	r.ok(r.owner.QueryRow(t.Context(), `SELECT min(id::text) FROM backtests WHERE tenant_id = $1`, r.acme.TenantID).Scan(&tried))
	var model, candidate string
	r.ok(r.owner.QueryRow(t.Context(), `SELECT d.model_id::text, d.model_version_id::text FROM ml_model_deployments d JOIN deployment_policies p USING (tenant_id, model_id)
		WHERE d.tenant_id = $1 AND d.is_production AND d.deployment_end IS NULL ORDER BY d.id LIMIT 1`, r.acme.TenantID).Scan(&model, &candidate))
	args := map[string]string{
		"failurePrediction": fmt.Sprintf(`assetId: "%s"`, r.acme.AssetID),
		"dailyFeatures":     fmt.Sprintf(`assetId: "%s"`, r.acme.AssetID),
		"explainPrediction": fmt.Sprintf(`id: "%s"`, said.ID),
		"versionStats":      fmt.Sprintf("modelVersionId: %q", candidate),
		"compareVersions":   fmt.Sprintf("ids: [%q, %q]", candidate, r.sibling(candidate)),

		"deploymentPolicy":     fmt.Sprintf("modelId: %q", model),
		"deploymentComparison": fmt.Sprintf("candidateId: %q", candidate),
		"trainingRun":          fmt.Sprintf("id: %q", r.anyRun(r.acme)),
		"backtest":             fmt.Sprintf("id: %q", tried), "backtestAlarms": fmt.Sprintf("backtestId: %q", tried), "backtestPredictions": fmt.Sprintf("backtestId: %q", tried),
		"asset":     `code: "m-001"`,
		"telemetry": fmt.Sprintf(`scope: {assetId: "%s"}`, first.Asset),
		"series": fmt.Sprintf(`scope: {assetId: "%s"}, parameters: ["flow", "motor_DE_vib_band_1"], from: "%s", to: "%s"`, first.Asset,
			time.Now().Add(-24*time.Hour).Format(time.RFC3339), time.Now().Add(time.Hour).Format(time.RFC3339)),
	}
	count(1, args, nil) // so that every statement is prepared
	few := count(short, args, nil)
	many := count(long, args, few)
	for name := range few {
		// Of two paths to one look-up the second comes just before the batch of the first
		// is closed or just after, whatever the number of items.
		for again := 0; again < 10 && len(many[name]) > len(few[name]); again++ {
			r.statements.taken()
			r.data("acme/admin", queries(t, short, args)[name])
			if s := r.statements.taken(); len(s) > len(few[name]) {
				few[name] = s
			}
		}
		if len(many[name]) > len(few[name]) {
			t.Errorf("%s asks the database %d times for %d items and %d times for %d:\n%s", name, len(few[name]), short, len(many[name]), long,
				strings.Join(many[name], "\n"))
		}
		const most = 28 // a machine with all its edges is 23
		if len(few[name]) > most {
			few[name] = r.least(most, func(r *rig) []string {
				r.statements.taken()
				r.data("acme/admin", queries(t, short, args)[name])
				return r.statements.taken()
			})
		}
		if len(few[name]) > most {
			t.Errorf("%s asks the database %d times:\n%s", name, len(few[name]), strings.Join(few[name], "\n"))
		}
		t.Logf("%-18s %2d statements", name, len(few[name]))
	}
}

// fewer are lists of which the fixture has less than a page.
var fewer = map[string]bool{"permissions": true, "tenants": true}

// least asks until no more statements than wanted were needed, and returns the fewest.
// Batches are collected by time, so that a machine without a free processor may split
// one, which adds a statement now and then. Each further time they are collected for
// longer; a look-up for each item is there every time.
func (r *rig) least(want int, ask func(*rig) []string) []string {
	fewest := ask(r)
	for wait := r.options.Resolver.Collect; len(fewest) > want && wait < 2*time.Second; {
		wait *= 3
		if s := ask(r.collecting(wait)); len(s) < len(fewest) {
			fewest = s
		}
	}
	return fewest
}

// The query of the fleet page.
func TestFleetPageIsAFewStatements(t *testing.T) {
	r := newRig(t)
	for i := range 20 {
		r.machine(r.acme, i+1)
	}
	const q = `{ assets(first: 20, filter: {search: "m-"}) { totalCount nodes { code site { code } sensors { code lastSeenAt } activeAlarmCount worstSeverity latestPrediction { label asset { id } } lastSeenAt } } }`
	r.data("acme/viewer", q)
	var d map[string]any
	// total, page with alarms and last seen, sites, sensors, their states, predictions
	if n := r.least(6, func(r *rig) []string {
		r.statements.taken()
		d = r.data("acme/viewer", q)
		return r.statements.taken()
	}); len(n) != 6 {
		t.Errorf("%d statements, want 6:\n%s", len(n), strings.Join(n, "\n"))
	}
	if at(d, "assets", "totalCount") != 20.0 {
		t.Errorf("total %v", at(d, "assets", "totalCount"))
	}
	for i := range 20 {
		n := at(d, "assets", "nodes", i)
		if at(n, "site", "code") != "north" || at(n, "sensors", 0, "lastSeenAt") == nil || at(n, "activeAlarmCount") != 1.0 ||
			at(n, "worstSeverity") != "HIGH" || at(n, "latestPrediction", "label") != "Cavitation" || at(n, "lastSeenAt") == nil {
			t.Fatalf("machine %d: %v", i, n)
		}
	}
	r.statements.taken()
	r.data("acme/viewer", `{ assets { nodes { id } } }`)
	if n := r.statements.taken(); len(n) != 1 {
		t.Errorf("without totalCount %d statements, want 1:\n%s", len(n), strings.Join(n, "\n"))
	}
}
