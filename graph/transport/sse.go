package transport

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"foresight/internal/fault"
)

// SSEConfig are the settings of event streams. Zero values take the defaults in brackets.
type SSEConfig struct {
	MaxBody      int64         // bytes of a request body [DefaultMaxBody]
	MaxStreams   int           // open streams of the process [10000]
	KeepAlive    time.Duration // interval of comments that keep proxies from closing [12s]
	WriteTimeout time.Duration // for one event [10s]
	// Session returns what bounds the stream of an authenticated request; its
	// Context is ignored. It may be nil.
	Session func(ctx context.Context) (*Session, error)
}

// SSE answers requests that prefer text/event-stream, after graphql-sse in
// distinct connections mode: `next` events, then `complete`. A stream that ends
// early (token expired, restart, client too slow) has no `complete`, which tells
// the client to connect again.
type SSE struct {
	c SSEConfig
	registry
}

var _ graphql.Transport = (*SSE)(nil)

// NewSSE returns the transport; add it before HTTP.
func NewSSE(c SSEConfig) *SSE {
	if c.MaxBody == 0 {
		c.MaxBody = DefaultMaxBody
	}
	if c.MaxStreams == 0 {
		c.MaxStreams = 10000
	}
	if c.KeepAlive == 0 {
		c.KeepAlive = 12 * time.Second
	}
	if c.WriteTimeout == 0 {
		c.WriteTimeout = 10 * time.Second
	}
	return &SSE{c: c}
}

// Supports reports whether an event stream is what the client wants most. Clients
// that name it beside JSON with the same weight get JSON.
func (s *SSE) Supports(r *http.Request) bool {
	return r.Header.Get("Upgrade") == "" && (r.Method == http.MethodPost || r.Method == http.MethodGet) &&
		negotiate(r, typeJSON, typeGraphQL, typeEventStream) == typeEventStream
}

// Shutdown ends all streams and waits for them; later ones are refused with 503.
func (s *SSE) Shutdown(ctx context.Context) error { return s.shutdown(ctx) }

// Open returns the number of open streams.
func (s *SSE) Open() int { return s.count() }

// Do streams the results of one operation.
func (s *SSE) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	fail := func(status int, f *fault.Error) {
		writeResponse(w, typeJSON, status, refusal(r.Context(), exec, f))
	}
	params, p := read(r, s.c.MaxBody)
	if p != nil {
		fail(p.status, p.fault)
		return
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	end := func(e *CloseError) { cancel(e) }
	release, ok := s.add(end, s.c.MaxStreams)
	if !ok {
		w.Header().Set("Retry-After", "5")
		fail(http.StatusServiceUnavailable, fault.New(fault.Unavailable, "error.graphql.draining"))
		return
	}
	defer release()
	if s.c.Session != nil {
		session, err := s.c.Session(ctx)
		if err != nil {
			fail(http.StatusUnauthorized, fault.New(fault.Unauthenticated, "error.auth.required").Because(err))
			return
		}
		defer session.watch(ctx, func(reason string) { end(closing(CodeForbidden, reason)) })()
	}
	ctx = withEnder(ctx, end)

	oc, errs := exec.CreateOperationContext(ctx, params)
	ctx = graphql.WithOperationContext(ctx, oc)
	if errs == nil && r.Method == http.MethodGet && oc.Operation.Operation == ast.Mutation {
		w.Header().Set("Allow", "POST")
		fail(http.StatusMethodNotAllowed, fault.New(fault.BadInput, "error.graphql.getMutation"))
		return
	}
	st := &stream{w: w, rc: http.NewResponseController(w), timeout: s.c.WriteTimeout}
	h := w.Header()
	h.Set("Content-Type", typeEventStream+"; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	h.Add("Vary", "Accept")
	if st.write([]byte(":\n\n")) != nil {
		return
	}
	events := make(chan []byte)
	go func() {
		defer close(events)
		produce(ctx, oc, exec, errs, events)
	}()
	st.copy(ctx, events, s.c.KeepAlive)
	cancel(nil) // ends the producer, which may wait for an item or for us
	for range events {
	}
}

// produce sends the encoded responses until the operation or the context ends.
func produce(ctx context.Context, oc *graphql.OperationContext, exec graphql.GraphExecutor, errs gqlerror.List, out chan<- []byte) {
	send := func(r *graphql.Response) bool {
		b, err := appendResponse(nil, r)
		if err != nil {
			b, _ = appendResponse(nil, refusal(ctx, exec, fault.New(fault.Internal, "error.internal").Because(err)))
		}
		select {
		case out <- b:
			return err == nil
		case <-ctx.Done():
			return false
		}
	}
	defer func() {
		if v := recover(); v != nil {
			send(exec.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(oc.Recover(ctx, v))}))
		}
	}()
	if errs != nil {
		send(exec.DispatchError(ctx, errs))
		return
	}
	next, rctx := exec.DispatchOperation(ctx, oc)
	for {
		r := next(rctx)
		if r == nil || !send(r) {
			return
		}
	}
}

// stream writes events to one client; it is used by one goroutine.
type stream struct {
	w       http.ResponseWriter
	rc      *http.ResponseController
	timeout time.Duration
	buf     []byte
}

// copy writes events until they end, and then `complete` unless the context ended.
func (s *stream) copy(ctx context.Context, events <-chan []byte, keepAlive time.Duration) {
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			var ce *CloseError
			if ce, _ = context.Cause(ctx).(*CloseError); ce != nil && ce.Code != websocket.StatusNormalClosure {
				_ = s.write([]byte(": " + ce.Reason + "\n\n"))
			}
			return
		case b, ok := <-events:
			if !ok {
				if ctx.Err() == nil {
					_ = s.write([]byte("event: complete\ndata:\n\n"))
				}
				return
			}
			if s.write(s.event(b)) != nil {
				return
			}
		case <-tick.C:
			if s.write([]byte(":\n\n")) != nil {
				return
			}
		}
	}
}

// event frames a response; a line end inside the JSON begins another data line.
func (s *stream) event(b []byte) []byte {
	s.buf = append(s.buf[:0], "event: next\n"...)
	for line := range bytes.Lines(b) {
		s.buf = append(append(s.buf, "data: "...), bytes.TrimRight(line, "\r\n")...)
		s.buf = append(s.buf, '\n')
	}
	return append(s.buf, '\n')
}

func (s *stream) write(b []byte) error {
	// The server's own deadline is for whole responses; here it holds for each event.
	if err := s.rc.SetWriteDeadline(time.Now().Add(s.timeout)); err != nil {
		return err
	}
	if _, err := s.w.Write(b); err != nil {
		return err
	}
	return s.rc.Flush()
}
