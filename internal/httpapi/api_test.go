package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"foresight/internal/auth"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/limit"
	"foresight/internal/obs"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
	"foresight/internal/vitals"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// gate knows one token.
type gate struct{ actor *tenancy.Actor }

func (g gate) Authenticate(_ context.Context, credential string) (*auth.Grant, error) {
	switch credential {
	case "Bearer good", "ApiKey good":
	case "ApiKey unchecked":
		return nil, fault.New(fault.Unavailable, "error.auth.unavailable")
	default:
		return nil, fault.New(fault.Unauthenticated, "error.auth.token")
	}
	return &auth.Grant{Actor: g.actor, ExpiresAt: time.Now().Add(time.Minute)}, nil
}

// echo stands where the graph does and says what reached it.
func echo(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if r.URL.Query().Has("panic") {
		panic("secret")
	}
	if c := r.URL.Query().Get("cookie"); c != "" {
		SetRefreshCookie(r.Context(), strings.TrimPrefix(c, "-"), time.Hour)
	}
	out := map[string]any{"body": string(b), "remote": RemoteFrom(r.Context()), "cookie": RefreshCookie(r.Context()),
		"language": r.Context().Value(languageKey{}), "requestId": obs.RequestID(r.Context())}
	if a := tenancy.From(r.Context()); a != nil {
		out["tenant"] = a.TenantCode
	}
	_ = json.NewEncoder(w).Encode(out)
}

type languageKey struct{}

func newAPI(t *testing.T, change func(*Config)) (*httptest.Server, *API, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	reg := prometheus.NewRegistry()
	c := Config{
		Graph: http.HandlerFunc(echo), Token: http.HandlerFunc(echo), Metrics: promhttp.HandlerFor(reg, promhttp.HandlerOpts{}),
		Auth: gate{&tenancy.Actor{Kind: tenancy.Person, ID: id.New(id.User), TenantID: id.New(id.Tenant), TenantCode: "acme", Locale: "ar"}},
		JWKS: func() []byte { return []byte(`{"keys":[]}`) }, Schema: "type Query { a: Int }",
		Web: fstest.MapFS{
			"index.html":         {Data: []byte(`<script nonce="__CSP_NONCE__"></script><style nonce="__CSP_NONCE__"></style>`)},
			"assets/app-1234.js": {Data: []byte(strings.Repeat("let a = 1;\n", 500))},
			"favicon.svg":        {Data: []byte("<svg/>")},
		},
		GraphError: func(w http.ResponseWriter, _ *http.Request, status int, f *fault.Error) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]any{"extensions": map[string]any{"code": f.Kind}}}})
		},
		Localize: func(ctx context.Context, accept, personal string) context.Context {
			return context.WithValue(ctx, languageKey{}, accept+"/"+personal)
		},
		Origins: []string{"https://partner.example"}, Log: slog.New(slog.NewTextHandler(&log, nil)), Registerer: reg,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")},
		MaxBody:        1000, Rate: limit.Rate{Capacity: 1000, PerSecond: 1000},
	}
	if change != nil {
		change(&c)
	}
	a := New(c)
	s := httptest.NewServer(a)
	t.Cleanup(func() { s.Close(); s.Client().CloseIdleConnections() })
	return s, a, &log
}

type reply struct {
	*http.Response
	body string
	m    map[string]any
}

func call(t *testing.T, s *httptest.Server, method, path, body string, header ...string) reply {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	resp, err := s.Client().Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	r := reply{resp, string(b), nil}
	_ = json.Unmarshal(b, &r.m)
	return r
}

func TestAuthenticationAndLanguage(t *testing.T) {
	s, _, log := newAPI(t, nil)
	r := call(t, s, "POST", "/graphql", "x", "Authorization", "Bearer good", "Accept-Language", "de")
	if r.StatusCode != 200 || r.m["tenant"] != "acme" || r.m["language"] != "de/ar" || r.m["body"] != "x" {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if !strings.Contains(log.String(), "actor_kind=user") || strings.Contains(log.String(), "good") {
		t.Errorf("log %s", log)
	}
	if r = call(t, s, "POST", "/graphql", ""); r.StatusCode != 200 || r.m["tenant"] != nil {
		t.Errorf("without a credential: %d %s", r.StatusCode, r.body)
	}
	for _, h := range []string{"Bearer bad", "Basic eDp5", "x"} {
		r = call(t, s, "POST", "/graphql", "", "Authorization", h)
		if r.StatusCode != 401 || !strings.Contains(r.body, `"UNAUTHENTICATED"`) || !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%s: %d %s", h, r.StatusCode, r.body)
		}
	}
	if r = call(t, s, "POST", "/graphql", "", "X-API-Key", "good"); r.StatusCode != 200 || r.m["tenant"] != "acme" {
		t.Errorf("API key: %d %s", r.StatusCode, r.body)
	}
	for _, h := range [][]string{{"X-API-Key", "bad"}, {"X-API-Key", "good", "Authorization", "Bearer good"}} {
		if r = call(t, s, "POST", "/graphql", "", h...); r.StatusCode != 401 || !strings.Contains(r.body, `"UNAUTHENTICATED"`) {
			t.Errorf("%v: %d %s", h, r.StatusCode, r.body)
		}
	}
	if r = call(t, s, "POST", "/graphql", "", "X-API-Key", "unchecked"); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" || r.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("a key that cannot be checked: %d %s", r.StatusCode, r.body)
	}
	if r = call(t, s, "POST", "/oauth/token", "", "Authorization", "Basic eDp5"); r.StatusCode != 200 {
		t.Errorf("the token endpoint has credentials of its own: %d", r.StatusCode)
	}
}

func TestHeaders(t *testing.T) {
	s, _, _ := newAPI(t, func(c *Config) { c.Secure = true })
	for _, p := range []string{"/", "/graphql", "/healthz", "/assets/app-1234.js", "/nope.png"} {
		r := call(t, s, "GET", p, "")
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "strict-origin-when-cross-origin", "Strict-Transport-Security": "max-age=31536000; includeSubDomains"} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s %s: %q", p, name, got)
			}
		}
		if !regexp.MustCompile(`^\d+\.\d{6}$`).MatchString(r.Header.Get("X-Process-Time")) || r.Header.Get("X-Request-Id") == "" ||
			!strings.Contains(r.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %v", p, r.Header)
		}
	}
	s, _, _ = newAPI(t, nil)
	if r := call(t, s, "GET", "/", ""); r.Header.Get("Strict-Transport-Security") != "" {
		t.Error("HSTS without TLS")
	}
}

func TestRequestID(t *testing.T) {
	s, _, _ := newAPI(t, nil)
	if r := call(t, s, "POST", "/graphql", "", "X-Request-Id", "abc-1"); r.m["requestId"] != "abc-1" || r.Header.Get("X-Request-Id") != "abc-1" {
		t.Error(r.body)
	}
	for _, bad := range []string{"a b", strings.Repeat("x", 65), `"`} {
		if r := call(t, s, "POST", "/graphql", "", "X-Request-Id", bad); r.m["requestId"] == bad || r.m["requestId"] == "" {
			t.Errorf("%q: %s", bad, r.body)
		}
	}
}

func TestOtherOrigins(t *testing.T) {
	s, _, _ := newAPI(t, nil)
	r := call(t, s, "OPTIONS", "/graphql", "", "Origin", "https://partner.example", "Access-Control-Request-Method", "POST")
	if r.StatusCode != 204 || r.Header.Get("Access-Control-Allow-Origin") != "https://partner.example" || !strings.Contains(r.Header.Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	if r = call(t, s, "POST", "/graphql", "", "Origin", "https://partner.example"); r.StatusCode != 200 || r.Header.Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	if r = call(t, s, "POST", "/graphql", "", "Origin", s.URL, "Sec-Fetch-Site", "same-origin"); r.StatusCode != 200 {
		t.Errorf("own page: %d", r.StatusCode)
	}
	for _, o := range []string{"https://evil.example", "null", "https://partner.example.evil.example"} {
		r = call(t, s, "POST", "/graphql", "", "Origin", o, "Sec-Fetch-Site", "cross-site")
		if r.StatusCode != 403 || r.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %v", o, r.StatusCode, r.Header)
		}
	}
	if r = call(t, s, "POST", "/graphql", "", "Sec-Fetch-Site", "cross-site"); r.StatusCode != 403 {
		t.Errorf("cross-site without origin: %d", r.StatusCode)
	}
}

func TestBodyLimit(t *testing.T) {
	s, _, _ := newAPI(t, nil)
	if r := call(t, s, "POST", "/graphql", strings.Repeat("x", 1000)); r.StatusCode != 200 {
		t.Error(r.Status)
	}
	if r := call(t, s, "POST", "/graphql", strings.Repeat("x", 1001)); r.StatusCode != 413 {
		t.Error(r.Status)
	}
}

func TestPanic(t *testing.T) {
	s, _, log := newAPI(t, nil)
	r := call(t, s, "POST", "/graphql?panic", "")
	if r.StatusCode != 500 || !strings.Contains(r.body, "INTERNAL") || strings.Contains(r.body, "secret") || !strings.Contains(log.String(), "panic=secret") {
		t.Errorf("%d %s\n%s", r.StatusCode, r.body, log)
	}
}

func TestRateLimit(t *testing.T) {
	s, a, _ := newAPI(t, func(c *Config) { c.Rate = limit.Rate{Capacity: 3, PerSecond: 0.5} })
	now := time.Now()
	a.limiter = limit.NewLimiter(a.c.Rate, func() time.Time { return now })
	for i := range 3 {
		if r := call(t, s, "POST", "/graphql", ""); r.StatusCode != 200 {
			t.Fatalf("%d: %s", i, r.Status)
		}
	}
	r := call(t, s, "POST", "/graphql", "")
	if r.StatusCode != 429 || r.Header.Get("Retry-After") != "2" || !strings.Contains(r.body, "RATE_LIMITED") {
		t.Errorf("%d %v %s", r.StatusCode, r.Header, r.body)
	}
	if r = call(t, s, "POST", "/graphql", "", "Authorization", "Bearer bad"); r.StatusCode != 429 {
		t.Errorf("guessing at tokens goes on: %d", r.StatusCode)
	}
	if r = call(t, s, "POST", "/graphql", "", "Authorization", "Bearer good"); r.StatusCode != 200 {
		t.Errorf("a credential pays for its address: %d", r.StatusCode)
	}
	if r = call(t, s, "POST", "/graphql", "", "X-Forwarded-For", "203.0.113.7"); r.StatusCode != 200 {
		t.Errorf("another client behind the proxy: %d", r.StatusCode)
	}
	for i := range 3 {
		if r = call(t, s, "POST", "/graphql", "", "X-Forwarded-For", fmt.Sprintf("2001:db8::%d", i)); r.StatusCode != 200 {
			t.Errorf("%d: %d", i, r.StatusCode)
		}
	}
	if r = call(t, s, "POST", "/graphql", "", "X-Forwarded-For", "2001:db8::3"); r.StatusCode != 429 {
		t.Errorf("another address of the same IPv6 network: %d", r.StatusCode)
	}
	if r = call(t, s, "GET", "/healthz", ""); r.StatusCode != 200 {
		t.Errorf("probe: %d", r.StatusCode)
	}
	now = now.Add(2 * time.Second)
	if r = call(t, s, "POST", "/graphql", ""); r.StatusCode != 200 {
		t.Errorf("later: %d", r.StatusCode)
	}
}

func TestRemote(t *testing.T) {
	a := New(Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	for _, c := range []struct{ conn, forwarded, want string }{
		{"203.0.113.1:1", "", "203.0.113.1"},
		{"203.0.113.1:1", "198.51.100.1", "203.0.113.1"}, // not a proxy of ours
		{"10.0.0.1:1", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:1", "192.0.2.66, 198.51.100.1, 10.0.0.2", "198.51.100.1"}, // the first is what the client claimed
		{"10.0.0.1:1", "junk", "10.0.0.1"},
		{"[::ffff:203.0.113.1]:1", "", "203.0.113.1"},
		{"[2001:db8::1]:1", "", "2001:db8::1"},
	} {
		r := &http.Request{RemoteAddr: c.conn, Header: http.Header{}}
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := a.Remote(r); got != c.want {
			t.Errorf("%s, %q: %s, want %s", c.conn, c.forwarded, got, c.want)
		}
	}
}

func TestCookie(t *testing.T) {
	for _, secure := range []bool{false, true} {
		s, _, _ := newAPI(t, func(c *Config) { c.Secure = secure })
		r := call(t, s, "POST", "/graphql?cookie=tok", "")
		c := r.Cookies()
		if len(c) != 1 || c[0].Value != "tok" || !c[0].HttpOnly || c[0].SameSite != http.SameSiteStrictMode || c[0].Path != "/graphql" || c[0].Secure != secure || c[0].MaxAge != 3600 {
			t.Errorf("%+v", c)
		}
		if r = call(t, s, "POST", "/graphql", "", "Cookie", "foresight_refresh=mine"); r.m["cookie"] != "mine" {
			t.Error(r.body)
		}
		if r = call(t, s, "POST", "/graphql?cookie=-", "", "Cookie", "foresight_refresh=mine"); len(r.Cookies()) != 1 || r.Cookies()[0].MaxAge != -1 {
			t.Errorf("%+v", r.Cookies())
		}
	}
	if SetRefreshCookie(t.Context(), "x", 0) || RefreshCookie(t.Context()) != "" {
		t.Error("a cookie without a request")
	}
}

func TestHealth(t *testing.T) {
	bad := errors.New("dial tcp 10.1.2.3: secret")
	var db, cache error
	s, a, _ := newAPI(t, func(c *Config) {
		c.Vitals = vitals.New([]vitals.Dependency{
			{Name: "postgres", Needed: true, Probe: func(context.Context) error { return db }},
			{Name: "models", Affects: []vitals.Function{vitals.Predictions}, Probe: func(context.Context) error { return cache }},
		}, nil, slog.New(slog.DiscardHandler))
	})
	for _, c := range []struct {
		db, cache error
		code      int
		status    string
	}{{nil, nil, 200, "up"}, {nil, bad, 200, "degraded"}, {bad, nil, 503, "down"}, {bad, bad, 503, "down"}} {
		db, cache = c.db, c.cache
		r := call(t, s, "GET", "/readyz", "")
		if r.StatusCode != c.code || r.m["status"] != c.status || strings.Contains(r.body, "secret") || !strings.Contains(r.body, "latencyMs") {
			t.Errorf("%v %v: %d %s", c.db, c.cache, r.StatusCode, r.body)
		}
		if told := strings.Contains(r.body, `"reason":"unreachable"`); told != (c.db != nil || c.cache != nil) || strings.Contains(r.body, `"affects":["predictions"]`) != (c.cache != nil) {
			t.Errorf("%v %v: %s", c.db, c.cache, r.body)
		}
		if r = call(t, s, "GET", "/healthz", ""); r.StatusCode != 200 {
			t.Error(r.Status)
		}
	}
	db, cache = nil, nil
	a.draining.Store(true)
	if r := call(t, s, "GET", "/readyz", ""); r.StatusCode != 503 || r.m["status"] != "draining" {
		t.Error(r.body)
	}
}

func TestDocumentsAndMetrics(t *testing.T) {
	s, _, _ := newAPI(t, nil)
	call(t, s, "POST", "/graphql", "")
	for path, want := range map[string]string{"/schema.graphql": "type Query", "/.well-known/jwks.json": `"keys"`,
		"/metrics": `foresight_http_request_duration_seconds_count{method="POST",route="/graphql",status="200"} 1`} {
		if r := call(t, s, "GET", path, ""); r.StatusCode != 200 || !strings.Contains(r.body, want) {
			t.Errorf("%s: %d %.2000s", path, r.StatusCode, r.body)
		}
	}
	r := call(t, s, "GET", "/.well-known/jwks.json", "")
	if r.Header.Get("Cache-Control") != "public, max-age=300" || r.Header.Get("ETag") == "" || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("keys may not be kept: %v", r.Header)
	}
	if again := call(t, s, "GET", "/.well-known/jwks.json", "", "If-None-Match", r.Header.Get("ETag")); again.StatusCode != 304 || again.body != "" {
		t.Errorf("keys that have not changed: %d %s", again.StatusCode, again.body)
	}
}

func TestWebApplication(t *testing.T) {
	s, _, _ := newAPI(t, nil)
	nonce := regexp.MustCompile(`nonce="([^"]+)"`)
	seen := map[string]bool{}
	for _, p := range []string{"/", "/index.html", "/assets", "/assets/new", "/assets/01a1ffa6-8fa9-8008-bb82-8a96965cdb73", "/alarms/rules", "/assets-of/x"} {
		r := call(t, s, "GET", p, "")
		m := nonce.FindAllStringSubmatch(r.body, -1)
		if r.StatusCode != 200 || len(m) != 2 || m[0][1] != m[1][1] || seen[m[0][1]] || r.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s: %d %v %s", p, r.StatusCode, r.Header, r.body)
		}
		seen[m[0][1]] = true
		csp := r.Header.Get("Content-Security-Policy")
		if strings.Count(csp, "'nonce-"+m[0][1]+"'") != 2 || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: %s", p, csp)
		}
	}
	r := call(t, s, "GET", "/assets/app-1234.js", "", "Accept-Encoding", "gzip")
	if r.Header.Get("Content-Encoding") != "gzip" || len(r.body) > 1000 || !strings.Contains(r.Header.Get("Cache-Control"), "immutable") || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/javascript") {
		t.Errorf("%v, %d bytes", r.Header, len(r.body))
	}
	if r = call(t, s, "GET", "/favicon.svg", ""); r.body != "<svg/>" || strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("%v %s", r.Header, r.body)
	}
	for _, p := range []string{"/assets/old.js", "/nope.png", "/../../etc/passwd.txt", "/assets/..%2f..%2fx.js"} {
		if r = call(t, s, "GET", p, ""); r.StatusCode != 404 {
			t.Errorf("%s: %d", p, r.StatusCode)
		}
	}
	if r = call(t, s, "POST", "/alarms", ""); r.StatusCode != 405 {
		t.Error(r.Status)
	}
	for _, web := range []fstest.MapFS{nil, {}} {
		s, _, _ = newAPI(t, func(c *Config) {
			if c.Web = nil; web != nil {
				c.Web = web
			}
		})
		if r = call(t, s, "GET", "/", ""); r.StatusCode != 503 || !strings.Contains(r.body, "not part of this build") {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
	}
}

func TestServer(t *testing.T) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	begun, finish := make(chan struct{}), make(chan struct{})
	api := New(Config{Token: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { close(begun); <-finish; _, _ = w.Write([]byte("done")) })})
	drained := false
	s := NewServer("127.0.0.1:0", api, log, func(context.Context) error { drained = true; close(finish); return nil })
	s.http.ReadHeaderTimeout = testkit.Patience // the client may stand still between its connection and its request
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	addr := s.Addr().String()
	err := NewServer(addr, api, log).Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), addr) || !strings.Contains(err.Error(), "FORESIGHT_HTTP_ADDR") || !strings.Contains(err.Error(), "in use") {
		t.Errorf("taken address: %v", err)
	}
	got := make(chan string, 1)
	client := &http.Client{Transport: &http.Transport{}}
	go func() {
		resp, err := client.Post("http://"+addr+"/oauth/token", "", nil)
		if err != nil {
			got <- err.Error()
			return
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		got <- string(b)
	}()
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Stop(ctx); err != nil || !drained {
		t.Errorf("%v, drained %v", err, drained)
	}
	if g := <-got; g != "done" {
		t.Errorf("a running request was cut: %s", g)
	}
	client.CloseIdleConnections()
}

// The real service fits.
var _ Authenticator = (*auth.Service)(nil)
