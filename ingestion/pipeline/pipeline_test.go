package pipeline

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"foresight/internal/event"
	"foresight/internal/telemetry"
)

func TestReadingsBecomePredictionsAndAlarms(t *testing.T) {
	r := newRig(t, 4)
	r.rule(telemetry.VibrationRMS, "gt", 100)
	r.startRules()
	w := r.work(r.parts(r.store), quick("w"))
	keys := []telemetry.Key{r.a.Key(0), r.a.Key(1), r.b.Key(0), r.b.Key(1)}
	for n := range 20 {
		for i, k := range keys {
			v := 1.0
			if i == 0 && n >= 16 && n < 18 { // two readings in alarm
				v = 100
			}
			r.append(r.reading(k, n, v))
		}
	}
	r.eventually("all is stored", func() bool { return outcome(w, "stored") == 80 })
	for i, k := range keys {
		got := r.readings(k)
		if len(got) != 20 || string(got[0].Payload) != `{"n":1}` {
			t.Errorf("sensor %d has %d readings, payload %q", i, len(got), got[0].Payload)
		}
		if p := r.predictions(k); len(p) != 20-telemetry.WindowSize+1 {
			t.Errorf("sensor %d has %d predictions", i, len(p))
		}
		published := r.published(event.Telemetry, k.Sensor, 20)
		if len(published) != 20 || !slices.IsSortedFunc(published, func(a, b event.Event) int { return a.Reading.Timestamp.Compare(b.Reading.Timestamp) }) {
			t.Errorf("sensor %d: %d readings published, or out of order", i, len(published))
		}
		if n := len(r.published(event.Prediction, k.Sensor, 7)); n != 7 {
			t.Errorf("sensor %d: %d predictions published", i, n)
		}
	}
	if n := r.ask(`SELECT count(*) FROM alarm_events WHERE tenant_id = $1 AND sensor_id = $2 AND occurrences = 2 AND status = 'cleared'`, r.a.TenantID, keys[0].Sensor); n != 1 {
		t.Errorf("%d alarms of two occurrences, cleared", n)
	}
	if n := r.ask(`SELECT count(*) FROM alarm_events`); n != 1 {
		t.Errorf("%d alarms in all, want 1", n)
	}
	hints := r.published(event.Alarm, keys[0].Sensor, 2)
	if len(hints) != 2 || hints[0].Alarm.Seq != 1 || hints[1].Alarm.Seq != 2 {
		t.Errorf("hints %+v", hints)
	}
	if n := r.ask(`SELECT count(*) FROM sensor_states WHERE is_online AND window_fill = 14 AND (latest ->> 'flow')::int = 19
		AND latest ? 'vibration_rms' AND latest_at = $1`, r.start.Add(19*time.Second)); n != 4 {
		t.Errorf("%d sensors have the state of their last reading", n)
	}
}

// TestChampionJudgesTheWindow compares a stored prediction with what the model says of
// the same window directly.
func TestChampionJudgesTheWindow(t *testing.T) {
	r := newRig(t, 1)
	parts := r.parts(r.store)
	model := champion(t)
	parts.Model = model
	r.work(parts, quick("w"))
	k := r.a.Key(0)
	var window telemetry.Window
	var raw telemetry.Raw
	for n := range telemetry.WindowSize + 3 {
		raw = r.reading(k, n, 2)
		window.Add(raw.Timestamp, &raw.Channels)
		r.append(raw)
	}
	r.caughtUp()
	want, err := model.Predict(t.Context(), k, &window, &raw)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.store.Prediction(t.Context(), k.Tenant, want.ID)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("stored %+v, %v\nwant   %+v", got, err, want)
	}
}

// A shadow's predictions are stored in their role; nobody is told of them, and no alarm
// follows. One that fails costs nothing but itself.
func TestShadowsAreStoredAndNothingElse(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want int
	}{"one that answers": {nil, 4}, "one that fails": {errInjected, 0}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 1)
			r.model.tried.Store(&c.err)
			r.work(r.parts(r.store), quick("w"))
			k := r.a.Key(0)
			for n := range telemetry.WindowSize + 3 {
				r.append(r.reading(k, n, 2))
			}
			r.caughtUp()
			of := func(role telemetry.Role) int {
				t.Helper()
				found, err := r.store.Predictions(t.Context(), telemetry.PredictionQuery{RangeQuery: telemetry.RangeQuery{Tenant: k.Tenant,
					Scope: telemetry.Scope{Sensor: k.Sensor}, Limit: 100}, Roles: []telemetry.Role{role}})
				if err != nil {
					t.Fatal(err)
				}
				return len(found)
			}
			if n := of(telemetry.Production); n != 4 {
				t.Errorf("%d predictions that count, want 4", n)
			}
			if n := of(telemetry.Shadow); n != c.want {
				t.Errorf("%d of the shadow, want %d", n, c.want)
			}
			told := r.published(event.Prediction, k.Sensor, 4)
			if len(told) != 4 {
				t.Errorf("%d predictions published, want 4", len(told))
			}
			for _, e := range told {
				if e.Prediction.Role != telemetry.Production {
					t.Errorf("published a prediction in the role %s", e.Prediction.Role)
				}
			}
		})
	}
}

func TestRepeatsGoNoFurtherThanTheStore(t *testing.T) {
	r := newRig(t, 1)
	r.rule(telemetry.VibrationRMS, "gt", 100)
	r.startRules()
	w := r.work(r.parts(r.store), quick("w"))
	k := r.a.Key(0)
	for n := range 16 {
		r.append(r.reading(k, n, 100), r.reading(k, n, 100))
	}
	last := r.append(r.reading(k, 3, 100))
	r.drained(last)
	r.eventually("repeats are counted", func() bool { return outcome(w, "repeated") == 17 && outcome(w, "stored") == 16 })
	if n := len(r.readings(k)); n != 16 {
		t.Errorf("%d readings, want 16", n)
	}
	if n := len(r.predictions(k)); n != 3 {
		t.Errorf("%d predictions, want 3: a repeat moved the window", n)
	}
	if n := len(r.published(event.Telemetry, k.Sensor, 16)); n != 16 {
		t.Errorf("%d readings published", n)
	}
	if n := r.ask(`SELECT occurrences FROM alarm_events`); n != 16 {
		t.Errorf("%d occurrences, want 16", n)
	}
}

func TestLateReadingIsStoredAndNothingElse(t *testing.T) {
	r := newRig(t, 1)
	r.rule(telemetry.VibrationRMS, "gt", 100)
	r.startRules()
	o := quick("w")
	o.MaxBatch = 3
	w := r.work(r.parts(r.store), o)
	k := r.a.Key(0)
	for n := 10; n < 24; n++ {
		r.append(r.reading(k, n, 1))
	}
	r.append(r.reading(k, 5, 500))
	r.drained(r.append(r.reading(k, 24, 1)))
	r.eventually("it is counted", func() bool { return outcome(w, "late") == 1 })
	for _, raw := range r.readings(k) {
		if late := raw.Timestamp.Equal(r.start.Add(5 * time.Second)); raw.Late != late {
			t.Errorf("reading of %s: late %v", raw.Timestamp, raw.Late)
		}
	}
	if n := len(r.predictions(k)); n != 2 {
		t.Errorf("%d predictions, want 2", n)
	}
	if n := r.ask(`SELECT count(*) FROM alarm_events`); n != 0 {
		t.Error("a late reading raised an alarm")
	}
	published := r.published(event.Telemetry, k.Sensor, 16)
	if n := len(published); n != 16 {
		t.Errorf("%d published, want 16", n)
	}
	if n := r.ask(`SELECT count(*) FROM sensor_states WHERE latest_at = $1`, r.start.Add(24*time.Second)); n != 1 {
		t.Error("a late reading moved the state back")
	}
}

func TestSilenceIsJudgedAndSensorsGoOffline(t *testing.T) {
	r := newRig(t, 1)
	r.rule("silence", "gt", 300)
	r.startRules()
	o := quick("w")
	o.SilenceGrace, o.SilenceEvery = -1, 10*time.Millisecond
	r.work(r.parts(r.store), o)
	k := r.a.Key(0)
	r.append(r.reading(k, 0, 1)) // received ten minutes ago
	r.eventually("the alarm is raised", func() bool { return r.ask(`SELECT count(*) FROM alarm_events WHERE status = 'open'`) == 1 })
	r.eventually("the sensor is offline", func() bool { return r.ask(`SELECT count(*) FROM sensor_states WHERE NOT is_online`) == 1 })
	fresh := r.reading(k, 1, 1)
	fresh.ReceivedAt = time.Now().UTC()
	r.append(fresh)
	r.eventually("the alarm is cleared", func() bool { return r.ask(`SELECT count(*) FROM alarm_events WHERE status = 'cleared'`) == 1 })
	r.eventually("the sensor is online", func() bool { return r.ask(`SELECT count(*) FROM sensor_states WHERE is_online`) == 1 })
	r.eventually("both are hinted", func() bool { return len(r.events.of(event.Alarm, k.Sensor)) == 2 })
}

func TestLogIsPurgedBelowTheCheckpoints(t *testing.T) {
	r := newRig(t, 4)
	o := quick("w")
	o.PurgeEvery = 500 * time.Millisecond // which is also what it may take
	r.work(r.parts(r.store), o)
	var last uint64
	for n := range 5 {
		last = r.append(r.reading(r.a.Key(0), n, 1), r.reading(r.b.Key(1), n, 1))
	}
	r.eventually("the log is empty", func() bool {
		info, err := r.log.Info(t.Context())
		return err == nil && info.FirstSeq == last+1
	})
	if n := len(r.readings(r.a.Key(0))) + len(r.readings(r.b.Key(1))); n != 10 {
		t.Errorf("%d readings were stored before", n)
	}
}
