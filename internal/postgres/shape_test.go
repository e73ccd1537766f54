package postgres_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"
	"github.com/jackc/pgx/v5"

	entmigrate "foresight/ent/migrate"
)

// acrossTenants are the indexes by which something is found before its tenant is
// known, or swept for all tenants at once. All others begin with the tenant.
var acrossTenants = []string{
	"api_keys_prefix_key", "gateway_mqtt_username", "idempotencykey_expires_at", "invites_token_hash_key",
	"membership_user_id", "oauth_clients_client_id_key", "password_resets_token_hash_key", "passwordreset_expires_at",
	"permission_resource_action", "refresh_tokens_token_hash_key", "refreshtoken_expires_at", "tenants_code_key",
	"user_email", "useridentity_issuer_subject",
}

// forGood are unique columns of rows that can be deleted which stay taken for ever:
// numbers and labels that were told to others.
var forGood = []string{"maintenanceworkorder_tenant_id_work_number", "mlmodelversion_tenant_id_full_version_label", "tenants_code_key"}

// index is one of a table of the ORM's.
type dbIndex struct {
	Table, Name    string
	Unique, Key    bool // Key: the primary one
	First, Partial string
}

func indexes(t *testing.T, c *pgx.Conn) []dbIndex {
	t.Helper()
	rows, err := c.Query(t.Context(), `
		SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text, i.indisunique, i.indisprimary, a.attname::text, coalesce(pg_get_expr(i.indpred, i.indrelid), '')
		FROM pg_index i JOIN pg_class r ON r.oid = i.indrelid
		JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
		WHERE r.relnamespace = 'public'::regnamespace AND r.relkind = 'r' ORDER BY 1, 2`)
	if err != nil {
		t.Fatal(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[dbIndex])
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(out, func(i dbIndex) bool { return table(i.Table) == nil })
}

// table is an entity's, nil when there is none of the name.
func table(name string) *schema.Table {
	if i := slices.IndexFunc(entmigrate.Tables, func(x *schema.Table) bool { return x.Name == name }); i >= 0 {
		return entmigrate.Tables[i]
	}
	return nil
}

func has(x *schema.Table, column string) bool {
	return slices.ContainsFunc(x.Columns, func(c *schema.Column) bool { return c.Name == column })
}

func TestIndexesBeginWithTheTenant(t *testing.T) {
	w := newWorld(t)
	var across []string
	perTenant := map[string]bool{}
	for _, i := range indexes(t, w.owner) {
		switch {
		case i.Key:
		case i.First == "tenant_id":
			perTenant[i.Table] = true
		default:
			across = append(across, i.Name)
		}
		if i.Unique && !i.Key && has(table(i.Table), "is_deleted") && !strings.HasSuffix(i.Name, "_id_id_key") && !slices.Contains(forGood, i.Name) &&
			!strings.Contains(i.Partial, "NOT is_deleted") {
			t.Errorf("%s holds for deleted rows, too: what they are called stays taken", i.Name)
		}
	}
	slices.Sort(across)
	if !slices.Equal(across, acrossTenants) {
		t.Errorf("indexes that do not begin with the tenant:\n%v, want\n%v", across, acrossTenants)
	}
	for _, x := range entmigrate.Tables {
		if has(x, "tenant_id") && !perTenant[x.Name] {
			t.Errorf("%s has no index by tenant", x.Name)
		}
	}
}

// Every table whose rows are all of tenants can be referred to together with the
// tenant, and refers so itself.
func TestReferencesCarryTheTenant(t *testing.T) {
	w := newWorld(t)
	tenants := tenantTables(t, w.owner)
	unique := map[string]bool{}
	rows, err := w.owner.Query(t.Context(), `SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'u' AND conname = conrelid::regclass || '_tenant_id_id_key'`)
	if err != nil {
		t.Fatal(err)
	}
	var name string
	if _, err := pgx.ForEachRow(rows, []any{&name}, func() error { unique[name] = true; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, x := range entmigrate.Tables {
		i := slices.IndexFunc(x.Columns, func(c *schema.Column) bool { return c.Name == "tenant_id" })
		if i >= 0 && !x.Columns[i].Nullable && !unique[x.Name] {
			t.Errorf("%s: (tenant_id, id) is no key", x.Name)
		}
	}
	for _, k := range keys(t, w.owner) {
		column := k.Columns[len(k.Columns)-1]
		switch {
		case table(k.Table) == nil, tenants[k.Ref] == "", k.Ref == "tenants", slices.Contains(mayCross, k.Table+"."+column):
		case k.Ref == "memberships":
			if !slices.Equal(k.Refs, []string{"tenant_id", "user_id"}) {
				t.Errorf("%s names a person by %v", k.Name, k.Refs)
			}
		case k.Refs[0] != "tenant_id" || k.Refs[len(k.Refs)-1] != "id" || k.Columns[0] != "tenant_id":
			t.Errorf("%s refers by %v to %v", k.Name, k.Columns, k.Refs)
		}
	}
}

func TestPeopleAreNamedByMembership(t *testing.T) {
	w := newWorld(t)
	refs := foreignKeys(t, w.owner)
	people := 0
	for _, x := range entmigrate.Tables {
		for _, c := range x.Columns {
			if c.Type != field.TypeUUID || !(c.Name == "user_id" || c.Name == "by" || c.Name == "assigned_to" || strings.HasSuffix(c.Name, "_by")) {
				continue
			}
			people++
			want := "memberships"
			if x.Name == "memberships" && c.Name == "user_id" {
				want = "users"
			}
			if got := refs[x.Name+"."+c.Name]; got != want {
				t.Errorf("%s.%s refers to %q, want %s", x.Name, c.Name, got, want)
			}
		}
	}
	if people < 80 {
		t.Errorf("only %d columns name people", people)
	}
}

func TestColumnsComeInSets(t *testing.T) {
	for _, x := range entmigrate.Tables {
		for mark, rest := range map[string][]string{
			"version":    {"is_active", "created_at", "created_by", "updated_at", "updated_by"},
			"is_deleted": {"deleted_at", "deleted_by", "version"},
		} {
			for _, c := range rest {
				if has(x, mark) && !has(x, c) {
					t.Errorf("%s has %s and no %s", x.Name, mark, c)
				}
			}
		}
	}
}

// The database knows the values of every enumeration, whoever writes.
func TestEnumerationsAreChecked(t *testing.T) {
	w := newWorld(t)
	rows, err := w.owner.Query(t.Context(), `SELECT conname::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace`)
	if err != nil {
		t.Fatal(err)
	}
	checks := map[string]string{}
	var name, def string
	if _, err := pgx.ForEachRow(rows, []any{&name, &def}, func() error { checks[name] = def; return nil }); err != nil {
		t.Fatal(err)
	}
	enums := 0
	for _, x := range entmigrate.Tables {
		for _, c := range x.Columns {
			if c.Type != field.TypeEnum {
				continue
			}
			enums++
			def := checks[x.Name+"_"+c.Name+"_enum"]
			for _, v := range c.Enums {
				if !strings.Contains(def, "'"+v+"'::text") {
					t.Errorf("%s.%s may not be %q: %s", x.Name, c.Name, v, def)
				}
			}
			if got := strings.Count(def, "::text"); got != len(c.Enums) {
				t.Errorf("%s.%s: %d values in the database, %d in the code: %s", x.Name, c.Name, got, len(c.Enums), def)
			}
		}
	}
	if enums < 30 {
		t.Errorf("only %d enumerations of %d checks", enums, len(slices.Collect(maps.Keys(checks))))
	}
}
