package sso_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"

	"foresight/internal/auth"
	"foresight/internal/auth/sso"
	"foresight/internal/id"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// people are those whom the provider of the test knows, by username; their password
// is `pass`.
type people struct {
	mu sync.Mutex
	m  map[string]*storage.User
}

func (p *people) GetUserByID(subject string) *storage.User {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, u := range p.m {
		if u.ID == subject {
			return u
		}
	}
	return nil
}

func (p *people) GetUserByUsername(name string) *storage.User {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.m[name]
}

func (p *people) ExampleClientID() string { return "service" }

func (p *people) set(username, subject, email string, verified bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.m[username] = &storage.User{ID: subject, Username: username, Password: "pass", FirstName: "Ada", LastName: "Lovelace", Email: email, EmailVerified: verified}
}

// rig is the product's door and a real OpenID Connect provider, each a server.
type rig struct {
	testing.TB
	app, provider *httptest.Server
	handler       *sso.Handler
	people        *people
	acme, globex  testkit.Plant
	owner         *pgxpool.Pool
	auth          *auth.Service

	mu    sync.Mutex
	kept  []string      // refresh tokens that browsers got
	ahead time.Duration // of the handler's clock
	still time.Time     // unless zero, that clock stands here, but for ahead
	away  bool          // the provider does not answer
}

func (r *rig) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.still.IsZero() {
		return r.still.Add(r.ahead)
	}
	return time.Now().Add(r.ahead)
}

// set changes the rig under its lock.
func (r *rig) set(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// newRig lets the test change the provider as the configuration has it, in JSON.
func newRig(t *testing.T, more string) *rig {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	r := &rig{TB: t, people: &people{m: map[string]*storage.User{}}}
	db := testkit.NewDB(t)
	r.acme, r.globex = testkit.TwoTenants(t, db)
	open := func(dsn string) *pgxpool.Pool {
		p, err := pgxpool.New(context.Background(), dsn)
		r.ok(err)
		t.Cleanup(p.Close)
		return p
	}
	r.owner = open(db.OwnerDSN)
	keys, err := auth.OpenKeys(filepath.Join(t.TempDir(), "keys.json"))
	r.ok(err)
	r.auth, err = auth.New(t.Context(), auth.Config{DB: open(db.AppDSN), Keys: keys, Hasher: auth.NewHasher(auth.Params{Memory: 64, Time: 1, Threads: 1}), Log: log})
	r.ok(err)

	mux := http.NewServeMux()
	r.app = httptest.NewServer(mux)
	t.Cleanup(r.app.Close)
	var op http.Handler
	r.provider = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		away := r.away
		r.mu.Unlock()
		if away {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		op.ServeHTTP(w, q)
	}))
	t.Cleanup(r.provider.Close)
	const secret = "a client secret"
	storage.RegisterClients(storage.WebClient("foresight", secret, r.app.URL+"/auth/idp/callback"))
	op = exampleop.SetupServer(r.provider.URL, storage.NewStorage(r.people), log, false)

	dir := t.TempDir()
	secretFile, file := filepath.Join(dir, "secret"), filepath.Join(dir, "providers.json")
	r.ok(os.WriteFile(secretFile, []byte(secret+"\n"), 0o600))
	r.ok(os.WriteFile(file, []byte(`{"providers": [{"id": "idp", "name": "Acme ID", "issuer": "`+r.provider.URL+`", "client_id": "foresight",
		"client_secret_file": "`+secretFile+`", "tenant": "acme"`+more+`}]}`), 0o600))
	providers, err := sso.Load(file)
	r.ok(err)
	public, err := url.Parse(r.app.URL)
	r.ok(err)
	r.handler = sso.New(sso.Config{Providers: providers, PublicURL: public, Login: r.auth.LoginWith, Now: r.now, Log: log,
		HTTP:   &http.Client{Timeout: testkit.Patience, Transport: transport(t)},
		Tenant: func(context.Context, string) (id.UUID, error) { return r.acme.TenantID, nil },
		Keep: func(_ context.Context, token string) bool {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.kept = append(r.kept, token)
			return true
		}})
	mux.Handle("/auth/", r.handler)
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) {}) // the application
	return r
}

// transport is one of the test's own, which leaves no connection behind.
func transport(t testing.TB) *http.Transport {
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// browser follows redirects and keeps cookies.
func (r *rig) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	r.ok(err)
	return &http.Client{Jar: jar, Transport: transport(r.TB), Timeout: testkit.Patience}
}

func (r *rig) get(b *http.Client, address string) *http.Response {
	r.Helper()
	q, err := http.NewRequestWithContext(r.Context(), http.MethodGet, address, nil)
	r.ok(err)
	res, err := b.Do(q)
	r.ok(err)
	body, err := io.ReadAll(res.Body)
	r.ok(err)
	r.ok(res.Body.Close())
	res.Body = io.NopCloser(strings.NewReader(string(body)))
	return res
}

var requestID = regexp.MustCompile(`name="id" value="([^"]*)"`)

// signIn goes through both servers as a person does, and returns where the browser
// ends, with its query.
func (r *rig) signIn(b *http.Client, username, after string) string {
	r.Helper()
	page := r.get(b, r.app.URL+"/auth/idp/login?return="+url.QueryEscape(after))
	body, err := io.ReadAll(page.Body)
	r.ok(err)
	m := requestID.FindSubmatch(body)
	if m == nil {
		r.Fatalf("no form to sign in, but %s: %s", page.Request.URL, body)
	}
	q, err := http.NewRequestWithContext(r.Context(), http.MethodPost, r.provider.URL+"/login/username",
		strings.NewReader(url.Values{"username": {username}, "password": {"pass"}, "id": {string(m[1])}}.Encode()))
	r.ok(err)
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := b.Do(q)
	r.ok(err)
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Request.URL.Host != strings.TrimPrefix(r.app.URL, "http://") {
		text, _ := io.ReadAll(res.Body)
		r.Fatalf("ends at %s with %d: %s", res.Request.URL, res.StatusCode, text)
	}
	return res.Request.URL.RequestURI()
}

// session is the session of the browser that signed in last.
func (r *rig) session() *auth.Session {
	r.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.kept) == 0 {
		r.Fatal("no session was begun")
	}
	s, err := r.auth.Refresh(r.Context(), r.kept[len(r.kept)-1])
	r.ok(err)
	return s
}

func (r *rig) begun() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.kept)
}

func (r *rig) count(query string, args ...any) (n int) {
	r.Helper()
	r.ok(r.owner.QueryRow(r.Context(), query, args...).Scan(&n))
	return n
}

func (r *rig) sql(query string, args ...any) {
	r.Helper()
	_, err := r.owner.Exec(r.Context(), query, args...)
	r.ok(err)
}
