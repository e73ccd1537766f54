package access_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/ent"
	"foresight/internal/access"
	"foresight/internal/auth"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/mail"
	"foresight/internal/postgres"
	"foresight/internal/secret"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
	"foresight/locales"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// password is one that the service takes.
const password = "correct horse battery staple"

// quick are the lowest costs of a password's hash.
var quick = auth.Params{Memory: 64, Time: 1, Threads: 1}

// rig is the service on a database with tenants acme and globex, both with system
// roles, and a mail server.
type rig struct {
	testing.TB
	*access.Service
	acme, globex testkit.Plant
	owner        *pgx.Conn
	orm          *ent.Client
	smtp         *testkit.MailServer
	log          *locked
	box          *secret.Box
	hasher       *auth.Hasher
	config       access.Config
	sender       *mail.SMTP
	queue        *jobs.Queue
	worker       *pgxpool.Pool
	idle         bool // nobody sends the letters

	mu      sync.Mutex
	revoked []id.UUID // sessions ended, or to be renewed
	clock   time.Time // zero: the real one
}

func newRig(t testing.TB, change ...func(*rig)) *rig {
	t.Helper()
	db := testkit.NewDB(t)
	r := &rig{TB: t, log: &locked{}, smtp: testkit.SMTP(t), hasher: auth.NewHasher(quick)}
	r.acme, r.globex = testkit.TwoTenants(t, db)
	open := func(dsn string) *pgxpool.Pool {
		p, err := postgres.Open(t.Context(), dsn, postgres.Options{MaxConns: 6})
		r.ok(err)
		t.Cleanup(p.Close)
		return p
	}
	app := open(db.AppDSN)
	r.worker = open(db.WorkerDSN)
	orm := postgres.OpenDB(app)
	t.Cleanup(func() { _ = orm.Close() })
	r.orm = postgres.Client(orm)
	var err error
	r.owner, err = pgx.Connect(t.Context(), db.OwnerDSN)
	r.ok(err)
	t.Cleanup(func() { _ = r.owner.Close(context.WithoutCancel(t.Context())) })
	r.box, err = secret.New(map[uint32][]byte{1: bytes.Repeat([]byte("k"), 32)})
	r.ok(err)
	r.sender, err = mail.NewSMTP(mail.Options{Host: r.smtp.Host, Port: r.smtp.Port, TLSConfig: r.smtp.Trust, From: "robot@foresight.example"}, locales.New())
	r.ok(err)
	r.queue, err = jobs.NewQueue(app)
	r.ok(err)
	log := slog.New(slog.NewTextHandler(r.log, nil))
	r.config = access.Config{DB: orm, App: app, Registry: r.worker, Hasher: r.hasher, Sessions: r, Sealer: r.box,
		PublicURL: &url.URL{Scheme: "https", Host: "foresight.example"}, OpenRegistration: true, Operator: "acme", Now: r.now, Log: log}
	r.config.Post = r.post(r.sender, nil)
	for _, c := range change {
		c(r)
	}
	r.Service, err = access.New(r.config)
	r.ok(err)
	r.ok(r.config.Post.Start(t.Context()))
	t.Cleanup(func() { r.ok(r.config.Post.Stop(context.WithoutCancel(t.Context()))) })
	if !r.idle {
		r.sends(r.config.Post)
	}
	for _, p := range []testkit.Plant{r.acme, r.globex} {
		r.ok(r.EnsureSystemRoles(t.Context(), p.TenantID))
	}
	return r
}

func (r *rig) post(m access.Mailer, registry prometheus.Registerer) *access.Post {
	return access.NewPost(access.PostOptions{Mailer: m, Queue: r.queue, Sealer: r.box, Now: r.now, Log: r.config.Log, Registerer: registry})
}

// sends has a runner send letters, until stop or the end of the test.
func (r *rig) sends(p *access.Post) (stop func()) {
	r.Helper()
	runner := jobs.NewRunner(jobs.Options{Pool: r.worker, Log: r.config.Log})
	p.Work(runner)
	r.ok(runner.Start(r.Context()))
	stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), testkit.Patience)
		defer cancel()
		r.ok(runner.Stop(ctx))
	})
	r.Cleanup(stop)
	return stop
}

// locked is a log that is read while it is written.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (r *rig) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.clock.IsZero() {
		return time.Now()
	}
	return r.clock
}

// pass lets time go by.
func (r *rig) pass(d time.Duration) {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock = now.Add(d)
}

// RevokeActor implements access.Sessions.
func (r *rig) RevokeActor(actor id.UUID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.revoked = append(r.revoked, actor)
}

// ended returns whose sessions have ended since the last call.
func (r *rig) ended() []id.UUID {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.revoked
	r.revoked = nil
	return out
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Error(err)
		if r.Context().Err() == nil {
			r.FailNow()
		}
	}
}

// as is the context of a person of acme with a system role.
func (r *rig) as(role tenancy.Role) context.Context { return r.acme.As(r.Context(), role) }

// holding is the context of acme's operator with other permissions in the whole tenant.
func (r *rig) holding(ps ...tenancy.Permission) context.Context {
	a := *tenancy.Must(r.as(tenancy.Operator))
	a.Scopes = tenancy.NewSet(ps...)
	return tenancy.With(r.Context(), &a)
}

func (r *rig) sql(query string, args ...any) {
	r.Helper()
	_, err := r.owner.Exec(r.Context(), query, args...)
	r.ok(err)
}

// one reads one value past all policies.
func one[T any](r *rig, query string, args ...any) T {
	r.Helper()
	var v T
	r.ok(r.owner.QueryRow(r.Context(), query, args...).Scan(&v))
	return v
}

// refused checks that the error is the fault, with its key and, unless "", its field.
func refused(t testing.TB, err error, kind fault.Kind, key, field string) {
	t.Helper()
	var l fault.List
	var f *fault.Error
	if errors.As(err, &l) {
		i := slices.IndexFunc(l, func(e *fault.Error) bool { return e.Key == key && (field == "" || e.Field == field) })
		if i < 0 {
			t.Errorf("got %v, want %s %s at %s", err, kind, key, field)
			return
		}
		f = l[i]
	} else if !errors.As(err, &f) {
		t.Errorf("got %v, want %s %s", err, kind, key)
		return
	}
	if f.Kind != kind || f.Key != key || field != "" && f.Field != field {
		t.Errorf("got %v, want %s %s at %s", f, kind, key, field)
	}
}

var tokenIn = regexp.MustCompile(`#token=([A-Za-z0-9_-]{43})`)

// token reads the token of a link, or of a letter's body.
func token(t testing.TB, text string) string {
	t.Helper()
	m := tokenIn.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no token in %q", text)
	}
	return m[1]
}

// refreshTokens counts the live ones of a person in a tenant, after making one.
func (r *rig) signIn(tenant, user id.UUID) {
	r.sql(`INSERT INTO refresh_tokens (id, tenant_id, user_id, token_hash, family_id, expires_at) VALUES (gen_random_uuid(), $1, $2, sha256(gen_random_uuid()::text::bytea), gen_random_uuid(), now() + interval '1 day')`, tenant, user)
}

func (r *rig) live(user id.UUID) int {
	return one[int](r, `SELECT count(*) FROM refresh_tokens WHERE user_id = $1 AND revoked_at IS NULL`, user)
}
