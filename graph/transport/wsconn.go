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

// frame is a message in the queue; one of an operation is dropped when the client
// has completed it meanwhile, so that its id can be used again.
type frame struct {
	op *operation
	b  []byte
}

// operation is a running operation. It is compared by identity: its id may be
// given to another one as soon as the client completes it.
type operation struct {
	id     string
	cancel context.CancelFunc
	over   atomic.Bool // completed by either side: nothing more is sent
}

// conn is one connection: a reader, a writer, a pinger and its operations.
type conn struct {
	t      *WebSocket
	ws     *websocket.Conn
	exec   graphql.GraphExecutor
	header http.Header
	ctx    context.Context // ends with the connection; its cause says why
	cancel context.CancelCauseFunc
	out    chan frame

	running sync.WaitGroup // operations
	mu      sync.Mutex
	// operations holds what the client may complete; live counts also those that
	// were completed and have not returned.
	operations map[string]*operation
	live       int

	opCtx  context.Context // of operations; set by connection_init, used by the reader only
	unbind func()
}

func (c *conn) serve() {
	var parts sync.WaitGroup
	written := make(chan struct{})
	parts.Go(func() { c.cancel(c.read()) })
	parts.Go(func() { defer close(written); c.write() })
	parts.Go(c.ping)
	<-c.ctx.Done()
	<-written
	// The close frame is sent before anything else of the connection is touched:
	// the library ends it at once when a read is cancelled.
	if e := c.t.endFor(context.Cause(c.ctx)); e != nil {
		c.t.end(c.ws, e)
	} else {
		c.t.closed.WithLabelValues("0").Inc()
		_ = c.ws.CloseNow() // the client closed it
	}
	parts.Wait()
	c.running.Wait()
	if c.unbind != nil {
		c.unbind()
	}
}

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
	c.enqueue(c.ctx, frame{b: b})
	return nil
}

// enqueue waits for room in the queue. It returns false when the context ends first.
func (c *conn) enqueue(ctx context.Context, f frame) bool {
	select {
	case c.out <- f:
		return true
	case <-ctx.Done():
		return false
	}
}

// write is the only writer of messages. Each has WriteTimeout; one that misses it
// leaves a torn frame, so the connection is over.
func (c *conn) write() {
	for {
		select {
		case f := <-c.out:
			if err := c.writeFrame(f, c.t.c.WriteTimeout); err != nil {
				c.cancel(fmt.Errorf("%w: %w", errGone, err))
				return
			}
		case <-c.ctx.Done():
			c.drain()
			return
		}
	}
}

// drain writes what is queued when the connection ends, unless the client is the
// one that does not keep up.
func (c *conn) drain() {
	e := c.t.endFor(context.Cause(c.ctx))
	if e == nil || e.Code == CodeTooSlow {
		return
	}
	until := time.Now().Add(time.Second)
	for {
		select {
		case f := <-c.out:
			if c.writeFrame(f, time.Until(until)) != nil {
				return
			}
		default:
			return
		}
	}
}

func (c *conn) writeFrame(f frame, timeout time.Duration) error {
	if f.op != nil && f.op.over.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), timeout)
	defer cancel()
	return c.ws.Write(ctx, websocket.MessageText, f.b)
}

// ping sends pings of RFC 6455, which every client answers without code of its own.
func (c *conn) ping() {
	tick := time.NewTicker(c.t.c.PingInterval)
	defer tick.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), c.t.c.PingInterval)
		stop := context.AfterFunc(c.ctx, cancel)
		err := c.ws.Ping(ctx)
		stop()
		cancel()
		if err != nil {
			if c.ctx.Err() == nil {
				c.cancel(fmt.Errorf("%w: %w", errGone, err))
			}
			return
		}
	}
}
