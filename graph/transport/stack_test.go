package transport_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/coder/websocket"

	"foresight/graph/gqlerr"
	"foresight/graph/internal/testgraph"
	"foresight/graph/transport"
	"foresight/internal/auth"
	"foresight/internal/fault"
	"foresight/internal/httpapi"
	"foresight/internal/id"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

type oneToken struct{}

func (oneToken) Authenticate(_ context.Context, header string) (*auth.Grant, error) {
	if header != "Bearer good" {
		return nil, fault.New(fault.Unauthenticated, "error.auth.token")
	}
	return &auth.Grant{Actor: &tenancy.Actor{Kind: tenancy.Person, ID: id.New(id.User), TenantID: id.New(id.Tenant)}, ExpiresAt: time.Now().Add(time.Hour)}, nil
}

// TestBehindTheHTTPDoor runs all transports behind the product's middleware and
// server: hijacking, flushing and draining must reach through.
func TestBehindTheHTTPDoor(t *testing.T) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	gate := oneToken{}
	ws := transport.NewWebSocket(transport.WebSocketConfig{Log: log, InitTimeout: testkit.Patience, WriteTimeout: testkit.Patience, Authenticate: func(ctx context.Context, authorization string) (*transport.Session, error) {
		g, err := gate.Authenticate(ctx, authorization)
		if err != nil {
			return nil, err
		}
		return &transport.Session{Context: tenancy.With(ctx, g.Actor), ExpiresAt: g.ExpiresAt}, nil
	}})
	sse := transport.NewSSE(transport.SSEConfig{Session: func(ctx context.Context) (*transport.Session, error) {
		g := httpapi.GrantFrom(ctx)
		if g == nil {
			return nil, fault.New(fault.Unauthenticated, "error.auth.required")
		}
		return &transport.Session{ExpiresAt: g.ExpiresAt}, nil
	}})
	present := gqlerr.Presenter(log)
	srv := handler.New(testgraph.NewExecutableSchema(testgraph.Config{Resolvers: &testgraph.Resolver{}}))
	srv.AddTransport(ws)
	srv.AddTransport(sse)
	srv.AddTransport(transport.HTTP{})
	srv.SetErrorPresenter(present)
	srv.SetRecoverFunc(gqlerr.Recover(log))
	api := httpapi.New(httpapi.Config{Graph: srv, Auth: gate, Log: log,
		GraphError: func(w http.ResponseWriter, r *http.Request, status int, f *fault.Error) {
			transport.Refuse(w, r, status, f, present)
		}})
	server := httpapi.NewServer("127.0.0.1:0", api, log, ws.Shutdown, sse.Shutdown)
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	url := "http://" + server.Addr().String() + "/graphql"
	post := func(token, accept, query string) *http.Response {
		t.Helper()
		q, err := http.NewRequestWithContext(t.Context(), "POST", url, strings.NewReader(`{"query":"`+query+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Content-Type", "application/json")
		q.Header.Set("Accept", accept)
		q.Header.Set("Authorization", token)
		resp, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}

	resp := post("Bearer bad", graphqlType, "{hello}")
	b, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 401 || !strings.HasPrefix(resp.Header.Get("Content-Type"), graphqlType) ||
		!strings.Contains(string(b), `"code":"UNAUTHENTICATED"`) || !strings.Contains(string(b), resp.Header.Get("X-Request-Id")) || strings.Contains(string(b), `"data"`) {
		t.Errorf("bad token: %d %v %s", resp.StatusCode, resp.Header, b)
	}
	if resp = post("Bearer good", jsonType, "{hello}"); resp.StatusCode != 200 {
		t.Errorf("good token: %d", resp.StatusCode)
	}

	stream := post("Bearer good", "text/event-stream", "subscription{silent}")
	events := bufio.NewReader(stream.Body)
	if line, err := events.ReadString('\n'); err != nil || line != ":\n" { // flushed while it runs
		t.Fatalf("%q %v", line, err)
	}
	c, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(url, "http"), &websocket.DialOptions{Subprotocols: []string{transport.Subprotocol}})
	if err != nil {
		t.Fatal(err)
	}
	w := wire{t, c}
	w.send(`{"type":"connection_init","payload":{"authorization":"Bearer good"}}`)
	w.expect(`{"type":"connection_ack"}`)
	w.send(`{"id":"1","type":"subscribe","payload":{"query":"subscription{silent}"}}`)

	stopped := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
		defer cancel()
		stopped <- server.Stop(ctx)
	}()
	if _, code, reason := w.closed(); code != 1012 {
		t.Errorf("%d %s", code, reason)
	}
	if rest, err := io.ReadAll(events); err != nil || !strings.Contains(string(rest), "Service restart") {
		t.Errorf("%q %v", rest, err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
}
