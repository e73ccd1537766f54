package graph_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"foresight/graph"
	"foresight/graph/limits"
)

// server is another server on the same services, and a way to ask it: the status and
// body of the answer to a body of JSON.
func (r *rig) server(change func(*graph.Options)) func(actor, body string) (int, string) {
	r.Helper()
	o := r.options
	change(&o)
	g := graph.NewServer(o)
	s := httptest.NewServer(r.door(g))
	r.Cleanup(func() {
		r.ok(g.Shutdown(r.Context()))
		s.Close()
	})
	return func(actor, body string) (int, string) {
		r.Helper()
		q, err := http.NewRequestWithContext(r.Context(), "POST", s.URL, strings.NewReader(body))
		r.ok(err)
		q.Header.Set("Content-Type", "application/json")
		q.Header.Set("Accept", "application/graphql-response+json")
		q.Header.Set("Authorization", actor)
		a, err := http.DefaultClient.Do(q)
		r.ok(err)
		defer a.Body.Close()
		b, err := io.ReadAll(a.Body)
		r.ok(err)
		return a.StatusCode, string(b)
	}
}

// In production the schema is read by permission, and the documents are those that
// the operator trusts.
func TestProduction(t *testing.T) {
	r := newRig(t)
	ask := r.server(func(o *graph.Options) { o.Introspection = false })
	const introspection = `{"query":"{ __schema { queryType { name } } }"}`
	if status, body := ask("acme/viewer", introspection); status != 200 || !strings.Contains(body, `"queryType":{"name":"Query"}`) {
		t.Errorf("a viewer: %d %s", status, body)
	}
	if status, body := ask("", introspection); status != 403 || !strings.Contains(body, "FORBIDDEN") || strings.Contains(body, "queryType") {
		t.Errorf("nobody: %d %s", status, body)
	}
	if status, body := ask("", `{"query":"{ __typename me { __typename } }"}`); status != 200 {
		t.Errorf("the name of a type: %d %s", status, body)
	}

	const trusted = "query Me { me { role } }"
	hash := func(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }
	ask = r.server(func(o *graph.Options) { o.Documents = limits.Documents{hash(trusted): trusted} })
	byHash := func(of string) string {
		return fmt.Sprintf(`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"%s"}}}`, hash(of))
	}
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"by hash": {byHash(trusted), 200}, "by text": {`{"query":"` + trusted + `"}`, 200},
		"another": {`{"query":"query Me { me { __typename } }"}`, 403}, "another hash": {byHash("{ me { role } }"), 403},
		// What would register a persisted query registers nothing.
		"registering": {`{"query":"{ me { role } }",` + byHash("{ me { role } }")[1:], 403},
	} {
		status, body := ask("acme/viewer", c.body)
		if status != c.status || (status == 200) != strings.Contains(body, `"role":"VIEWER"`) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if status, _ := ask("acme/viewer", byHash("{ me { role } }")); status != 403 {
		t.Errorf("a document was registered: %d", status)
	}
}
