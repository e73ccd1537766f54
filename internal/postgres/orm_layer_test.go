package postgres_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"foresight/ent"
	entmigrate "foresight/ent/migrate"
	"foresight/ent/privacy"
	"foresight/internal/tenancy"
)

// entity is the ORM's client of one entity, by reflection, so that every entity
// is tested by existing.
type entity struct {
	name   string
	table  string
	client reflect.Value
}

func entities(t *testing.T, c *ent.Client) []entity {
	t.Helper()
	var out []entity
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.IsExported() && strings.HasSuffix(f.Type.String(), "Client") {
			out = append(out, entity{name: f.Name, table: tableOf(t, f.Name), client: v.Field(i)})
		}
	}
	if len(out) != len(entmigrate.Tables) {
		t.Fatalf("only %d entities found", len(out))
	}
	return out
}

// tableOf returns the table of an entity: AlarmRule -> alarm_rules, Feedback -> feedback.
func tableOf(t *testing.T, name string) string {
	t.Helper()
	name = strings.ToLower(name)
	for _, table := range entmigrate.Tables {
		squeezed := strings.ReplaceAll(table.Name, "_", "")
		for _, plural := range []string{name, name + "s", strings.TrimSuffix(name, "y") + "ies", strings.TrimSuffix(name, "f") + "ves"} {
			if squeezed == plural {
				return table.Name
			}
		}
	}
	t.Fatalf("entity %s has no table", name)
	return ""
}

// call calls a method and returns its last result as the error.
func call(v reflect.Value, method string, args ...any) (reflect.Value, error) {
	in := make([]reflect.Value, len(args))
	for i, a := range args {
		in[i] = reflect.ValueOf(a)
	}
	out := v.MethodByName(method).Call(in)
	err, _ := out[len(out)-1].Interface().(error)
	return out[0], err
}

func (e entity) ids(ctx context.Context) ([]uuid.UUID, error) {
	v, err := call(e.client.MethodByName("Query").Call(nil)[0], "IDs", ctx)
	if err != nil {
		return nil, err
	}
	return v.Interface().([]uuid.UUID), nil
}

func (e entity) update(ctx context.Context, id uuid.UUID) error {
	_, err := call(e.client.MethodByName("UpdateOneID").Call([]reflect.Value{reflect.ValueOf(id)})[0], "Exec", ctx)
	return err
}

func (e entity) delete(ctx context.Context, id uuid.UUID) error {
	_, err := call(e.client.MethodByName("DeleteOneID").Call([]reflect.Value{reflect.ValueOf(id)})[0], "Exec", ctx)
	return err
}

// builtIn are tables whose rows belong to no tenant and are the product's own.
var builtIn = []string{"permissions"}

func TestORMReadsAndNeverWritesWhatIsBuiltIn(t *testing.T) {
	w := newWorld(t)
	client, _ := open(t, w.OwnerDSN)
	ctx := w.a.ctx(t)
	if n, err := client.Permission.Query().Count(ctx); err != nil || n < len(tenancy.Permissions()) {
		t.Errorf("%d permissions, %v", n, err)
	}
	of := client.Permission
	row := w.a.ids["permissions"]
	for what, err := range map[string]error{
		"create": of.Create().SetResource("x").SetAction("y").Exec(ctx),
		"update": of.UpdateOneID(row).Exec(ctx),
		"delete": of.DeleteOneID(row).Exec(ctx),
		"all":    second(of.Delete().Exec(tenancy.AsSystem(t.Context(), w.a.tenant))),
	} {
		if !errors.Is(err, privacy.Deny) {
			t.Errorf("%s: %v, want denied", what, err)
		}
	}
}

// The owner bypasses row-level security: what confines here is the ORM alone.
func TestORMAloneConfinesToTheTenant(t *testing.T) {
	w := newWorld(t)
	client, _ := open(t, w.OwnerDSN)
	for _, e := range entities(t, client) {
		if slices.Contains(builtIn, e.table) {
			continue
		}
		t.Run(e.name, func(t *testing.T) {
			mine, theirs := w.a.ids[e.table], w.b.ids[e.table]
			if mine == uuid.Nil || theirs == uuid.Nil {
				t.Fatalf("no rows of table %s", e.table)
			}
			ids, err := e.ids(w.a.ctx(t))
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, id := range ids {
				found = found || id == mine
				if id == theirs {
					t.Error("another tenant's row is listed")
				}
			}
			if !found {
				t.Error("the own row is not listed")
			}
			if e.table != "parameters" && e.table != "fault_types" && len(ids) != 1 {
				t.Errorf("%d rows listed, want 1", len(ids))
			}
			if _, err := call(e.client, "Get", w.a.ctx(t), mine); err != nil {
				t.Errorf("own row: %v", err)
			}
			for what, err := range map[string]error{
				"get":    second(call(e.client, "Get", w.a.ctx(t), theirs)),
				"update": e.update(w.a.ctx(t), theirs),
				"delete": e.delete(w.a.ctx(t), theirs),
			} {
				// An update that would set nothing is refused outright.
				if !ent.IsNotFound(err) && !(what == "update" && errors.Is(err, privacy.Deny)) {
					t.Errorf("%s of another tenant's row: %v, want not found", what, err)
				}
			}
			if _, err := call(e.client, "Get", w.b.ctx(t), theirs); err != nil {
				t.Errorf("the other tenant's row has gone: %v", err)
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }

func TestORMDeniesWithoutActor(t *testing.T) {
	w := newWorld(t)
	client, _ := open(t, w.OwnerDSN)
	for name, ctx := range map[string]context.Context{
		"no actor":        t.Context(),
		"actor of nobody": tenancy.With(t.Context(), &tenancy.Actor{Kind: tenancy.System}),
	} {
		for _, e := range entities(t, client) {
			_, qerr := e.ids(ctx)
			for what, err := range map[string]error{
				"query": qerr, "update": e.update(ctx, w.a.ids[e.table]), "delete": e.delete(ctx, w.a.ids[e.table]),
			} {
				if !errors.Is(err, privacy.Deny) {
					t.Errorf("%s, %s of %s: %v, want denied", name, what, e.name, err)
				}
			}
		}
	}
}

func TestORMRefusesNewRowsOfAnotherTenant(t *testing.T) {
	w := newWorld(t)
	client, _ := open(t, w.OwnerDSN)
	for _, e := range entities(t, client) {
		if slices.Contains(builtIn, e.table) {
			continue
		}
		create := e.client.MethodByName("Create").Call(nil)[0]
		field := "SetTenantID"
		if e.table == "tenants" {
			field = "SetID"
		}
		create.MethodByName(field).Call([]reflect.Value{reflect.ValueOf(w.b.tenant)})
		if _, err := call(create, "Save", w.a.ctx(t)); !errors.Is(err, privacy.Deny) {
			t.Errorf("%s: %v, want denied", e.name, err)
		}
	}
	if _, err := client.Tenant.Create().SetCode("c").SetName("C").Save(w.a.ctx(t)); !errors.Is(err, privacy.Deny) {
		t.Errorf("a tenant under a fresh id: %v, want denied", err)
	}
}

func TestORMLeavesBuiltInRowsAlone(t *testing.T) {
	w := newWorld(t)
	client, _ := open(t, w.OwnerDSN)
	ctx := w.a.ctx(t)
	for _, table := range []string{"parameters", "fault_types"} {
		var builtIn uuid.UUID
		if err := w.owner.QueryRow(ctx, "SELECT id FROM "+table+" WHERE tenant_id IS NULL LIMIT 1").Scan(&builtIn); err != nil {
			t.Fatal(err)
		}
		for _, e := range entities(t, client) {
			if e.table != table {
				continue
			}
			if _, err := call(e.client, "Get", ctx, builtIn); err != nil {
				t.Errorf("%s: a built-in row cannot be read: %v", table, err)
			}
			if err := e.update(ctx, builtIn); !ent.IsNotFound(err) {
				t.Errorf("%s: update of a built-in row: %v, want not found", table, err)
			}
			if err := e.delete(ctx, builtIn); !ent.IsNotFound(err) {
				t.Errorf("%s: delete of a built-in row: %v, want not found", table, err)
			}
		}
	}
}
