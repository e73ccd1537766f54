package transport_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"foresight/graph/transport"
)

func (r *rig) stream(t *testing.T, ctx context.Context, token, query string) *http.Response {
	t.Helper()
	b, _ := json.Marshal(map[string]string{"query": query})
	q, err := http.NewRequestWithContext(ctx, "POST", r.URL, strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Accept", "text/event-stream")
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Authorization", token)
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func TestGraphQLSSEClient(t *testing.T) {
	var out struct{ Results map[string]json.RawMessage }
	r := newRig(t)
	node(t, &out, "sse.mjs", r.URL, "all")
	for name, want := range map[string]string{
		"count":    `{"out":[{"count":0},{"count":1},{"count":2},{"count":3}],"complete":true}`,
		"query":    `{"out":[{"hello":"world"}],"complete":true}`,
		"mutation": `{"out":[{"add":2}],"complete":true}`,
		"invalid":  `{"out":[{"errors":["BAD_USER_INPUT"]}],"complete":true}`,
		"refused":  `{"out":[{"errors":["FORBIDDEN"]}],"complete":true}`,
		"broken":   `{"out":[{"errors":["INTERNAL"]}],"complete":true}`,
	} {
		if got := string(out.Results[name]); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	node(t, &out, "sse.mjs", r.URL, "expiry")
	if got := string(out.Results["connections"]); got != "2" {
		t.Errorf("%s connections, want a second one after the token expired", got)
	}
}

func TestStreamFraming(t *testing.T) {
	r := newRig(t)
	resp := r.stream(t, t.Context(), "Bearer good", "subscription{count(to:1)}")
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if want := ":\n\nevent: next\ndata: {\"data\":{\"count\":0}}\n\nevent: complete\ndata:\n\n"; string(b) != want {
		t.Errorf("%q", b)
	}
	if resp.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", resp.Header)
	}
}

func TestStreamEndsWithoutComplete(t *testing.T) {
	for _, c := range []struct {
		name, token, query string
		end                func(t *testing.T, r *rig)
		comment            string
	}{
		{"expired", "Bearer short", "subscription{silent}", nil, ": Token expired\n\n"},
		{"revoked", "Bearer good", "subscription{silent}", func(_ *testing.T, r *rig) { close(r.revoked) }, ": Session revoked\n\n"},
		{"too slow", "Bearer good", "subscription{slow}", nil, ": Client too slow\n\n"},
		{"restart", "Bearer good", "subscription{silent}", func(t *testing.T, r *rig) {
			if err := r.sse.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		}, ": Service restart"},
		{"restart of a query", "Bearer good", "{hang}", func(t *testing.T, r *rig) {
			if err := r.sse.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		}, ": Service restart"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			resp := r.stream(t, t.Context(), c.token, c.query)
			if c.end != nil {
				eventually(t, func() bool { return r.resolver.Running.Load() == 1 })
				c.end(t, r)
			}
			b, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if s := string(b); strings.Contains(s, "complete") || !strings.Contains(s, c.comment) {
				t.Errorf("%q", s)
			}
		})
	}
}

func TestStreamIsRefused(t *testing.T) {
	r := newRig(t)
	resp := r.stream(t, t.Context(), "", "{hello}")
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a credential: %d", resp.StatusCode)
	}
	q, _ := http.NewRequestWithContext(t.Context(), "GET", r.URL+"?query=mutation{add(n:1)}", nil)
	q.Header.Set("Accept", "text/event-stream")
	q.Header.Set("Authorization", "Bearer good")
	get, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	get.Body.Close()
	if get.StatusCode != http.StatusMethodNotAllowed || r.resolver.Added.Load() != 0 {
		t.Errorf("mutation by GET: %d", get.StatusCode)
	}
	if err := r.sse.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if resp := r.stream(t, t.Context(), "Bearer good", "{hello}"); resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("while draining: %d", resp.StatusCode)
	}
}

func TestStreamKeepsAliveAndEndsWithItsClient(t *testing.T) {
	r := newRig(t, func(_ *transport.WebSocketConfig, c *transport.SSEConfig) { c.KeepAlive = 10 * time.Millisecond })
	ctx, cancel := context.WithCancel(t.Context())
	resp := r.stream(t, ctx, "Bearer good", "subscription{silent}")
	lines := bufio.NewScanner(resp.Body)
	for n := 0; n < 3 && lines.Scan(); {
		if lines.Text() == ":" {
			n++
		}
	}
	cancel()
	eventually(t, func() bool { return r.sse.Open() == 0 && r.resolver.Running.Load() == 0 })
}

func TestStreamThatIsNotReadIsCut(t *testing.T) {
	r := newRig(t, func(_ *transport.WebSocketConfig, c *transport.SSEConfig) { c.WriteTimeout = 200 * time.Millisecond })
	r.stream(t, t.Context(), "Bearer good", "subscription{flood(size:1000000)}")
	eventually(t, func() bool { return r.sse.Open() == 0 && r.resolver.Running.Load() == 0 })
}
