package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// web is the HTTP client of the tests.
var web = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}, Timeout: time.Minute}

// The demo's tenants and public secrets, as its banner prints them.
const (
	alpha         = "alpha-grid"
	beta          = "beta-process"
	password      = "foresight-demo"
	clientSecret  = "dev-secret-123"
	gatewaySecret = "demo-gateway"
)

// answer is a GraphQL response.
type answer struct {
	Status     int             `json:"-"`
	Body       []byte          `json:"-"`
	Data       json.RawMessage `json:"data"`
	Errors     []graphError    `json:"errors"`
	Extensions map[string]any  `json:"extensions"`
}

type graphError struct {
	Message    string         `json:"message"`
	Path       []any          `json:"path"`
	Extensions map[string]any `json:"extensions"`
}

// Code of the error.
func (e graphError) Code() string {
	code, _ := e.Extensions["code"].(string)
	return code
}

type vars = map[string]any

// request is one GraphQL request over POST.
type request struct {
	token, language string
	query           string
	vars            vars
}

// ask sends a request and returns what came, whatever it is.
func (i *instance) ask(t testing.TB, r request) answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": r.query, "variables": r.vars})
	if err != nil {
		t.Fatal(err)
	}
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, i.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Accept", "application/json")
	if header, value := headerOf(r.token); value != "" {
		q.Header.Set(header, value)
	}
	if r.language != "" {
		q.Header.Set("Accept-Language", r.language)
	}
	return i.do(t, q)
}

// headerOf says where a credential goes, and in which form: access tokens and API keys
// are told apart by how they look. The payload of a WebSocket takes the same names.
func headerOf(credential string) (name, value string) {
	switch {
	case credential == "":
		return "", ""
	case strings.HasPrefix(credential, "fsk_"):
		return "X-API-Key", credential
	}
	return "Authorization", "Bearer " + credential
}

func (i *instance) do(t testing.TB, q *http.Request) answer {
	t.Helper()
	p, err := web.Do(q)
	if err != nil {
		t.Fatalf("%v\n%s", err, i.out)
	}
	defer p.Body.Close()
	a := answer{Status: p.StatusCode}
	if a.Body, err = io.ReadAll(p.Body); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(a.Body, &a); err != nil {
		t.Fatalf("%d %s: %v", a.Status, a.Body, err)
	}
	return a
}

// get asks as the token's holder and decodes the data; any error fails the test.
func get[T any](t testing.TB, i *instance, token, query string, v vars) T {
	t.Helper()
	a := i.ask(t, request{token: token, query: query, vars: v})
	if len(a.Errors) > 0 {
		t.Fatalf("%s\n%s", query, a.Body)
	}
	return decode[T](t, a.Data)
}

func decode[T any](t testing.TB, b []byte) T {
	t.Helper()
	var out T
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return out
}

// login returns an access token of the tenant's person of the role.
func (i *instance) login(t testing.TB, tenant, role string) string {
	t.Helper()
	return i.cached(role+"@"+tenant, func() string {
		type payload struct {
			Login struct {
				Session *struct{ AccessToken string }
			}
		}
		p := get[payload](t, i, "", `mutation($in: LoginInput!) { login(input: $in) { session { accessToken } userErrors { message } } }`,
			vars{"in": vars{"email": role + "@" + tenant + ".example", "password": password}})
		if p.Login.Session == nil {
			t.Fatalf("%s of %s cannot sign in", role, tenant)
		}
		return p.Login.Session.AccessToken
	})
}

// partner returns an access token of the tenant's OAuth client; scopes narrow it.
func (i *instance) partner(t testing.TB, tenant string, scopes ...string) string {
	t.Helper()
	return i.cached("client@"+tenant+strings.Join(scopes, " "), func() string {
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {tenant + "-client"}, "client_secret": {clientSecret}}
		if len(scopes) > 0 {
			form.Set("scope", strings.Join(scopes, " "))
		}
		p, err := web.PostForm(i.url+"/oauth/token", form)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Body.Close()
		var token struct {
			AccessToken string `json:"access_token"`
		}
		if err := json.NewDecoder(p.Body).Decode(&token); err != nil || p.StatusCode != http.StatusOK {
			t.Fatalf("token: %d %v", p.StatusCode, err)
		}
		return token.AccessToken
	})
}

func (i *instance) cached(who string, fetch func() string) string {
	i.mu.Lock()
	token := i.tokens[who]
	i.mu.Unlock()
	if token == "" {
		token = fetch()
		i.mu.Lock()
		i.tokens[who] = token
		i.mu.Unlock()
	}
	return token
}
