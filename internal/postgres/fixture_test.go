package postgres_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"foresight/ent"
	entmigrate "foresight/ent/migrate"
	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// world is a database with one row of every entity in each of two tenants.
type world struct {
	*testkit.DB
	owner *pgx.Conn
	a, b  rows
}

// rows are one tenant's, by table.
type rows struct {
	tenant, user uuid.UUID
	ids          map[string]uuid.UUID
}

func (r rows) ctx(t testing.TB) context.Context { return r.as(t.Context()) }

// as returns a context of an administrator of the tenant.
func (r rows) as(ctx context.Context) context.Context {
	return tenancy.With(ctx, &tenancy.Actor{
		Kind: tenancy.Person, ID: r.user, TenantID: r.tenant,
		Role: tenancy.Admin, Scopes: tenancy.RoleScopes(tenancy.Admin),
	})
}

// newWorld fills every table of the ORM, whatever its columns are: an entity that
// is added is tested by existing.
func newWorld(t *testing.T) *world {
	t.Helper()
	db := testkit.NewDB(t)
	w := &world{DB: db, owner: connect(t, db.OwnerDSN)}
	w.a, w.b = w.fill(t, "a"), w.fill(t, "b")
	return w
}

func connect(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.WithoutCancel(t.Context())) })
	return c
}

func (w *world) fill(t *testing.T, code string) rows {
	t.Helper()
	r := rows{tenant: id.New(id.Tenant), ids: map[string]uuid.UUID{}}
	r.ids["tenants"] = r.tenant
	refs := foreignKeys(t, w.owner)
	if !w.insert(t, entmigrate.TenantsTable, code, &r, refs) {
		t.Fatal("a tenant refers to something")
	}
	todo := slices.DeleteFunc(slices.Clone(entmigrate.Tables), func(x *schema.Table) bool { return x.Name == "tenants" })
	for len(todo) > 0 {
		var later []*schema.Table
		for _, table := range todo {
			if !w.insert(t, table, code, &r, refs) {
				later = append(later, table)
			}
		}
		if len(later) == len(todo) {
			t.Fatalf("keys of %d tables go in circles", len(later))
		}
		todo = later
	}
	return r
}

// insert adds a row whose every key that can be is set, unless a table that it
// must refer to has no row yet.
func (w *world) insert(t *testing.T, table *schema.Table, code string, r *rows, refs map[string]string) bool {
	t.Helper()
	if _, done := r.ids[table.Name]; !done {
		r.ids[table.Name] = uuid.New()
	}
	var names, places []string
	var values []any
	for _, c := range table.Columns {
		v, ok := fixtureValue(table.Name, c, code, r, refs)
		if !ok {
			delete(r.ids, table.Name)
			return false
		}
		if v != nil {
			names, values = append(names, pgx.Identifier{c.Name}.Sanitize()), append(values, v)
			places = append(places, fmt.Sprintf("$%d", len(values)))
		}
	}
	q := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table.Name, strings.Join(names, ","), strings.Join(places, ","))
	if _, err := w.owner.Exec(t.Context(), q, values...); err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	if table.Name == "users" {
		r.user = r.ids["users"]
	}
	return true
}

// fixtures are values of columns that have a form of their own.
var fixtures = map[string]any{
	"alarm_shelves.until":                 "2100-01-01",
	"backtests.to_utc":                    "2026-01-02",
	"drift_reports.window_end":            "2026-01-02",
	"maintenance_work_orders.work_number": "WO-2026-000001",
}

// fixtureValue returns nil to leave the column to its default.
func fixtureValue(table string, c *schema.Column, code string, r *rows, refs map[string]string) (any, bool) {
	fixed, isFixed := fixtures[table+"."+c.Name]
	switch {
	case isFixed:
		return fixed, true
	case c.Name == "id":
		return r.ids[table], true
	case c.Name == "tenant_id":
		return r.tenant, true
	case c.Type == field.TypeUUID:
		ref := refs[table+"."+c.Name]
		switch {
		case ref == "":
			return uuid.New(), true
		case ref == "memberships": // a person
			if _, ok := r.ids["memberships"]; !ok && c.Nullable {
				return nil, true
			} else if !ok {
				return nil, false
			}
			return r.user, true
		case ref == table: // a parent
			return nil, true
		}
		v, ok := r.ids[ref]
		return v, ok
	case c.Default != nil || c.Nullable || c.Type == field.TypeBool:
		return nil, true
	}
	switch c.Type {
	case field.TypeEnum:
		return c.Enums[0], true
	case field.TypeString:
		return code + "_" + c.Name, true
	case field.TypeBytes:
		return []byte(code + c.Name), true
	case field.TypeJSON:
		return "[]", true
	case field.TypeTime:
		return "2026-01-01", true
	default:
		return 1, true
	}
}

// foreignKeys maps table.column to the table that it refers to.
func foreignKeys(t *testing.T, c *pgx.Conn) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, k := range keys(t, c) {
		out[k.Table+"."+k.Columns[len(k.Columns)-1]] = k.Ref
	}
	return out
}

// fk is a foreign key as the database knows it.
type fk struct {
	Name, Table, Ref string
	Columns, Refs    []string
}

func keys(t *testing.T, c *pgx.Conn) []fk {
	t.Helper()
	rows, err := c.Query(t.Context(), `
		SELECT k.conname::text, k.conrelid::regclass::text, k.confrelid::regclass::text,
			(SELECT array_agg(attname::text ORDER BY n) FROM unnest(k.conkey) WITH ORDINALITY u(num, n) JOIN pg_attribute ON attrelid = k.conrelid AND attnum = num),
			(SELECT array_agg(attname::text ORDER BY n) FROM unnest(k.confkey) WITH ORDINALITY u(num, n) JOIN pg_attribute ON attrelid = k.confrelid AND attnum = num)
		FROM pg_constraint k WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[fk])
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// open returns the ORM and database/sql as the role of the DSN.
func open(t testing.TB, dsn string) (*ent.Client, *sql.DB) {
	t.Helper()
	pool, err := postgres.Open(t.Context(), dsn, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	db := postgres.OpenDB(pool)
	t.Cleanup(func() { db.Close() })
	return postgres.Client(db), db
}
