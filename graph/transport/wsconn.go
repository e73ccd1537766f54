package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"
)

// errGone ends a connection whose client can no longer be reached: no frame tells it so.
var errGone = errors.New("client unreachable")

// message is a message of the protocol.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// conn is one connection. While nothing happens it has one goroutine, its reader;
// writers, operations and pings have one while they are at work.
type conn struct {
	t      *WebSocket
	ws     *websocket.Conn
	wire   *wire
	exec   graphql.GraphExecutor
	header http.Header
	ctx    context.Context // ends with the connection; its cause says why
	cancel context.CancelCauseFunc
	box    outbox
	heard  atomic.Bool // something came from the client since the last ping
	torn   atomic.Bool // a frame was not written to its end: no other may follow
	beat   *time.Timer // pings

	running sync.WaitGroup // operations, until nothing of them is left
	mu      sync.Mutex
	// operations holds what the client may complete; live counts also those that
	// were completed and have not returned.
	operations map[string]*operation
	live       int

	opCtx  context.Context // of operations; set by connection_init, used by the reader only
	unbind func()
}

// serve reads until the connection ends, and ends it.
func (c *conn) serve(release func()) {
	defer release()
	ended := make(chan struct{})
	context.AfterFunc(c.ctx, func() { defer close(ended); c.end() })
	c.cancel(c.read())
	<-ended
	c.running.Wait()
	if c.unbind != nil {
		c.unbind()
	}
}

// end closes the connection when its context has ended. What waits to be written goes
// first, unless the client is the one that does not keep up. The close frame is sent
// before anything else of the connection is touched: the library ends it at once when
// a read is cancelled.
func (c *conn) end() {
	c.beat.Stop()
	e := c.t.endFor(context.Cause(c.ctx))
	slow := e != nil && e.Code == CodeTooSlow
	if !slow { // who is slow has its time to take the frame that is being written, and be told
		c.wire.hurry(lastWords)
	}
	c.box.close(e == nil || slow)
	if e == nil || c.torn.Load() {
		c.t.closed.WithLabelValues("0").Inc()
		_ = c.ws.CloseNow() // the client closed it, or cannot be told
		return
	}
	c.wire.hurry(lastWords)
	c.t.end(c.ws, e)
}

// lastWords bounds the time to write what waits when a connection ends, and then that
// for its close frame.
const lastWords = time.Second

// read handles messages until one of them, or the client, ends the connection.
func (c *conn) read() error {
	late := time.AfterFunc(c.t.c.InitTimeout, func() {
		c.cancel(closing(CodeInitTimeout, "Connection initialisation timeout"))
	})
	defer late.Stop()
	ctx := context.WithoutCancel(c.ctx)
	for {
		typ, b, err := c.ws.Read(ctx)
		if c.ctx.Err() != nil {
			return nil // ending already; the cause is known
		}
		c.heard.Store(true)
		if err != nil {
			return fmt.Errorf("%w: %w", errGone, err)
		}
		start := graphql.Now()
		if typ != websocket.MessageText {
			return closing(CodeInvalidMessage, "Invalid message")
		}
		if err := c.handle(b, late, start); err != nil {
			return err
		}
	}
}

// handle does what a message of the client asks for; an error ends the connection.
func (c *conn) handle(b []byte, late *time.Timer, start time.Time) error {
	var m message
	if json.Unmarshal(b, &m) != nil {
		return closing(CodeInvalidMessage, "Invalid message")
	}
	switch m.Type {
	case "connection_init":
		return c.init(m.Payload, late)
	case "ping":
		return c.send(message{Type: "pong", Payload: m.Payload})
	case "pong":
		return nil
	case "subscribe":
		if c.opCtx == nil {
			return closing(CodeUnauthorized, "Unauthorized")
		}
		return c.subscribe(&m, start)
	case "complete":
		if m.ID == "" {
			return closing(CodeInvalidMessage, "Invalid message: complete without id")
		}
		c.complete(m.ID)
		return nil
	}
	return closing(CodeInvalidMessage, "Invalid message: unknown type")
}

func (c *conn) init(payload json.RawMessage, late *time.Timer) error {
	if c.opCtx != nil {
		return closing(CodeTooManyInits, "Too many initialisation requests")
	}
	var p map[string]any
	if err := decodeObject(payload, &p); err != nil {
		return closing(CodeInvalidMessage, "Invalid message: payload is no object")
	}
	given, err := credential(p, c.header)
	var s *Session
	if err == nil {
		s, err = c.t.c.Authenticate(c.withLanguage(p), given)
	}
	if err != nil {
		e := closeFor(err)
		if e.Code == CodeInternal {
			c.t.c.Log.ErrorContext(c.ctx, "websocket: authentication failed", "error", err)
		}
		return e
	}
	if s == nil {
		return closing(CodeForbidden, "Forbidden")
	}
	c.unbind = s.watch(c.ctx, func(reason string) { c.cancel(closing(CodeForbidden, reason)) })
	if !late.Stop() {
		return closing(CodeInitTimeout, "Connection initialisation timeout")
	}
	ack := message{Type: "connection_ack"}
	if s.Ack != nil {
		if ack.Payload, err = json.Marshal(s.Ack); err != nil {
			return err
		}
	}
	if err := c.send(ack); err != nil {
		return err
	}
	c.opCtx = s.Context
	if c.opCtx == nil {
		c.opCtx = c.ctx
	}
	c.opCtx = withEnder(c.opCtx, func(e *CloseError) { c.cancel(e) })
	return nil
}

// send queues a message of the connection itself.
func (c *conn) send(m message) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	c.box.put(c.ctx, frame{b: b}, c.t.c.Queue)
	return nil
}

// ping ends the connection of a client that said nothing since the last ping, and
// sends the next: one of RFC 6455, which every client answers without code of its own.
func (c *conn) ping() {
	if !c.heard.Swap(false) {
		c.cancel(fmt.Errorf("%w: no answer to a ping", errGone))
		return
	}
	if _, err := c.wire.Write([]byte{pingFrame, 0}); err != nil {
		c.cancel(fmt.Errorf("%w: %w", errGone, err))
		return
	}
	if c.ctx.Err() == nil {
		c.beat.Reset(c.t.c.PingInterval)
	}
}
