package idempotency

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/fault"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func newStore(t testing.TB) (*Store, testkit.Plant, testkit.Plant, *pgxpool.Pool) {
	t.Helper()
	db := testkit.NewDB(t)
	a, b := testkit.TwoTenants(t, db)
	app, err := postgres.Open(t.Context(), db.AppDSN, postgres.Options{MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Close)
	owner, err := pgxpool.New(t.Context(), db.OwnerDSN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(owner.Close)
	return NewStore(app), a, b, owner
}

func request(key, input string) Request {
	return Request{key, "createThing", sha256.Sum256([]byte(input))}
}

func TestBegin(t *testing.T) {
	s, acme, globex, _ := newStore(t)
	s.patience = testkit.Patience // the first call may take long to end
	ctx := acme.As(t.Context(), tenancy.Engineer)
	c, _, err := s.Begin(ctx, request("k", "a"))
	if err != nil || c == nil {
		t.Fatal(c, err)
	}
	// The same key is another's own: of a colleague, and in another tenant.
	colleague, _, err := s.Begin(acme.As(t.Context(), tenancy.Admin), request("k", "b"))
	if err != nil || colleague == nil {
		t.Fatalf("a colleague: %v %v", colleague, err)
	}
	if o, _, err := s.Begin(globex.As(t.Context(), tenancy.Engineer), request("k", "b")); err != nil || o == nil {
		t.Fatalf("another tenant: %v %v", o, err)
	}
	type outcome struct {
		claim  *Claim
		result Result
		err    error
	}
	waiting := make(chan outcome)
	for range 3 {
		go func() {
			c, r, err := s.Begin(ctx, request("k", "a"))
			waiting <- outcome{c, r, err}
		}()
	}
	if err := c.Done(ctx, Result{"thing": "7"}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if o := <-waiting; o.claim != nil || o.err != nil || o.result["thing"] != "7" {
			t.Errorf("a repetition: %+v", o)
		}
	}
	for name, r := range map[string]Request{"another input": request("k", "b"), "another operation": {"k", "createOther", sha256.Sum256([]byte("a"))}} {
		if c, result, err := s.Begin(ctx, r); !fault.Is(err, fault.Conflict) || c != nil || result != nil {
			t.Errorf("%s: %v %v %v", name, c, result, err)
		}
	}
	// A colleague's attempt that made nothing frees the key, for whoever waits for it.
	admin := acme.As(t.Context(), tenancy.Admin)
	go func() {
		c, r, err := s.Begin(admin, request("k", "b"))
		waiting <- outcome{c, r, err}
	}()
	if err := colleague.Drop(ctx); err != nil {
		t.Fatal(err)
	}
	if o := <-waiting; o.claim == nil || o.err != nil {
		t.Errorf("after an attempt that made nothing: %+v", o)
	}
}

func TestPatienceEnds(t *testing.T) {
	s, acme, _, owner := newStore(t)
	s.patience = 50 * time.Millisecond
	ctx := acme.As(t.Context(), tenancy.Engineer)
	if _, _, err := s.Begin(ctx, request("k", "a")); err != nil {
		t.Fatal(err)
	}
	keyOf := func(err error) string {
		f, _ := err.(*fault.Error)
		if f == nil {
			return fmt.Sprint(err)
		}
		return f.Key
	}
	if _, _, err := s.Begin(ctx, request("k", "a")); keyOf(err) != "error.idempotency.running" {
		t.Errorf("while the first runs: %v", err)
	}
	if _, err := owner.Exec(ctx, `UPDATE idempotency_keys SET created_at = now() - interval '3 minutes'`); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Begin(ctx, request("k", "a")); keyOf(err) != "error.idempotency.lost" {
		t.Errorf("after its process died: %v", err)
	}
	if _, err := owner.Exec(ctx, `UPDATE idempotency_keys SET expires_at = now()`); err != nil {
		t.Fatal(err)
	}
	if c, _, err := s.Begin(ctx, request("k", "other")); err != nil || c == nil {
		t.Errorf("after its time: %v %v", c, err)
	}
}

// Keys whose time is over go with the next ones.
func TestExpiredKeysAreSwept(t *testing.T) {
	s, acme, globex, owner := newStore(t)
	for _, ctx := range []testkit.Plant{acme, globex} {
		for i := range 3 {
			if _, _, err := s.Begin(ctx.As(t.Context(), tenancy.Engineer), request(fmt.Sprint(i), "a")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := owner.Exec(t.Context(), `UPDATE idempotency_keys SET expires_at = now() WHERE key <> '2'`); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Begin(acme.As(t.Context(), tenancy.Engineer), request("new", "a")); err != nil {
		t.Fatal(err)
	}
	var own, theirs int
	if err := owner.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE tenant_id = $1), count(*) FILTER (WHERE tenant_id = $2) FROM idempotency_keys`,
		acme.TenantID, globex.TenantID).Scan(&own, &theirs); err != nil || own != 2 || theirs != 3 {
		t.Errorf("%d and %d keys are left, %v", own, theirs, err)
	}
}
