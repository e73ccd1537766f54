package transport_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql/handler"

	"foresight/graph/gqlerr"
	"foresight/graph/internal/testgraph"
	"foresight/graph/limits"
	"foresight/graph/transport"
	"foresight/internal/fault"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// rig is a real server with all transports.
type rig struct {
	*httptest.Server
	resolver *testgraph.Resolver
	ws       *transport.WebSocket
	sse      *transport.SSE

	mu       sync.Mutex
	expiry   time.Duration // of "Bearer short"
	revoked  chan struct{} // of every session
	sessions int           // not yet released
}

func newRig(t *testing.T, change ...func(*transport.WebSocketConfig, *transport.SSEConfig)) *rig {
	t.Helper()
	r := &rig{resolver: &testgraph.Resolver{TooSlow: transport.DisconnectSlow}, revoked: make(chan struct{}), expiry: 300 * time.Millisecond}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	// Nobody is cut, and no comment is sent, because either side stood still for a while.
	wc := transport.WebSocketConfig{Authenticate: r.authenticate, Log: log, Origins: []string{"https://allowed.example"},
		InitTimeout: testkit.Patience, WriteTimeout: testkit.Patience, PingInterval: testkit.Patience}
	sc := transport.SSEConfig{WriteTimeout: testkit.Patience, KeepAlive: testkit.Patience, Session: func(ctx context.Context) (*transport.Session, error) {
		a, _ := ctx.Value(authKey{}).(string)
		if a == "" {
			return nil, fault.New(fault.Unauthenticated, "error.auth.required")
		}
		return r.authenticate(ctx, a)
	}}
	for _, f := range change {
		f(&wc, &sc)
	}
	r.ws, r.sse = transport.NewWebSocket(wc), transport.NewSSE(sc)
	srv := handler.New(testgraph.NewExecutableSchema(testgraph.Config{Resolvers: r.resolver}))
	srv.AddTransport(r.ws)
	srv.AddTransport(r.sse)
	srv.AddTransport(transport.HTTP{})
	srv.SetErrorPresenter(gqlerr.Presenter(log))
	srv.SetRecoverFunc(gqlerr.Recover(log))
	limits.Use(srv, limits.Config{})
	srv.Use(limits.Introspection{Allowed: func(context.Context) bool { return true }})
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		srv.ServeHTTP(w, q.WithContext(context.WithValue(q.Context(), authKey{}, q.Header.Get("Authorization"))))
	}))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
		defer cancel()
		if err := r.ws.Shutdown(ctx); err != nil {
			t.Errorf("WebSocket: %v", err)
		}
		if err := r.sse.Shutdown(ctx); err != nil {
			t.Errorf("SSE: %v", err)
		}
		r.Close()
		http.DefaultClient.CloseIdleConnections()
		// A source hears of the end by its context, a moment after its operation ended.
		eventually(t, func() bool { return r.resolver.Running.Load() == 0 })
		if r.sessions != 0 {
			t.Errorf("%d sessions not released", r.sessions)
		}
	})
	return r
}

type authKey struct{}

func (r *rig) authenticate(_ context.Context, authorization string) (*transport.Session, error) {
	s := &transport.Session{Revoked: r.revoked, Ack: map[string]any{"tenant": "acme"}, Release: func() {
		r.mu.Lock()
		r.sessions--
		r.mu.Unlock()
	}}
	switch authorization {
	case "Bearer good":
		s.ExpiresAt = time.Now().Add(time.Hour)
	case "Bearer short":
		s.ExpiresAt = time.Now().Add(r.expiry)
	case "Bearer later":
		return nil, fault.New(fault.Unavailable, "error.auth.unavailable")
	case "Bearer bug":
		return nil, io.ErrUnexpectedEOF
	default:
		return nil, fault.New(fault.Unauthenticated, "error.auth.token")
	}
	r.mu.Lock()
	r.sessions++
	r.mu.Unlock()
	return s, nil
}

// node runs a script of testdata/js and decodes what it prints.
func node(t *testing.T, out any, script string, args ...string) {
	t.Helper()
	dir := filepath.Join("testdata", "js")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json")); err != nil {
		install := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund")
		install.Dir = dir
		if b, err := install.CombinedOutput(); err != nil {
			t.Fatalf("npm ci: %v\n%s", err, b)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", append([]string{script}, args...)...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", script, err, stdout.String(), stderr.String())
	}
	if err := json.Unmarshal(stdout.Bytes(), out); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, stdout.String())
	}
}

func wsURL(r *rig) string { return "ws" + strings.TrimPrefix(r.URL, "http") }
