package alarms

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/enum"
	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/rules"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

func TestAnAlarmFromSampleToEnd(t *testing.T) {
	w := newWorld(t)
	rule := w.rule(w.acme, nil)

	if hints := w.apply(w.acme, flow(w.acme, 0, 0, 9)); len(hints) != 0 || len(w.alarms(w.acme)) != 0 {
		t.Fatalf("a good sample: hints %v", hints)
	}
	hints := w.apply(w.acme, flow(w.acme, 0, 1, 11), flow(w.acme, 0, 2, 12), flow(w.acme, 1, 2, 3))
	e := w.only(w.acme)
	if len(hints) != 1 || hints[0].Kind != event.Alarm || *hints[0].Alarm != (event.AlarmHint{Seq: 1, EventID: e.ID}) || hints[0].Key != w.acme.Key(0) {
		t.Errorf("hints %+v", hints)
	}
	want := &Event{
		ID: e.ID, TenantID: w.acme.TenantID, SiteID: w.acme.SiteID, AssetID: w.acme.AssetID, SensorID: &w.acme.SensorIDs[0], RuleID: rule,
		RuleName: "Flow", Parameter: "flow", Severity: rules.High, Status: rules.Open, TriggeredValue: 11,
		TriggeredAt: epoch.Add(time.Second), LastTriggeredAt: epoch.Add(2 * time.Second), Occurrences: 2,
	}
	if got := e; *got.SensorID != *want.SensorID {
		t.Errorf("sensor %v", got.SensorID)
	} else if got.SensorID = want.SensorID; *got != *want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}

	if hints := w.apply(w.acme, flow(w.acme, 0, 3, 99)); len(hints) != 0 {
		t.Errorf("a repeat notified: %v", hints)
	}
	if e = w.only(w.acme); e.Occurrences != 3 || !e.LastTriggeredAt.Equal(epoch.Add(3*time.Second)) || e.TriggeredValue != 11 {
		t.Errorf("after a repeat: %+v", e)
	}
	w.apply(w.acme, flow(w.acme, 0, 4, 5))
	if e = w.only(w.acme); e.Status != rules.Cleared || !e.ClearedAt.Equal(epoch.Add(4*time.Second)) {
		t.Errorf("cleared: %+v", e)
	}
	w.apply(w.acme, flow(w.acme, 0, 5, 12))
	if e = w.only(w.acme); e.Status != rules.Open || e.ClearedAt != nil || e.Occurrences != 4 {
		t.Errorf("back: %+v", e)
	}
	if _, err := w.service.Acknowledge(w.acme.As(t.Context(), tenancy.Operator), e.ID, ""); err != nil {
		t.Fatal(err)
	}
	// Gone, and back in the same batch: the old one is closed, a new one raised.
	w.apply(w.acme, flow(w.acme, 0, 6, 5), flow(w.acme, 0, 7, 12))
	all := w.alarms(w.acme)
	if len(all) != 2 || all[0].Status != rules.Resolved || all[0].ResolvedAt == nil || all[0].ResolvedBy != nil || all[1].Status != rules.Open {
		t.Fatalf("alarms %+v", all)
	}
	if got, want := w.told(w.acme), []string{">open", "open>cleared", "cleared>open", "open>acknowledged", "acknowledged>resolved", ">open"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	if n := w.states(); n != 0 {
		t.Errorf("%d states are kept of rules without timers", n)
	}
}

func TestTimersLiveBetweenBatches(t *testing.T) {
	w := newWorld(t)
	w.rule(w.acme, func(r *RuleSpec) { r.MinConsecutive, r.OffDelaySec, r.Deadband = 3, 10, 1 })
	for second := range 3 {
		if len(w.alarms(w.acme)) != 0 {
			t.Fatalf("raised before second %d", second)
		}
		w.apply(w.acme, flow(w.acme, 0, second, 11), flow(w.acme, 1, second, 1))
		if n, want := w.states(), 1; second < 2 && n != want {
			t.Fatalf("%d states, want %d", n, want)
		}
	}
	if e := w.only(w.acme); e.Occurrences != 1 || !e.TriggeredAt.Equal(epoch.Add(2*time.Second)) {
		t.Fatalf("raised: %+v", e)
	}
	for _, c := range []struct {
		second int
		value  float64
		want   rules.Status
		states int
	}{
		{10, 9, rules.Open, 1},    // beyond the deadband: the off-delay runs
		{15, 9.5, rules.Open, 0},  // within it: it ends
		{20, 9, rules.Open, 1},    // runs again
		{29, 9, rules.Open, 1},    //
		{30, 9, rules.Cleared, 0}, // and is over
	} {
		w.apply(w.acme, flow(w.acme, 0, c.second, c.value))
		if e, n := w.only(w.acme), w.states(); e.Status != c.want || n != c.states {
			t.Errorf("second %d: %s and %d states, want %s and %d", c.second, e.Status, n, c.want, c.states)
		}
	}
}

func TestARolledBackBatchIsForgotten(t *testing.T) {
	w := newWorld(t)
	w.rule(w.acme, func(r *RuleSpec) { r.MinConsecutive = 2 })
	w.apply(w.acme, flow(w.acme, 0, 0, 11))
	failure := errors.New("the store is gone")
	ctx := tenancy.AsSystem(t.Context(), w.acme.TenantID)
	batch := []event.Event{flow(w.acme, 0, 1, 11)}
	err := pgx.BeginFunc(ctx, w.worker, func(tx pgx.Tx) error {
		hints, err := w.recorder.Apply(ctx, tx, w.acme.TenantID, batch)
		if err != nil || len(hints) != 1 {
			t.Errorf("hints %v, %v", hints, err)
		}
		return failure
	})
	if !errors.Is(err, failure) || len(w.alarms(w.acme)) != 0 || w.states() != 1 {
		t.Fatalf("%v, %d alarms, %d states", err, len(w.alarms(w.acme)), w.states())
	}
	w.apply(w.acme, batch...)
	if e := w.only(w.acme); e.Occurrences != 1 || len(w.told(w.acme)) != 1 {
		t.Errorf("repeated: %+v", e)
	}
}

func TestPredictions(t *testing.T) {
	w := newWorld(t)
	w.rule(w.acme, func(r *RuleSpec) { *r = DefaultRules()[0] })
	said := func(second int, label string, p float64, role telemetry.Role) event.Event {
		at := epoch.Add(time.Duration(second) * time.Second)
		return event.Event{Kind: event.Prediction, Key: w.acme.Key(0), At: at, Prediction: &telemetry.FaultPrediction{
			Key: w.acme.Key(0), ID: id.Derive(id.Prediction, at, []byte(label)), Timestamp: at, Label: label, Probability: p,
			VersionID: id.New(id.MLModelVersion), Role: role,
		}}
	}
	w.apply(w.acme,
		said(0, telemetry.Normal, 0.99, telemetry.Production),
		said(1, "cavitation", 0.6, telemetry.Production), // the threshold itself
		said(2, "cavitation", 0.9, telemetry.Production),
		said(3, "cavitation", 0.9, telemetry.Production),
		said(4, "cavitation", 0.9, telemetry.Shadow),
		said(5, "cavitation", 0.9, telemetry.Canary),
		said(6, telemetry.Normal, 0.9, telemetry.Production), // not three in a row
		said(7, "cavitation", 0.9, telemetry.Production),
		said(8, "cavitation", 0.9, telemetry.Production))
	if n := len(w.alarms(w.acme)); n != 0 {
		t.Fatalf("%d alarms", n)
	}
	by := said(9, "cavitation", 0.8, telemetry.Production)
	w.apply(w.acme, by, said(10, "bent_shaft", 0.9, telemetry.Production))
	e := w.only(w.acme)
	if e.TriggeredValue != 0.8 || e.FaultCode == nil || *e.FaultCode != "cavitation" || e.PredictionID == nil || *e.PredictionID != by.Prediction.ID ||
		e.ModelVersionID != nil || e.Occurrences != 2 || e.Parameter != rules.Confidence {
		t.Errorf("%+v", e)
	}
	w.apply(w.acme, said(11, telemetry.Normal, 0.95, telemetry.Production))
	if e := w.only(w.acme); e.Status != rules.Cleared {
		t.Errorf("normal again: %s", e.Status)
	}
}

func TestSilence(t *testing.T) {
	w := newWorld(t)
	w.rule(w.acme, func(r *RuleSpec) { r.Parameter, r.Operator, r.Threshold = rules.Silence, rules.GTE, 60 })
	look := func(second int, seen ...telemetry.Seen) {
		ctx := tenancy.AsSystem(t.Context(), w.acme.TenantID)
		w.ok(pgx.BeginFunc(ctx, w.worker, func(tx pgx.Tx) error {
			_, err := w.recorder.ApplySilence(ctx, tx, w.acme.TenantID, seen, epoch.Add(time.Duration(second)*time.Second))
			return err
		}))
	}
	spoke := func(sensor, second int) telemetry.Seen {
		return telemetry.Seen{Key: w.acme.Key(sensor), At: epoch.Add(time.Duration(second) * time.Second)}
	}
	look(59, spoke(0, 0), spoke(1, 58))
	if n := len(w.alarms(w.acme)); n != 0 {
		t.Fatalf("%d alarms too early", n)
	}
	look(61, spoke(0, 0), spoke(1, 58))
	if e := w.only(w.acme); *e.SensorID != w.acme.SensorIDs[0] || e.TriggeredValue != 61 || !e.TriggeredAt.Equal(epoch.Add(61*time.Second)) {
		t.Errorf("%+v", e)
	}
	look(65, spoke(0, 64))
	if e := w.only(w.acme); e.Status != rules.Cleared {
		t.Errorf("spoke again: %s", e.Status)
	}
	w.apply(w.acme, flow(w.acme, 0, 70, 1)) // readings do not concern the rule
}

func TestRulesOfAnAssetType(t *testing.T) {
	w := newWorld(t)
	fan, pump := enum.AssetFan, enum.AssetPump
	w.rule(w.acme, func(r *RuleSpec) { r.AssetType, r.Name = &fan, "of fans" })
	w.rule(w.acme, func(r *RuleSpec) { r.AssetType, r.Name = &pump, "of pumps" })
	w.apply(w.acme, flow(w.acme, 0, 0, 11))
	if e := w.only(w.acme); e.RuleName != "of pumps" {
		t.Errorf("raised by %q", e.RuleName)
	}
}

func TestWhatADeletedRuleLeaves(t *testing.T) {
	w := newWorld(t)
	rule := w.rule(w.acme, nil)
	w.apply(w.acme, flow(w.acme, 0, 0, 11))
	engineer := w.acme.As(t.Context(), tenancy.Engineer)
	if _, err := w.rules.Delete(engineer, rule); err != nil {
		t.Fatal(err)
	}
	w.ok(w.source.load(t.Context(), []id.UUID{w.acme.TenantID}))
	w.apply(w.acme, flow(w.acme, 0, 1, 1), flow(w.acme, 1, 1, 99))
	e := w.only(w.acme)
	if e.Status != rules.Open || e.Occurrences != 1 || e.RuleName != "Flow" {
		t.Errorf("%+v", e)
	}
	if _, err := w.service.Resolve(engineer, e.ID, "closed by hand"); err != nil {
		t.Error(err)
	}
}

func TestTenantsDoNotMeet(t *testing.T) {
	w := newWorld(t)
	w.rule(w.acme, nil)
	w.apply(w.globex, flow(w.globex, 0, 0, 99))
	w.apply(w.acme, flow(w.acme, 0, 0, 99))
	w.rule(w.globex, nil)
	w.apply(w.globex, flow(w.globex, 1, 0, 99), flow(w.globex, 0, 0, 99))
	if a, b := w.told(w.acme), w.told(w.globex); len(a) != 1 || len(b) != 2 {
		t.Errorf("acme %q, globex %q", a, b)
	}
	// Events of another tenant than the transaction's are refused by the database.
	ctx := tenancy.AsSystem(t.Context(), w.globex.TenantID)
	err := pgx.BeginFunc(ctx, w.worker, func(tx pgx.Tx) error {
		_, err := w.recorder.Apply(ctx, tx, w.acme.TenantID, []event.Event{flow(w.acme, 1, 1, 99)})
		return err
	})
	if err == nil {
		t.Error("wrote another tenant's alarm")
	}
	if n := len(w.alarms(w.acme)); n != 1 {
		t.Errorf("%d alarms", n)
	}
}

// BenchmarkApply judges batches of 500 readings by five rules that hold, with the
// round trips to a real server.
func BenchmarkApply(b *testing.B) {
	w := newWorld(b)
	for range 5 {
		w.rule(w.acme, func(r *RuleSpec) { r.Threshold = 1e5 })
	}
	batch := make([]event.Event, 500)
	ctx := tenancy.AsSystem(context.Background(), w.acme.TenantID)
	second := 0
	b.ReportAllocs()
	for b.Loop() {
		for i := range batch {
			batch[i] = flow(w.acme, i%2, second, float64(i))
			second++
		}
		if err := pgx.BeginFunc(ctx, w.worker, func(tx pgx.Tx) error {
			_, err := w.recorder.Apply(ctx, tx, w.acme.TenantID, batch)
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(batch)), "ns/reading")
}
