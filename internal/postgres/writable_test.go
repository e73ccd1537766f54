package postgres_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/postgres"
	"foresight/internal/testkit"
)

func openPool(t *testing.T, dsn string) *pgxpool.Pool {
	t.Helper()
	pool, err := postgres.Open(t.Context(), dsn, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func TestCheckWrites(t *testing.T) {
	db := testkit.NewDB(t)
	pool := openPool(t, db.AppDSN)
	if err := postgres.CheckWrites(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	var files int
	if err := pool.QueryRow(t.Context(), `SELECT temp_files FROM pg_stat_database WHERE datname = current_database()`).Scan(&files); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, testkit.Patience, func() bool { // the statistics come when the connection is idle
		if err := postgres.CheckWrites(t.Context(), pool); err != nil {
			t.Fatal(err)
		}
		var now int
		return pool.QueryRow(t.Context(), `SELECT pg_stat_clear_snapshot(), temp_files FROM pg_stat_database WHERE datname = current_database()`).Scan(nil, &now) == nil && now > files
	})
	copied := openPool(t, db.AppDSN+"&default_transaction_read_only=on") // as a stand-by has it
	if err := postgres.CheckWrites(t.Context(), copied); !errors.Is(err, postgres.ErrRefusesWrites) {
		t.Errorf("a server that is only read: %v", err)
	}
	pool.Close()
	if err := postgres.CheckWrites(t.Context(), pool); err == nil || errors.Is(err, postgres.ErrRefusesWrites) {
		t.Errorf("a server that is gone: %v", err)
	}
}
