package migrations_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
	"foresight/migrations"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestUpDownUp(t *testing.T) { upDownUp(t, testkit.NewEmptyDB(t).OwnerDSN) }

// upDownUp checks that on an empty database the way there can be gone back, and gone
// again.
func upDownUp(t *testing.T, dsn string) {
	t.Helper()
	ctx, empty := t.Context(), objects(t, dsn)
	if err := migrations.Up(ctx, dsn); err != nil {
		t.Fatal(err)
	}
	full := objects(t, dsn)
	if len(full) < 30 {
		t.Fatalf("only %d objects after Up: %v", len(full), full)
	}
	if err := migrations.Down(ctx, dsn); err != nil {
		t.Fatal(err)
	}
	left := slices.DeleteFunc(objects(t, dsn), func(o string) bool { return strings.Contains(o, "goose_db_version") })
	if !slices.Equal(left, empty) {
		t.Errorf("Down leaves %v", left)
	}
	if err := migrations.Up(ctx, dsn); err != nil {
		t.Fatal(err)
	}
	if again := objects(t, dsn); !slices.Equal(again, full) {
		t.Errorf("the second Up makes other objects:\n%v\n%v", again, full)
	}
	if v, err := migrations.Version(ctx, dsn); err != nil || v < 4 {
		t.Errorf("version %d, %v", v, err)
	}
}

func TestProcessesMayMigrateAtOnce(t *testing.T) {
	db := testkit.NewEmptyDB(t)
	const processes = 4
	done := make(chan error, processes)
	for range processes {
		go func() { done <- migrations.Up(t.Context(), db.OwnerDSN) }()
	}
	var errs []error
	for range processes {
		errs = append(errs, <-done)
	}
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func TestBuiltInRows(t *testing.T) {
	db, ctx := testkit.NewEmptyDB(t), t.Context()
	if err := migrations.Up(ctx, db.OwnerDSN); err != nil {
		t.Fatal(err)
	}
	owner := connect(t, db.OwnerDSN)
	count := func(table string) (n, versions int) {
		t.Helper()
		if err := owner.QueryRow(ctx, "SELECT count(*), sum(version) FROM "+table+" WHERE tenant_id IS NULL").Scan(&n, &versions); err != nil {
			t.Fatal(err)
		}
		return n, versions
	}
	if n, _ := count("parameters"); n != len(telemetry.BuiltIn()) {
		t.Errorf("%d parameters, want %d", n, len(telemetry.BuiltIn()))
	}
	if n, _ := count("fault_types"); n != len(telemetry.FaultCodes()) {
		t.Errorf("%d fault types, want 34", n)
	}

	var permissions int
	if err := owner.QueryRow(ctx, "SELECT count(*) FROM permissions").Scan(&permissions); err != nil || permissions != len(tenancy.Permissions()) {
		t.Errorf("%d permissions, want %d (%v)", permissions, len(tenancy.Permissions()), err)
	}

	if _, err := owner.Exec(ctx, "UPDATE parameters SET unit = 'ells' WHERE name = 'flow'; DELETE FROM fault_types WHERE code = 'cavitation'"); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Up(ctx, db.OwnerDSN); err != nil {
		t.Fatal(err)
	}
	var unit string
	if err := owner.QueryRow(ctx, "SELECT unit FROM parameters WHERE id = $1", migrations.ParameterID("flow")).Scan(&unit); err != nil || unit != "m³/h" {
		t.Errorf("unit %q, %v: not corrected", unit, err)
	}
	if n, _ := count("fault_types"); n != len(telemetry.FaultCodes()) {
		t.Errorf("%d fault types, the missing one was not added", n)
	}
	if n, versions := count("parameters"); versions != n+1 {
		t.Errorf("versions sum to %d of %d rows: unchanged rows were written", versions, n)
	}
}

func TestFaultTypesFollowTheCodes(t *testing.T) {
	db, ctx := testkit.NewEmptyDB(t), t.Context()
	if err := migrations.Up(ctx, db.OwnerDSN); err != nil {
		t.Fatal(err)
	}
	rows, err := connect(t, db.OwnerDSN).Query(ctx, "SELECT code, family FROM fault_types")
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string]string{}
	var code, family string
	if _, err := pgx.ForEachRow(rows, []any{&code, &family}, func() error { stored[code] = family; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, f := range telemetry.FaultCodes() {
		if stored[f.Code] != string(f.Family) {
			t.Errorf("%s is of family %q, want %q", f.Code, stored[f.Code], f.Family)
		}
	}
}

// objects lists what a migration may make, by kind and name.
func objects(t *testing.T, dsn string) []string {
	t.Helper()
	rows, err := connect(t, dsn).Query(t.Context(), `
		SELECT 'relation ' || relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind <> 'i' AND relname !~ '_[0-9]{8}$'
		UNION ALL SELECT 'index ' || relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'i' AND relname !~ '_[0-9]{8}'
		UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
		UNION ALL SELECT 'policy ' || polname || ' on ' || polrelid::regclass FROM pg_policy
		UNION ALL SELECT 'trigger ' || tgname || ' on ' || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal
		UNION ALL SELECT 'constraint ' || conname || ' on ' || conrelid::regclass FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text !~ '_[0-9]{8}$'
		ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.WithoutCancel(t.Context())) })
	return c
}
