package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	mqtt "github.com/eclipse/paho.mqtt.golang"

	"foresight/internal/app"
	"foresight/internal/app/demo"
	"foresight/internal/testkit"
)

// login returns an access token of a person of the demo.
func login(t testing.TB, a *app.App, role string) string {
	t.Helper()
	const ask = `mutation { login(input: {email: "%@alpha-grid.example", password: "` + demo.Password + `"}) { session { accessToken } } }`
	data := post(t, a, "", strings.ReplaceAll(ask, "%", role))
	return data["login"].(map[string]any)["session"].(map[string]any)["accessToken"].(string)
}

// gateway connects as a gateway of the demo.
func gateway(t testing.TB, a *app.App) mqtt.Client {
	t.Helper()
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + a.MQTTAddr).SetClientID(t.Name()).
		SetUsername("alpha-grid.gw-north").SetPassword(demo.GatewayPassword).SetAutoReconnect(false).SetConnectTimeout(testkit.Patience).SetPingTimeout(testkit.Patience))
	if token := c.Connect(); !token.WaitTimeout(testkit.Patience) || token.Error() != nil {
		t.Fatalf("cannot connect: %v", token.Error())
	}
	return c
}

func publish(t testing.TB, c mqtt.Client, sensor, payload string) {
	t.Helper()
	if token := c.Publish("alpha-grid/north-station/sensors/"+sensor, 1, false, payload); !token.WaitTimeout(testkit.Patience) || token.Error() != nil {
		t.Fatalf("not acknowledged: %v", token.Error())
	}
}

// watcher reads the frames of its subscriptions.
type watcher struct {
	ws    *websocket.Conn
	ended chan struct{}

	mu     sync.Mutex
	frames []wsFrame
	more   chan struct{}
}

type wsFrame struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// watch subscribes to each query, under its number.
func watch(t testing.TB, a *app.App, token string, queries ...string) *watcher {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(a.URL(), "http")+"/graphql",
		&websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(16 << 20)
	w := &watcher{ws: ws, ended: make(chan struct{}), more: make(chan struct{}, 1)}
	ctx := context.WithoutCancel(t.Context())
	send := func(v any) {
		if err := wsjson.Write(ctx, ws, v); err != nil {
			t.Fatal(err)
		}
	}
	go func() {
		defer close(w.ended)
		for {
			var f wsFrame
			if wsjson.Read(ctx, ws, &f) != nil {
				return
			}
			w.mu.Lock()
			w.frames = append(w.frames, f)
			w.mu.Unlock()
			select {
			case w.more <- struct{}{}:
			default:
			}
		}
	}()
	send(map[string]any{"type": "connection_init", "payload": map[string]string{"authorization": "Bearer " + token}})
	w.await(t, "connection_ack", func(f wsFrame) bool { return f.Type == "connection_ack" })
	for i, q := range queries {
		send(map[string]any{"id": string(rune('0' + i)), "type": "subscribe", "payload": map[string]string{"query": q}})
	}
	return w
}

// await waits for a frame that has come or comes.
func (w *watcher) await(t testing.TB, what string, match func(wsFrame) bool) {
	t.Helper()
	deadline := time.After(testkit.Patience)
	for seen := 0; ; {
		w.mu.Lock()
		for ; seen < len(w.frames); seen++ {
			if f := w.frames[seen]; f.Type == "error" {
				w.mu.Unlock()
				t.Fatalf("%s", f.Payload)
			} else if match(f) {
				w.mu.Unlock()
				return
			}
		}
		w.mu.Unlock()
		select {
		case <-w.more:
		case <-w.ended:
			t.Fatalf("the connection ended before %s came", what)
		case <-deadline:
			t.Fatalf("%s did not come", what)
		}
	}
}

func (w *watcher) close() {
	_ = w.ws.CloseNow() // the server may have closed it
	<-w.ended
}

// stream begins a subscription as an event stream, and reads it, once its beginning is
// there, until it is closed. came waits for a line with the text.
func stream(t testing.TB, a *app.App, token, query string) (came func(text string), closeStream func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	body, _ := json.Marshal(map[string]string{"query": query})
	q, err := http.NewRequestWithContext(ctx, "POST", a.URL()+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Accept", "text/event-stream")
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Authorization", "Bearer "+token)
	client := &http.Client{Transport: &http.Transport{}} // of its own: a stream that breaks off leaves nothing behind
	res, err := client.Do(q)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() && lines.Text() != "event: next" {
	}
	done := make(chan struct{})
	var mu sync.Mutex
	var read []string
	go func() {
		defer close(done)
		for lines.Scan() {
			mu.Lock()
			read = append(read, lines.Text())
			mu.Unlock()
		}
	}()
	came = func(text string) {
		t.Helper()
		testkit.Eventually(t, testkit.Patience, func() bool {
			mu.Lock()
			defer mu.Unlock()
			return slices.ContainsFunc(read, func(line string) bool { return strings.Contains(line, text) })
		})
	}
	return came, sync.OnceFunc(func() {
		cancel()
		<-done
		_ = res.Body.Close()
		client.CloseIdleConnections()
	})
}
