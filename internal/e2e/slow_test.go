package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// stalled is a subscriber that stops reading, with hardly any buffer of its own.
type stalled struct {
	ws  *websocket.Conn
	tcp *net.TCPConn
}

// wide asks for the same text under many long names, so that frames of 20 KB fill
// every buffer between the server and a client that does not read.
func wide(subscription, object string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "subscription { %s { resync snapshot %s { ", subscription, object)
	for n := range 45 {
		fmt.Fprintf(&b, "t%d%s: ingestId ", n, strings.Repeat("_", 400))
	}
	return b.String() + `values(parameters: ["flow"]) { value } } } }`
}

func (i *instance) stall(t testing.TB, token, query string) *stalled {
	t.Helper()
	dialer := &net.Dialer{}
	s := &stalled{}
	narrow := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		s.tcp = c.(*net.TCPConn)
		return c, s.tcp.SetReadBuffer(64 << 10)
	}}}
	ws, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(i.url, "http")+"/graphql",
		&websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPClient: narrow})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() }) // the server may have closed it
	ws.SetReadLimit(16 << 20)
	b, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{`{"type":"connection_init","payload":{"authorization":"Bearer ` + token + `"}}`, `{"id":"1","type":"subscribe","payload":` + string(b) + `}`} {
		if err := ws.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := ws.Read(t.Context()); err != nil { // the ack, then the first item
			t.Fatal(err)
		}
	}
	s.ws = ws
	return s
}

// flowItem is an item of a telemetry subscription that asks for the flow.
type flowItem struct {
	Data struct {
		Telemetry *struct {
			Resync  bool
			Reading *struct{ Values []struct{ Value float64 } }
		}
	}
}

// flow returns the flow of the item's reading, false when it has none.
func (i flowItem) flow() (float64, bool) {
	if d := i.Data.Telemetry; d != nil && d.Reading != nil && len(d.Reading.Values) > 0 {
		return d.Reading.Values[0].Value, true
	}
	return 0, false
}

// drain reads on: how many of the readings came, and whether a gap was told or the
// server had ended the connection, until the marker behind them has come.
func (s *stalled) drain(t testing.TB, p *pulse, marker float64) (readings int, told, ended bool) {
	t.Helper()
	if err := s.tcp.SetReadBuffer(4 << 20); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		_, b, err := s.ws.Read(ctx)
		if err != nil {
			if ctx.Err() != nil {
				t.Errorf("neither something new nor the end came: %v", err)
			}
			return readings, told, true
		}
		told = told || bytes.Contains(b, []byte(`"resync":true`))
		flow := lastFlow(b)
		if _, ours := p.published[flow]; ours {
			readings++
		} else if flow == marker {
			return readings, told, false
		}
	}
}

// lastFlow reads the value at the end of a frame without decoding all of it, 0 when
// there is none.
func lastFlow(frame []byte) float64 {
	at := bytes.LastIndex(frame, []byte(`"value":`))
	if at < 0 {
		return 0
	}
	text := frame[at+len(`"value":`):]
	v, _ := strconv.ParseFloat(string(text[:max(0, bytes.IndexAny(text, ",}"))]), 64) // 0 then
	return v
}

// awaitBehind waits at the subscriber for the marker behind the pulse, and
// returns how long those took that came, and how many gaps were told.
func awaitBehind(t testing.TB, s *socket, p *pulse, marker float64) (took []time.Duration, gaps int) {
	t.Helper()
	reached := false
	s.await(t, "every reading, or word of a gap, at the subscriber who reads", func(f frame) bool {
		if f.Type != "next" {
			return false
		}
		d := decode[flowItem](t, f.Payload)
		if d.Data.Telemetry.Resync {
			gaps++
		}
		flow, ok := d.flow()
		at, ours := p.published[flow]
		if ours {
			took = append(took, f.at.Sub(at))
		}
		reached = reached || ok && flow == marker
		// Partitions overtake each other: the marker may not be the last.
		return reached && (len(took) == len(p.published) || gaps > 0)
	})
	return took, gaps
}

// Subscribers that do not read hold nobody up: another one goes on to get readings,
// and the stalled ones are told of their gap or disconnected.
func TestStalledSubscribers(t *testing.T) {
	i := quiet.get(t)
	token := i.login(t, alpha, "viewer")
	device := i.device(t, alpha+".gw-north")
	marker := func(flow float64) mqtt.Token { // a reading that is no part of the measurement
		return device.Publish(alpha+"/north-station/sensors/pump-a01-s1", 1, false, fmt.Appendf(nil, `{"flow":%g}`, flow))
	}
	const before, between, behind = 1, 2, 3 // what markers say
	marker(before)
	connected := i.metrics(t)["foresight_graphql_ws_connections"]
	good := i.dial(t, token)
	good.subscribe(t, "g", `subscription { telemetry { reading { values(parameters: ["flow"]) { value } } resync } }`, nil)
	good.await(t, "a snapshot", func(f frame) bool { return f.Type == "next" })
	const rate = 400
	alone := i.pulse(t, rate, 2*time.Second)
	marker(between)
	tookAlone, _ := awaitBehind(t, good, alone, between)

	var lame []*stalled
	for range 3 {
		lame = append(lame, i.stall(t, token, wide("telemetry", "reading")))
	}

	p := i.pulse(t, rate, 4*time.Second)
	// Readings go on, so that there is something new behind a gap.
	stop := make(chan struct{})
	markers := make(chan struct{})
	go func() {
		defer close(markers)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				marker(behind)
			}
		}
	}()
	defer func() { close(stop); <-markers }()

	took, _ := awaitBehind(t, good, p, behind)
	told, disconnected := 0, 0
	for _, s := range lame {
		readings, gap, ended := s.drain(t, p, behind)
		switch {
		case ended:
			disconnected++
		case gap:
			told++
		case readings < len(p.published):
			t.Errorf("a stalled subscriber got %d of %d readings and was not told", readings, len(p.published))
		}
		_ = s.ws.CloseNow() // the server may have closed it
	}
	within(t, patience, "the connections of those who left are gone", func() bool {
		return i.metrics(t)["foresight_graphql_ws_connections"] <= connected+1
	})
	figure("at %d readings/s without stalled subscribers: %s", rate, spread(tookAlone))
	figure("beside %d stalled subscribers, at %d readings/s: %s; %d of %d readings came; of the stalled, %d were told of their gap, %d disconnected",
		len(lame), rate, spread(took), len(took), len(p.published), told, disconnected)
	if told+disconnected == 0 {
		t.Error("nobody was stalled: the test shows nothing")
	}
}
