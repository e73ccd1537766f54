package transport

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

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
	c.running.Go(func() {
		defer c.t.operations.Dec()
		defer func() { // after the last frame: the operation counts as long as it runs
			c.mu.Lock()
			c.live--
			c.mu.Unlock()
		}()
		c.operate(ctx, op, params)
	})
	return nil
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
// `complete`, or one `error` when it was refused before it began.
func (c *conn) operate(ctx context.Context, op *operation, params *graphql.RawParams) {
	defer op.cancel()
	ctx = graphql.StartOperationTrace(ctx)
	if c.t.c.Admit != nil {
		if err := c.t.c.Admit(ctx); err != nil {
			c.failOwn(op, c.refuse(ctx, err))
			return
		}
	}
	oc, errs := c.exec.CreateOperationContext(ctx, params)
	ctx = graphql.WithOperationContext(ctx, oc)
	if errs != nil {
		c.failOwn(op, c.exec.DispatchError(ctx, errs).Errors)
		return
	}
	defer func() {
		if v := recover(); v != nil {
			c.failOwn(op, c.refuse(ctx, oc.Recover(ctx, v)))
		}
	}()
	next, rctx := c.exec.DispatchOperation(ctx, oc)
	prefix := nextPrefix(op.id)
	for {
		resp := next(rctx)
		if resp == nil || ctx.Err() != nil {
			break
		}
		if resp.Data == nil && len(resp.Errors) > 0 {
			c.failOwn(op, resp.Errors)
			return
		}
		b, err := appendResponse(append(make([]byte, 0, len(prefix)+len(resp.Data)+64), prefix...), resp)
		if err != nil {
			c.failOwn(op, c.refuse(ctx, fault.New(fault.Internal, "error.internal").Because(err)))
			return
		}
		if !c.enqueue(ctx, frame{op, append(b, '}')}) {
			break
		}
	}
	// While the connection closes, a `complete` would tell the client that its
	// subscription is over and need not be resumed.
	if c.ctx.Err() == nil && c.finish(op) {
		b, _ := json.Marshal(message{ID: op.id, Type: "complete"}) // strings only
		c.enqueue(c.ctx, frame{op, b})
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
	c.enqueue(c.ctx, frame{op, b})
}

// refuse presents an error that came before or instead of a result.
func (c *conn) refuse(ctx context.Context, err error) gqlerror.List {
	return c.exec.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(err)}).Errors
}

func nextPrefix(id string) []byte {
	q, _ := json.Marshal(id) // a string
	b := append([]byte(`{"id":`), q...)
	return append(b, `,"type":"next","payload":`...)
}
