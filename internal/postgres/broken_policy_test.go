package postgres_test

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"entgo.io/ent"
	"github.com/google/uuid"

	orm "foresight/ent"
	"foresight/ent/enttest"
	entmigrate "foresight/ent/migrate"
)

// anything is a policy that lets everything pass.
type anything struct{}

func (anything) EvalQuery(context.Context, ent.Query) error       { return nil }
func (anything) EvalMutation(context.Context, ent.Mutation) error { return nil }

// breakPolicies takes the ORM's layer away from all entities for the time of the
// test. The policies are the process's: no test of this package runs in parallel.
func breakPolicies(t *testing.T) {
	t.Helper()
	all := enttest.Policies()
	if len(all) != len(entmigrate.Tables) {
		t.Fatalf("%d policies of %d entities", len(all), len(entmigrate.Tables))
	}
	for _, p := range all {
		whole := *p
		*p = anything{}
		t.Cleanup(func() { *p = whole })
	}
}

// What every layer does by itself, for every entity: with both off the other
// tenant's row is there to be seen, which shows that the fixture means something;
// with either on it is not.
func TestEitherLayerAloneHidesTheOtherTenant(t *testing.T) {
	for _, c := range []struct {
		name            string
		policy, rowSafe bool
	}{
		{"neither", false, false},
		{"the ORM's policies alone", true, false},
		{"row security alone", false, true},
		{"both", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if !c.policy {
				breakPolicies(t)
			}
			dsn := w.OwnerDSN // bypasses row security
			if c.rowSafe {
				dsn = w.AppDSN
			}
			client, _ := open(t, dsn)
			safe := c.policy || c.rowSafe
			for _, e := range entities(t, client) {
				if slices.Contains(builtIn, e.table) {
					continue
				}
				ids, err := e.ids(w.a.ctx(t))
				if err != nil {
					t.Fatalf("%s: %v", e.name, err)
				}
				if !slices.Contains(ids, w.a.ids[e.table]) {
					t.Errorf("%s: the own row is hidden", e.name)
				}
				if slices.Contains(ids, w.b.ids[e.table]) == safe {
					t.Errorf("%s: another tenant's row is listed: %v, want %v", e.name, !safe, safe)
				}
				if _, err := call(e.client, "Get", w.a.ctx(t), w.b.ids[e.table]); orm.IsNotFound(err) != safe {
					t.Errorf("%s: another tenant's row by its id: %v", e.name, err)
				}
			}
		})
	}
}

// With the ORM's policies broken, nothing that the ORM writes reaches the other
// tenant: row security refuses it, whatever the entity is.
func TestRowSecurityStopsWritesPastABrokenPolicy(t *testing.T) {
	w := newWorld(t)
	breakPolicies(t)
	client, _ := open(t, w.AppDSN)
	before := w.rowsOf(t, w.b.tenant)
	for _, e := range entities(t, client) {
		if slices.Contains(builtIn, e.table) {
			continue
		}
		theirs := w.b.ids[e.table]
		for what, err := range map[string]error{
			"update": e.update(w.a.ctx(t), theirs),
			"delete": e.delete(w.a.ctx(t), theirs),
		} {
			if !orm.IsNotFound(err) && !denied(err) {
				t.Errorf("%s of another tenant's %s: %v", what, e.name, err)
			}
		}
		if err := e.copy(t, w.a.ctx(t), w.a.ids[e.table], w.b.tenant); !denied(err) {
			t.Errorf("a new %s for another tenant: %v, want denied", e.name, err)
		}
	}
	for _, e := range entities(t, client) { // all rows at once
		for _, op := range []string{"Update", "Delete"} {
			// Keys and grants may refuse, which is as good; what counts is below.
			_, _ = call(e.client.MethodByName(op).Call(nil)[0], "Exec", w.a.ctx(t))
		}
	}
	for table, rows := range w.rowsOf(t, w.b.tenant) {
		if rows != before[table] {
			t.Errorf("%s of the other tenant has changed: %s, before %s", table, rows, before[table])
		}
	}
}

// copy creates a row like the one with the id through the ORM, for the tenant.
func (e entity) copy(t *testing.T, ctx context.Context, from, tenant uuid.UUID) error {
	t.Helper()
	v, err := call(e.client, "Get", ctx, from)
	if err != nil {
		t.Fatalf("%s: %v", e.name, err)
	}
	create := e.client.MethodByName("Create").Call(nil)[0]
	m := create.MethodByName("Mutation").Call(nil)[0].Interface().(ent.Mutation)
	for _, table := range entmigrate.Tables {
		if table.Name != e.table {
			continue
		}
		for _, c := range table.Columns {
			field := reflect.Indirect(v).FieldByNameFunc(func(n string) bool { return strings.EqualFold(n, strings.ReplaceAll(c.Name, "_", "")) })
			if c.Name == "id" || !field.IsValid() || field.Kind() == reflect.Pointer && field.IsNil() {
				continue
			}
			if field.Kind() == reflect.Pointer && c.Name != "quiet_hours" {
				field = field.Elem()
			}
			if err := m.SetField(c.Name, field.Interface()); err != nil {
				t.Fatalf("%s.%s: %v", e.name, c.Name, err)
			}
		}
	}
	name, own := "SetTenantID", tenant
	if e.table == "tenants" {
		name = "SetID"
	}
	create.MethodByName(name).Call([]reflect.Value{reflect.ValueOf(own)})
	_, err = call(create, "Save", ctx)
	return err
}

// rowsOf are checksums of the tenant's rows, by table, as the owner sees them.
func (w *world) rowsOf(t *testing.T, tenant uuid.UUID) map[string]string {
	t.Helper()
	tables := tenantTables(t, w.owner)
	for _, table := range slices.Sorted(maps.Keys(tables)) {
		var rows string
		if err := w.owner.QueryRow(t.Context(), fmt.Sprintf(`SELECT count(*) || ' rows ' || coalesce(md5(string_agg(r::text, '' ORDER BY r::text)), '')
			FROM %s r WHERE %s = $1`, table, tables[table]), tenant).Scan(&rows); err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		tables[table] = rows
	}
	return tables
}
