package postgres_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"entgo.io/ent"
	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"

	orm "foresight/ent"
	entmigrate "foresight/ent/migrate"
	"foresight/ent/mixin"
)

// Of every entity with an optimistic lock: a change raises the version and names the
// person, and a change that expects an older version finds nothing.
func TestEveryChangeRaisesTheVersion(t *testing.T) {
	w := newWorld(t)
	client, _ := open(t, w.OwnerDSN)
	ctx, tried := w.a.ctx(t), 0
	for _, e := range entities(t, client) {
		if !has(table(e.table), "version") {
			continue
		}
		tried++
		row := w.a.ids[e.table]
		update := func() reflect.Value {
			u := e.client.MethodByName("UpdateOneID").Call([]reflect.Value{reflect.ValueOf(row)})[0]
			m := u.MethodByName("Mutation").Call(nil)[0].Interface().(ent.Mutation)
			if err := m.SetField("is_active", false); err != nil {
				t.Fatalf("%s: %v", e.name, err)
			}
			return u
		}
		if _, err := call(update(), "Exec", ctx); err != nil {
			t.Errorf("%s: %v", e.name, err)
			continue
		}
		var version int
		var by any
		if err := w.owner.QueryRow(ctx, "SELECT version, updated_by::text FROM "+e.table+" WHERE id = $1", row).Scan(&version, &by); err != nil {
			t.Fatal(err)
		}
		if version != 2 || by != w.a.user.String() {
			t.Errorf("%s: version %d by %v, want 2 by %s", e.name, version, by, w.a.user)
		}
		stale := update()
		where := stale.MethodByName("Where")
		where.Call([]reflect.Value{reflect.ValueOf(sql.FieldEQ("version", 1)).Convert(where.Type().In(0).Elem())})
		if _, err := call(stale, "Exec", ctx); !orm.IsNotFound(err) {
			t.Errorf("%s: a change that expects an older version: %v, want not found", e.name, err)
		}
	}
	if tried < 20 {
		t.Errorf("only %d entities tried", tried)
	}
}

// Of every entity with soft deletion: a deleted row is kept and out of sight, is shown
// to who asks for deleted rows, and what it was called is free again.
func TestEveryDeletionOfARowThatIsKept(t *testing.T) {
	w := newWorld(t)
	client, _ := open(t, w.AppDSN)
	ctx, tried := w.a.ctx(t), 0
	for _, e := range entities(t, client) {
		if !has(table(e.table), "is_deleted") || e.table == "tenants" {
			continue
		}
		tried++
		row := w.a.ids[e.table]
		if err := e.delete(ctx, row); err != nil && !orm.IsNotFound(err) { // gone with its parent
			t.Errorf("%s: %v", e.name, err)
		}
		if ids, err := e.ids(ctx); err != nil || slices.Contains(ids, row) {
			t.Errorf("%s: deleted and listed, %v", e.name, err)
		}
		if ids, err := e.ids(mixin.WithDeleted(ctx)); err != nil || !slices.Contains(ids, row) {
			t.Errorf("%s: not shown to who asks for deleted rows, %v", e.name, err)
		}
		if ids, err := e.ids(mixin.WithDeleted(w.b.ctx(t))); err != nil || slices.Contains(ids, row) {
			t.Errorf("%s: shown to another tenant that asks for deleted rows, %v", e.name, err)
		}
		var deleted bool
		var by any
		if err := w.owner.QueryRow(ctx, "SELECT is_deleted AND deleted_at IS NOT NULL, deleted_by::text FROM "+e.table+" WHERE id = $1", row).Scan(&deleted, &by); err != nil {
			t.Fatal(err)
		}
		if !deleted || by != w.a.user.String() {
			t.Errorf("%s: marked %v by %v", e.name, deleted, by)
		}
	}
	if tried < 12 {
		t.Errorf("only %d entities tried", tried)
	}
	for _, x := range entmigrate.Tables {
		if !has(x, "is_deleted") || x.Name == "tenants" {
			continue
		}
		// The indexes alone: a copy with the same names beside the deleted row.
		if _, err := w.owner.Exec(ctx, fmt.Sprintf(`INSERT INTO %s SELECT (jsonb_populate_record(r, jsonb_build_object(%s))).* FROM %[1]s r WHERE id = $1`,
			x.Name, fresh(x)), w.a.ids[x.Name]); err != nil {
			t.Errorf("%s: what a deleted row was called is not free: %v", x.Name, err)
		}
	}
}

// fresh are the columns in which a copy that lives must differ.
func fresh(x *schema.Table) string {
	out := "'id', gen_random_uuid(), 'is_deleted', false, 'deleted_at', null, 'deleted_by', null"
	for column, value := range map[string]string{"work_number": "'WO-2026-' || lpad((random() * 1e9)::bigint::text, 9, '0')", "full_version_label": "gen_random_uuid()"} {
		if has(x, column) {
			out += fmt.Sprintf(", '%s', %s", column, value)
		}
	}
	return out
}
