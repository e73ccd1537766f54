package audit_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/ent"
	"foresight/ent/auditlog"
	"foresight/internal/obs"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// rig is a database with two tenants, and an engineer of the first at work.
type rig struct {
	testing.TB
	acme, globex testkit.Plant
	pool         *pgxpool.Pool
	db           *sql.DB
	orm          *ent.Client
	ctx          context.Context
}

func newRig(t testing.TB) *rig {
	t.Helper()
	db := testkit.NewDB(t)
	r := &rig{TB: t}
	r.acme, r.globex = testkit.TwoTenants(t, db)
	var err error
	r.pool, err = postgres.Open(t.Context(), db.AppDSN, postgres.Options{MaxConns: 4})
	r.ok(err)
	t.Cleanup(r.pool.Close)
	r.db = postgres.OpenDB(r.pool)
	t.Cleanup(func() { _ = r.db.Close() })
	r.orm = postgres.Client(r.db)
	r.ctx = obs.WithRemote(obs.WithRequestID(r.acme.As(t.Context(), tenancy.Engineer), "request-7"), "192.0.2.7")
	return r
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// entries returns the log of the tenant of the context, oldest first.
func (r *rig) entries(ctx context.Context) []*ent.AuditLog {
	r.Helper()
	out, err := r.orm.AuditLog.Query().Order(auditlog.ByAt(), auditlog.ByID()).All(ctx)
	r.ok(err)
	return out
}
