package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ariga.io/atlas/sql/migrate"
	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"

	entmigrate "foresight/ent/migrate"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const repository = "../../migrations"

func TestTheMigrationsMakeWhatTheSchemaAsksFor(t *testing.T) {
	db := testkit.NewEmptyDB(t)
	before := files(t, repository)
	file, err := run(t.Context(), options{dsn: db.OwnerDSN, dir: repository, name: "drift"})
	if err == nil {
		b, _ := os.ReadFile(file)
		os.Remove(file)
		t.Fatalf("the schema has moved on; run `make migration NAME=…`:\n%s", b)
	}
	if !errors.Is(err, migrate.ErrNoPlan) {
		t.Fatal(err)
	}
	if after := files(t, repository); len(after) != len(before) {
		t.Errorf("files left behind: %v", after)
	}
}

// Runs on the real schema and a copy of the migrations to which hand-made things
// are added: a new table must come with everything, and the hand-made must stay.
func TestANewEntityComesWithAllThatConfinesIt(t *testing.T) {
	db := testkit.NewEmptyDB(t)
	dir := t.TempDir()
	if _, err := copySQL(repository, dir); err != nil {
		t.Fatal(err)
	}
	hand := "-- +goose Up\nCREATE TABLE made_by_hand (id int);\nCREATE INDEX sites_by_hand ON sites (name);\nALTER TABLE sites ADD COLUMN by_hand text;\n-- +goose Down\n"
	if err := os.WriteFile(filepath.Join(dir, "00900_hand.sql"), []byte(hand), 0o644); err != nil {
		t.Fatal(err)
	}
	addShelves(t)

	file, err := run(t.Context(), options{dsn: db.OwnerDSN, dir: dir, name: "shelves"})
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Base(file) != "00901_shelves.sql" {
		t.Errorf("written to %s", file)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	up, down, _ := strings.Cut(string(b), "-- +goose Down")
	for _, want := range []string{
		`CREATE TABLE "shelves"`,
		`CONSTRAINT "shelves_tenant_id_id_key" UNIQUE ("tenant_id", "id")`,
		`FOREIGN KEY ("tenant_id", "site_id") REFERENCES "sites" ("tenant_id", "id")`,
		`FOREIGN KEY ("tenant_id", "created_by") REFERENCES "memberships" ("tenant_id", "user_id")`,
		`FOREIGN KEY ("tenant_id") REFERENCES "tenants" ("id")`,
		`"shelves_reason_length" CHECK (char_length(reason) <= 20)`,
		`"shelves_kind_enum" CHECK (kind = ANY (ARRAY['x'::text, 'y'::text]))`,
		`ALTER TABLE "shelves" ENABLE ROW LEVEL SECURITY`,
		`ALTER TABLE "shelves" FORCE ROW LEVEL SECURITY`,
		`CREATE POLICY tenant_isolation ON "shelves" TO foresight_app USING`,
		`GRANT SELECT, INSERT, UPDATE, DELETE ON "shelves" TO foresight_app`,
	} {
		if !strings.Contains(up, want) {
			t.Errorf("the migration lacks %s", want)
		}
	}
	if strings.Contains(up, "hand") || strings.Contains(up, "DROP") {
		t.Error("hand-made things are touched")
	}
	if !strings.Contains(down, `DROP TABLE "shelves"`) {
		t.Error("the way back lacks the table")
	}
	if _, err := run(t.Context(), options{dsn: db.OwnerDSN, dir: dir, name: "again"}); !errors.Is(err, migrate.ErrNoPlan) {
		t.Errorf("a second difference: %v", err)
	}
}

// addShelves adds an entity to the schema for the time of the test.
func addShelves(t *testing.T) {
	t.Helper()
	columns := []*schema.Column{
		{Name: "id", Type: field.TypeUUID},
		{Name: "tenant_id", Type: field.TypeUUID},
		{Name: "created_by", Type: field.TypeUUID, Nullable: true},
		{Name: "reason", Type: field.TypeString, Size: 20},
		{Name: "kind", Type: field.TypeEnum, Enums: []string{"x", "y"}},
		{Name: "site_id", Type: field.TypeUUID},
	}
	shelves := &schema.Table{
		Name: "shelves", Columns: columns, PrimaryKey: columns[:1],
		ForeignKeys: []*schema.ForeignKey{{
			Symbol: "shelves_sites_site", Columns: columns[5:], RefTable: entmigrate.SitesTable,
			RefColumns: entmigrate.SitesTable.PrimaryKey, OnDelete: schema.NoAction,
		}},
	}
	real := entmigrate.Tables
	entmigrate.Tables = append(real[:len(real):len(real)], shelves)
	t.Cleanup(func() { entmigrate.Tables = real })
}

func TestOptionsAreChecked(t *testing.T) {
	for name, o := range map[string]options{
		"no name":   {dsn: "x"},
		"bad name":  {dsn: "x", name: "../x"},
		"no server": {name: "x"},
	} {
		if _, err := run(t.Context(), o); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	out, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return out
}
