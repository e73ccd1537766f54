package postgres_test

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/stdlib"

	"foresight/internal/postgres"
	"foresight/internal/testkit"
)

// readers is how many goroutines of two tenants share two connections.
const readers = 16

// seen asks, below the ORM, whose rows the connection of the context shows.
func seen(ctx context.Context, db *sql.DB) ([]uuid.UUID, error) {
	rows, err := db.QueryContext(ctx, "SELECT tenant_id FROM sites")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []uuid.UUID
	for rows.Next() {
		var t uuid.UUID
		if err := rows.Scan(&t); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

func TestIdleConnectionsChangeTheirTenant(t *testing.T) {
	w := newWorld(t)
	_, db := open(t, w.AppDSN)
	// database/sql keeps connections to itself now, without asking the pool again.
	db.SetMaxOpenConns(2)
	db.SetMaxIdleConns(2)

	tenants := []rows{w.a, w.b, {}} // the last one has no actor
	var wg sync.WaitGroup
	for i := range readers {
		wg.Go(func() {
			for j := range 200 {
				r := tenants[(i+j)%len(tenants)]
				ctx, want := t.Context(), 0
				if r.tenant != uuid.Nil {
					ctx, want = r.as(ctx), 1
				}
				got, err := seen(ctx, db)
				if err != nil {
					t.Error(err)
					return
				}
				if len(got) != want || want == 1 && got[0] != r.tenant {
					t.Errorf("for tenant %s the connection shows %v", r.tenant, got)
					return
				}
			}
		})
	}
	wg.Wait()
}

// The trap that OpenDB avoids: this is what happens without it, and why the test
// above can fail.
func TestIdleConnectionsLeakWithoutReset(t *testing.T) {
	w := newWorld(t)
	pool, err := postgres.Open(t.Context(), w.AppDSN, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	naive := stdlib.OpenDBFromPool(pool)
	defer naive.Close()
	naive.SetMaxOpenConns(1)
	naive.SetMaxIdleConns(1)
	if _, err := seen(w.a.ctx(t), naive); err != nil {
		t.Fatal(err)
	}
	got, err := seen(w.b.ctx(t), naive)
	if err != nil || len(got) != 1 || got[0] != w.a.tenant {
		t.Errorf("the trap is gone (%v, %v): OpenDB may be simplified", got, err)
	}
}

func TestPoolConnectionsChangeTheirTenant(t *testing.T) {
	w := newWorld(t)
	pool, err := postgres.Open(t.Context(), w.AppDSN, postgres.Options{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	var wg sync.WaitGroup
	for i := range readers {
		wg.Go(func() {
			r := []rows{w.a, w.b}[i%2]
			for range 100 {
				var n int
				var tenant uuid.UUID
				if err := pool.QueryRow(r.as(t.Context()), "SELECT count(*), min(tenant_id::text)::uuid FROM sites").Scan(&n, &tenant); err != nil {
					t.Error(err)
					return
				}
				if n != 1 || tenant != r.tenant {
					t.Errorf("%d rows of %s for %s", n, tenant, r.tenant)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestOpenSetsTheSession(t *testing.T) {
	w := newWorld(t)
	pool, err := postgres.Open(t.Context(), w.AppDSN, postgres.Options{Name: "probe", StatementTimeout: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	for setting, want := range map[string]string{
		"application_name": "probe", "timezone": "UTC", "statement_timeout": "0", "idle_in_transaction_session_timeout": "30s",
	} {
		var got string
		if err := pool.QueryRow(t.Context(), "SELECT current_setting($1)", setting).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, want %q (%v)", setting, got, want, err)
		}
	}
}

func TestOpenKeepsPasswordsToItself(t *testing.T) {
	_, err := postgres.Open(t.Context(), "postgres://u:hunter2@[::1:bad/x", postgres.Options{})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
}

// Compare same with alternating: the setting costs one round trip only when the
// tenant changes.
func BenchmarkAcquire(b *testing.B) {
	db := testkit.NewDB(b)
	pool, err := postgres.Open(b.Context(), db.AppDSN, postgres.Options{MaxConns: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	one, two := rows{tenant: uuid.New()}, rows{tenant: uuid.New()}
	for name, ctxs := range map[string][]context.Context{
		"same tenant":        {one.as(b.Context())},
		"alternating tenant": {one.as(b.Context()), two.as(b.Context())},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c, err := pool.Acquire(ctxs[i%len(ctxs)])
				if err != nil {
					b.Fatal(err)
				}
				c.Release()
			}
		})
	}
}
