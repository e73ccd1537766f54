package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// knock sends a request made by hand and returns status and body.
func (i *instance) knock(t testing.TB, method, path string, header map[string]string, body []byte) (int, []byte) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, i.url+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		q.Header.Set(k, v)
	}
	p, err := web.Do(q)
	if err != nil {
		t.Fatalf("%v\n%s", err, i.out)
	}
	defer p.Body.Close()
	b, err := io.ReadAll(p.Body)
	if err != nil {
		t.Fatal(err)
	}
	return p.StatusCode, b
}

// errorCode returns the code of a GraphQL result that is an error, and complains when it is
// not one that a client can read, or tells of the inside.
func errorCode(t testing.TB, body []byte) string {
	t.Helper()
	var a answer
	if err := json.Unmarshal(body, &a); err != nil || len(a.Errors) == 0 {
		t.Errorf("no GraphQL error: %.300s", body)
		return ""
	}
	e := a.Errors[0]
	if e.Message == "" || e.Extensions["requestId"] == nil {
		t.Errorf("an error without message or requestId: %.300s", body)
	}
	body = bytes.ReplaceAll(body, fmt.Append(nil, e.Extensions["requestId"]), nil) // random letters
	for _, inside := range []string{"goroutine", "panic", "pgx", "SQLSTATE", ".go:", "runtime error"} {
		if strings.Contains(string(body), inside) {
			t.Errorf("the answer says %q: %.300s", inside, body)
		}
	}
	return e.Code()
}

// A request that cannot be understood is refused with a status of 4xx; one that is
// well-formed JSON and no good GraphQL gets 200 and its errors, as the draft asks for
// application/json.
func TestBrokenRequests(t *testing.T) {
	i := quiet.get(t)
	bearer := "Bearer " + i.login(t, alpha, "admin")
	typed := map[string]string{"Content-Type": "application/json", "Authorization": bearer}
	ask := func(query string) []byte {
		b, err := json.Marshal(map[string]string{"query": query})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, c := range map[string]struct {
		method, path string
		header       map[string]string
		body         []byte
		status       int
		code         string
	}{
		"no JSON":             {"POST", "/graphql", typed, []byte(`{"query": `), 400, "BAD_USER_INPUT"},
		"an array":            {"POST", "/graphql", typed, []byte(`[{"query":"{me{role}}"}]`), 400, "BAD_USER_INPUT"},
		"no UTF-8":            {"POST", "/graphql", typed, []byte("{\"query\":\"{me{role}}\xff\"}"), 400, "BAD_USER_INPUT"},
		"query is a number":   {"POST", "/graphql", typed, []byte(`{"query": 7}`), 400, "BAD_USER_INPUT"},
		"variables no object": {"POST", "/graphql", typed, []byte(`{"query":"{me{role}}","variables":[1]}`), 400, "BAD_USER_INPUT"},
		"empty":               {"POST", "/graphql", typed, nil, 400, "BAD_USER_INPUT"},
		"a form":              {"POST", "/graphql", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, []byte("query={me{role}}"), 415, "BAD_USER_INPUT"},
		"too large":           {"POST", "/graphql", typed, ask("{ me { role } }" + strings.Repeat(" ", 2<<20)), 413, "BAD_USER_INPUT"},
		"long document":       {"POST", "/graphql", typed, ask("{ me { role } }" + strings.Repeat("#", 200<<10)), 200, "COMPLEXITY_LIMIT"},
		"many tokens":         {"POST", "/graphql", typed, ask("{ me { " + strings.Repeat("role ", 5000) + "} }"), 200, "COMPLEXITY_LIMIT"},
		"very deep":           {"POST", "/graphql", typed, ask(strings.Repeat("{ a ", 1500) + strings.Repeat("}", 1500)), 200, "BAD_USER_INPUT"},
		"deep":                {"POST", "/graphql", typed, ask("{ assets(first: 1) { nodes { " + strings.Repeat("parent { ", 30) + "id" + strings.Repeat(" }", 30) + " } } }"), 200, "COMPLEXITY_LIMIT"},
		"costly":              {"POST", "/graphql", typed, ask("{ assets(first: 100) { nodes { sensors { asset { sensors { asset { sensors { asset { sensors { id } } } } } } } } } }"), 200, "COMPLEXITY_LIMIT"},
		"no GraphQL":          {"POST", "/graphql", typed, ask("SELECT * FROM users"), 200, "BAD_USER_INPUT"},
		"unknown field":       {"POST", "/graphql", typed, ask("{ secrets }"), 200, "BAD_USER_INPUT"},
		"variable missing":    {"POST", "/graphql", typed, ask("query($i: UUID!) { node(id: $i) { id } }"), 200, "BAD_USER_INPUT"},
		"no id":               {"POST", "/graphql", typed, ask(`{ asset(id: "'; DROP TABLE assets; --") { id } }`), 200, "BAD_USER_INPUT"},
		"a foreign cursor":    {"POST", "/graphql", typed, ask(`{ assets(first: 1, after: "bm90aGluZw") { nodes { id } } }`), 200, "BAD_USER_INPUT"},
		"page of a thousand":  {"POST", "/graphql", typed, ask(`{ assets(first: 1000) { nodes { id } } }`), 200, "BAD_USER_INPUT"},
		"page of none":        {"POST", "/graphql", typed, ask(`{ assets(first: -1) { nodes { id } } }`), 200, "BAD_USER_INPUT"},
		"both ends":           {"POST", "/graphql", typed, ask(`{ assets(first: 1, last: 1) { nodes { id } } }`), 200, "BAD_USER_INPUT"},
		"two scopes":          {"POST", "/graphql", typed, ask(`{ latestReadings(scope: {siteId: "` + newID("Site") + `", assetId: "` + newID("Asset") + `"}) { timestamp } }`), 200, ""},
		"GET without query":   {"GET", "/graphql", map[string]string{"Authorization": bearer}, nil, 400, "BAD_USER_INPUT"},
		"GET of a mutation":   {"GET", "/graphql?query=" + url.QueryEscape("mutation { logout(input: {}) { ok } }"), map[string]string{"Authorization": bearer}, nil, 405, "BAD_USER_INPUT"},
		"PUT":                 {"PUT", "/graphql", typed, ask("{ me { role } }"), 405, "BAD_USER_INPUT"},
		"no token":            {"POST", "/graphql", map[string]string{"Content-Type": "application/json", "Authorization": "Bearer"}, ask("{ me { role } }"), 401, "UNAUTHENTICATED"},
		"Basic":               {"POST", "/graphql", map[string]string{"Content-Type": "application/json", "Authorization": "Basic YTpi"}, ask("{ me { role } }"), 401, "UNAUTHENTICATED"},
		"a long token":        {"POST", "/graphql", map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + strings.Repeat("a", 20000)}, ask("{ me { role } }"), 401, "UNAUTHENTICATED"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := i.knock(t, c.method, c.path, c.header, c.body)
			code := errorCode(t, body)
			if status != c.status || c.code != "" && code != c.code {
				t.Errorf("%d %s, want %d %s: %.300s", status, code, c.status, c.code, body)
			}
		})
	}
	i.stillWorks(t)
}

// Random bytes and good requests with bytes changed never bring more than a refusal.
func TestRandomRequests(t *testing.T) {
	i := quiet.get(t)
	g := newGarbage(77)
	bearer := "Bearer " + i.login(t, alpha, "viewer")
	good := []byte(`{"query":"query($f: Int, $s: String) { assets(first: $f, filter: {search: $s}) { nodes { id code site { name } } } }","variables":{"f":3,"s":"pump"}}`)
	count := map[int]int{}
	for range 1500 {
		body := bytes.Clone(good)
		switch g.IntN(4) {
		case 0:
			body = g.bytes(300)
		case 1:
			body = body[:g.IntN(len(body))]
		default:
			for range 1 + g.IntN(4) {
				body[g.IntN(len(body))] = byte(g.Uint32())
			}
		}
		header := map[string]string{"Content-Type": "application/json", "Authorization": bearer}
		if g.IntN(5) == 0 {
			header["Authorization"] = "Bearer " + strings.Map(func(r rune) rune {
				if r < ' ' || r > '~' {
					return '.'
				}
				return r
			}, string(g.bytes(200)))
		}
		status, answer := i.knock(t, "POST", "/graphql", header, body)
		count[status]++
		if status >= 500 || strings.Contains(string(answer), "INTERNAL") {
			t.Errorf("%q: %d %s", body, status, answer)
		}
		if status != http.StatusOK {
			errorCode(t, answer)
		}
	}
	figure("random HTTP requests by status: %v", count)
	i.stillWorks(t)
}

func TestBrokenTokenRequests(t *testing.T) {
	i := quiet.get(t)
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	for name, c := range map[string]struct {
		method string
		header map[string]string
		body   string
		status int
		code   string
	}{
		"nothing":          {"POST", form, "", 400, "invalid_request"},
		"JSON":             {"POST", map[string]string{"Content-Type": "application/json"}, `{"grant_type":"client_credentials"}`, 400, "invalid_request"},
		"GET":              {"GET", form, "", 405, "invalid_request"},
		"another grant":    {"POST", form, "grant_type=password&username=a&password=b", 400, "unsupported_grant_type"},
		"twice":            {"POST", form, "grant_type=client_credentials&grant_type=password", 400, "invalid_request"},
		"no client":        {"POST", form, "grant_type=client_credentials", 401, "invalid_client"},
		"bad percent":      {"POST", form, "grant_type=%zz", 400, "invalid_request"},
		"too large":        {"POST", form, "grant_type=" + strings.Repeat("a", 100<<10), 400, "invalid_request"},
		"no refresh token": {"POST", form, "grant_type=refresh_token", 400, "invalid_request"},
		"a wrong one":      {"POST", form, "grant_type=refresh_token&refresh_token=%00%ff", 400, "invalid_grant"},
		"a wider scope":    {"POST", form, "grant_type=client_credentials&scope=users:write&client_id=" + alpha + "-client&client_secret=" + clientSecret, 400, "invalid_scope"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := i.knock(t, c.method, "/oauth/token", c.header, []byte(c.body))
			var e struct{ Error string }
			if err := json.Unmarshal(body, &e); err != nil || status != c.status || e.Error != c.code {
				t.Errorf("%d %s, want %d %s", status, body, c.status, c.code)
			}
		})
	}
}

func TestBrokenSockets(t *testing.T) {
	i := quiet.get(t)
	init := `{"type":"connection_init","payload":{"authorization":"Bearer ` + i.login(t, alpha, "viewer") + `"}}`
	live := `{"id":"1","type":"subscribe","payload":{"query":"subscription { alarms { seq } }"}}`
	for name, c := range map[string]struct {
		frames []string
		want   websocket.StatusCode
	}{
		"no JSON":                {[]string{"nonsense"}, 4400},
		"no object":              {[]string{"[]"}, 4400},
		"unknown type":           {[]string{init, `{"type":"start"}`}, 4400},
		"no type":                {[]string{init, `{}`}, 4400},
		"a payload of nothing":   {[]string{init, `{"id":"1","type":"subscribe","payload":7}`}, 4400},
		"no id":                  {[]string{init, `{"type":"subscribe","payload":{"query":"{me{role}}"}}`}, 4400},
		"before init":            {[]string{live}, 4401},
		"init twice":             {[]string{init, init}, 4429},
		"an id twice":            {[]string{init, live, live}, 4409},
		"garbage token":          {[]string{`{"type":"connection_init","payload":{"authorization":"Bearer x.y.z"}}`}, 4403},
		"no token":               {[]string{`{"type":"connection_init"}`}, 4403},
		"token is no text":       {[]string{`{"type":"connection_init","payload":{"authorization":{"a":1}}}`}, 4403},
		"init payload no object": {[]string{`{"type":"connection_init","payload":[]}`}, 4400},
		"too large":              {[]string{init, `{"id":"1","type":"ping","payload":{"x":"` + strings.Repeat("y", 1<<20) + `"}}`}, websocket.StatusMessageTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			s := i.dial(t, "")
			for _, f := range c.frames {
				if err := s.ws.Write(t.Context(), websocket.MessageText, []byte(f)); err != nil {
					break // the server has closed already
				}
			}
			if code := s.closed(t); code != c.want {
				t.Errorf("closed with %d, want %d", code, c.want)
			}
		})
	}
	t.Run("bytes that are no frames", func(t *testing.T) {
		g := newGarbage(5)
		for _, address := range []string{strings.TrimPrefix(i.url, "http://"), i.mqtt} {
			for range 50 {
				c, err := net.Dial("tcp", address)
				if err != nil {
					t.Fatal(err)
				}
				if g.IntN(2) == 0 {
					_, _ = fmt.Fprintf(c, "GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
						"Sec-WebSocket-Protocol: graphql-transport-ws\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
				}
				_, _ = c.Write(g.bytes(4000)) // it may be closed already
				if err := c.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, c) // whatever it says
				_ = c.Close()
			}
		}
	})
	i.stillWorks(t)
}
