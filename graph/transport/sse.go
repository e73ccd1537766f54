package transport

import (
	"bytes"
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"foresight/graph/share"
	"foresight/internal/fault"
)

// SSEConfig are the settings of event streams. Zero values take the defaults in brackets.
type SSEConfig struct {
	MaxBody      int64         // bytes of a request body [DefaultMaxBody]
	MaxStreams   int           // open streams of the process [10000]
	KeepAlive    time.Duration // interval of comments that keep proxies from closing [12s]
	WriteTimeout time.Duration // for one event [10s]
	Backlog      int           // items of a shared subscription waiting to be written [256]
	// Groups are the subscriptions that run once for all who ask for the same; nil:
	// each runs for itself.
	Groups *share.Groups
	Frames *Frames // nil: nothing is told of them
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
	if c.Backlog == 0 {
		c.Backlog = 256
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
	st := &stream{w: w, rc: http.NewResponseController(w), timeout: s.c.WriteTimeout, frames: s.c.Frames}
	h := w.Header()
	h.Set("Content-Type", typeEventStream+"; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	h.Add("Vary", "Accept")
	if st.write([]byte(":\n\n")) != nil {
		return
	}
	made := newProducer(cancel, s.c.Frames, s.c.Backlog)
	var producing sync.WaitGroup
	producing.Go(func() { made.run(ctx, oc, exec, errs, s.c.Groups) })
	st.copy(ctx, made, s.c.KeepAlive)
	cancel(nil) // ends the producer, which may wait for an item or for us
	made.box.gaveUp()
	producing.Wait()
}

// producer makes the results of one operation, which wait in box.
type producer struct {
	box    outbox
	op     *operation
	some   chan struct{} // something waits in box
	done   chan struct{} // closed behind the last
	cancel context.CancelCauseFunc
}

func newProducer(cancel context.CancelCauseFunc, frames *Frames, backlog int) *producer {
	p := &producer{some: make(chan struct{}, 1), done: make(chan struct{}), cancel: cancel}
	p.box.wake = func() { p.some <- struct{}{} } // once until the box has been emptied
	p.op = &operation{box: &p.box, frames: frames, queue: 1, backlog: backlog,
		slow: func() { cancel(closing(CodeTooSlow, "Client too slow")) }}
	return p
}

// run ends when the operation or the context does, and closes done unless the client
// is told by the way its stream ends.
func (p *producer) run(ctx context.Context, oc *graphql.OperationContext, exec graphql.GraphExecutor, errs gqlerror.List, groups *share.Groups) {
	if errs != nil {
		p.send(ctx, exec, exec.DispatchError(ctx, errs))
		close(p.done)
		return
	}
	if t := groups.Ticket(ctx, exec, oc); t != nil {
		p.join(ctx, exec, t)
		return
	}
	defer close(p.done)
	defer func() {
		if v := recover(); v != nil {
			p.send(ctx, exec, exec.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(oc.Recover(ctx, v))}))
		}
	}()
	next, rctx := exec.DispatchOperation(ctx, oc)
	for {
		r := next(rctx)
		if r == nil || !p.send(ctx, exec, r) {
			return
		}
	}
}

// join has the stream take part in an operation that runs already, or begins it.
func (p *producer) join(ctx context.Context, exec graphql.GraphExecutor, t *share.Ticket) {
	ended := make(chan share.End, 1)
	p.op.ended = func(e share.End) { ended <- e }
	leave, errs := t.Join(ctx, p.op)
	if leave == nil {
		if errs != nil {
			p.send(ctx, exec, &graphql.Response{Errors: errs})
		}
		close(p.done)
		return
	}
	defer leave()
	select {
	case <-ctx.Done():
	case e := <-ended:
		switch e.Reason {
		case share.TooSlow:
			p.op.slow()
			return
		case share.Failed:
			p.cancel(closing(CodeInternal, "Internal server error"))
			return
		case share.Refused:
			p.send(ctx, exec, &graphql.Response{Errors: e.Errors})
		}
		close(p.done)
	}
}

// send encodes the response and waits until it is next. It returns false when there is
// no use in another.
func (p *producer) send(ctx context.Context, exec graphql.GraphExecutor, r *graphql.Response) bool {
	b, err := AppendResponse(nil, r)
	if err != nil {
		b, _ = AppendResponse(nil, refusal(ctx, exec, fault.New(fault.Internal, "error.internal").Because(err)))
	}
	return p.op.Send(ctx, &share.Item{Payload: b}) && err == nil
}

// stream writes events to one client; it is used by one goroutine.
type stream struct {
	w       http.ResponseWriter
	rc      *http.ResponseController
	timeout time.Duration
	frames  *Frames
	buf     []byte
}

// copy writes events until they end, and then `complete` unless the context ended.
func (s *stream) copy(ctx context.Context, p *producer, keepAlive time.Duration) {
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			s.end(ctx)
			return
		case <-p.some:
			if s.flush(ctx, p) != nil {
				return
			}
		case <-p.done:
			select {
			case <-p.some: // the last of it
				if s.flush(ctx, p) != nil {
					return
				}
			default:
			}
			if ctx.Err() != nil { // which ended the operation, too
				s.end(ctx)
				return
			}
			_ = s.write([]byte("event: complete\ndata:\n\n"))
			return
		case <-tick.C:
			if s.write([]byte(":\n\n")) != nil {
				return
			}
		}
	}
}

// end tells those who read the stream by eye why it ends.
func (s *stream) end(ctx context.Context) {
	if ce, _ := context.Cause(ctx).(*CloseError); ce != nil && ce.Code != websocket.StatusNormalClosure {
		_ = s.write([]byte(": " + ce.Reason + "\n\n"))
	}
}

// flush writes what waits.
func (s *stream) flush(ctx context.Context, p *producer) error {
	var frames [framesAtOnce]frame
	for ctx.Err() == nil {
		waiting := p.box.take(frames[:0], len(frames))
		if len(waiting) == 0 {
			return nil
		}
		begin := time.Now()
		s.buf = s.buf[:0]
		for _, f := range waiting {
			s.buf = appendEvent(s.buf, f.item.Payload)
		}
		if err := s.write(s.buf); err != nil {
			return err
		}
		s.frames.written(ctx, byStream, waiting, begin)
	}
	return nil
}

// appendEvent frames a response; a line end inside the JSON begins another data line.
func appendEvent(b, response []byte) []byte {
	b = append(b, "event: next\n"...)
	for line := range bytes.Lines(response) {
		b = append(append(b, "data: "...), bytes.TrimRight(line, "\r\n")...)
		b = append(b, '\n')
	}
	return append(b, '\n')
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
