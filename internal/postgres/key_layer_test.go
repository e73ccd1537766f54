package postgres_test

import (
	"fmt"
	"slices"
	"testing"

	"entgo.io/ent/schema/field"
	"github.com/google/uuid"

	entmigrate "foresight/ent/migrate"
	"foresight/internal/postgres"
)

// mayCross are the keys that lead into another tenant by design: a guest's home.
var mayCross = []string{"memberships.user_id"}

// withoutKey are ids of what is kept elsewhere or in no table.
var withoutKey = []string{
	"alarm_events.prediction_id",      // telemetry store
	"audit_logs.actor_id",             // outlives what it names
	"audit_logs.entity_id",            // of any table
	"feedback.prediction_id",          // telemetry store
	"idempotency_keys.actor_id",       // a person or a credential
	"notification_logs.prediction_id", // telemetry store
	"refresh_tokens.family_id",        // a number, not a row
}

// The owner bypasses row-level security and there is no ORM: what confines here
// are the composite keys alone.
func TestKeysAloneRefuseEdgesIntoAnotherTenant(t *testing.T) {
	w := newWorld(t)
	tenants := tenantTables(t, w.owner)
	tried := 0
	all := keys(t, w.owner)
	for _, k := range all {
		column := k.Columns[len(k.Columns)-1]
		name := k.Table + "." + column
		mine, ok := w.a.ids[k.Table]
		if !ok || k.Ref == "tenants" || slices.Contains(mayCross, name) {
			continue
		}
		if slices.Contains(builtIn, k.Ref) {
			continue
		}
		if tenants[k.Ref] == "" {
			t.Errorf("%s refers to %s, which knows no tenants", name, k.Ref)
			continue
		}
		theirs := w.b.ids[k.Ref]
		if k.Ref == "memberships" {
			theirs = w.b.user
		}
		tag, err := w.owner.Exec(t.Context(), fmt.Sprintf("UPDATE %s SET %q = $2 WHERE id = $1", k.Table, column), mine, theirs)
		if constraint, ok := postgres.ForeignKey(err); !ok || constraint != k.Name && !refersBy(all, constraint, k.Table, column) {
			t.Errorf("%s led into another tenant: %d rows, %v", name, tag.RowsAffected(), err)
		}
		tried++
	}
	if tried < 120 {
		t.Errorf("only %d edges tried", tried)
	}
}

// refersBy reports whether the constraint is a key to the table by the column among
// others: then the rows that refer hold the column fast, which is as good.
func refersBy(all []fk, constraint, table, column string) bool {
	return slices.ContainsFunc(all, func(k fk) bool {
		return k.Name == constraint && k.Ref == table && slices.Contains(k.Refs, column)
	})
}

func TestEveryReferenceHasAKey(t *testing.T) {
	w := newWorld(t)
	has := foreignKeys(t, w.owner)
	edges := 0
	for _, table := range entmigrate.Tables {
		edges += len(table.ForeignKeys)
		for _, c := range table.Columns {
			name := table.Name + "." + c.Name
			if c.Type == field.TypeUUID && c.Name != "id" && has[name] == "" && !slices.Contains(withoutKey, name) {
				t.Errorf("%s refers to nothing", name)
			}
		}
		for _, f := range table.ForeignKeys {
			if has[table.Name+"."+f.Columns[0].Name] == "" {
				t.Errorf("the edge %s has no key", f.Symbol)
			}
		}
	}
	if edges < 50 {
		t.Errorf("only %d edges", edges)
	}
}

func TestTenantOfARowNeverChanges(t *testing.T) {
	w := newWorld(t)
	c := w.as(t, w.AppDSN, w.a.tenant)
	for table, column := range tenantTables(t, w.owner) {
		mine, ok := w.a.ids[table]
		if !ok {
			continue
		}
		if _, err := c.Exec(t.Context(), fmt.Sprintf("UPDATE %s SET %s = $2 WHERE id = $1", table, column), mine, w.b.tenant); !denied(err) {
			t.Errorf("%s moved to another tenant: %v", table, err)
		}
	}
}

// What must not be null cannot live alone: a soft-deleted parent takes it along.
func TestRequiredParentsCascadeSoftDeletion(t *testing.T) {
	w := newWorld(t)
	rows, err := w.owner.Query(t.Context(), `
		SELECT k.conrelid::regclass::text, a.attname::text, k.confrelid::regclass::text
		FROM pg_constraint k
		JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[array_length(k.conkey, 1)]
		WHERE k.contype = 'f' AND a.attnotnull AND a.attname <> 'tenant_id'
		AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = k.conrelid AND attname = 'is_deleted')
		AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = k.confrelid AND attname = 'is_deleted')`)
	if err != nil {
		t.Fatal(err)
	}
	type edge struct{ child, column, parent string }
	var edges []edge
	for rows.Next() {
		var e edge
		if err := rows.Scan(&e.child, &e.column, &e.parent); err != nil {
			t.Fatal(err)
		}
		edges = append(edges, e)
	}
	if rows.Err() != nil || len(edges) < 4 {
		t.Fatalf("%d edges, %v", len(edges), rows.Err())
	}
	for _, e := range edges {
		tx, err := w.owner.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), "UPDATE "+e.parent+" SET is_deleted = true, deleted_at = now() WHERE id = $1", w.a.ids[e.parent]); err != nil {
			t.Fatal(err)
		}
		var gone, theirsGone bool
		if err := tx.QueryRow(t.Context(), fmt.Sprintf("SELECT (SELECT is_deleted FROM %s WHERE id = $1), (SELECT is_deleted FROM %[1]s WHERE id = $2)", e.child),
			w.a.ids[e.child], w.b.ids[e.child]).Scan(&gone, &theirsGone); err != nil {
			t.Fatal(err)
		}
		if !gone || theirsGone {
			t.Errorf("%s.%s: deleted %v with its parent in %s, the other tenant's %v", e.child, e.column, gone, e.parent, theirsGone)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// What serves a model is a version of it: in a deployment, in a roll-back, and for one
// machine.
func TestVersionsAreOfTheModelThatTheyServe(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	other := uuid.New()
	if _, err := w.owner.Exec(ctx, `INSERT INTO ml_models (id, tenant_id, name, type, feature_schema) SELECT $1, tenant_id, 'other', type, feature_schema FROM ml_models WHERE id = $2`,
		other, w.a.ids["ml_models"]); err != nil {
		t.Fatal(err)
	}
	for table, constraints := range map[string][]string{
		"ml_model_deployments": {"ml_model_deployments_ml_model_versions_model_version", "ml_model_deployments_ml_model_versions_rollback_from_version"},
		"asset_model_versions": {"asset_model_versions_ml_model_versions_model_version"},
	} {
		_, err := w.owner.Exec(ctx, "UPDATE "+table+" SET model_id = $2 WHERE id = $1", w.a.ids[table], other)
		if constraint, ok := postgres.ForeignKey(err); !ok || !slices.Contains(constraints, constraint) {
			t.Errorf("%s: a version serves another model than its own: %v", table, err)
		}
	}
}
