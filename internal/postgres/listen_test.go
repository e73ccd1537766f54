package postgres_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"foresight/internal/postgres"
	"foresight/internal/testkit"
)

const patience = testkit.Patience

// listen collects payloads until the test ends.
func listen(t *testing.T, dsn string) <-chan string {
	t.Helper()
	got, ended := make(chan string, 100), make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		ended <- postgres.Listen(ctx, dsn, postgres.ChangeChannel, slog.New(slog.DiscardHandler), func(p string) { got <- p })
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Listen ended with %v", err)
		}
	})
	return got
}

func next(t *testing.T, got <-chan string) string {
	t.Helper()
	select {
	case p := <-got:
		return p
	case <-time.After(patience):
		t.Fatal("no notice came")
		return ""
	}
}

// none checks that nothing more was sent: notices come in order, so one sent now
// would come behind.
func none(t *testing.T, w *world, got <-chan string) {
	t.Helper()
	if _, err := w.owner.Exec(t.Context(), "SELECT pg_notify($1, 'marker')", postgres.ChangeChannel); err != nil {
		t.Fatal(err)
	}
	if p := next(t, got); p != "marker" {
		t.Errorf("one notice too many: %s", p)
	}
}

func TestChangesAreNoticedOncePerStatementAndTenant(t *testing.T) {
	w := newWorld(t)
	got := listen(t, w.AppDSN)
	if p := next(t, got); p != "" {
		t.Fatalf("first payload %q, want the empty one", p)
	}
	change := func() postgres.Change {
		t.Helper()
		c, err := postgres.ParseChange(next(t, got))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, table := range []string{"tenants", "sites", "gateways", "assets", "sensors", "parameters", "alarm_rules", "ml_model_deployments",
		"asset_model_versions", "roles", "role_permissions", "user_roles", "api_keys", "alarm_shelves"} {
		column := "tenant_id"
		if table == "tenants" {
			column = "id"
		}
		// 100 rows' worth of statements would be 100 notices if they came per row.
		if _, err := w.owner.Exec(t.Context(), "UPDATE "+table+" SET id = id WHERE "+column+" = ANY ($1)", []uuid.UUID{w.a.tenant, w.b.tenant}); err != nil {
			t.Fatal(err)
		}
		seen := map[uuid.UUID]bool{}
		for range 2 {
			c := change()
			if c.Table != table {
				t.Errorf("notice of %s, want %s", c.Table, table)
			}
			seen[c.Tenant] = true
		}
		if !seen[w.a.tenant] || !seen[w.b.tenant] {
			t.Errorf("%s: notices for %v", table, seen)
		}
		none(t, w, got)
	}

	if _, err := w.owner.Exec(t.Context(), "UPDATE parameters SET version = version WHERE tenant_id IS NULL"); err != nil {
		t.Fatal(err)
	}
	if c := change(); c.Tenant != uuid.Nil || c.Table != "parameters" {
		t.Errorf("built-in rows: %+v", c)
	}
	if _, err := w.owner.Exec(t.Context(), "UPDATE sites SET name = name WHERE false"); err != nil {
		t.Fatal(err)
	}
	for _, silent := range []string{"UPDATE alarm_events SET occurrences = occurrences + 1", "UPDATE api_keys SET last_used_at = now(), version = version + 1"} {
		if _, err := w.owner.Exec(t.Context(), silent); err != nil {
			t.Fatal(err)
		}
	}
	none(t, w, got)
}

func TestListenMendsItsConnection(t *testing.T) {
	db := testkit.NewDB(t)
	owner := connect(t, db.OwnerDSN)
	got := listen(t, db.OwnerDSN)
	if p := next(t, got); p != "" {
		t.Fatalf("first payload %q, want the empty one", p)
	}
	for range 2 {
		testkit.Eventually(t, patience, func() bool { // the former one has ended, too
			var n int
			err := owner.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
				WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'`).Scan(&n)
			return err == nil && n == 1
		})
		var n int
		if err := owner.QueryRow(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'`).Scan(&n); err != nil || n != 1 {
			t.Fatalf("%d listeners ended, %v", n, err)
		}
		if p := next(t, got); p != "" {
			t.Fatalf("payload %q after a break, want the empty one", p)
		}
		if _, err := owner.Exec(t.Context(), "SELECT pg_notify($1, 'x')", postgres.ChangeChannel); err != nil {
			t.Fatal(err)
		}
		if p := next(t, got); p != "x" {
			t.Errorf("payload %q", p)
		}
	}
}

func TestParseChange(t *testing.T) {
	for _, bad := range []string{"", "{}", `{"tenant":"x","table":"sites"}`, "null"} {
		if c, err := postgres.ParseChange(bad); err == nil {
			t.Errorf("%q is read as %+v", bad, c)
		}
	}
}
