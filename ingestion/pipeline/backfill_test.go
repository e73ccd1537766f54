package pipeline

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"foresight/internal/bus"
	"foresight/internal/event"
	"foresight/internal/telemetry"
)

// watchedStore remembers in which order readings of the two logs are written, and may
// hold those of history.
type watchedStore struct {
	telemetry.Store
	mu     sync.Mutex
	lanes  []uint8 // one element for each reading written
	hold   chan struct{}
	held   chan struct{}
	failed atomic.Int64 // so many writes of history fail after they were done
}

func (s *watchedStore) WriteReadings(ctx context.Context, docs []telemetry.Raw) ([]uint64, error) {
	history := len(docs) > 0 && telemetry.Lane(docs[0].LogSeq) == BackfillLane
	if history && s.hold != nil {
		select {
		case s.held <- struct{}{}:
		default:
		}
		select {
		case <-s.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	first, err := s.Store.WriteReadings(ctx, docs)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range docs {
		s.lanes = append(s.lanes, telemetry.Lane(docs[i].LogSeq))
	}
	if history && err == nil && s.failed.Add(-1) >= 0 {
		return nil, errInjected
	}
	return first, err
}

func (r *rig) openBackfill() *bus.Log {
	r.Helper()
	log, err := bus.OpenLog(r.Context(), r.bus, bus.LogOptions{Name: "BACKFILL", Prefix: "backfill", Partitions: r.log.Partitions(), AckTimeout: within})
	if err != nil {
		r.Fatal(err)
	}
	return log
}

func (r *rig) history(log *bus.Log, raws ...telemetry.Raw) {
	r.Helper()
	for i := range raws {
		k := raws[i].Key
		if _, err := log.Append(r.Context(), bus.Partition(k.Tenant, k.Sensor, log.Partitions()), k.Tenant, k.Sensor, telemetry.AppendEnvelope(nil, &raws[i])); err != nil {
			r.Fatal(err)
		}
	}
}

// backfilled waits until so many readings of history are done, stored or repeated.
func (r *rig) backfilled(w *Worker, n int) {
	r.Helper()
	r.eventually("history is brought in", func() bool {
		return count(w.metrics.history.WithLabelValues("stored"))+count(w.metrics.history.WithLabelValues("repeated")) >= n
	})
}

func (r *rig) keys() []telemetry.Key {
	return []telemetry.Key{r.a.Key(0), r.a.Key(1), r.b.Key(0), r.b.Key(1)}
}

// A backlog of live readings is processed wholly before history begins.
func TestLiveGoesBeforeHistory(t *testing.T) {
	r := newRig(t, 4)
	backfill := r.openBackfill()
	const live, past = 300, 200
	for n := range past {
		for _, k := range r.keys() {
			r.history(backfill, r.reading(k, n-1_000_000, 1))
		}
	}
	for n := range live {
		for _, k := range r.keys() {
			r.append(r.reading(k, n, 1))
		}
	}
	store := &watchedStore{Store: r.store}
	parts := r.parts(store)
	parts.Backfill = backfill
	o := quick("w")
	o.MaxBatch = 20 // many batches
	w := r.work(parts, o)
	r.backfilled(w, 4*past)
	r.caughtUp()
	store.mu.Lock()
	defer store.mu.Unlock()
	before := 0
	for _, lane := range store.lanes {
		if lane == BackfillLane {
			break
		}
		before++
	}
	if before != 4*live {
		t.Errorf("%d live readings were written before the first of history, want all %d", before, 4*live)
	}
	if n := r.ask(`SELECT count(*) FROM telemetry_raw`); n != 4*(live+past) {
		t.Errorf("%d readings are stored", n)
	}
}

// While a batch of history stands still, live readings of the same partition go on.
func TestHistoryStandsInNobodysWay(t *testing.T) {
	r := newRig(t, 1)
	backfill := r.openBackfill()
	r.history(backfill, r.reading(r.a.Key(0), -500_000, 1))
	store := &watchedStore{Store: r.store, hold: make(chan struct{}), held: make(chan struct{}, 1)}
	parts := r.parts(store)
	parts.Backfill = backfill
	w := r.work(parts, quick("w"))
	<-store.held
	for n := range 40 {
		r.append(r.reading(r.a.Key(0), n, 1))
	}
	r.caughtUp()
	if n := r.ask(`SELECT count(*) FROM telemetry_raw WHERE NOT late`); n != 40 {
		t.Errorf("%d live readings beside history that stands still", n)
	}
	close(store.hold)
	r.backfilled(w, 1)
}

// History is stored and rolled up once, whatever was there; it moves no window, raises
// no alarm, is no sign of life, and nobody is told.
func TestHistoryIsLateAltogether(t *testing.T) {
	r := newRig(t, 2)
	r.rule(telemetry.VibrationRMS, "gt", 50)
	r.startRules()
	backfill := r.openBackfill()
	var was []telemetry.Raw
	for n := range 30 {
		for _, k := range r.keys() {
			was = append(was, r.reading(k, n, 1))
		}
	}
	r.append(was...)
	store := &watchedStore{Store: r.store}
	store.failed.Store(3) // what was written without its checkpoint is done again
	parts := r.parts(store)
	parts.Backfill = backfill
	w := r.work(parts, quick("w"))
	r.caughtUp()
	predictions, seen := r.predictions(r.a.Key(0)), r.ask(`SELECT count(*) FROM sensor_states`)
	lastSeen := r.ask(`SELECT sum(extract(epoch FROM last_seen_at)::bigint) FROM sensor_states`)

	r.history(backfill, was...) // a replay of what is there
	var more []telemetry.Raw
	for n := range 25 {
		for _, k := range r.keys() {
			more = append(more, r.reading(k, n-100_000, 100)) // would be alarms
		}
	}
	r.history(backfill, more...)
	r.history(backfill, more[:10]...) // again
	if _, err := backfill.Append(t.Context(), 0, r.a.TenantID, r.a.SensorIDs[0], []byte("no envelope")); err != nil {
		t.Fatal(err)
	}
	r.backfilled(w, len(was)+len(more)+10)
	if stored := count(w.metrics.history.WithLabelValues("stored")); stored != len(more) {
		t.Errorf("%d readings of history are new, want %d", stored, len(more))
	}
	if n := r.ask(`SELECT count(*) FROM telemetry_raw`); n != len(was)+len(more) {
		t.Errorf("%d readings", n)
	}
	if n := r.ask(`SELECT count(*) FROM telemetry_raw WHERE late`); n != len(more) {
		t.Errorf("%d late readings", n)
	}
	sameRollups(r, r.store, r.a.TenantID)
	sameRollups(r, r.store, r.b.TenantID)
	if n := r.ask(`SELECT count(*) FROM alarm_events`); n != 0 {
		t.Errorf("%d alarms from history", n)
	}
	if now := r.predictions(r.a.Key(0)); len(now) != len(predictions) {
		t.Errorf("%d predictions, before %d", len(now), len(predictions))
	}
	if r.ask(`SELECT count(*) FROM sensor_states`) != seen || r.ask(`SELECT sum(extract(epoch FROM last_seen_at)::bigint) FROM sensor_states`) != lastSeen {
		t.Error("history is taken for a sign of life")
	}
	for _, e := range r.events.of(event.Telemetry, r.a.SensorIDs[0]) {
		if e.Reading.Late {
			t.Error("history is published")
		}
	}
	r.eventually("what was no message is a dead letter", func() bool { return r.ask(`SELECT count(*) FROM rejected_readings`) == 1 })
	// The windows stand where they stood: the next live reading is judged as if
	// nothing had been.
	r.append(r.reading(r.a.Key(0), 30, 1))
	r.caughtUp()
	want := r.windowAfter(30)
	if got := r.predictions(r.a.Key(0))[r.start.Add(30*time.Second)]; got != want {
		t.Errorf("fingerprint of the window %v, want %v", got, want)
	}
}

// windowAfter is the fingerprint of the first sensor's window after n readings.
func (r *rig) windowAfter(n int) float64 {
	var w telemetry.Window
	for i := range n + 1 {
		raw := r.reading(r.a.Key(0), i, 1)
		w.Add(raw.Timestamp, &raw.Channels)
	}
	p, err := r.model.Predict(r.Context(), r.a.Key(0), &w, ptrTo(r.reading(r.a.Key(0), n, 1)))
	if err != nil {
		r.Fatal(err)
	}
	return p.Probability
}

func ptrTo[T any](v T) *T { return &v }

// The log is kept for the slowest of those who read it, and the backfill log for the
// backfill.
func TestPurgeWaitsForThoseBeside(t *testing.T) {
	r := newRig(t, 1)
	backfill := r.openBackfill()
	go1, saved := make(chan uint64), make(chan error)
	parts := r.parts(r.store)
	parts.Backfill = backfill
	parts.Beside = []Beside{{Name: "landing", Follow: func(ctx context.Context, h *Held) error {
		for {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case seq := <-go1:
				saved <- h.Save(ctx, seq, 0)
			}
		}
	}}}
	o := quick("w")
	o.PurgeEvery = 500 * time.Millisecond // which is also what it may take
	w := r.work(parts, o)
	for n := range 20 {
		r.append(r.reading(r.a.Key(0), n, 1))
		r.history(backfill, r.reading(r.a.Key(1), n-100_000, 1))
	}
	r.caughtUp()
	r.backfilled(w, 20)
	first := func(l *bus.Log) uint64 {
		info, err := l.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return info.FirstSeq
	}
	r.eventually("the backfill log is purged", func() bool { return first(backfill) == 21 })
	if n := first(r.log); n != 1 {
		t.Errorf("the log begins at %d while nothing is landed", n)
	}
	go1 <- 12
	if err := <-saved; err != nil {
		t.Fatal(err)
	}
	r.eventually("the log is purged up to there", func() bool { return first(r.log) == 13 })
}
