package transport_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

type answer struct {
	Data   map[string]any
	Errors []struct {
		Message    string
		Extensions map[string]any
	}
	raw  string
	code string // of the first error
}

func (r *rig) do(t *testing.T, method, accept, contentType, query, body string) (*http.Response, answer) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, r.URL+"/graphql"+query, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if accept != "" {
		q.Header.Set("Accept", accept)
	}
	if contentType != "" {
		q.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(b, &a); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	a.raw = string(b)
	if len(a.Errors) > 0 {
		a.code, _ = a.Errors[0].Extensions["code"].(string)
	}
	return resp, a
}

const (
	jsonType    = "application/json"
	graphqlType = "application/graphql-response+json"
)

func TestHTTP(t *testing.T) {
	r := newRig(t)
	get := func(q string) string { return "?query=" + url.QueryEscape(q) }
	for _, c := range []struct {
		name, method, accept, contentType, query, body string
		status                                         int
		typ, code                                      string
		data                                           bool // there is an entry data
	}{
		{"post", "POST", "", jsonType, "", `{"query":"{hello}"}`, 200, jsonType, "", true},
		{"post graphql", "POST", graphqlType, jsonType, "", `{"query":"{hello}"}`, 200, graphqlType, "", true},
		{"charset", "POST", "", "application/json; charset=UTF-8", "", `{"query":"{hello}"}`, 200, jsonType, "", true},
		{"other charset", "POST", "", "application/json; charset=latin1", "", `{"query":"{hello}"}`, 415, jsonType, "BAD_USER_INPUT", false},
		{"form", "POST", "", "application/x-www-form-urlencoded", "", `query={hello}`, 415, jsonType, "BAD_USER_INPUT", false},
		{"plain text", "POST", "", "text/plain", "", `{"query":"{hello}"}`, 415, jsonType, "BAD_USER_INPUT", false},
		{"no type", "POST", "", "", "", `{"query":"{hello}"}`, 415, jsonType, "BAD_USER_INPUT", false},
		{"get", "GET", "", "", get("{hello}"), "", 200, jsonType, "", true},
		{"get with variables", "GET", "", "", get("query($t:String!){echo(text:$t)}") + `&variables={"t":"x"}`, "", 200, jsonType, "", true},
		{"get with bad variables", "GET", "", "", get("{hello}") + `&variables=[1]`, "", 400, jsonType, "BAD_USER_INPUT", false},
		{"get mutation", "GET", "", "", get("mutation{add(n:1)}"), "", 405, jsonType, "BAD_USER_INPUT", false},
		{"other method", "PUT", "", jsonType, "", `{"query":"{hello}"}`, 405, jsonType, "BAD_USER_INPUT", false},
		{"not JSON", "POST", "", jsonType, "", `{`, 400, jsonType, "BAD_USER_INPUT", false},
		{"batch", "POST", "", jsonType, "", `[{"query":"{hello}"}]`, 400, jsonType, "BAD_USER_INPUT", false},
		{"two values", "POST", "", jsonType, "", `{"query":"{hello}"} {}`, 400, jsonType, "BAD_USER_INPUT", false},
		{"not UTF-8", "POST", "", jsonType, "", "{\"query\":\"{hello #\xff}\"}", 400, jsonType, "BAD_USER_INPUT", false},
		{"no query", "POST", "", jsonType, "", `{}`, 400, jsonType, "BAD_USER_INPUT", false},
		{"too large", "POST", "", jsonType, "", `{"query":"{hello}","x":"` + strings.Repeat("x", 1<<20) + `"}`, 413, jsonType, "BAD_USER_INPUT", false},
		{"syntax", "POST", jsonType, jsonType, "", `{"query":"{"}`, 200, jsonType, "BAD_USER_INPUT", false},
		{"syntax graphql", "POST", graphqlType, jsonType, "", `{"query":"{"}`, 400, graphqlType, "BAD_USER_INPUT", false},
		{"too dear", "POST", graphqlType, jsonType, "", `{"query":"{items(first:100){nodes{children(first:100){nodes{name}}}}}"}`, 400, graphqlType, "COMPLEXITY_LIMIT", false},
		{"subscription", "POST", graphqlType, jsonType, "", `{"query":"subscription{silent}"}`, 400, graphqlType, "BAD_USER_INPUT", false},
		{"failing field", "POST", graphqlType, jsonType, "", `{"query":"{hello fail(how:\"plain\")}"}`, 200, graphqlType, "INTERNAL", true},
		{"panic", "POST", graphqlType, jsonType, "", `{"query":"{fail(how:\"panic\")}"}`, 200, graphqlType, "INTERNAL", true},
		{"nothing acceptable", "POST", "text/html", jsonType, "", `{"query":"{hello}"}`, 406, jsonType, "BAD_USER_INPUT", false},
		{"weights", "POST", "application/json;q=0.5, application/graphql-response+json", jsonType, "", `{"query":"{hello}"}`, 200, graphqlType, "", true},
		{"refused by weight", "POST", "*/*, application/json;q=0", jsonType, "", `{"query":"{hello}"}`, 200, graphqlType, "", true},
		{"what urql accepts", "POST", "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed", jsonType, "", `{"query":"{hello}"}`, 200, jsonType, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp, a := r.do(t, c.method, c.accept, c.contentType, c.query, c.body)
			typ, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
			if resp.StatusCode != c.status || typ != c.typ || a.code != c.code {
				t.Errorf("%d %s %q, want %d %s %q: %s", resp.StatusCode, typ, a.code, c.status, c.typ, c.code, a.raw)
			}
			if strings.Contains(a.raw, `"data"`) != c.data {
				t.Errorf("data %v, want %v: %s", !c.data, c.data, a.raw)
			}
			if resp.Header.Get("Cache-Control") != "no-store" || !strings.Contains(resp.Header.Get("Vary"), "Accept") {
				t.Errorf("headers %v", resp.Header)
			}
			if strings.Contains(a.raw, "hunter2") {
				t.Errorf("tells a secret: %s", a.raw)
			}
		})
	}
	if n := r.resolver.Added.Load(); n != 0 {
		t.Errorf("a GET mutated: %d", n)
	}
}
