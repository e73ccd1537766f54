package backtest_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"foresight/ent/enum"
	"foresight/internal/alarms"
	"foresight/internal/backtest"
	"foresight/internal/id"
	"foresight/internal/page"
	"foresight/internal/rules"
	"foresight/internal/telemetry"
)

// What drafts would have done to a known history, reckoned by hand.
func TestDraftsOverAKnownHistory(t *testing.T) {
	w := newWorld(t, nil)
	//      0   1   2   3   4   5   6   7   8   9
	w.flows(70, 81, 82, 79, 74, 81, 70, 90, 91, 92)
	with := func(change func(*alarms.RuleSpec)) backtest.Draft {
		s := hot(80)
		change(&s)
		return backtest.Draft{Spec: s}
	}
	before := w.sums()
	for _, c := range []struct {
		name             string
		draft            backtest.Draft
		want             []string
		raised, reopened uint64
	}{
		{"as it is", with(func(*alarms.RuleSpec) {}),
			[]string{"1..2 until 3 x2 @81", "5..5 until 6 x1 @81 again", "7..9 until - x3 @90 again"}, 1, 2},
		{"deadband", with(func(s *alarms.RuleSpec) { s.Deadband = 5 }),
			[]string{"1..2 until 4 x2 @81", "5..5 until 6 x1 @81 again", "7..9 until - x3 @90 again"}, 1, 2},
		{"two in a row", with(func(s *alarms.RuleSpec) { s.MinConsecutive = 2 }),
			[]string{"2..2 until 3 x1 @82", "8..9 until - x2 @91 again"}, 1, 1},
		{"on-delay", with(func(s *alarms.RuleSpec) { s.OnDelaySec = 120 }), []string{"9..9 until - x1 @92"}, 1, 0},
		{"off-delay", with(func(s *alarms.RuleSpec) { s.OffDelaySec = 60 }), []string{"1..2 until 4 x2 @81", "5..9 until - x4 @81 again"}, 1, 1},
		{"never", with(func(s *alarms.RuleSpec) { s.Threshold = 100 }), nil, 0, 0},
		{"another sensor", with(func(s *alarms.RuleSpec) { s.SensorID = &w.acme.SensorIDs[1] }), nil, 0, 0},
		{"another kind of machine", with(func(s *alarms.RuleSpec) { k := enum.AssetFan; s.AssetType = &k }), nil, 0, 0},
		{"this kind of machine", with(func(s *alarms.RuleSpec) { k := enum.AssetPump; s.AssetType, s.MinConsecutive = &k, 3 }), []string{"9..9 until - x1 @92"}, 1, 0},
	} {
		q := w.whole()
		q.Drafts = []backtest.Draft{c.draft}
		b := w.succeeded(w.engineer(), q)
		if got := w.told(w.alarms(w.engineer(), b)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if r := b.Rule(0); r.Raised != c.raised || r.Reopened != c.reopened || r.Real != nil || b.Outcome.Readings != 10 || b.IsTruncated() {
			t.Errorf("%s: %+v", c.name, b.Outcome)
		}
	}
	if after := w.sums(); after != before {
		t.Errorf("live rows before %v, after %v", before, after)
	}
}

// An alarm that stands when the period begins is not raised in it, and what happened
// before it starts the timers.
func TestAPeriodBeginsWithWhatWasBefore(t *testing.T) {
	w := newWorld(t, nil)
	w.flows(90, 90, 90, 90, 70, 90, 90)
	q := w.whole()
	q.From, q.To = w.at(2), w.at(6)
	q.Drafts = []backtest.Draft{{Spec: hot(80)}}
	b := w.succeeded(w.engineer(), q)
	if got, want := w.told(w.alarms(w.engineer(), b)), []string{"5..5 until - x1 @90 again"}; !slices.Equal(got, want) || b.Outcome.Readings != 4 {
		t.Errorf("%q of %d readings, want %q of 4", got, b.Outcome.Readings, want)
	}
	q.From = w.at(1)
	q.Drafts[0].Spec.OnDelaySec = 60
	b = w.succeeded(w.engineer(), q)
	if got, want := w.told(w.alarms(w.engineer(), b)), []string{"1..3 until 4 x3 @90"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Readings that came late were not judged, and are not.
func TestLateReadingsAreNotJudged(t *testing.T) {
	w := newWorld(t, nil)
	late := w.reading(w.acme.Key(0), 0.5, 99)
	late.Late = true
	w.flows(70, 71)
	w.stores(late)
	q := w.whole()
	q.Drafts = []backtest.Draft{{Spec: hot(80)}}
	if b := w.succeeded(w.engineer(), q); b.Outcome.Readings != 2 || b.Rule(0).Raised != 0 {
		t.Errorf("%+v", b.Outcome)
	}
}

func TestSilenceOfThePast(t *testing.T) {
	w := newWorld(t, nil)
	w.flows(1, 1, 1)
	w.stores(w.reading(w.acme.Key(0), 30, 1), w.reading(w.acme.Key(0), 31, 1))
	q := w.whole()
	q.To = w.at(32)
	q.Drafts = []backtest.Draft{{Spec: alarms.RuleSpec{Name: "Silent", Parameter: rules.Silence, Operator: rules.GT, Threshold: 600, Severity: rules.Low, MinConsecutive: 1, IsActive: true}}}
	b := w.succeeded(w.engineer(), q)
	all := w.alarms(w.engineer(), b)
	// The last before the gap came at 2 min, was heard 50 ms later, and silence is judged every 5 s.
	if len(all) != 1 || all[0].ClearedAt == nil || !all[0].TriggeredAt.Equal(w.at(12).Add(5*time.Second)) || !all[0].ClearedAt.Equal(w.at(30).Add(5*time.Second)) {
		t.Fatalf("%v", all)
	}
}

// A history longer than a page, and than a slice, is read as a whole and in order.
func TestLongHistories(t *testing.T) {
	w := newWorld(t, nil)
	const n = 9000
	raws := make([]telemetry.Raw, n)
	for i := range raws {
		raws[i] = w.reading(w.acme.Key(i%2), float64(i/2)/60, float64(i/2%100))
	}
	w.stores(raws...)
	q := w.whole()
	q.Drafts = []backtest.Draft{{Spec: hot(49)}}
	b := w.succeeded(w.engineer(), q)
	// Of each hundred readings of a sensor the second half is hot.
	if all := w.alarms(w.engineer(), b); b.Outcome.Readings != n || len(all) != n/100 || b.Rule(0).Raised != 2 || b.Rule(0).Reopened != n/100-2 {
		t.Errorf("%d readings, %d alarms, %+v", b.Outcome.Readings, len(all), b.Rule(0))
	} else if a := all[7]; a.Occurrences != 50 || a.ClearedAt == nil || a.ClearedAt.Sub(a.TriggeredAt) != 50*time.Second {
		t.Errorf("%+v", a)
	}
	if p, err := w.List(w.engineer(), page.Args{Total: true}); err != nil || p.Total != 1 || p.Items[0].ID != b.ID {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestAlarmsBeyondTheLimitAreCounted(t *testing.T) {
	w := newWorld(t, func(o *backtest.Options) { o.Limits.MaxAlarms = 2 })
	w.flows(90, 70, 90, 70, 90, 70)
	q := w.whole()
	q.Drafts = []backtest.Draft{{Spec: hot(80)}}
	b := w.succeeded(w.engineer(), q)
	if n := len(w.alarms(w.engineer(), b)); n != 2 || !b.IsTruncated() || b.Rule(0).Raised+b.Rule(0).Reopened != 3 {
		t.Errorf("%d alarms, %+v", n, b.Outcome)
	}
}

// A stored rule, not in use, and a draft in its place are held against what the rule
// really raised.
func TestComparedWithRealAlarms(t *testing.T) {
	w := newWorld(t, nil)
	w.flows(70, 90, 90, 70, 70, 86, 70, 70, 90, 70)
	rule, err := w.rules.Create(w.engineer(), hot(80))
	w.ok(err)
	orders := 0
	event := func(from, to float64, confirmed bool) id.UUID {
		e := id.New(id.AlarmEvent)
		w.sql(`INSERT INTO alarm_events (id, tenant_id, site_id, asset_id, sensor_id, rule_id, severity, triggered_value, triggered_at, last_triggered_at, cleared_at, status)
			VALUES ($1, $2, $3, $4, $5, $6, 'high', 90, $7, $7, $8, 'resolved')`, e, w.acme.TenantID, w.acme.SiteID, w.acme.AssetID, w.acme.SensorIDs[0], rule.ID, w.at(from), w.at(to))
		if confirmed {
			orders++
			w.sql(`INSERT INTO maintenance_work_orders (id, tenant_id, asset_id, alarm_event_id, work_number, title, type, failure_confirmed)
				VALUES ($1, $2, $3, $4, $5, 'Look', 'corrective', true)`, id.New(id.MaintenanceWorkOrder), w.acme.TenantID, w.acme.AssetID, e, fmt.Sprintf("WO-2026-%06d", orders))
		}
		return e
	}
	first := event(1, 3, true)
	event(5, 6, true)
	q := w.whole()
	q.Rules = []id.UUID{rule.ID}
	strict := hot(88)
	q.Drafts = []backtest.Draft{{Spec: strict, Replaces: &rule.ID}}
	b := w.succeeded(w.engineer(), q)
	x, y := real(b, 0), real(b, 1)
	if x.Raised != 2 || x.Caught != 2 || x.Confirmed != 2 || x.ConfirmedCaught != 2 || x.Additional != 1 {
		t.Errorf("the rule itself: %+v", x)
	}
	if y.Raised != 2 || y.Caught != 1 || y.Confirmed != 2 || y.ConfirmedCaught != 1 || y.Additional != 1 {
		t.Errorf("the draft: %+v", y)
	}
	yes, one := true, 1
	p, err := w.Alarms(w.engineer(), b.ID, backtest.AlarmFilter{Rule: &one, Matched: &yes}, page.Args{Total: true})
	if err != nil || p.Total != 1 || p.Items[0].AlarmEventID == nil || *p.Items[0].AlarmEventID != first {
		t.Errorf("%+v, %v", p, err)
	}
	if b.Rules[0].Rule.Version != rule.Version || b.Rules[0].Draft || !b.Rules[1].Draft {
		t.Errorf("%+v", b.Rules)
	}
}
