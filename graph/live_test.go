package graph_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"foresight/graph/transport"
	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// live is a subscription over a WebSocket.
type live struct {
	*rig
	conn *websocket.Conn
}

// watch opens a subscription as the actor and returns when it is accepted.
func (r *rig) watch(actor, query string) *live {
	r.Helper()
	conn, _, err := websocket.Dial(r.Context(), "ws"+strings.TrimPrefix(r.URL, "http"), &websocket.DialOptions{Subprotocols: []string{transport.Subprotocol}})
	r.ok(err)
	conn.SetReadLimit(1 << 20)
	r.Cleanup(func() { _ = conn.CloseNow() })
	l := &live{r, conn}
	l.send(map[string]any{"type": "connection_init", "payload": map[string]any{"authorization": actor}})
	if m := l.read(); m["type"] != "connection_ack" {
		r.Fatalf("not accepted: %v", m)
	}
	l.send(map[string]any{"type": "subscribe", "id": "1", "payload": map[string]any{"query": query}})
	return l
}

func (l *live) send(m map[string]any) {
	l.Helper()
	b, err := json.Marshal(m)
	l.ok(err)
	l.ok(l.conn.Write(l.Context(), websocket.MessageText, b))
}

func (l *live) read() map[string]any {
	l.Helper()
	ctx, cancel := context.WithTimeout(l.Context(), testkit.Patience)
	defer cancel()
	_, b, err := l.conn.Read(ctx)
	l.ok(err)
	var m map[string]any
	l.ok(json.Unmarshal(b, &m))
	return m
}

// next returns the next item of the field.
func (l *live) next(field string) any {
	l.Helper()
	m := l.read()
	item := at(m, "payload", "data", field)
	if m["type"] != "next" || item == nil {
		l.Fatalf("no item: %v", m)
	}
	return item
}

// A snapshot, then what happens, each reading once: also those that are stored and
// told of while the subscription begins.
func TestTelemetryBeginsWithASnapshot(t *testing.T) {
	r := newRig(t)
	k, other := r.acme.Key(0), r.acme.Key(1)
	begin := time.Now().Add(-time.Hour)
	r.write(reading(k, begin, 0), reading(other, begin, 100))
	const q = `subscription { telemetry { snapshot resync reading { sensorId values(parameters: ["flow"]) { parameter value } } } }`

	// A worker writes and tells all the while.
	const news = 30   // that are waited for, behind the snapshot
	const ahead = 200 // of what the client has: with more of it waiting, some would be left out
	var had atomic.Int64
	stop := make(chan struct{})
	written := make(chan int)
	go func() {
		defer close(written)
		for i := 1; ; i++ {
			d := reading(k, begin.Add(time.Duration(i)*time.Second), float64(i))
			r.write(d)
			r.publish(d)
			select {
			case written <- i:
			case <-stop:
				return
			}
		}
	}()
	defer func() {
		close(stop)
		for range written { // until it has ended
		}
	}()
	for range 5 {
		<-written
	}
	l := r.watch("acme/viewer", q)
	go func() {
		for i := range written { // lets the worker go on
			for int64(i) > had.Load()+ahead {
				select {
				case <-time.After(time.Millisecond):
				case <-stop:
					return
				}
			}
		}
	}()
	flow := func(item any) (sensor string, value float64) {
		sensor, _ = at(item, "reading", "sensorId").(string)
		value, _ = at(item, "reading", "values", 0, "value").(float64)
		return sensor, value
	}
	snapshot, seen := map[string]float64{}, map[float64]bool{}
	for {
		item := l.next("telemetry")
		if at(item, "resync") == true {
			t.Fatalf("a gap: %v", item)
		}
		sensor, value := flow(item)
		if at(item, "snapshot") == true {
			if _, twice := snapshot[sensor]; twice || len(seen) > 0 {
				t.Fatalf("snapshot of %s again, or after news", sensor)
			}
			if snapshot[sensor] = value; sensor == k.Sensor.String() {
				had.Store(int64(value))
			}
			continue
		}
		had.Store(max(had.Load(), int64(value)))
		if seen[value] || value == snapshot[k.Sensor.String()] {
			t.Fatalf("flow %v twice", value)
		}
		if seen[value] = true; value >= snapshot[k.Sensor.String()]+news {
			break
		}
	}
	if len(snapshot) != 2 || snapshot[other.Sensor.String()] != 100 {
		t.Errorf("snapshot %v", snapshot)
	}
	for v := snapshot[k.Sensor.String()] + 1; v <= snapshot[k.Sensor.String()]+news; v++ {
		if !seen[v] {
			t.Errorf("flow %v is missing behind the snapshot at %v", v, snapshot[k.Sensor.String()])
		}
	}
}

// What the snapshot holds is not told again, although the worker tells of it later.
func TestSnapshotIsNotRepeated(t *testing.T) {
	r := newRig(t)
	old, fresh := reading(r.acme.Key(0), time.Now().Add(-time.Minute), 1), reading(r.acme.Key(0), time.Now(), 2)
	r.write(old)
	l := r.watch("acme/viewer", `subscription { telemetry { snapshot reading { ingestId } } }`)
	if item := l.next("telemetry"); at(item, "snapshot") != true {
		t.Fatalf("no snapshot: %v", item)
	}
	r.publish(old, fresh)
	if item := l.next("telemetry"); at(item, "reading", "ingestId") != fmt.Sprintf("%x", fresh.IngestID[:]) {
		t.Errorf("want the new reading only: %v", item)
	}
}

func TestTelemetryOfAScope(t *testing.T) {
	r := newRig(t)
	l := r.watch("acme/viewer", fmt.Sprintf(`subscription { telemetry(scope: {sensorId: "%s"}) { snapshot reading { sensorId } } }`, r.acme.SensorIDs[0]))
	foreign := r.watch("globex/viewer", `subscription { telemetry { snapshot reading { sensorId } } }`)
	r.untilWatched(func() {
		r.publish(reading(r.acme.Key(1), time.Now(), 1), reading(r.globex.Key(0), time.Now(), 1), reading(r.acme.Key(0), time.Now(), 2))
	})
	for range 3 {
		if item := l.next("telemetry"); at(item, "reading", "sensorId") != r.acme.SensorIDs[0].String() {
			t.Errorf("beyond the scope: %v", item)
		}
	}
	if item := foreign.next("telemetry"); at(item, "reading", "sensorId") != r.globex.SensorIDs[0].String() {
		t.Errorf("another tenant's: %v", item)
	}
	refused := r.watch("acme/viewer", fmt.Sprintf(`subscription { telemetry(scope: {assetId: "%s"}) { snapshot } }`, r.globex.AssetID))
	if m := refused.read(); !strings.Contains(fmt.Sprint(m), "NOT_FOUND") {
		t.Errorf("a foreign scope: %v", m)
	}
}

// untilWatched repeats what is told until the test ends, as a machine speaks on.
func (r *rig) untilWatched(tell func()) {
	stop, done := make(chan struct{}), make(chan struct{})
	r.Cleanup(func() { close(stop); <-done })
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				tell()
			}
		}
	}()
}

func TestPredictionsBeginWithASnapshot(t *testing.T) {
	r := newRig(t)
	begin := time.Now().Add(-time.Hour)
	at0 := func(i int) telemetry.Raw { return reading(r.acme.Key(0), begin.Add(time.Duration(i)*time.Second), 1) }
	old, normal := prediction(at0(0), "cavitation"), prediction(at0(1), telemetry.Normal)
	r.ok(r.store.WritePredictions(t.Context(), []telemetry.FaultPrediction{old, normal}))
	const q = `subscription { predictions(onlyAbnormal: true) { snapshot prediction { id code label } } }`
	l := r.watch("acme/viewer", q)
	if item := l.next("predictions"); at(item, "snapshot") != true || at(item, "prediction", "id") != old.ID.String() || at(item, "prediction", "label") != "Cavitation" {
		t.Fatalf("snapshot %v", item)
	}
	shadow := prediction(at0(3), "bent_shaft")
	shadow.Role = telemetry.Shadow
	fresh := prediction(at0(4), "soft_foot")
	for _, p := range []telemetry.FaultPrediction{old, prediction(at0(2), telemetry.Normal), shadow, fresh} {
		r.ok(r.hub.Publish(t.Context(), event.Event{Kind: event.Prediction, Key: p.Key, At: time.Now().UTC(), Prediction: &p}))
	}
	if item := l.next("predictions"); at(item, "snapshot") != false || at(item, "prediction", "id") != fresh.ID.String() {
		t.Errorf("want only the new fault of the production model: %v", item)
	}
}

// All that is active, then every change; `after` resumes without gap or double.
func TestAlarmsResume(t *testing.T) {
	r := newRig(t)
	a, b := r.machine(r.acme, 1), r.machine(r.acme, 2)
	r.machine(r.globex, 3)
	const fields = `{ seq snapshot resync transition { from to } alarm { id status asset { code } acknowledgedBy { fullName } } }`
	l := r.watch("acme/viewer", `subscription { alarms `+fields+` }`)
	var seq float64
	for _, m := range []machine{a, b} {
		item := l.next("alarms")
		if at(item, "snapshot") != true || at(item, "transition") != nil || at(item, "alarm", "id") != m.alarm.String() || at(item, "alarm", "acknowledgedBy", "fullName") != "operator" {
			t.Fatalf("snapshot %v", item)
		}
		seq = at(item, "seq").(float64)
	}
	act := func(m machine) {
		_, err := r.alarms.Clear(r.acme.As(t.Context(), tenancy.Operator), m.alarm, "")
		r.ok(err)
	}
	act(a)
	item := l.next("alarms")
	if at(item, "snapshot") != false || at(item, "alarm", "id") != a.alarm.String() || at(item, "alarm", "status") != "CLEARED" || at(item, "seq") != seq+1 ||
		at(item, "transition", "from") != "ACKNOWLEDGED" || at(item, "transition", "to") != "CLEARED" {
		t.Errorf("change %v behind %v", item, seq)
	}
	_ = l.conn.CloseNow()
	act(b)
	resumed := r.watch("acme/viewer", fmt.Sprintf(`subscription { alarms(after: %d) %s }`, int(seq), fields))
	for i, m := range []machine{a, b} {
		item := resumed.next("alarms")
		if at(item, "snapshot") != false || at(item, "alarm", "id") != m.alarm.String() || at(item, "seq") != seq+float64(1+i) {
			t.Errorf("resumed %v", item)
		}
	}
	lost := r.watch("acme/viewer", `subscription { alarms(after: 9999) `+fields+` }`)
	if item := lost.next("alarms"); at(item, "resync") != true {
		t.Errorf("an unknown place is no gap: %v", item)
	}
	severe := r.watch("acme/viewer", `subscription { alarms(minSeverity: CRITICAL) `+fields+` }`)
	scoped := r.watch("acme/viewer", fmt.Sprintf(`subscription { alarms(scope: {assetId: "%s"}) %s }`, b.Asset, fields))
	if item := scoped.next("alarms"); at(item, "alarm", "id") != b.alarm.String() {
		t.Errorf("beyond the scope: %v", item)
	}
	critical := r.machine(r.acme, 4)
	r.sql(`UPDATE alarm_events SET severity = 'critical' WHERE id = $1`, critical.alarm)
	act(critical)
	if item := severe.next("alarms"); at(item, "alarm", "id") != critical.alarm.String() {
		t.Errorf("below the severity: %v", item)
	}
}

// An actor of other sites hears nothing of this one.
func TestLiveKeepsToTheSites(t *testing.T) {
	r := newRig(t)
	m := r.machine(r.acme, 1)
	south := id.New(id.Site)
	r.sql(`INSERT INTO sites (id, tenant_id, site_code, name) VALUES ($1, $2, 'south', 'South')`, south, r.acme.TenantID)
	far := r.acme
	far.SiteID = south
	r.change = func(a *tenancy.Actor) { a.SiteIDs = []id.UUID{south} }
	readings := r.watch("acme/viewer", `subscription { telemetry { reading { siteId } } }`)
	alarms := r.watch("acme/viewer", `subscription { alarms { alarm { site { code } } } }`)
	faults := r.watch("acme/viewer", `subscription { predictions { prediction { siteId } } }`)
	there := telemetry.Key{Tenant: r.acme.TenantID, Site: south, Asset: id.New(id.Asset), Sensor: id.New(id.Sensor)}
	r.untilWatched(func() {
		here, south := reading(m.Key, time.Now(), 1), reading(there, time.Now(), 1)
		r.publish(here, south)
		for _, p := range []telemetry.FaultPrediction{prediction(here, "cavitation"), prediction(south, "cavitation")} {
			// It goes on for a moment when the test's context has ended.
			r.ok(r.hub.Publish(context.WithoutCancel(r.Context()), event.Event{Kind: event.Prediction, Key: p.Key, At: time.Now().UTC(), Prediction: &p}))
		}
	})
	for range 3 {
		if item := readings.next("telemetry"); at(item, "reading", "siteId") != south.String() {
			t.Errorf("a reading of another site: %v", item)
		}
		if item := faults.next("predictions"); at(item, "prediction", "siteId") != south.String() {
			t.Errorf("a prediction of another site: %v", item)
		}
	}
	own := r.machine(far, 2)
	r.transition(own, "acknowledged", "open", nil)
	if item := alarms.next("alarms"); at(item, "alarm", "site", "code") != "south" {
		t.Errorf("an alarm of another site: %v", item)
	}
}
