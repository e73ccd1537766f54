package testkit

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { Main(m) }

func exec(t testing.TB, dsn, sql string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	if _, err := c.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func TestDatabasesAreSeparate(t *testing.T) {
	for _, name := range []string{"one", "two"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			exec(t, NewDB(t).OwnerDSN, "CREATE TABLE mine (i int)")
		})
	}
}

func TestDatabasesHaveTheSchemaAndTheRoles(t *testing.T) {
	db := NewDB(t)
	for role, dsn := range map[string]string{"owner": db.OwnerDSN, "app": db.AppDSN, "worker": db.WorkerDSN} {
		t.Run(role, func(t *testing.T) { exec(t, dsn, "SELECT id FROM assets") })
	}
	exec(t, NewEmptyDB(t).OwnerDSN, "CREATE TABLE assets (i int)")
}

func BenchmarkNewDB(b *testing.B) {
	for range b.N {
		b.StopTimer()
		c := theCluster(b)
		if err := c.migrated(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		c.create(b, " TEMPLATE "+template)
	}
}
