package e2e

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"foresight/internal/tenancy"
)

// The sites of one tenant between which nothing is seen by those who work on one.
const (
	hereFed   = alphaFed // on north-station
	thereSite = "river-works"
	thereFed  = "pump-b01-s1"
)

// onlyOfSites are the types of which a site has things of its own.
var onlyOfSites = []string{"Site", "Gateway", "Asset", "Sensor", "AlarmRule", "AlarmEvent", "FaultPrediction", "Feedback", "AssetModelBinding", "FailurePrediction"}

// bothSites are what two engineers see, each limited to another site of one tenant.
func bothSites(t testing.TB, i *instance, os []operation) (here, there caller, a, b *world) {
	t.Helper()
	bothWorlds(t, i, os) // feeds the one site
	admin := i.login(t, alpha, "admin")
	here = i.sited(t, "engineer-of-north", tenancy.Engineer, grant{site: "north-station"})
	there = i.sited(t, "engineer-of-river", tenancy.Engineer, grant{site: thereSite})
	i.once(t, "feed the other site", func() {
		d := i.device(t, alpha+".gw-river")
		feed(t, d, alpha+"/"+thereSite+"/sensors/"+thereFed, "cavitation", 20)
		for _, code := range []string{"north-station", thereSite} {
			get[any](t, i, admin, `mutation($in: CreateAlarmRuleInput!) { createAlarmRule(input: $in) { rule { id } } }`,
				vars{"in": vars{"name": "Rule of " + code, "siteId": i.siteID(t, admin, code), "parameter": "flow", "operator": "LT", "threshold": -1e6, "severity": "LOW"}})
		}
		within(t, patience, "alarms and predictions of "+thereSite, func() bool {
			alarms, predictions, _ := i.seen(t, there.token)
			return alarms > 0 && predictions >= 7
		})
		i.judged(t, alpha, thereFed)
	})
	return here, there, look(t, i, os, here, hereFed), look(t, i, os, there, thereFed)
}

func (i *instance) siteID(t testing.TB, token, code string) string {
	t.Helper()
	type sites struct {
		Sites struct{ Nodes []struct{ ID, Code string } }
	}
	for _, s := range get[sites](t, i, token, `{ sites(first: 100) { nodes { id code } } }`, nil).Sites.Nodes {
		if s.Code == code {
			return s.ID
		}
	}
	t.Fatalf("no site %s", code)
	return ""
}

// Who works on one site sees, finds and changes nothing of another site of the same
// tenant: it is as unknown as what nobody has.
func TestIsolationOfSites(t *testing.T) {
	i := quiet.get(t)
	os := i.operations(t)
	here, there, a, b := bothSites(t, i, os)
	for _, entity := range onlyOfSites {
		for from, seen := range map[*world]*world{a: b, b: a} {
			if !slices.ContainsFunc(from.ids[entity], func(id string) bool { return !seen.texts[id] }) {
				t.Fatalf("the sites have no %s of their own to probe with", entity)
			}
		}
	}
	i.settled(t)
	before := i.rows(t, b, a)
	// One who sees more elsewhere acts on the one site only, too.
	writer := i.sited(t, "viewer-who-writes-north", tenancy.Viewer, grant{"north-station", []tenancy.Permission{tenancy.PlantWrite, tenancy.RolesWrite}})
	leaks := i.confined(t, os, a, b, []string{"Booster pump B01", "river", "GRUNDFOS"}, here, writer)
	after := i.rows(t, b, a)
	for row, was := range before {
		if after[row] != was {
			leaks++
			t.Errorf("%s of the other site has changed: %s, before %s", row, after[row], was)
		}
	}
	figure("isolation of sites: %d leaks", leaks)

	// The probes mean something: on the other site the same things are found.
	found := 0
	for _, entity := range onlyOfSites {
		ids := b.ids[entity]
		for _, id := range ids {
			if a.texts[id] {
				continue
			}
			for _, c := range []caller{here, there} {
				node := get[struct{ Node *struct{ ID string } }](t, i, c.token, `query($id: UUID!) { node(id: $id) { id } }`, vars{"id": id}).Node
				if got, want := node != nil, c.name == there.name; got != want {
					t.Errorf("%s %s is found by %s: %v, want %v", entity, id, c.name, got, want)
				}
			}
			found++
		}
	}
	figure("isolation of sites: %d controls by those of the other site", found)
}

// rows are the rows, as the owner sees them, of what b knows and a does not.
func (i *instance) rows(t testing.TB, b, a *world) map[string]string {
	t.Helper()
	var ids []string
	for _, of := range b.ids {
		ids = append(ids, slices.DeleteFunc(slices.Clone(of), func(id string) bool { return a.texts[id] })...)
	}
	c, err := pgx.Connect(t.Context(), i.database())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	out := map[string]string{}
	for table := range maps.Keys(i.sums(t, b.own("Tenant"))) {
		found, err := c.Query(t.Context(), `SELECT to_jsonb(r)->>'id', md5(r::text) FROM `+pgx.Identifier{table}.Sanitize()+` r WHERE to_jsonb(r)->>'id' = ANY ($1)`, ids)
		if err != nil {
			t.Fatal(err)
		}
		var id, sum string
		if _, err := pgx.ForEachRow(found, []any{&id, &sum}, func() error {
			out[table+" "+id] = sum
			return nil
		}); err != nil {
			t.Fatalf("%s: %v", table, err)
		}
	}
	for _, table := range []string{"sites", "assets", "alarm_events"} {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(out)), func(row string) bool { return strings.HasPrefix(row, table+" ") }) {
			t.Fatalf("no rows of %s are watched", table)
		}
	}
	return out
}
