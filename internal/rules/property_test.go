package rules

import (
	"math"
	"testing"
	"time"

	"foresight/internal/id"
)

// FuzzEvaluate drives one key through any mix of samples, acts by hand and rule
// changes, and holds it to what must always be true: a new alarm only when none is
// active, every change along an allowed arrow, occurrences only while it holds, and
// counters that rest while an alarm holds.
func FuzzEvaluate(f *testing.F) {
	f.Add([]byte{1, 90, 1, 90, 1, 70, 1, 90}, uint8(0), 0.0, uint8(0), uint8(0), uint8(1))
	f.Add([]byte{1, 81, 250, 0, 1, 70, 251, 0, 1, 81, 252, 0, 1, 90, 253, 0, 1, 90}, uint8(1), 5.0, uint8(3), uint8(2), uint8(2))
	f.Add([]byte{0, 80, 200, 1, 249, 0, 3, 80, 3, 255}, uint8(4), 1.0, uint8(1), uint8(1), uint8(1))
	acts := []Action{Acknowledge, Clear, Resolve}
	f.Fuzz(func(t *testing.T, tape []byte, op uint8, deadband float64, on, off, min uint8) {
		r := Rule{
			Version: 1, Operator: Operators()[int(op)%5], Threshold: 80, Deadband: math.Abs(deadband),
			OnDelay: time.Duration(on%16) * time.Second, OffDelay: time.Duration(off%16) * time.Second,
			MinConsecutive: int(min%5) + 1,
		}
		var s State
		seen := map[id.UUID]Status{}
		now := epoch
		for i := 0; i+1 < len(tape); i += 2 {
			before := s
			switch a := tape[i]; {
			case a >= 250:
				to, err := Act(s.Event.Status, acts[int(a)%3])
				if (err == nil) != (Allowed(s.Event.Status, to) && s.Event.Status != None) {
					t.Fatalf("%s to %s: %v", s.Event.Status, to, err)
				}
				if err != nil {
					continue
				}
				seen[s.Event.ID] = to
				if s.Event.Status = to; to == Resolved {
					s.Event = Event{}
				}
			case a == 249:
				r.Version++
			default:
				now = now.Add(time.Duration(int8(a)) * time.Second / 8)
				o := r.Evaluate(&s, Sample{At: now, Value: float64(tape[i+1]), Foreign: a%7 == 3}, newEvent)
				check(t, &r, before, s, o, seen)
				now = maxTime(now, s.LastAt)
			}
		}
		active := 0
		for _, st := range seen {
			if st.Active() {
				active++
			}
		}
		if active > 1 || (active == 1) != s.Event.Status.Active() {
			t.Fatalf("%d active alarms, state %+v", active, s)
		}
	})
}

func check(t *testing.T, r *Rule, before, after State, o Outcome, seen map[id.UUID]Status) {
	t.Helper()
	if !o.Happened() {
		if after.Event != before.Event {
			t.Fatalf("%+v became %+v without an outcome", before, after)
		}
		return
	}
	was, known := seen[o.EventID]
	switch {
	case o.Raised() && (known || before.Event.Status.Active()):
		t.Fatalf("a second alarm: %+v after %+v", o, before)
	case o.Changed() && !Allowed(o.From, o.To):
		t.Fatalf("%s to %s is not allowed", o.From, o.To)
	case o.From != was && o.From != None:
		t.Fatalf("from %s, but it was %s", o.From, was)
	case o.Met != o.To.Holding() || o.Met && !r.Operator.Met(o.Value, r.Threshold):
		t.Fatalf("met %v: %+v", o.Met, o)
	case o.To.Active() != after.Event.Status.Active(), o.To.Active() && after.Event != (Event{o.EventID, o.To}):
		t.Fatalf("outcome %+v, state %+v", o, after)
	case after.Event.Status.Holding() && after.Run != 0, !after.Event.Status.Holding() && !after.GoneSince.IsZero():
		t.Fatalf("a counter of the other half runs: %+v", after)
	}
	seen[o.EventID] = o.To
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
