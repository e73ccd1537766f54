package transport_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"foresight/graph/transport"
	"foresight/internal/testkit"
)

// wire is a client that knows nothing of the protocol.
type wire struct {
	t *testing.T
	*websocket.Conn
}

func dial(t *testing.T, r *rig, protocols ...string) wire {
	t.Helper()
	if protocols == nil {
		protocols = []string{transport.Subprotocol}
	}
	c, _, err := websocket.Dial(t.Context(), wsURL(r), &websocket.DialOptions{Subprotocols: protocols})
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(1 << 24)
	t.Cleanup(func() { _ = c.CloseNow() })
	return wire{t, c}
}

func (w wire) send(messages ...string) {
	w.t.Helper()
	for _, m := range messages {
		if err := w.Write(w.t.Context(), websocket.MessageText, []byte(m)); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w wire) receive() string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), testkit.Patience)
	defer cancel()
	_, b, err := w.Read(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(b)
}

func (w wire) expect(want string) {
	w.t.Helper()
	if got := w.receive(); got != want {
		w.t.Fatalf("got %s, want %s", got, want)
	}
}

// closed reads what is left and returns it with the close frame.
func (w wire) closed() (left []string, code websocket.StatusCode, reason string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), testkit.Patience)
	defer cancel()
	for {
		_, b, err := w.Read(ctx)
		if err != nil {
			var ce websocket.CloseError
			if c := websocket.CloseStatus(err); c < 0 {
				w.t.Fatalf("no close frame: %v", err)
			}
			errors.As(err, &ce)
			return left, ce.Code, ce.Reason
		}
		left = append(left, string(b))
	}
}

const (
	initGood = `{"type":"connection_init","payload":{"authorization":"Bearer good"}}`
	ack      = `{"type":"connection_ack","payload":{"tenant":"acme"}}`
)

func ready(t *testing.T, r *rig) wire {
	t.Helper()
	w := dial(t, r)
	w.send(initGood)
	w.expect(ack)
	return w
}

func TestCloseCodes(t *testing.T) {
	quick := func(c *transport.WebSocketConfig, _ *transport.SSEConfig) { c.InitTimeout = 50 * time.Millisecond }
	subscribe := `{"id":"1","type":"subscribe","payload":{"query":"subscription{silent}"}}`
	for _, c := range []struct {
		name   string
		change func(*transport.WebSocketConfig, *transport.SSEConfig)
		ready  bool
		send   []string
		want   websocket.StatusCode
		reason string
	}{
		{"not JSON", nil, false, []string{`hello`}, 4400, "Invalid message"},
		{"no object", nil, false, []string{`[]`}, 4400, "Invalid message"},
		{"unknown type", nil, true, []string{`{"type":"start"}`}, 4400, "Invalid message: unknown type"},
		{"no type", nil, true, []string{`{}`}, 4400, "Invalid message: unknown type"},
		{"payload of init no object", nil, false, []string{`{"type":"connection_init","payload":1}`}, 4400, "Invalid message: payload is no object"},
		{"subscribe without id", nil, true, []string{`{"type":"subscribe","payload":{"query":"{hello}"}}`}, 4400, "Invalid message: subscribe without a proper id"},
		{"subscribe with a long id", nil, true, []string{`{"id":"` + strings.Repeat("x", 257) + `","type":"subscribe","payload":{"query":"{hello}"}}`}, 4400, "Invalid message: subscribe without a proper id"},
		{"subscribe without payload", nil, true, []string{`{"id":"1","type":"subscribe"}`}, 4400, "Invalid message: payload of subscribe"},
		{"subscribe without query", nil, true, []string{`{"id":"1","type":"subscribe","payload":{}}`}, 4400, "Invalid message: payload of subscribe"},
		{"complete without id", nil, true, []string{`{"type":"complete"}`}, 4400, "Invalid message: complete without id"},
		{"subscribe before init", nil, false, []string{subscribe}, 4401, "Unauthorized"},
		{"bad token", nil, false, []string{`{"type":"connection_init","payload":{"authorization":"Bearer nobody"}}`}, 4403, "Forbidden"},
		{"no token", nil, false, []string{`{"type":"connection_init"}`}, 4403, "Forbidden"},
		{"no init", quick, false, nil, 4408, "Connection initialisation timeout"},
		{"only pings", quick, false, []string{`{"type":"ping"}`}, 4408, "Connection initialisation timeout"},
		{"same id twice", nil, true, []string{subscribe, subscribe}, 4409, `Subscriber for "1" already exists`},
		{"init twice", nil, true, []string{initGood}, 4429, "Too many initialisation requests"},
		{"init twice at once", nil, false, []string{initGood, initGood}, 4429, "Too many initialisation requests"},
		{"cannot be checked now", nil, false, []string{`{"type":"connection_init","payload":{"authorization":"Bearer later"}}`}, 1013, "Try again later"},
		{"fails", nil, false, []string{`{"type":"connection_init","payload":{"authorization":"Bearer bug"}}`}, 4500, "Internal server error"},
		{"message too large", nil, true, []string{`{"type":"ping","payload":{"x":"` + strings.Repeat("x", 256<<10) + `"}}`}, 1009, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var change []func(*transport.WebSocketConfig, *transport.SSEConfig)
			if c.change != nil {
				change = append(change, c.change)
			}
			r := newRig(t, change...)
			var w wire
			if c.ready {
				w = ready(t, r)
			} else {
				w = dial(t, r)
			}
			w.send(c.send...)
			left, code, reason := w.closed()
			if code != c.want || c.reason != "" && reason != c.reason {
				t.Errorf("%d %q, want %d %q", code, reason, c.want, c.reason)
			}
			for _, l := range left {
				if strings.Contains(l, `"complete"`) {
					t.Errorf("complete while closing: %s", l)
				}
			}
		})
	}
	t.Run("binary message", func(t *testing.T) {
		w := dial(t, newRig(t))
		if err := w.Write(t.Context(), websocket.MessageBinary, []byte(initGood)); err != nil {
			t.Fatal(err)
		}
		if _, code, _ := w.closed(); code != 4400 {
			t.Error(code)
		}
	})
	for _, p := range [][]string{{"graphql-ws"}, {}} {
		t.Run(fmt.Sprint("subprotocol ", p), func(t *testing.T) {
			if _, code, _ := dial(t, newRig(t), p...).closed(); code != 4406 {
				t.Error(code)
			}
		})
	}
}

func TestSessionEnds(t *testing.T) {
	subscribe := `{"id":"1","type":"subscribe","payload":{"query":"subscription{count(to:1)}"}}`
	silent := `{"id":"2","type":"subscribe","payload":{"query":"subscription{silent}"}}`
	t.Run("expired", func(t *testing.T) {
		r := newRig(t)
		w := dial(t, r)
		begin := time.Now()
		w.send(`{"type":"connection_init","payload":{"authorization":"Bearer short"}}`, silent)
		left, code, reason := w.closed() // before the ack, if that takes longer than the token is good
		if code != 4403 || reason != "Token expired" || len(left) > 1 || len(left) == 1 && left[0] != ack {
			t.Errorf("%d %q %v", code, reason, left)
		}
		if took := time.Since(begin); took < r.expiry*8/10 {
			t.Errorf("ended after %v", took)
		}
	})
	t.Run("revoked", func(t *testing.T) {
		r := newRig(t)
		w := ready(t, r)
		w.send(silent, subscribe)
		w.expect(`{"id":"1","type":"next","payload":{"data":{"count":0}}}`)
		close(r.revoked)
		left, code, reason := w.closed()
		if code != 4403 || reason != "Session revoked" || strings.Contains(strings.Join(left, ""), `"id":"2"`) {
			t.Errorf("%d %q %v", code, reason, left)
		}
	})
	t.Run("too slow", func(t *testing.T) {
		r := newRig(t)
		w := ready(t, r)
		w.send(`{"id":"1","type":"subscribe","payload":{"query":"subscription{slow}"}}`)
		_, code, reason := w.closed()
		if code != 4410 || reason != "Client too slow" {
			t.Errorf("%d %q", code, reason)
		}
	})
	t.Run("restart", func(t *testing.T) {
		r := newRig(t)
		w := ready(t, r)
		for i := range 90 {
			w.send(fmt.Sprintf(`{"id":"%d","type":"subscribe","payload":{"query":"subscription{silent}"}}`, i))
		}
		eventually(t, func() bool { return r.resolver.Running.Load() == 90 })
		done := make(chan error, 1)
		go func() { done <- r.ws.Shutdown(t.Context()) }()
		left, code, reason := w.closed()
		if len(left) != 0 { // no complete: the client resumes
			t.Errorf("%v", left)
		}
		if code != 1012 || !strings.HasPrefix(reason, "Service restart, retry after ") {
			t.Errorf("%d %q", code, reason)
		}
		if err := <-done; err != nil || r.ws.Open() != 0 {
			t.Errorf("%v, %d open", err, r.ws.Open())
		}
		_, resp, err := websocket.Dial(t.Context(), wsURL(r), &websocket.DialOptions{Subprotocols: []string{transport.Subprotocol}})
		if err == nil || resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
			t.Errorf("%v %v", resp, err)
		}
	})
}

func TestOrigins(t *testing.T) {
	r := newRig(t)
	for origin, want := range map[string]int{"https://allowed.example": 101, "https://evil.example": 403, "https://allowed.example.evil.example": 403, "null": 403, r.URL: 101} {
		c, resp, err := websocket.Dial(t.Context(), wsURL(r), &websocket.DialOptions{
			Subprotocols: []string{transport.Subprotocol}, HTTPHeader: http.Header{"Origin": {origin}}})
		if resp == nil || resp.StatusCode != want {
			t.Errorf("%s: %v, want %d", origin, err, want)
		}
		if err == nil {
			_ = c.CloseNow()
		}
	}
}

func TestOperationsByIdentity(t *testing.T) {
	r := newRig(t)
	w := ready(t, r)
	// The id of a completed operation is free at once, even while the old one still ends.
	for i := range 200 {
		w.send(`{"id":"a","type":"subscribe","payload":{"query":"subscription{flood(size:10)}"}}`)
		// Anything but the first item is of an operation that was completed before.
		w.expect(`{"id":"a","type":"next","payload":{"data":{"flood":"0xxxxxxxxxx"}}}`)
		w.send(`{"id":"a","type":"complete"}`, fmt.Sprintf(`{"type":"ping","payload":{"i":%d}}`, i))
		for m := ""; m != fmt.Sprintf(`{"type":"pong","payload":{"i":%d}}`, i); m = w.receive() {
			if strings.Contains(m, `"complete"`) || strings.Contains(m, `"error"`) {
				t.Fatalf("%d: %s", i, m)
			}
		}
	}
	w.send(`{"id":"never","type":"complete"}`) // no error
	w.send(`{"id":"q\"\u0001","type":"subscribe","payload":{"query":"{hello}"}}`)
	for {
		m := w.receive()
		if strings.Contains(m, "world") {
			if want := `{"id":"q\"\u0001","type":"next","payload":{"data":{"hello":"world"},"extensions":{"cost":{"requested":1,"limit":5000}}}}`; m != want {
				t.Errorf("%s", m)
			}
			break
		}
	}
	w.expect(`{"id":"q\"\u0001","type":"complete"}`)
}

func TestTooManyOperations(t *testing.T) {
	r := newRig(t, func(c *transport.WebSocketConfig, _ *transport.SSEConfig) { c.MaxOperations = 2 })
	w := ready(t, r)
	for _, id := range []string{"1", "2", "3"} {
		w.send(`{"id":"` + id + `","type":"subscribe","payload":{"query":"subscription{silent}"}}`)
	}
	if m := w.receive(); !strings.HasPrefix(m, `{"id":"3","type":"error"`) || !strings.Contains(m, "RATE_LIMITED") {
		t.Error(m)
	}
	w.send(`{"type":"ping"}`)
	w.expect(`{"type":"pong"}`)
}

func TestAClientThatDoesNotReadStopsItsSourcesAndIsCut(t *testing.T) {
	r := newRig(t, func(c *transport.WebSocketConfig, _ *transport.SSEConfig) {
		c.WriteTimeout = 2 * time.Second // also of the quick one, which must not seem slow
		c.Queue = 4
	})
	slow, quick := ready(t, r), ready(t, r)
	slow.send(`{"id":"1","type":"subscribe","payload":{"query":"subscription{flood(size:100000)}"}}`)
	for i := range 50 { // others are not held up
		quick.send(fmt.Sprintf(`{"id":"%d","type":"subscribe","payload":{"query":"mutation{add(n:1)}"}}`, i))
		quick.receive()
		quick.expect(fmt.Sprintf(`{"id":"%d","type":"complete"}`, i))
	}
	eventually(t, func() bool {
		quick.send(`{"type":"ping"}`)
		quick.expect(`{"type":"pong"}`)
		return r.ws.Open() == 1 && r.resolver.Running.Load() == 0
	})
}

func TestAClientThatVanishesEndsItsOperations(t *testing.T) {
	r := newRig(t)
	w := ready(t, r)
	w.send(`{"id":"1","type":"subscribe","payload":{"query":"subscription{silent}"}}`, `{"id":"2","type":"subscribe","payload":{"query":"{hang}"}}`)
	eventually(t, func() bool { return r.resolver.Running.Load() == 2 })
	_ = w.CloseNow()
	eventually(t, func() bool { return r.resolver.Running.Load() == 0 && r.ws.Open() == 0 })
}

func TestPingsFindDeadClients(t *testing.T) {
	r := newRig(t, func(c *transport.WebSocketConfig, _ *transport.SSEConfig) { c.PingInterval = 30 * time.Millisecond })
	dial(t, r) // does not read, so does not answer pings
	eventually(t, func() bool { return r.ws.Open() == 0 })
	// Who answers is pinged again and again. One who is late with an answer is cut rightly,
	// and another is tried.
	eventually(t, func() bool {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		pings := 0
		c, _, err := websocket.Dial(ctx, wsURL(r), &websocket.DialOptions{Subprotocols: []string{transport.Subprotocol},
			OnPingReceived: func(context.Context, []byte) bool {
				if pings++; pings == 3 {
					cancel() // the reading
				}
				return true
			}})
		if err != nil {
			t.Fatal(err)
		}
		_, _, _ = c.Read(ctx)
		_ = c.CloseNow()
		return pings >= 3
	})
}

// TestStorm sends many connections random messages, torn and whole; the server
// must survive, answer a well-behaved client, and leave nothing behind.
func TestStorm(t *testing.T) {
	r := newRig(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	parts := []string{`{"type":"connection_init"`, `,"payload":{"authorization":"Bearer good"}`, `}`, `{"id":"1","type":"subscribe"`,
		`,"payload":{"query":"subscription{flood(size:3000)}"}`, `,"payload":{"query":"{hello}"}`, `{"id":"1","type":"complete"}`, `{"type":"ping"}`,
		`{"type":"pong","payload":null}`, "\x00\xff", `[`, `"`, `{"id":1}`, `null`, `{"type":"next","id":"1"}`}
	whole := []string{initGood, `{"id":"1","type":"subscribe","payload":{"query":"subscription{flood(size:3000)}"}}`,
		`{"id":"2","type":"subscribe","payload":{"query":"subscription{count(to:3)}"}}`, `{"id":"1","type":"complete"}`,
		`{"id":"3","type":"subscribe","payload":{"query":"{nope"}}`, `{"id":"4","type":"subscribe","payload":{"query":"subscription{broken}"}}`, `{"type":"ping"}`}
	for range 150 {
		c, _, err := websocket.Dial(t.Context(), wsURL(r), &websocket.DialOptions{Subprotocols: []string{transport.Subprotocol}})
		if err != nil {
			t.Fatal(err)
		}
		c.SetReadLimit(1 << 24)
		if rnd.IntN(3) > 0 {
			_ = c.Write(t.Context(), websocket.MessageText, []byte(initGood))
		}
		for range rnd.IntN(12) {
			m := whole[rnd.IntN(len(whole))]
			if rnd.IntN(3) == 0 {
				var b bytes.Buffer
				for range rnd.IntN(5) {
					b.WriteString(parts[rnd.IntN(len(parts))])
				}
				m = b.String()
			}
			typ := websocket.MessageText
			if rnd.IntN(20) == 0 {
				typ = websocket.MessageBinary
			}
			if c.Write(t.Context(), typ, []byte(m)) != nil {
				break
			}
		}
		_ = c.CloseNow()
	}
	w := ready(t, r)
	w.send(`{"id":"1","type":"subscribe","payload":{"query":"subscription{count(to:1)}"}}`)
	w.expect(`{"id":"1","type":"next","payload":{"data":{"count":0}}}`)
	w.expect(`{"id":"1","type":"complete"}`)
	eventually(t, func() bool { return r.ws.Open() == 1 && r.resolver.Running.Load() == 0 })
}

func TestGraphQLWSClient(t *testing.T) {
	var out struct {
		Events  [][]any
		Results map[string]json.RawMessage
	}
	r := newRig(t)
	node(t, &out, "ws.mjs", wsURL(r), "all")
	for name, want := range map[string]string{
		"count":    `{"out":[{"count":0},{"count":1},{"count":2},{"count":3},{"count":4}],"complete":true}`,
		"query":    `{"out":[{"hello":"world"}],"complete":true}`,
		"mutation": `{"out":[{"add":2}],"complete":true}`,
		"invalid":  `{"out":[],"error":["BAD_USER_INPUT"]}`,
		"refused":  `{"out":[],"error":["FORBIDDEN"]}`,
		"broken":   `{"out":[],"error":["INTERNAL"]}`,
		"field":    `{"out":[{"errors":["INTERNAL"],"data":{"fail":null}}],"complete":true}`,
	} {
		if got := string(out.Results[name]); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got := string(out.Results["parallel"]); strings.Count(got, `"complete":true`) != 20 || strings.Count(got, "count") != 190 {
		t.Errorf("parallel: %s", got)
	}
	if len(out.Events) == 0 || fmt.Sprint(out.Events[0]) != "[connected map[tenant:acme]]" {
		t.Errorf("events %v", out.Events)
	}

	node(t, &out, "ws.mjs", wsURL(r), "bad")
	if got := string(out.Results["refused"]); got != `{"out":[],"error":{"code":4403,"reason":"Forbidden"}}` {
		t.Error(got)
	}
	node(t, &out, "ws.mjs", wsURL(r), "slow")
	if got := string(out.Results["slow"]); !strings.Contains(got, `"code":4410`) {
		t.Error(got)
	}
	node(t, &out, "ws.mjs", wsURL(r), "expiry")
	if got := string(out.Results["resumed"]); got != "true" || !strings.Contains(fmt.Sprint(out.Events), "[closed 4403 Token expired]") {
		t.Errorf("%s %v", got, out.Events)
	}
}
