package transport

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/graph/share"
)

// Subprotocol is the one that connections must name.
const Subprotocol = "graphql-transport-ws"

// WebSocketConfig are the settings of connections. Zero values take the defaults in brackets.
type WebSocketConfig struct {
	// Authenticate checks the credential of connection_init's payload, `authorization`
	// ("Bearer …") or `apiKey` ("ApiKey …"); those of the upgrade's headers when there
	// is none, "" when there is neither. Faults of Unauthenticated and Forbidden end the connection with
	// 4403, of Unavailable and RateLimited with 1013, a *CloseError with its own
	// code, anything else with 4500.
	Authenticate func(ctx context.Context, credential string) (*Session, error)
	// Admit is asked before each operation, in its context; an error (such as a
	// fault of kind RateLimited) refuses the operation alone. It may be nil.
	Admit func(ctx context.Context) error
	// Origins are patterns of further origins that browsers may connect from
	// (path.Match on host, or on scheme://host); the server's own host always may.
	Origins []string

	InitTimeout    time.Duration // for connection_init and its check [5s]
	WriteTimeout   time.Duration // for one frame [10s]
	PingInterval   time.Duration // of RFC 6455 pings, each answered within as long [25s]
	MaxMessage     int64         // bytes of a message from the client [256 KiB]
	MaxOperations  int           // running operations of a connection [100]
	MaxConnections int           // of the process [10000]
	Queue          int           // messages waiting to be written, before operations wait [64]
	Backlog        int           // items of one shared subscription waiting to be written [256]

	// Groups are the subscriptions that run once for all who ask for the same; nil:
	// each runs for itself.
	Groups *share.Groups

	Frames     *Frames               // nil: nothing is told of them
	Log        *slog.Logger          // slog.Default() when nil
	Registerer prometheus.Registerer // no metrics when nil
}

// WebSocket answers upgrades with graphql-transport-ws.
type WebSocket struct {
	c WebSocketConfig
	registry
	closed     *prometheus.CounterVec
	operations prometheus.Gauge
}

var _ graphql.Transport = (*WebSocket)(nil)

// NewWebSocket returns the transport; add it before the others. It panics without Authenticate.
func NewWebSocket(c WebSocketConfig) *WebSocket {
	if c.Authenticate == nil {
		panic("transport: a WebSocket without Authenticate")
	}
	for _, d := range []struct {
		v *time.Duration
		d time.Duration
	}{{&c.InitTimeout, 5 * time.Second}, {&c.WriteTimeout, 10 * time.Second}, {&c.PingInterval, 25 * time.Second}} {
		if *d.v == 0 {
			*d.v = d.d
		}
	}
	for _, d := range []struct {
		v *int
		d int
	}{{&c.MaxOperations, 100}, {&c.MaxConnections, 10000}, {&c.Queue, 64}, {&c.Backlog, 256}} {
		if *d.v == 0 {
			*d.v = d.d
		}
	}
	if c.MaxMessage == 0 {
		c.MaxMessage = 256 << 10
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	t := &WebSocket{c: c}
	t.closed = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "foresight_graphql_ws_closed_total", Help: "WebSocket connections that ended, by close code of the server (0: the client ended it).",
	}, []string{"code"})
	t.operations = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "foresight_graphql_ws_operations", Help: "Operations running on WebSocket connections.",
	})
	if c.Registerer != nil {
		c.Registerer.MustRegister(t.closed, t.operations, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "foresight_graphql_ws_connections", Help: "Open WebSocket connections.",
		}, func() float64 { return float64(t.count()) }))
	}
	return t
}

// Supports reports whether the request is an upgrade.
func (*WebSocket) Supports(r *http.Request) bool { return r.Header.Get("Upgrade") != "" }

// Shutdown ends all connections with 1012 and waits until they and their
// operations have ended; later upgrades are refused with 503.
func (t *WebSocket) Shutdown(ctx context.Context) error { return t.shutdown(ctx) }

// Open returns the number of open connections.
func (t *WebSocket) Open() int { return t.count() }

// Do begins to serve one connection and returns when it is open: the goroutine of the
// HTTP request, with all that it holds, is not kept for the life of the connection.
func (t *WebSocket) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	// The context of a request ends when this returns.
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(r.Context()))
	release, ok := t.add(func(e *CloseError) { cancel(e) }, t.c.MaxConnections)
	if !ok {
		cancel(nil)
		w.Header().Set("Retry-After", "5")
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return
	}
	c := &conn{t: t, wire: &wire{timeout: t.c.WriteTimeout}, exec: exec, header: r.Header, ctx: ctx, cancel: cancel}
	c.box.wake = func() { go c.write() }
	var err error
	c.ws, err = websocket.Accept(&hijacker{w, c.wire}, r, &websocket.AcceptOptions{Subprotocols: []string{Subprotocol}, OriginPatterns: t.c.Origins,
		OnPongReceived: func(context.Context, []byte) { c.heard.Store(true) }})
	if err != nil {
		cancel(nil)
		release()
		return // Accept has answered
	}
	if c.ws.Subprotocol() != Subprotocol {
		cancel(nil)
		t.end(c.ws, closing(CodeBadSubprotocol, "Subprotocol not acceptable"))
		release()
		return
	}
	c.ws.SetReadLimit(t.c.MaxMessage)
	c.heard.Store(true)
	// Connections that were opened together are not pinged together.
	c.beat = time.AfterFunc(time.Hour, c.ping)
	c.beat.Reset(t.c.PingInterval/2 + rand.N(t.c.PingInterval/2+1))
	go c.serve(release)
}

// end sends the close frame and waits for the client's; five seconds each at most.
func (t *WebSocket) end(ws *websocket.Conn, e *CloseError) {
	t.closed.WithLabelValues(codeLabel(e.Code)).Inc()
	_ = ws.Close(e.Code, e.Reason) // the client may be gone, which is all the same now
}

func codeLabel(c websocket.StatusCode) string {
	b := [4]byte{}
	for i := 3; i >= 0; i-- {
		b[i] = byte('0' + c%10)
		c /= 10
	}
	return string(b[:])
}

// endFor returns the close frame for the cause that ended a connection, nil when
// the client ended it or is unreachable.
func (t *WebSocket) endFor(cause error) *CloseError {
	var ce *CloseError
	var peer websocket.CloseError
	switch {
	case errors.As(cause, &ce):
		return ce
	case errors.As(cause, &peer), errors.Is(cause, io.EOF), errors.Is(cause, errGone):
		return nil
	case errors.Is(cause, context.Canceled):
		return closing(websocket.StatusGoingAway, "Going away")
	}
	t.c.Log.Debug("websocket ended", "error", cause)
	return closing(CodeInternal, "Internal server error")
}
