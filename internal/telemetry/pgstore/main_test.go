package pgstore

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/telemetry"
	"foresight/internal/telemetry/storetest"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func pool(t testing.TB, dsn string) *pgxpool.Pool {
	t.Helper()
	p, err := pgxpool.New(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func open(t testing.TB, db *testkit.DB, options ...Option) *Store {
	t.Helper()
	return New(pool(t, db.WorkerDSN), pool(t, db.AppDSN), options...)
}

func TestStoreConforms(t *testing.T) {
	for name, options := range map[string][]Option{"durable": nil, "deferred sync": {WithDeferredSync()}} {
		t.Run(name, func(t *testing.T) {
			db := testkit.NewDB(t)
			storetest.Run(t, func(t *testing.T) telemetry.Store { return open(t, db, options...) })
		})
	}
}
