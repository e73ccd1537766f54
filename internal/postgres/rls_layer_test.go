package postgres_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	entmigrate "foresight/ent/migrate"
)

// tenantTables lists every table that holds rows of tenants, of the ORM and made
// by hand alike, with the column that says whose.
func tenantTables(t *testing.T, c *pgx.Conn) map[string]string {
	t.Helper()
	rows, err := c.Query(t.Context(), `
		SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{"tenants": "id"}
	for _, n := range names {
		out[n] = "tenant_id"
	}
	return out
}

func TestEveryTableOfTenantsIsUnderRowSecurity(t *testing.T) {
	w := newWorld(t)
	for table := range tenantTables(t, w.owner) {
		var enabled, forced, confines bool
		if err := w.owner.QueryRow(t.Context(), `
			SELECT relrowsecurity, relforcerowsecurity,
				EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid AND pg_get_expr(polqual, polrelid) LIKE '%app.tenant_id%')
				OR relispartition
			FROM pg_class c WHERE oid = $1::regclass`, table).Scan(&enabled, &forced, &confines); err != nil {
			t.Fatal(err)
		}
		if !enabled || !forced || !confines {
			t.Errorf("%s: enabled %v, forced %v, policy %v", table, enabled, forced, confines)
		}
	}
}

// as opens a connection of the role that acts for the tenant, without the ORM.
func (w *world) as(t *testing.T, dsn string, tenant uuid.UUID) *pgx.Conn {
	t.Helper()
	c := connect(t, dsn)
	value := tenant.String()
	if tenant == uuid.Nil {
		value = ""
	}
	if _, err := c.Exec(t.Context(), "SELECT set_config('app.tenant_id', $1, false)", value); err != nil {
		t.Fatal(err)
	}
	return c
}

// Plain SQL in the role of requests: what confines here is row security alone.
func TestRowSecurityAloneConfinesToTheTenant(t *testing.T) {
	w := newWorld(t)
	app := w.as(t, w.AppDSN, w.a.tenant)
	nobody := w.as(t, w.AppDSN, uuid.Nil)
	for table, column := range tenantTables(t, w.owner) {
		theirs, isORM := w.b.ids[table]
		if !isORM {
			continue // made by hand: its owner fills and tests it
		}
		t.Run(table, func(t *testing.T) {
			ctx := t.Context()
			count := func(c *pgx.Conn, tenant uuid.UUID) (n int) {
				t.Helper()
				if err := c.QueryRow(ctx, fmt.Sprintf("SELECT count(*) FROM %s WHERE %s = $1", table, column), tenant).Scan(&n); err != nil {
					t.Fatal(err)
				}
				return n
			}
			if count(app, w.a.tenant) != 1 {
				t.Error("the own row is hidden")
			}
			if count(app, w.b.tenant) != 0 {
				t.Error("another tenant's row is seen")
			}
			if count(nobody, w.a.tenant) != 0 {
				t.Error("a row is seen without a tenant")
			}
			for what, q := range map[string]string{
				"update": fmt.Sprintf("UPDATE %s SET id = id WHERE id = $1", table),
				"delete": fmt.Sprintf("DELETE FROM %s WHERE id = $1", table),
			} {
				tag, err := app.Exec(ctx, q, theirs)
				if err != nil && !denied(err) {
					t.Errorf("%s: %v", what, err)
				}
				if tag.RowsAffected() != 0 {
					t.Errorf("%s of another tenant's row", what)
				}
			}
			if err := copyRow(t, w, app, table, column, w.a.ids[table], w.b.tenant); !denied(err) {
				t.Errorf("insert for another tenant: %v, want denied", err)
			}
		})
	}
}

// copyRow inserts a copy of the actor's own row under a fresh id for the tenant.
func copyRow(t *testing.T, w *world, c *pgx.Conn, table, column string, from, tenant uuid.UUID) error {
	t.Helper()
	rows, err := w.owner.Query(t.Context(), "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped", table)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	values := make([]string, len(names))
	for i, n := range names {
		names[i] = pgx.Identifier{n}.Sanitize()
		switch n {
		case column:
			values[i] = "$2"
		case "id":
			values[i] = "gen_random_uuid()"
		default:
			values[i] = names[i]
		}
	}
	_, err = c.Exec(t.Context(), fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %[1]s WHERE id = $1",
		table, strings.Join(names, ","), strings.Join(values, ",")), from, tenant)
	return err
}

// denied reports whether row security or a missing grant refused.
func denied(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && pe.Code == "42501"
}

func TestBuiltInRowsAreReadByAllAndWrittenByNone(t *testing.T) {
	w := newWorld(t)
	for role, dsn := range map[string]string{"app": w.AppDSN, "worker": w.WorkerDSN} {
		c := w.as(t, dsn, w.a.tenant)
		for _, table := range []string{"parameters", "fault_types"} {
			var n int
			if err := c.QueryRow(t.Context(), "SELECT count(*) FROM "+table+" WHERE tenant_id IS NULL").Scan(&n); err != nil || n < 30 {
				t.Errorf("%s sees %d built-in %s, %v", role, n, table, err)
			}
			for _, q := range []string{"UPDATE " + table + " SET is_active = false", "DELETE FROM " + table} {
				tag, err := c.Exec(t.Context(), q+" WHERE tenant_id IS NULL")
				if tag.RowsAffected() != 0 || (err != nil && !denied(err)) {
					t.Errorf("%s: %s: %v rows, %v", role, q, tag.RowsAffected(), err)
				}
			}
		}
	}
}

// The pipeline reads the registry of all tenants and nothing else across them.
func TestWorkerReadsTheRegistryAcrossTenants(t *testing.T) {
	w := newWorld(t)
	registry := map[string]bool{
		"tenants": true, "sites": true, "gateways": true, "assets": true, "sensors": true, "parameters": true,
		"fault_types": true, "alarm_rules": true, "ml_models": true, "ml_model_versions": true, "ml_model_deployments": true,
		"asset_model_versions": true, "alarm_shelves": true,
	}
	worker := w.as(t, w.WorkerDSN, w.a.tenant)
	for table, column := range tenantTables(t, w.owner) {
		if _, isORM := w.b.ids[table]; !isORM {
			continue
		}
		var n int
		err := worker.QueryRow(t.Context(), fmt.Sprintf("SELECT count(id) FROM %s WHERE %s = $1", table, column), w.b.tenant).Scan(&n)
		if err != nil && !denied(err) {
			t.Fatal(err)
		}
		if want := registry[table]; (n == 1) != want {
			t.Errorf("%s: %d rows of another tenant seen, registry: %v", table, n, want)
		}
		tag, err := worker.Exec(t.Context(), fmt.Sprintf("UPDATE %s SET id = id WHERE id = $1", table), w.b.ids[table])
		if tag.RowsAffected() != 0 || (err != nil && !denied(err)) {
			t.Errorf("%s: another tenant's row updated: %v", table, err)
		}
	}
	if _, err := worker.Exec(t.Context(), "SELECT mqtt_password_hash FROM gateways"); !denied(err) {
		t.Errorf("the pipeline reads password hashes: %v", err)
	}
	if _, err := worker.Exec(t.Context(), "SELECT password_hash FROM users"); !denied(err) {
		t.Errorf("the pipeline reads users: %v", err)
	}
}

// What the registry needs must be granted column by column where a table holds a
// secret; a column added later without a grant is found here.
func TestWorkerMayReadAllButSecrets(t *testing.T) {
	w := newWorld(t)
	rows, err := w.owner.Query(t.Context(), `
		SELECT attname::text FROM pg_attribute WHERE attrelid = 'gateways'::regclass AND attnum > 0 AND NOT attisdropped
		AND NOT has_column_privilege('foresight_worker', attrelid, attnum, 'SELECT')`)
	if err != nil {
		t.Fatal(err)
	}
	hidden, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if len(hidden) != 1 || hidden[0] != "mqtt_password_hash" {
		t.Errorf("hidden from the pipeline: %v", hidden)
	}
}

func TestWhatIsAppendOnlyIsNeverChanged(t *testing.T) {
	w := newWorld(t)
	for role, dsn := range map[string]string{"app": w.AppDSN, "worker": w.WorkerDSN} {
		c := w.as(t, dsn, w.a.tenant)
		for _, q := range []string{
			"UPDATE alarm_transitions SET note = 'x'", "DELETE FROM alarm_transitions",
			"UPDATE audit_logs SET action = 'x'", "DELETE FROM audit_logs",
			"UPDATE notification_logs SET recipient = 'x'", "DELETE FROM notification_logs",
			"INSERT INTO permissions (id, resource, action) VALUES (gen_random_uuid(), 'x', 'y')",
			"UPDATE permissions SET action = 'x'", "DELETE FROM permissions",
		} {
			if _, err := c.Exec(t.Context(), q); !denied(err) {
				t.Errorf("%s: %s: %v, want denied", role, q, err)
			}
		}
	}
	tag, err := w.as(t, w.AppDSN, w.a.tenant).Exec(t.Context(), "UPDATE notification_logs SET status = 'sent', attempts = 1, sent_at = now(), error = NULL")
	if err != nil || tag.RowsAffected() != 1 {
		t.Errorf("the outcome of a notification cannot be written: %v, %v", tag, err)
	}
}

func TestBuiltInTablesAreUnderRowSecurity(t *testing.T) {
	w := newWorld(t)
	for _, table := range builtIn {
		var secured bool
		if err := w.owner.QueryRow(t.Context(), "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = $1::regclass", table).Scan(&secured); err != nil || !secured {
			t.Errorf("%s: %v, %v", table, secured, err)
		}
		var n int
		if err := w.as(t, w.AppDSN, uuid.Nil).QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil || n == 0 {
			t.Errorf("%s: %d rows seen, %v", table, n, err)
		}
	}
}

func TestSoftDeletedTablesAreNeverDeletedFrom(t *testing.T) {
	w := newWorld(t)
	c := w.as(t, w.AppDSN, w.a.tenant)
	for _, x := range entmigrate.Tables {
		if !has(x, "is_deleted") {
			continue
		}
		if _, err := c.Exec(t.Context(), "DELETE FROM "+x.Name); !denied(err) {
			t.Errorf("%s: %v, want denied", x.Name, err)
		}
	}
}
