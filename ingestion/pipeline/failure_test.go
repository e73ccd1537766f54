package pipeline

import (
	"context"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"foresight/internal/event"
	"foresight/internal/telemetry"
)

// feed appends n readings of every sensor, with an alarm in the middle and two late
// readings.
func (r *rig) feed(n int) (last uint64) {
	r.Helper()
	return r.feedPart(n, 0, n)
}

// feedPart appends of the n readings those from one to before another.
func (r *rig) feedPart(n, from, to int) (last uint64) {
	r.Helper()
	for i := from; i < to; i++ {
		for _, k := range []telemetry.Key{r.a.Key(0), r.a.Key(1), r.b.Key(0), r.b.Key(1)} {
			v := 1.0
			if i >= n/2 && i < n/2+5 {
				v = 100
			}
			last = r.append(r.reading(k, 2*i, v))
			if i == n/3 || i == n/2 {
				last = r.append(r.reading(k, 2*i-5, v))
			}
		}
	}
	return last
}

// outcomeOf is all that a feed leaves behind, for comparison.
type left struct {
	readings, late    int
	alarms, occurred  int
	transitions, gaps int
	predictions       [4]map[time.Time]float64
}

func (r *rig) left() left {
	r.Helper()
	l := left{
		readings:    r.ask(`SELECT count(*) FROM telemetry_raw`),
		late:        r.ask(`SELECT count(*) FROM telemetry_raw WHERE late`),
		alarms:      r.ask(`SELECT count(*) FROM alarm_events`),
		occurred:    r.ask(`SELECT coalesce(sum(occurrences), 0) FROM alarm_events`),
		transitions: r.ask(`SELECT count(*) FROM alarm_transitions`),
		gaps:        r.ask(`SELECT count(*) FROM (SELECT max(seq) - count(*) AS gap FROM alarm_transitions GROUP BY tenant_id) g WHERE gap <> 0`),
	}
	for i, k := range []telemetry.Key{r.a.Key(0), r.a.Key(1), r.b.Key(0), r.b.Key(1)} {
		l.predictions[i] = r.predictions(k)
	}
	return l
}

func (r *rig) sameAs(want left) {
	r.Helper()
	got := r.left()
	for i := range want.predictions {
		if !maps.Equal(got.predictions[i], want.predictions[i]) {
			r.Errorf("sensor %d: its %d predictions are not those %d of an undisturbed run", i, len(got.predictions[i]), len(want.predictions[i]))
		}
		got.predictions[i], want.predictions[i] = nil, nil
	}
	if got.readings != want.readings || got.late != want.late || got.alarms != want.alarms || got.occurred != want.occurred ||
		got.transitions != want.transitions || got.gaps != 0 {
		r.Errorf("left behind:\n got %+v\nwant %+v", got, want)
	}
	sameRollups(r, r.store, r.a.TenantID)
	sameRollups(r, r.store, r.b.TenantID)
}

// expected is what feed(n) leaves when nothing goes wrong. The windows' fingerprints
// come from a telemetry.Window that saw everything.
func (r *rig) expected(n int) left {
	r.Helper()
	want := left{readings: 4 * (n + 2), late: 8, alarms: 4, occurred: 20, transitions: 8}
	for i, k := range []telemetry.Key{r.a.Key(0), r.a.Key(1), r.b.Key(0), r.b.Key(1)} {
		want.predictions[i] = map[time.Time]float64{}
		var w telemetry.Window
		for j := range n {
			v := 1.0
			if j >= n/2 && j < n/2+5 {
				v = 100
			}
			raw := r.reading(k, 2*j, v)
			if w.Add(raw.Timestamp, &raw.Channels); w.Full() {
				p, err := r.model.Predict(r.Context(), k, &w, &raw)
				if err != nil {
					r.Fatal(err)
				}
				want.predictions[i][raw.Timestamp] = p.Probability
			}
		}
	}
	return want
}

const fed = 40

func alarmRig(t *testing.T, partitions int) *rig {
	r := newRig(t, partitions)
	r.rule(telemetry.VibrationRMS, "gt", 100)
	r.startRules()
	return r
}

// everyThird fails every third call after the work is done.
func everyThird() func() error {
	var n atomic.Int64
	return func() error {
		if n.Add(1)%3 == 0 {
			return errInjected
		}
		return nil
	}
}

func TestFailuresAtEveryStageLoseAndDoubleNothing(t *testing.T) {
	for name, spoil := range map[string]func(*faultyStore, *hookedAlarms){
		"undisturbed": func(*faultyStore, *hookedAlarms) {},
		"after the readings are written": func(s *faultyStore, _ *hookedAlarms) {
			f := everyThird()
			s.afterReadings = func(context.Context) error { return f() }
		},
		"after the rollups are written": func(s *faultyStore, _ *hookedAlarms) {
			f := everyThird()
			s.afterRollups = func(context.Context) error { return f() }
		},
		"after the predictions are written": func(s *faultyStore, _ *hookedAlarms) {
			f := everyThird()
			s.afterPredictions = func(context.Context) error { return f() }
		},
		"after the rules, before the commit": func(_ *faultyStore, a *hookedAlarms) {
			f := everyThird()
			a.after = func([]event.Event) error { return f() }
		},
		"a panic before the commit": func(_ *faultyStore, a *hookedAlarms) {
			var n atomic.Int64
			a.after = func([]event.Event) error {
				if n.Add(1) == 4 {
					panic("rules")
				}
				return nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := alarmRig(t, 2)
			store := &faultyStore{Store: r.store}
			spoil(store, r.alarms)
			o := quick("w")
			o.MaxBatch = 7
			r.work(r.parts(store), o)
			r.feed(fed)
			r.caughtUp()
			r.sameAs(r.expected(fed))
			if got := r.dead.reasons(); got != "" {
				t.Errorf("dead letters: %s", got)
			}
		})
	}
}

// caughtUp waits until every partition's checkpoint has reached its last entry.
func (r *rig) caughtUp() {
	r.Helper()
	r.eventually("all partitions are processed", func() bool {
		for p, last := range r.last {
			if uint64(r.ask(`SELECT coalesce(max(sequence), 0) FROM partitions WHERE number = $1`, p)) < last {
				return false
			}
		}
		return true
	})
}

// TestKilledBetweenStoreAndCommit abandons a worker with its batch written and not
// committed, again and again; the next one finishes.
func TestKilledBetweenStoreAndCommit(t *testing.T) {
	r := alarmRig(t, 1)
	r.feed(fed)
	o := quick("w")
	o.MaxBatch = 9
	for range 4 {
		written := make(chan struct{})
		store := &faultyStore{Store: r.store}
		var calls atomic.Int64
		store.afterReadings = func(ctx context.Context) error {
			if calls.Add(1) < 3 {
				return nil
			}
			close(written)
			<-ctx.Done() // until it is killed
			return ctx.Err()
		}
		w := r.work(r.parts(store), o)
		<-written
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := w.Stop(ended); err == nil {
			t.Fatal("the batch was not abandoned")
		}
	}
	r.work(r.parts(r.store), o)
	r.caughtUp()
	r.sameAs(r.expected(fed))
}

// TestZombieCannotCommit pauses an owner between its writes and its commit until
// another has taken the partition over and done everything.
func TestZombieCannotCommit(t *testing.T) {
	r := alarmRig(t, 1)
	r.feed(fed)
	written, resume := make(chan struct{}), make(chan struct{})
	store := &faultyStore{Store: r.store}
	var calls atomic.Int64
	store.afterReadings = func(context.Context) error {
		if calls.Add(1) == 2 {
			close(written)
			<-resume
		}
		return nil
	}
	o := quick("zombie")
	o.MaxBatch, o.Heartbeat = 11, time.Hour // a paused process does not renew
	zombie := r.work(r.parts(store), o)
	<-written
	published := len(r.events.of(event.Telemetry, r.a.Key(0).Sensor))
	if published == 0 {
		t.Fatal("the first batch was not committed")
	}

	heir := quick("heir")
	r.work(r.parts(r.store), heir)
	r.caughtUp()
	r.sameAs(r.expected(fed))
	before := r.ask(`SELECT sequence FROM partitions`)
	epoch := r.ask(`SELECT epoch FROM partitions`)

	close(resume)
	r.eventually("the zombie is fenced off", func() bool { return errorsOf(zombie, "fenced") == 1 })
	r.sameAs(r.expected(fed))
	if after := r.ask(`SELECT sequence FROM partitions`); after != before || r.ask(`SELECT epoch FROM partitions`) != epoch {
		t.Errorf("checkpoint %d, was %d", after, before)
	}
	if n := len(r.published(event.Telemetry, r.a.Key(0).Sensor, fed+2)); n != fed+2 {
		t.Errorf("%d readings published, want %d", n, fed+2)
	}
}

func TestStoreDownMovesNoCheckpoint(t *testing.T) {
	r := alarmRig(t, 1)
	store := &faultyStore{Store: r.store}
	store.down.Store(true)
	w := r.work(r.parts(store), quick("w"))
	r.feed(fed)
	r.eventually("it tried several times", func() bool { return store.refused.Load() >= 3 })
	if n := r.ask(`SELECT sequence FROM partitions`); n != 0 || errorsOf(w, "batch") < 2 {
		t.Errorf("checkpoint %d with the store down, %d errors counted", n, errorsOf(w, "batch"))
	}
	store.down.Store(false)
	r.caughtUp()
	r.sameAs(r.expected(fed))
}

func TestModelFailingCostsPredictionsOnly(t *testing.T) {
	for name, spoil := range map[string]func(*fingerprint){
		"error": func(f *fingerprint) { err := errInjected; f.fail.Store(&err) },
		"panic": func(f *fingerprint) { f.panic.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			r := alarmRig(t, 1)
			spoil(r.model)
			o := quick("w")
			fixed := time.Now()
			o.Now = func() time.Time { return fixed } // the breaker stays open
			w := r.work(r.parts(r.store), o)
			r.feed(fed)
			r.caughtUp()
			want := r.expectedWithout(fed)
			r.sameAs(want)
			if n := r.model.calls.Load(); n != 2*breakAfter { // two tenants
				t.Errorf("the model was called %d times, want %d", n, 2*breakAfter)
			}
			r.eventually("all are counted as stored", func() bool { return outcome(w, "stored") == 4*fed }) // behind the commit
		})
	}
}

func (r *rig) expectedWithout(n int) left {
	want := left{readings: 4 * (n + 2), late: 8, alarms: 4, occurred: 20, transitions: 8}
	for i := range want.predictions {
		want.predictions[i] = map[time.Time]float64{}
	}
	return want
}

// TestPoisonGoesToTheDeadLetters has three kinds of it: bytes that are no envelope of a sensor, a
// text that PostgreSQL refuses, and a reading on which rules panic.
func TestPoisonGoesToTheDeadLetters(t *testing.T) {
	r := alarmRig(t, 1)
	k := r.a.Key(0)
	bad := r.reading(k, 1001, 1)
	bad.Topic = "\xff"
	deadly := r.reading(k, 1002, 1)
	r.alarms.after = func(happened []event.Event) error {
		for _, e := range happened {
			if e.Reading != nil && e.Reading.IngestID == deadly.IngestID {
				panic("rules")
			}
		}
		return nil
	}
	r.dead.fail = 2
	r.append(r.reading(k, 0, 1))
	r.appendBytes(k, []byte("no envelope"))
	nobodys := r.reading(telemetry.Key{}, 0, 1)
	r.appendBytes(k, telemetry.AppendEnvelope(nil, &nobodys))
	r.appendBytes(k, nil)
	r.append(r.reading(k, 1, 1), bad, r.reading(k, 2, 1), deadly, r.reading(k, 1003, 1))
	w := r.work(r.parts(r.store), quick("w"))
	r.caughtUp()
	if got := r.dead.reasons(); strings.Count(got, ReasonEnvelope) < 1 || strings.Count(got, ReasonPoison) != 2 {
		t.Errorf("dead letters: %s", got)
	}
	if n := r.ask(`SELECT count(*) FROM rejected_readings WHERE tenant_id = $1`, k.Tenant); n != 5 {
		t.Errorf("%d dead letters are stored, want 5", n)
	}
	if n := r.ask(`SELECT count(*) FROM rejected_readings WHERE reason = $1 AND payload = $2`, ReasonPoison, bad.Payload); n != 2 {
		t.Errorf("%d hold the message as it came, want 2", n)
	}
	if n := len(r.published(event.Telemetry, k.Sensor, 4)); n != 4 {
		t.Errorf("%d good readings published, want 4", n)
	}
	if n := len(r.readings(k)); n != 5 { // the deadly one is stored, rules never saw it
		t.Errorf("%d readings stored, want 5", n)
	}
	if errorsOf(w, "split") == 0 {
		t.Error("the batch was never split")
	}
}
