package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"foresight/ent"
	"foresight/internal/auth"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/page"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

// credentials is the service under test, as requests have it.
func (r *rig) credentials(t testing.TB) *auth.Credentials {
	t.Helper()
	pool, err := postgres.Open(t.Context(), r.db.AppDSN, postgres.Options{MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	db := postgres.OpenDB(pool)
	t.Cleanup(func() { _ = db.Close() })
	return auth.NewCredentials(postgres.Client(db), r.Service)
}

func (r *rig) admin(t testing.TB) context.Context { return r.acme.As(t.Context(), tenancy.Admin) }

func (r *rig) apiKey(t testing.TB, c *auth.Credentials, n auth.NewCredential) (*ent.APIKey, string) {
	t.Helper()
	k, key, err := c.CreateAPIKey(r.admin(t), n)
	if err != nil {
		t.Fatal(err)
	}
	return k, key
}

func TestAPIKeyLetsIn(t *testing.T) {
	r := newRig(t)
	c := r.credentials(t)
	k, key := r.apiKey(t, c, auth.NewCredential{Name: " Historian ", Scopes: []string{"telemetry:read", "plant:read", "plant:read"}})
	if k.Name != "Historian" || !slices.Equal(k.Scopes, []string{"plant:read", "telemetry:read"}) || k.CreatedBy == nil || *k.CreatedBy != r.acme.Users[tenancy.Admin] {
		t.Errorf("%+v", k)
	}
	if !strings.HasPrefix(key, k.Prefix+".") || len(key) < len(k.Prefix)+43 {
		t.Errorf("key %q of prefix %q", key, k.Prefix)
	}
	var plain int
	if err := r.owner.QueryRow(t.Context(), `SELECT count(*) FROM api_keys k WHERE k::text LIKE '%' || $1 || '%'`, strings.TrimPrefix(key, k.Prefix)).Scan(&plain); err != nil || plain != 0 {
		t.Errorf("the key itself is stored: %d %v", plain, err)
	}
	g, err := r.Authenticate(t.Context(), "apikey "+key)
	if err != nil {
		t.Fatal(err)
	}
	a := g.Actor
	if a.Kind != tenancy.APIKey || a.ID != k.ID || a.TenantID != r.acme.TenantID || a.TenantCode != "acme" || !a.Can(tenancy.PlantRead) || a.Can(tenancy.PlantWrite) {
		t.Errorf("%+v", a)
	}
	if !g.ExpiresAt.Equal(r.clock.Now().Add(15 * time.Minute)) {
		t.Errorf("a connection may last until %v", g.ExpiresAt)
	}
	for name, credential := range map[string]string{
		"another secret": "ApiKey " + key[:len(key)-1] + "!", "another prefix": "ApiKey fsk_aaaaaaaaaaaaaaaa" + strings.TrimPrefix(key, k.Prefix),
		"the prefix alone": "ApiKey " + k.Prefix, "no secret": "ApiKey " + k.Prefix + ".", "no mark": "ApiKey " + strings.TrimPrefix(key, "fsk_"),
		"endless": "ApiKey " + key + strings.Repeat("x", 1000),
	} {
		if _, err := r.Authenticate(t.Context(), credential); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = r.Authenticate(t.Context(), "Bearer "+key)
	wantFault(t, err, fault.Unauthenticated, "error.auth.token")
	r.exec(t, `UPDATE tenants SET is_active = false WHERE id = $1`, r.acme.TenantID)
	_, err = r.Authenticate(t.Context(), "ApiKey "+key)
	wantFault(t, err, fault.Unauthenticated, "error.auth.key")
}

func TestRevokedKeyEndsAtOnce(t *testing.T) {
	r := newRig(t)
	c := r.credentials(t)
	k, key := r.apiKey(t, c, auth.NewCredential{Name: "x", Scopes: []string{"plant:read"}})
	other := r.newService(t, auth.Config{}) // which has heard of nothing
	g, err := other.Authenticate(t.Context(), "ApiKey "+key)
	if err != nil {
		t.Fatal(err)
	}
	open, release := other.Watch(g)
	defer release()
	if _, err := c.RevokeAPIKey(r.globex.As(t.Context(), tenancy.Admin), k.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant's admin: %v", err)
	}
	for range 2 { // twice is no mistake
		got, err := c.RevokeAPIKey(r.admin(t), k.ID)
		if err != nil || got.IsActive {
			t.Fatalf("%+v %v", got, err)
		}
	}
	_, err = other.Authenticate(t.Context(), "ApiKey "+key)
	wantFault(t, err, fault.Unauthenticated, "error.auth.key")
	other.Apply(<-r.revoked)
	<-open
}

func TestKeyExpires(t *testing.T) {
	r := newRig(t)
	c := r.credentials(t)
	soon := r.clock.Now().Add(5 * time.Minute)
	_, key := r.apiKey(t, c, auth.NewCredential{Name: "x", Scopes: []string{"plant:read"}, ExpiresAt: &soon})
	g, err := r.Authenticate(t.Context(), "ApiKey "+key)
	if err != nil || !g.ExpiresAt.Equal(soon) {
		t.Fatalf("until %v, want %v, %v", g, soon, err)
	}
	r.clock.Advance(5 * time.Minute)
	_, err = r.Authenticate(t.Context(), "ApiKey "+key)
	wantFault(t, err, fault.Unauthenticated, "error.auth.key")
}

func TestUseOfAKeyIsNotedNowAndThen(t *testing.T) {
	r := newRig(t)
	k, key := r.apiKey(t, r.credentials(t), auth.NewCredential{Name: "x", Scopes: []string{"plant:read"}})
	use := func(ahead time.Duration) time.Time {
		t.Helper()
		r.clock.Advance(ahead)
		if _, err := r.Authenticate(t.Context(), "ApiKey "+key); err != nil {
			t.Fatal(err)
		}
		var at time.Time
		var version int
		if err := r.owner.QueryRow(t.Context(), `SELECT last_used_at, version FROM api_keys WHERE id = $1`, k.ID).Scan(&at, &version); err != nil || version != k.Version {
			t.Fatalf("version %d, %v", version, err)
		}
		return at
	}
	first := use(0)
	if again := use(59 * time.Second); !again.Equal(first) {
		t.Errorf("written anew after 59 s")
	}
	if later := use(time.Second); !later.Equal(first.Add(time.Minute)) {
		t.Errorf("used at %v, want %v", later, first.Add(time.Minute))
	}
}

func TestCredentialsAreNotMadeFromNothing(t *testing.T) {
	r := newRig(t)
	c := r.credentials(t)
	past := r.clock.Now()
	engineer := *tenancy.Must(r.acme.As(t.Context(), tenancy.Engineer))
	engineer.Scopes[tenancy.CredentialsWrite] = struct{}{}
	asEngineer := tenancy.With(t.Context(), &engineer)
	for _, x := range []struct {
		name  string
		ctx   context.Context
		in    auth.NewCredential
		field string
		key   string
	}{
		{"no name", r.admin(t), auth.NewCredential{Name: "  ", Scopes: []string{"plant:read"}}, "input.name", "error.name"},
		{"endless name", r.admin(t), auth.NewCredential{Name: strings.Repeat("ä", 201), Scopes: []string{"plant:read"}}, "input.name", "error.name"},
		{"no scopes", r.admin(t), auth.NewCredential{Name: "x"}, "input.scopes", "error.auth.scopesMissing"},
		{"unknown scope", r.admin(t), auth.NewCredential{Name: "x", Scopes: []string{"plant:read", "all:all"}}, "input.scopes", "error.auth.scopeUnknown"},
		{"more than one holds", asEngineer, auth.NewCredential{Name: "x", Scopes: []string{"users:write"}}, "input.scopes", "error.auth.scopeNotHeld"},
		{"expired", r.admin(t), auth.NewCredential{Name: "x", Scopes: []string{"plant:read"}, ExpiresAt: &past}, "input.expiresAt", "error.auth.expiryPast"},
	} {
		for what, create := range map[string]func() error{
			"key":    func() error { _, _, err := c.CreateAPIKey(x.ctx, x.in); return err },
			"client": func() error { _, _, err := c.CreateClient(x.ctx, x.in); return err },
		} {
			var f *fault.Error
			if err := create(); !errors.As(err, &f) || f.Kind != fault.BadInput || f.Field != x.field || f.Key != x.key {
				t.Errorf("%s, %s: %v", x.name, what, err)
			}
		}
	}
	atSite := *tenancy.Must(r.admin(t))
	atSite.SiteIDs = []id.UUID{r.acme.SiteID}
	for name, ctx := range map[string]context.Context{
		"engineer": r.acme.As(t.Context(), tenancy.Operator), "limited to a site": tenancy.With(t.Context(), &atSite),
	} {
		_, _, err := c.CreateAPIKey(ctx, auth.NewCredential{Name: "x", Scopes: []string{"plant:read"}})
		if !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s makes keys: %v", name, err)
		}
		if _, err := c.APIKeys(ctx, page.Args{}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s lists keys: %v", name, err)
		}
		if _, err := c.Clients(ctx, page.Args{}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s lists clients: %v", name, err)
		}
	}
	if _, _, err := c.CreateAPIKey(asEngineer, auth.NewCredential{Name: "x", Scopes: []string{"plant:write"}}); err != nil {
		t.Errorf("what one holds: %v", err)
	}
}

// token asks the token endpoint and returns the status with the access token.
func (r *rig) token(t *testing.T, srv *httptest.Server, clientID, secret string) (int, string) {
	t.Helper()
	res, err := srv.Client().PostForm(srv.URL, url.Values{"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret}})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var b struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&b); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, b.AccessToken
}

func TestOAuthClientLives(t *testing.T) {
	r := newRig(t)
	c := r.credentials(t)
	srv := httptest.NewServer(r.TokenEndpoint(func(*http.Request) string { return "192.0.2.9" }))
	defer srv.Close()
	o, secret, err := c.CreateClient(r.admin(t), auth.NewCredential{Name: "Partner", Scopes: []string{"plant:read"}})
	if err != nil {
		t.Fatal(err)
	}
	moment := func() { r.clock.Advance(time.Microsecond) }
	status, token := r.token(t, srv, o.ClientID, secret)
	if status != http.StatusOK {
		t.Fatal(status)
	}
	g, err := r.Authenticate(t.Context(), "Bearer "+token)
	if err != nil || g.Actor.ID != o.ID || !g.Actor.Can(tenancy.PlantRead) {
		t.Fatalf("%+v %v", g, err)
	}
	open, release := r.Watch(g)
	defer release()

	if _, _, err := c.RotateClientSecret(r.globex.As(t.Context(), tenancy.Admin), o.ID, o.Version); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant's admin: %v", err)
	}
	rotated, next, err := c.RotateClientSecret(r.admin(t), o.ID, o.Version)
	if err != nil || next == secret {
		t.Fatal(err)
	}
	<-open
	_, err = r.Authenticate(t.Context(), "Bearer "+token)
	wantFault(t, err, fault.Unauthenticated, "error.auth.token")
	moment()
	if status, _ = r.token(t, srv, o.ClientID, secret); status != http.StatusUnauthorized {
		t.Errorf("the former secret: %d", status)
	}
	if status, token = r.token(t, srv, o.ClientID, next); status != http.StatusOK {
		t.Errorf("the new secret: %d", status)
	}
	if _, err = r.Authenticate(t.Context(), "Bearer "+token); err != nil {
		t.Errorf("a token of the new secret: %v", err)
	}
	if _, _, err := c.RotateClientSecret(r.admin(t), o.ID, o.Version); !fault.Is(err, fault.Conflict) {
		t.Errorf("a stale version: %v", err)
	}
	moment()
	for range 2 {
		if o, err = c.DeactivateClient(r.admin(t), o.ID); err != nil || o.IsActive {
			t.Fatalf("%+v %v", o, err)
		}
	}
	if status, _ = r.token(t, srv, o.ClientID, next); status != http.StatusUnauthorized {
		t.Errorf("a client that is out of use: %d", status)
	}
	_, err = r.Authenticate(t.Context(), "Bearer "+token)
	wantFault(t, err, fault.Unauthenticated, "error.auth.token")
	_, _, err = c.RotateClientSecret(r.admin(t), o.ID, rotated.Version+1)
	wantFault(t, err, fault.Conflict, "error.auth.clientInactive")
}
