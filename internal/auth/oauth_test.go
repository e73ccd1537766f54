package auth_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"foresight/internal/auth"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

func (r *rig) addClient(t *testing.T, clientID, hash string) {
	t.Helper()
	r.exec(t, `INSERT INTO oauth_clients (id, tenant_id, name, client_id, secret_hash, scopes) VALUES ($1, $2, 'Partner', $3, $4, '["plant:read","telemetry:write","owner:all"]')`,
		id.New(id.OAuthClient), r.globex.TenantID, clientID, hash)
}

func TestTokenEndpoint(t *testing.T) {
	r := newRig(t)
	secret, hash := auth.NewSecret()
	r.addClient(t, "partner:1", hash)
	chosen, err := auth.NewHasher(quick).Hash(t.Context(), "p&ss wörd")
	if err != nil {
		t.Fatal(err)
	}
	r.addClient(t, "old", chosen)
	srv := httptest.NewServer(r.TokenEndpoint(func(*http.Request) string { return "192.0.2.9" }))
	defer srv.Close()

	const form = "application/x-www-form-urlencoded"
	good := url.Values{"grant_type": {"client_credentials"}, "client_id": {"partner:1"}, "client_secret": {secret}}
	with := func(k string, v ...string) url.Values {
		c := url.Values{}
		for k, v := range good {
			c[k] = v
		}
		if c[k] = v; v == nil {
			delete(c, k)
		}
		return c
	}
	only := url.Values{"grant_type": {"client_credentials"}}
	for _, c := range []struct {
		name        string
		contentType string
		form        url.Values
		user, pass  string
		status      int
		err, scope  string
	}{
		{"form", form, good, "", "", 200, "", "plant:read telemetry:write"},
		{"basic", form, only, "partner%3A1", secret, 200, "", "plant:read telemetry:write"},
		{"basic, chosen secret", form, only, "old", url.QueryEscape("p&ss wörd"), 200, "", "plant:read telemetry:write"},
		{"scope", form, with("scope", "plant:read"), "", "", 200, "", "plant:read"},
		{"scope it does not have", form, with("scope", "plant:read users:write"), "", "", 400, "invalid_scope", ""},
		{"scope that is none", form, with("scope", "owner:all"), "", "", 400, "invalid_scope", ""},
		{"wrong secret", form, with("client_secret", "x"), "", "", 401, "invalid_client", ""},
		{"unknown client", form, with("client_id", "nobody"), "", "", 401, "invalid_client", ""},
		{"no secret", form, with("client_secret"), "", "", 401, "invalid_client", ""},
		{"both ways", form, good, "partner%3A1", secret, 400, "invalid_request", ""},
		{"twice", form, with("scope", "plant:read", "plant:read"), "", "", 400, "invalid_request", ""},
		{"no grant type", form, with("grant_type"), "", "", 400, "invalid_request", ""},
		{"password grant", form, with("grant_type", "password"), "", "", 400, "unsupported_grant_type", ""},
		{"JSON", "application/json", good, "", "", 400, "invalid_request", ""},
		{"refresh without token", form, with("grant_type", "refresh_token"), "", "", 400, "invalid_request", ""},
		{"refresh with a bad token", form, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}}, "", "", 400, "invalid_grant", ""},
		{"refresh", form, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {r.login(t).RefreshToken}}, "", "", 200, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, err := http.NewRequestWithContext(t.Context(), "POST", srv.URL, strings.NewReader(c.form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			q.Header.Set("Content-Type", c.contentType)
			if c.user != "" {
				q.SetBasicAuth(c.user, c.pass)
			}
			resp, err := srv.Client().Do(q)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var a struct {
				AccessToken  string `json:"access_token"`
				TokenType    string `json:"token_type"`
				ExpiresIn    int    `json:"expires_in"`
				RefreshToken string `json:"refresh_token"`
				TenantID     string `json:"tenant_id"`
				Scope, Error string
			}
			if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != c.status || a.Error != c.err || a.Scope != c.scope {
				t.Fatalf("%d %q %q, want %d %q %q", resp.StatusCode, a.Error, a.Scope, c.status, c.err, c.scope)
			}
			if resp.Header.Get("Cache-Control") != "no-store" || c.status == 401 != (resp.Header.Get("WWW-Authenticate") != "") {
				t.Errorf("headers %v", resp.Header)
			}
			if c.status != 200 {
				return
			}
			g, err := r.Authenticate(t.Context(), a.TokenType+" "+a.AccessToken)
			if err != nil {
				t.Fatal(err)
			}
			if g.Actor.TenantID.String() != a.TenantID || a.ExpiresIn != 900 {
				t.Errorf("%+v %+v", a, g.Actor)
			}
			if client := c.scope != ""; client != (g.Actor.Kind == tenancy.Client) || client == (a.RefreshToken != "") {
				t.Errorf("%+v %+v", a, g.Actor)
			}
		})
	}
	resp, err := srv.Client().Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Error(resp.Status)
	}
	var used *time.Time
	if err := r.owner.QueryRow(t.Context(), `SELECT last_used_at FROM oauth_clients WHERE client_id = 'old'`).Scan(&used); err != nil || used == nil {
		t.Errorf("last used %v %v", used, err)
	}
}

func TestClientsAreLockedLikePeople(t *testing.T) {
	r := newRig(t)
	secret, hash := auth.NewSecret()
	r.addClient(t, "partner", hash)
	for range 5 {
		_, err := r.ClientCredentials(t.Context(), auth.ClientLogin{ClientID: "partner", Secret: "x"})
		wantFault(t, err, fault.Unauthenticated, "error.auth.client")
	}
	_, err := r.ClientCredentials(t.Context(), auth.ClientLogin{ClientID: "partner", Secret: secret})
	wantFault(t, err, fault.RateLimited, "error.auth.locked")
	r.clock.Advance(6 * time.Second)
	if _, err := r.ClientCredentials(t.Context(), auth.ClientLogin{ClientID: "partner", Secret: secret}); err != nil {
		t.Error(err)
	}
	r.exec(t, `UPDATE oauth_clients SET is_active = false`)
	_, err = r.ClientCredentials(t.Context(), auth.ClientLogin{ClientID: "partner", Secret: secret})
	wantFault(t, err, fault.Unauthenticated, "error.auth.client")
}
