package rules

import (
	"encoding/json"
	"testing"
	"time"

	"foresight/internal/id"
)

var epoch = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func newEvent() id.UUID { return id.New(id.AlarmEvent) }

// step is what happens at a second and the state of the alarm after it: `raised`,
// `reopened` and `repeated` are what a sample does to it.
type step struct {
	second int
	value  float64
	act    Action // by hand, instead of a sample
	want   Status
	did    string
}

func do(second int, a Action, want Status) step { return step{second: second, act: a, want: want} }

func say(second int, value float64, want Status, did string) step {
	return step{second: second, value: value, want: want, did: did}
}

func told(o Outcome) string {
	switch {
	case !o.Happened():
		return ""
	case o.Raised():
		return "raised"
	case o.From == Cleared && o.To == Open:
		return "reopened"
	case !o.Changed():
		return "repeated"
	case o.To == Cleared:
		return "cleared"
	case o.To == Resolved:
		return "resolved"
	}
	return "?"
}

func TestStateMachine(t *testing.T) {
	hot := Rule{Parameter: "bearing_temp", Operator: GT, Threshold: 80, MinConsecutive: 1}
	with := func(change func(*Rule)) Rule { r := hot; change(&r); return r }
	for _, c := range []struct {
		name  string
		rule  Rule
		steps []step
	}{
		{"a value at the threshold is not greater", hot, []step{say(0, 80, None, "")}},
		{"the first sample that meets the condition raises", hot, []step{say(0, 81, Open, "raised")}},
		{"repeats are the same alarm", hot, []step{
			say(0, 81, Open, "raised"), say(1, 85, Open, "repeated"), say(2, 81, Open, "repeated")}},
		{"open and gone is cleared", hot, []step{
			say(0, 81, Open, "raised"), say(1, 80, Cleared, "cleared"), say(2, 79, Cleared, "")}},
		{"cleared and back is the same alarm, open", hot, []step{
			say(0, 81, Open, "raised"), say(1, 70, Cleared, "cleared"), say(2, 81, Open, "reopened")}},
		{"acknowledged and gone is resolved", hot, []step{
			say(0, 81, Open, "raised"), do(1, Acknowledge, Acknowledged), say(2, 82, Acknowledged, "repeated"),
			say(3, 70, None, "resolved"), say(4, 81, Open, "raised")}},
		{"cleared and acknowledged is resolved", hot, []step{
			say(0, 81, Open, "raised"), say(1, 70, Cleared, "cleared"), do(2, Acknowledge, None),
			say(3, 81, Open, "raised")}},
		{"cleared by hand while it holds opens again", hot, []step{
			say(0, 81, Open, "raised"), do(1, Clear, Cleared), say(2, 81, Open, "reopened")}},
		{"acknowledged and cleared by hand is cleared", hot, []step{
			say(0, 81, Open, "raised"), do(1, Acknowledge, Acknowledged), do(2, Clear, Cleared),
			say(3, 70, Cleared, "")}},
		{"resolved by hand while it holds is raised anew", hot, []step{
			say(0, 81, Open, "raised"), do(1, Resolve, None), say(2, 81, Open, "raised")}},
		{"resolved by hand when cleared", hot, []step{
			say(0, 81, Open, "raised"), say(1, 70, Cleared, "cleared"), do(2, Resolve, None), say(3, 70, None, "")}},

		{"within the deadband the alarm stands", with(func(r *Rule) { r.Deadband = 5 }), []step{
			say(0, 81, Open, "raised"), say(1, 79, Open, ""), say(2, 75.1, Open, ""), say(3, 75, Cleared, "cleared")}},
		{"within the deadband nothing is raised", with(func(r *Rule) { r.Deadband = 5 }), []step{
			say(0, 79, None, ""), say(1, 80, None, "")}},
		{"within the deadband a cleared alarm stays cleared", with(func(r *Rule) { r.Deadband = 5 }), []step{
			say(0, 81, Open, "raised"), say(1, 75, Cleared, "cleared"), say(2, 79, Cleared, ""), say(3, 81, Open, "reopened")}},

		{"the third in a row raises", with(func(r *Rule) { r.MinConsecutive = 3 }), []step{
			say(0, 81, None, ""), say(1, 82, None, ""), say(2, 83, Open, "raised")}},
		{"a sample that does not meet it ends the row", with(func(r *Rule) { r.MinConsecutive = 3 }), []step{
			say(0, 81, None, ""), say(1, 82, None, ""), say(2, 80, None, ""), say(3, 81, None, ""),
			say(4, 81, None, ""), say(5, 81, Open, "raised")}},
		{"opening again takes a row as well", with(func(r *Rule) { r.MinConsecutive = 2 }), []step{
			say(0, 81, None, ""), say(1, 81, Open, "raised"), say(2, 70, Cleared, "cleared"),
			say(3, 81, Cleared, ""), say(4, 81, Open, "reopened")}},
		{"a row counted before a clearing by hand is forgotten", with(func(r *Rule) { r.MinConsecutive = 2 }), []step{
			say(0, 81, None, ""), say(1, 81, Open, "raised"), say(2, 81, Open, "repeated"), do(3, Clear, Cleared),
			say(4, 81, Cleared, ""), say(5, 81, Open, "reopened")}},

		{"on-delay: raised by the sample at its end", with(func(r *Rule) { r.OnDelay = 10 * time.Second }), []step{
			say(0, 81, None, ""), say(9, 81, None, ""), say(10, 81, Open, "raised")}},
		{"on-delay: begins again after a good sample", with(func(r *Rule) { r.OnDelay = 10 * time.Second }), []step{
			say(0, 81, None, ""), say(9, 80, None, ""), say(10, 81, None, ""), say(19, 81, None, ""), say(20, 81, Open, "raised")}},
		{"on-delay and row must both be full", with(func(r *Rule) { r.OnDelay, r.MinConsecutive = 2*time.Second, 4 }), []step{
			say(0, 81, None, ""), say(2, 81, None, ""), say(4, 81, None, ""), say(6, 81, Open, "raised")}},
		{"off-delay: cleared by the sample at its end", with(func(r *Rule) { r.OffDelay = 10 * time.Second }), []step{
			say(0, 81, Open, "raised"), say(1, 70, Open, ""), say(10, 70, Open, ""), say(11, 70, Cleared, "cleared")}},
		{"off-delay: begins again when the condition is back", with(func(r *Rule) { r.OffDelay = 10 * time.Second }), []step{
			say(0, 81, Open, "raised"), say(1, 70, Open, ""), say(5, 81, Open, "repeated"), say(11, 70, Open, ""), say(21, 70, Cleared, "cleared")}},
		{"off-delay: begins again within the deadband", with(func(r *Rule) { r.OffDelay, r.Deadband = 10*time.Second, 5 }), []step{
			say(0, 81, Open, "raised"), say(1, 70, Open, ""), say(5, 78, Open, ""), say(11, 70, Open, ""), say(21, 70, Cleared, "cleared")}},
		{"off-delay goes on across an acknowledgement", with(func(r *Rule) { r.OffDelay = 10 * time.Second }), []step{
			say(0, 81, Open, "raised"), say(1, 70, Open, ""), do(5, Acknowledge, Acknowledged), say(11, 70, None, "resolved")}},

		{"latching: acknowledged and gone stays until closed by hand", with(func(r *Rule) { r.Latching = true }), []step{
			say(0, 81, Open, "raised"), do(1, Acknowledge, Acknowledged), say(2, 70, Acknowledged, ""),
			say(3, 81, Acknowledged, "repeated"), say(4, 70, Acknowledged, ""), do(5, Resolve, None)}},
		{"latching: open and gone is cleared all the same", with(func(r *Rule) { r.Latching = true }), []step{
			say(0, 81, Open, "raised"), say(1, 70, Cleared, "cleared")}},

		{"a late sample is none", hot, []step{
			say(5, 70, None, ""), say(4, 99, None, ""), say(5, 81, Open, "raised"), say(4, 70, Open, "")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s State
			for _, st := range c.steps {
				if st.act != "" {
					to, err := Act(s.Event.Status, st.act)
					if err != nil {
						t.Fatalf("at second %d: %v", st.second, err)
					}
					if s.Event.Status = to; to == Resolved {
						s.Event = Event{} // as a resolved alarm is no longer loaded
					}
				} else {
					in := Sample{At: epoch.Add(time.Duration(st.second) * time.Second), Value: st.value}
					o := c.rule.Evaluate(&s, in, newEvent)
					if got := told(o); got != st.did {
						t.Errorf("at second %d, value %v: %q, want %q", st.second, st.value, got, st.did)
					}
					if o.Happened() && (!o.At.Equal(in.At) || o.Value != in.Value) {
						t.Errorf("at second %d: outcome %+v of sample %+v", st.second, o, in)
					}
				}
				if s.Event.Status != st.want {
					t.Fatalf("after second %d: %q, want %q", st.second, s.Event.Status, st.want)
				}
				s = reload(t, s)
			}
		})
	}
}

// reload returns the state as it comes back from a store.
func reload(t *testing.T, s State) (back State) {
	t.Helper()
	b, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(b, &back)
	}
	if err != nil {
		t.Fatal(err)
	}
	if back != s {
		t.Fatalf("state %+v came back as %+v", s, back)
	}
	return back
}

func TestAChangedRuleRestartsItsTimersAndKeepsItsAlarm(t *testing.T) {
	r := Rule{Version: 1, Operator: GT, Threshold: 10, MinConsecutive: 2}
	var s State
	at := func(sec int, v float64) Sample {
		return Sample{At: epoch.Add(time.Duration(sec) * time.Second), Value: v}
	}
	r.Evaluate(&s, at(0, 11), newEvent)
	r.Version = 2
	if o := r.Evaluate(&s, at(1, 11), newEvent); o.Happened() {
		t.Fatalf("a sample under the old version counted: %+v", o)
	}
	o := r.Evaluate(&s, at(2, 11), newEvent)
	if !o.Raised() {
		t.Fatalf("not raised: %+v", o)
	}
	r.Version, r.Threshold = 3, 20
	if c := r.Evaluate(&s, at(3, 11), newEvent); c.To != Cleared || c.EventID != o.EventID {
		t.Errorf("the raised threshold did not clear the alarm: %+v", c)
	}
}

func TestActsByHand(t *testing.T) {
	for _, c := range []struct {
		from   Status
		act    Action
		to     Status
		reason string
	}{
		{Open, Acknowledge, Acknowledged, ""},
		{Acknowledged, Acknowledge, Acknowledged, "error.alarm.alreadyAcknowledged"},
		{Cleared, Acknowledge, Resolved, ""},
		{Resolved, Acknowledge, Resolved, "error.alarm.resolved"},
		{Open, Clear, Cleared, ""},
		{Acknowledged, Clear, Cleared, ""},
		{Cleared, Clear, Cleared, "error.alarm.alreadyCleared"},
		{Resolved, Clear, Resolved, "error.alarm.resolved"},
		{Open, Resolve, Resolved, ""},
		{Acknowledged, Resolve, Resolved, ""},
		{Cleared, Resolve, Resolved, ""},
		{Resolved, Resolve, Resolved, "error.alarm.resolved"},
	} {
		to, err := Act(c.from, c.act)
		if to != c.to || keyOf(err) != c.reason {
			t.Errorf("%s %s: %s, %v; want %s, %q", c.act, c.from, to, err, c.to, c.reason)
		}
		if err == nil && !Allowed(c.from, to) {
			t.Errorf("%s to %s is not an allowed arrow", c.from, to)
		}
	}
	if _, err := Act(None, Acknowledge); err == nil {
		t.Error("acted on no alarm")
	}
	if _, err := Act(Open, "shout"); err == nil {
		t.Error("an unknown act was done")
	}
}
