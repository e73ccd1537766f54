package loadtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"foresight/internal/id"
)

// watcher is one client of the graph that follows the tenant's readings and alarms.
type watcher struct {
	conn  *websocket.Conn
	run   *run
	index map[id.UUID]int // of the sensors
	rule  id.UUID
	ended chan struct{}

	mu       sync.Mutex
	frames   int64
	gaps     int64 // items that told of left out ones
	disorder int64 // readings behind a newer one of their sensor
	newest   []int // by sensor: message of the last reading, -1 for none
	opened   []int // by sensor: alarms that opened
	alarms   int64
	err      error
	moved    chan struct{} // has an element after news
}

const (
	readLimit   = 16 << 20
	telemetryID = "t"
	alarmsID    = "a"

	watchTelemetry = `subscription { telemetry { reading { sensorId timestamp } snapshot resync } }`
	// After 0 none is missed that opens before the subscription is live.
	watchAlarms = `subscription { alarms(after: 0) { alarm { rule { id } sensor { id } } transition { to } snapshot } }`
)

// wsFrame is a message of the protocol graphql-transport-ws.
type wsFrame struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

func (r *run) watch(ctx context.Context) (*watcher, error) {
	conn, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(r.opt.Graph.URL, "http")+"/graphql",
		&websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPClient: r.opt.Graph.HTTP})
	if err != nil {
		return nil, fmt.Errorf("loadtest: subscribe: %w", err)
	}
	conn.SetReadLimit(readLimit)
	w := &watcher{conn: conn, run: r, index: make(map[id.UUID]int, len(r.fleet.Sensors)), rule: r.fleet.Rule, ended: make(chan struct{}),
		newest: make([]int, len(r.fleet.Sensors)), opened: make([]int, len(r.fleet.Sensors)), moved: make(chan struct{}, 1)}
	for i, s := range r.fleet.Sensors {
		w.index[s.ID], w.newest[i] = i, -1
	}
	if err := w.begin(ctx, r.opt.Graph.Token); err != nil {
		return nil, errors.Join(err, conn.CloseNow())
	}
	go w.read(context.WithoutCancel(ctx)) // ends with the connection
	return w, nil
}

// begin subscribes and waits until both subscriptions are taken: messages of a connection
// are taken in order, so the answer to a ping behind them says so. They are live a moment
// later.
func (w *watcher) begin(ctx context.Context, token string) error {
	for _, m := range []any{
		vars{"type": "connection_init", "payload": vars{"Authorization": "Bearer " + token}},
		vars{"type": "subscribe", "id": telemetryID, "payload": vars{"query": watchTelemetry}},
		vars{"type": "subscribe", "id": alarmsID, "payload": vars{"query": watchAlarms}},
		vars{"type": "ping"},
	} {
		if err := wsjson.Write(ctx, w.conn, m); err != nil {
			return fmt.Errorf("loadtest: subscribe: %w", err)
		}
	}
	for {
		var f wsFrame
		if err := wsjson.Read(ctx, w.conn, &f); err != nil {
			return fmt.Errorf("loadtest: subscribe: %w", err)
		}
		switch f.Type {
		case "pong":
			return nil
		case "error":
			return fmt.Errorf("loadtest: subscribe: %s", f.Payload)
		}
	}
}

func (w *watcher) read(ctx context.Context) {
	defer close(w.ended)
	for {
		_, b, err := w.conn.Read(ctx)
		if err == nil {
			err = w.take(b, time.Now())
		}
		if err != nil {
			w.mu.Lock()
			w.err = err
			w.mu.Unlock()
			return
		}
		select {
		case w.moved <- struct{}{}:
		default:
		}
	}
}

// item is what either subscription sends.
type item struct {
	Data struct {
		Telemetry *struct {
			Reading *struct {
				SensorID  id.UUID
				Timestamp time.Time
			}
			Snapshot, Resync bool
		}
		Alarms *struct {
			Alarm *struct {
				Rule   *struct{ ID id.UUID }
				Sensor *struct{ ID id.UUID }
			}
			Transition *struct{ To string }
			Snapshot   bool
		}
	}
}

func (w *watcher) take(b []byte, now time.Time) error {
	var f wsFrame
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	switch f.Type {
	case "next":
	case "error", "complete":
		return fmt.Errorf("subscription %s ended: %s", f.ID, f.Payload)
	default:
		return nil
	}
	var it item
	if err := json.Unmarshal(f.Payload, &it); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if t := it.Data.Telemetry; t != nil {
		if t.Resync {
			w.gaps++
		}
		if t.Reading != nil && !t.Snapshot {
			w.reading(t.Reading.SensorID, t.Reading.Timestamp, now)
		}
	}
	if a := it.Data.Alarms; a != nil && !a.Snapshot && a.Alarm != nil && a.Transition != nil && a.Transition.To == "OPEN" &&
		a.Alarm.Rule != nil && a.Alarm.Rule.ID == w.rule && a.Alarm.Sensor != nil {
		w.opens(a.Alarm.Sensor.ID, now)
	}
	return nil
}

func (w *watcher) reading(of id.UUID, at, now time.Time) {
	sensor, ok := w.index[of]
	if !ok {
		return
	}
	i, ok := w.run.plan.find(sensor, at)
	if !ok {
		return
	}
	w.frames++
	if i <= w.newest[sensor] {
		w.disorder++
	}
	w.newest[sensor] = i
	if w.run.counts(i) {
		w.run.toFrame.record(now.Sub(w.run.plan.due(i)))
	}
}

// opens matches the n-th alarm of a sensor with the n-th reading that was to raise one:
// between them the sensor's calm readings clear the alarm.
func (w *watcher) opens(of id.UUID, now time.Time) {
	sensor, ok := w.index[of]
	if !ok {
		return
	}
	n := w.run.raisedBy(sensor, w.opened[sensor])
	w.opened[sensor]++
	w.alarms++
	if n >= 0 && w.run.counts(n) {
		w.run.toAlarm.record(now.Sub(w.run.plan.due(n)))
	}
}

// state returns what has come so far.
func (w *watcher) state() (frames, gaps, disorder, alarms int64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.frames, w.gaps, w.disorder, w.alarms, w.err
}

// awaitAlarms waits until so many alarms have opened, or nothing comes for the time.
func (w *watcher) awaitAlarms(ctx context.Context, want int64, patience time.Duration) {
	quiet := time.NewTimer(patience)
	defer quiet.Stop()
	for {
		if _, _, _, alarms, err := w.state(); alarms >= want || err != nil {
			return
		}
		select {
		case <-w.moved:
			quiet.Reset(patience)
		case <-quiet.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (w *watcher) close() {
	_ = w.conn.CloseNow() // nobody reads any more
	<-w.ended
}
