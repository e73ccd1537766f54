package transport

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"foresight/graph/share"
	"foresight/internal/fault"
)

// maxID bounds the length of an operation's id in bytes; clients use 36.
const maxID = 256

// subscribe starts the operation of the message.
func (c *conn) subscribe(m *message, start time.Time) error {
	if m.ID == "" || len(m.ID) > maxID {
		return closing(CodeInvalidMessage, "Invalid message: subscribe without a proper id")
	}
	params, err := decodeParams(m.Payload)
	if err != nil || params.Query == "" && len(params.Extensions) == 0 {
		return closing(CodeInvalidMessage, "Invalid message: payload of subscribe")
	}
	params.Headers = c.header
	params.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}

	ctx, cancel := context.WithCancel(c.opCtx)
	op := &operation{id: m.ID, cancel: cancel}
	c.mu.Lock()
	_, taken := c.operations[op.id]
	full := c.live >= c.t.c.MaxOperations
	if !taken && !full {
		if c.operations == nil {
			c.operations = map[string]*operation{}
		}
		c.operations[op.id] = op
		c.live++
	}
	c.mu.Unlock()
	if taken {
		cancel()
		// The id is the client's own text, and a close reason has little room.
		return closing(CodeSubscriberExists, "Subscriber for "+strconv.QuoteToASCII(m.ID[:min(len(m.ID), 40)])+" already exists")
	}
	if full {
		cancel()
		c.fail(&operation{id: m.ID}, c.refuse(ctx, fault.New(fault.RateLimited, "error.graphql.subscriptions").With("Limit", c.t.c.MaxOperations)))
		return nil
	}
	c.t.operations.Inc()
	c.running.Add(1)
	go c.operate(ctx, op, params)
	return nil
}

// left is called when nothing of an operation is left: until then it counts.
func (c *conn) left() {
	c.mu.Lock()
	c.live--
	c.mu.Unlock()
	c.t.operations.Dec()
	c.running.Done()
}

// complete ends an operation at the client's wish; an unknown id has just ended.
func (c *conn) complete(id string) {
	c.mu.Lock()
	op := c.operations[id]
	delete(c.operations, id)
	c.mu.Unlock()
	if op != nil {
		op.over.Store(true)
		op.cancel()
	}
}

// finish frees the id of an operation that has ended by itself. It returns false
// when the client completed it before.
func (c *conn) finish(op *operation) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.operations[op.id] != op {
		return false
	}
	delete(c.operations, op.id)
	return true
}

// operate runs the operation and sends what it yields: `next` for each result and
// `complete`, or one `error` when it was refused before it began. A subscription that
// is shared goes on when this returns, until its context ends.
func (c *conn) operate(ctx context.Context, op *operation, params *graphql.RawParams) {
	leave := c.execute(ctx, op, params)
	if leave == nil {
		op.cancel()
		c.left()
		return
	}
	context.AfterFunc(ctx, func() {
		leave()
		c.left()
	})
}

// execute returns when the operation is over, or how it leaves those whom it shares
// its results with.
func (c *conn) execute(ctx context.Context, op *operation, params *graphql.RawParams) (leave func()) {
	ctx = graphql.StartOperationTrace(ctx)
	if c.t.c.Admit != nil {
		if err := c.t.c.Admit(ctx); err != nil {
			c.failOwn(op, c.refuse(ctx, err))
			return nil
		}
	}
	oc, errs := c.exec.CreateOperationContext(ctx, params)
	ctx = graphql.WithOperationContext(ctx, oc)
	if errs != nil {
		c.failOwn(op, c.exec.DispatchError(ctx, errs).Errors)
		return nil
	}
	op.prefix = nextPrefix(op.id)
	if t := c.t.c.Groups.Ticket(ctx, c.exec, oc); t != nil {
		return c.join(ctx, op, t)
	}
	c.run(ctx, op, oc)
	return nil
}

// join has the operation take part in one that runs already, or begins it.
func (c *conn) join(ctx context.Context, op *operation, t *share.Ticket) (leave func()) {
	op.box, op.frames, op.queue, op.backlog = &c.box, c.t.c.Frames, c.t.c.Queue, c.t.c.Backlog
	op.slow = func() { c.cancel(closing(CodeTooSlow, "Client too slow")) }
	op.ended = func(e share.End) { go c.endShared(op, e) }
	leave, errs := t.Join(ctx, op)
	if errs != nil {
		c.failOwn(op, errs)
	}
	return leave
}

// endShared tells the client how a shared subscription has ended.
func (c *conn) endShared(op *operation, e share.End) {
	defer op.cancel()
	switch e.Reason {
	case share.TooSlow:
		op.slow()
	case share.Failed: // an end would look as if there were nothing more to come
		c.cancel(closing(CodeInternal, "Internal server error"))
	case share.Refused:
		c.failOwn(op, e.Errors)
	case share.Completed:
		c.completeOwn(op)
	}
}

// run runs the operation for this client alone.
func (c *conn) run(ctx context.Context, op *operation, oc *graphql.OperationContext) {
	defer func() {
		if v := recover(); v != nil {
			c.failOwn(op, c.refuse(ctx, oc.Recover(ctx, v)))
		}
	}()
	next, rctx := c.exec.DispatchOperation(ctx, oc)
	for {
		resp := next(rctx)
		if resp == nil || ctx.Err() != nil {
			break
		}
		if resp.Data == nil && len(resp.Errors) > 0 {
			c.failOwn(op, resp.Errors)
			return
		}
		b, err := AppendResponse(make([]byte, 0, len(resp.Data)+64), resp)
		if err != nil {
			c.failOwn(op, c.refuse(ctx, fault.New(fault.Internal, "error.internal").Because(err)))
			return
		}
		if !c.box.put(ctx, frame{op: op, item: &share.Item{Payload: b}}, c.t.c.Queue) {
			break
		}
	}
	c.completeOwn(op)
}

// completeOwn ends the operation with a `complete` message unless the client completed
// it. While the connection closes, it would tell the client that its subscription is
// over and need not be resumed.
func (c *conn) completeOwn(op *operation) {
	if c.ctx.Err() == nil && c.finish(op) {
		b, _ := json.Marshal(message{ID: op.id, Type: "complete"}) // strings only
		c.box.put(c.ctx, frame{op: op, b: b}, c.t.c.Queue)
	}
}

// failOwn ends the operation with an `error` message unless the client completed it.
func (c *conn) failOwn(op *operation, errs gqlerror.List) {
	if c.ctx.Err() == nil && c.finish(op) {
		c.fail(op, errs)
	}
}

func (c *conn) fail(op *operation, errs gqlerror.List) {
	b, err := json.Marshal(errs)
	if err != nil {
		c.cancel(closing(CodeInternal, "Internal server error"))
		return
	}
	b, _ = json.Marshal(message{ID: op.id, Type: "error", Payload: b}) // its parts are JSON
	c.box.put(c.ctx, frame{op: op, b: b}, c.t.c.Queue)
}

// refuse presents an error that came before or instead of a result.
func (c *conn) refuse(ctx context.Context, err error) gqlerror.List {
	return c.exec.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(err)}).Errors
}
