package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// frame is a message of graphql-transport-ws with the time of its arrival.
type frame struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
	at      time.Time
}

// socket is a WebSocket connection that speaks graphql-transport-ws. What arrives
// is read at once and kept, so that the test never holds the server up.
type socket struct {
	ws *websocket.Conn

	mu     sync.Mutex
	frames []frame
	err    error         // that ended the reading
	ended  chan struct{} // closed then
}

// dial connects; with a token it also initialises the connection.
func (i *instance) dial(t testing.TB, token string) *socket {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(i.url, "http")+"/graphql",
		&websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPClient: web})
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(16 << 20)
	s := &socket{ws: ws, ended: make(chan struct{})}
	go s.read()
	t.Cleanup(func() {
		_ = ws.CloseNow() // it may be closed already
		<-s.ended
	})
	if token != "" {
		s.init(t, token)
		s.await(t, "connection_ack", func(f frame) bool { return f.Type == "connection_ack" })
	}
	return s
}

// init begins the protocol with the credential.
func (s *socket) init(t testing.TB, credential string) {
	t.Helper()
	given := map[string]string{}
	if name, value := headerOf(credential); value != "" {
		given[name] = value
	}
	payload, err := json.Marshal(given)
	if err != nil {
		t.Fatal(err)
	}
	s.send(t, frame{Type: "connection_init", Payload: payload})
}

func (s *socket) read() {
	defer close(s.ended)
	for {
		_, b, err := s.ws.Read(context.Background())
		var f frame
		if err == nil {
			err = json.Unmarshal(b, &f)
		}
		f.at = time.Now()
		s.mu.Lock()
		if err != nil {
			s.err = err
		} else {
			s.frames = append(s.frames, f)
		}
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *socket) send(t testing.TB, f frame) {
	t.Helper()
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ws.Write(t.Context(), websocket.MessageText, b); err != nil {
		t.Fatal(err)
	}
}

// subscribe begins an operation.
func (s *socket) subscribe(t testing.TB, id, query string, v vars) {
	t.Helper()
	b, err := json.Marshal(map[string]any{"query": query, "variables": v})
	if err != nil {
		t.Fatal(err)
	}
	s.send(t, frame{ID: id, Type: "subscribe", Payload: b})
}

// received returns a copy of what has arrived.
func (s *socket) received() []frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]frame(nil), s.frames...)
}

// failure returns why the connection ended, nil while it is open.
func (s *socket) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// await returns the first frame, of those that came and come, that matches.
func (s *socket) await(t testing.TB, what string, match func(frame) bool) frame {
	t.Helper()
	var found frame
	seen := 0
	within(t, patience, what, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for ; seen < len(s.frames); seen++ {
			if match(s.frames[seen]) {
				found = s.frames[seen]
				return true
			}
		}
		if s.err != nil {
			t.Fatalf("the connection ended (%v) before %s", s.err, what)
		}
		return false
	})
	return found
}

// closed waits for the end of the connection and returns its code.
func (s *socket) closed(t testing.TB) websocket.StatusCode {
	t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		t.Fatal("the connection stays open")
	}
	var e websocket.CloseError
	if !errors.As(s.err, &e) {
		t.Fatalf("ended without a close frame: %v", s.err)
	}
	return e.Code
}
