package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/coder/websocket"

	"foresight/graph/gqlerr"
	"foresight/graph/internal/testgraph"
	"foresight/graph/limits"
	"foresight/internal/fault"
	"foresight/internal/testkit"
)

// client checks what a connection sends against what was asked of it.
type client struct {
	t *testing.T

	mu         sync.Mutex
	acked      bool
	subscribed map[string]int // by id
	ended      map[string]int // `complete` and `error`, by id
	heard      chan struct{}  // closed when lastID has ended
}

// lastID is of the operation that shows that the connection still answers.
const lastID = "the last one"

func (c *client) take(f frame) {
	if f.op != nil && f.op.over.Load() {
		return // the writer drops it
	}
	if f.item != nil {
		f.b = append(append(bytes.Clone(f.op.prefix), f.item.Payload...), '}')
	}
	var m message
	if err := json.Unmarshal(f.b, &m); err != nil {
		c.t.Errorf("sent %q: %v", f.b, err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	known := m.ID != "" && c.subscribed[m.ID] > 0
	switch m.Type {
	case "connection_ack":
		if c.acked {
			c.t.Error("acknowledged twice")
		}
		c.acked = true
	case "pong":
	case "next":
		var r struct{ Data, Errors json.RawMessage }
		if !known || json.Unmarshal(m.Payload, &r) != nil || r.Data == nil && r.Errors == nil {
			c.t.Errorf("sent %s, subscribed %t", f.b, known)
		}
	case "error", "complete":
		if !known {
			c.t.Errorf("sent %s, which nobody asked for", f.b)
		}
		if c.ended[m.ID]++; c.ended[m.ID] > c.subscribed[m.ID] {
			c.t.Errorf("%q has ended %d times and begun %d times", m.ID, c.ended[m.ID], c.subscribed[m.ID])
		}
		var errs []struct{ Message string }
		if m.Type == "error" && (json.Unmarshal(m.Payload, &errs) != nil || len(errs) == 0 || errs[0].Message == "") {
			c.t.Errorf("sent %s", f.b)
		}
		if m.ID == lastID && c.ended[lastID] == 1 {
			close(c.heard)
		}
	default:
		c.t.Errorf("sent %s", f.b)
	}
	if bytes.Contains(f.b, []byte("hunter2")) {
		c.t.Errorf("a secret is told: %s", f.b)
	}
}

// says notes what the client is about to send.
func (c *client) says(b []byte) {
	var m message
	if json.Unmarshal(b, &m) == nil && m.Type == "subscribe" {
		c.mu.Lock()
		c.subscribed[m.ID]++
		c.mu.Unlock()
	}
}

// FuzzFrames hands a connection any frames, one a line. It must end with one of the
// protocol's codes or go on answering, send only what the protocol allows, and leave
// no operation behind.
func FuzzFrames(f *testing.F) {
	hello := `{"type":"connection_init","payload":{"authorization":"Bearer good"}}`
	for _, tape := range []string{
		hello, hello + "\n" + hello, `{"type":"connection_init","payload":[]}`, `{"type":"connection_init"}`, "", "{", "null", `{"type":1}`,
		`{"type":"ping","payload":{"a":1}}` + "\n" + `{"type":"pong"}`, `{"id":"1","type":"subscribe","payload":{"query":"{hello}"}}`,
		hello + "\n" + `{"id":"1","type":"subscribe","payload":{"query":"{hello}"}}` + "\n" + `{"id":"2","type":"subscribe","payload":{"query":"subscription{count(to:3)}"}}`,
		hello + "\n" + `{"id":"1","type":"subscribe","payload":{"query":"subscription{silent}"}}` + "\n" + `{"id":"1","type":"subscribe","payload":{"query":"{hello}"}}`,
		hello + "\n" + `{"id":"1","type":"subscribe","payload":{"query":"subscription{silent}"}}` + "\n" + `{"id":"1","type":"complete"}` + "\n" + `{"id":"1","type":"subscribe","payload":{"query":"{hello}"}}`,
		hello + "\n" + `{"id":"1","type":"subscribe","payload":{"query":"{fail(how:\"panic\")}"}}` + "\n" + `{"id":"2","type":"subscribe","payload":{"query":"subscription{refused}"}}`,
		hello + "\n" + `{"id":"1","type":"subscribe","payload":{"query":"subscription{broken}"}}` + "\n" + `{"id":"2","type":"subscribe","payload":{"query":"{nothing}"}}`,
		hello + "\n" + `{"id":"","type":"subscribe","payload":{"query":"{hello}"}}`, hello + "\n" + `{"id":"1","type":"subscribe"}`,
		hello + "\n" + `{"id":"\ud800\u0000","type":"subscribe","payload":{"query":"{hello}","variables":{"a":1}}}`, hello + "\n" + `{"type":"complete"}`,
		hello + "\n" + `{"id":"1","type":"complete"}` + "\n" + `{"id":"1","type":"next","payload":{}}`,
	} {
		f.Add([]byte(tape))
	}
	crowd := hello
	for i := range 12 {
		crowd += "\n" + fmt.Sprintf(`{"id":"%d","type":"subscribe","payload":{"query":"subscription{silent}"}}`, i)
	}
	f.Add([]byte(crowd))
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	socket := NewWebSocket(WebSocketConfig{Log: log, MaxOperations: 8, Queue: 4, Authenticate: func(_ context.Context, authorization string) (*Session, error) {
		if authorization != "Bearer good" {
			return nil, fault.New(fault.Unauthenticated, "error.auth.token")
		}
		return &Session{ExpiresAt: time.Now().Add(time.Hour), Ack: map[string]any{"tenant": "acme"}}, nil
	}})
	resolver := &testgraph.Resolver{TooSlow: DisconnectSlow}
	exec := executor.New(testgraph.NewExecutableSchema(testgraph.Config{Resolvers: resolver}))
	exec.SetErrorPresenter(gqlerr.Presenter(log))
	exec.SetRecoverFunc(gqlerr.Recover(log))
	exec.SetParserTokenLimit(1000)
	exec.Use(limits.New(limits.Config{MaxCost: 500}))
	exec.Use(limits.Introspection{})

	f.Fuzz(func(t *testing.T, tape []byte) {
		ctx, cancel := context.WithCancelCause(t.Context())
		c := &conn{t: socket, exec: exec, header: http.Header{}, ctx: ctx, cancel: cancel}
		cl := &client{t: t, subscribed: map[string]int{}, ended: map[string]int{}, heard: make(chan struct{})}
		var listening sync.WaitGroup
		c.box.wake = func() {
			listening.Go(func() {
				for {
					some := c.box.take(nil, 4)
					if len(some) == 0 {
						return
					}
					for _, f := range some {
						cl.take(f)
					}
				}
			})
		}
		late := time.AfterFunc(time.Hour, func() {})
		defer late.Stop()

		tell := func(b []byte) error {
			cl.says(b)
			err := c.handle(b, late, graphql.Now())
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.live > socket.c.MaxOperations || len(c.operations) > c.live {
				t.Errorf("%d operations live, %d known", c.live, len(c.operations))
			}
			for id := range c.operations {
				if id == "" || len(id) > maxID {
					t.Errorf("an operation by the id %.300q", id)
				}
			}
			return err
		}
		var end error
		for b := range bytes.SplitSeq(tape, []byte{'\n'}) {
			if end = tell(b); end != nil {
				break
			}
		}
		if end == nil && c.opCtx != nil && ctx.Err() == nil && !bytes.Contains(tape, []byte("last")) {
			if end = tell([]byte(`{"id":"` + lastID + `","type":"subscribe","payload":{"query":"{hello}"}}`)); end == nil {
				select {
				case <-cl.heard:
				case <-ctx.Done(): // an operation has ended the connection
				case <-time.After(testkit.Patience):
					t.Error("it no longer answers")
				}
			}
		}
		var ce *CloseError
		if end != nil && (!errors.As(end, &ce) || ce.Code < 4400 && ce.Code != websocket.StatusTryAgainLater || len(ce.Reason) > 123 || !utf8.ValidString(ce.Reason)) {
			t.Errorf("ended by %v", end)
		}
		cancel(end)
		c.running.Wait()
		c.box.close(false)
		listening.Wait()
		if c.unbind != nil {
			c.unbind()
		}
		if c.live != 0 {
			t.Errorf("%d operations live", c.live)
		}
		if (c.opCtx != nil) != cl.acked {
			t.Errorf("acknowledged %t, initialised %t", cl.acked, c.opCtx != nil)
		}
	})
}
