package auth_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/auth"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// quick are costs for tests; the algorithm is the same.
var quick = auth.Params{Memory: 64, Time: 1, Threads: 1}

// clock is a clock that a test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

type rig struct {
	*auth.Service
	db          *testkit.DB
	owner, pool *pgxpool.Pool
	acme        testkit.Plant
	globex      testkit.Plant
	clock       *clock
	keys        *auth.Keys
	revoked     chan auth.Revocation
}

const password = "correct horse battery staple"

// newRig has tenants acme and globex with the same addresses; the password of all
// of acme's people is `password`, globex's admin has the same and its others another.
func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{db: testkit.NewDB(t), clock: &clock{t: time.Now().Truncate(time.Second)}, revoked: make(chan auth.Revocation, 10)}
	r.acme, r.globex = testkit.TwoTenants(t, r.db)
	r.owner, r.pool = connect(t, r.db.OwnerDSN), connect(t, r.db.AppDSN)
	var err error
	if r.keys, err = auth.OpenKeys(t.TempDir() + "/keys.json"); err != nil {
		t.Fatal(err)
	}
	h := auth.NewHasher(quick)
	mine, err := h.Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	other, err := h.Hash(t.Context(), "another password")
	if err != nil {
		t.Fatal(err)
	}
	r.exec(t, `UPDATE users SET password_hash = CASE WHEN tenant_id = $1 OR username = 'admin' THEN $2 ELSE $3 END`, r.acme.TenantID, mine, other)
	r.exec(t, `UPDATE users SET email = 'only@acme.example' WHERE id = $1`, r.acme.Users[tenancy.Operator])
	r.Service = r.newService(t, auth.Config{Hasher: h})
	return r
}

// newService is another process on the same database.
func (r *rig) newService(t testing.TB, c auth.Config) *auth.Service {
	t.Helper()
	c.DB, c.Keys, c.Now = r.pool, r.keys, r.clock.Now
	c.OnRevoke = func(v auth.Revocation) { r.revoked <- v }
	if c.Hasher == nil {
		c.Hasher = auth.NewHasher(quick)
	}
	s, err := auth.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (r *rig) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := r.owner.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) login(t testing.TB) *auth.Session {
	t.Helper()
	s, err := r.Login(t.Context(), auth.Login{Email: "only@acme.example", Password: password, Remote: "192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func connect(t testing.TB, dsn string) *pgxpool.Pool {
	t.Helper()
	p, err := pgxpool.New(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}
