package rules

import (
	"time"

	"foresight/internal/id"
)

// Outcome is what a sample did to an alarm. The zero value: nothing.
type Outcome struct {
	EventID id.UUID
	// From and To differ when the state changed; From None means that the alarm was
	// raised. They are equal for a repeat.
	From, To Status
	// Met: the sample met the condition of an alarm that holds now. It counts as an
	// occurrence and moves the alarm's last triggered time.
	Met bool
	// At and Value are the sample's.
	At    time.Time
	Value float64
}

// Happened reports whether there is anything to store of the alarm.
func (o *Outcome) Happened() bool { return o.EventID != id.Nil }

// Changed reports whether the alarm's state changed, which is a transition.
func (o *Outcome) Changed() bool { return o.From != o.To }

// Raised reports whether the alarm is new.
func (o *Outcome) Raised() bool { return o.Happened() && o.From == None }

// Evaluate judges one sample and moves the state on.
//
//   - No alarm holds: a sample that meets the condition lengthens the run, any other
//     ends it. When the run has MinConsecutive samples and lasts OnDelay, the alarm
//     is raised, or opened again when it was CLEARED. Delays are judged when a
//     sample comes, by its own time: a silent sensor changes nothing.
//   - An alarm holds (OPEN, ACKNOWLEDGED): a sample that meets the condition is a
//     repeat. One within the deadband changes nothing but ends the off-delay. One
//     beyond it, or a Foreign one, says that the condition is gone; when it has been
//     gone for OffDelay, OPEN becomes CLEARED and ACKNOWLEDGED becomes RESOLVED
//     (unless the rule is Latching).
//
// A sample older than the last one, or not finite, is no sample. When the rule's
// Version is not the one under which the counters were made, they start again; the
// alarm stays. An alarm whose rule was deactivated or deleted gets no samples and
// stays as it is until a person closes it: without a judge nobody can say that the
// condition is gone, and an alarm must not vanish unseen (ISA-18.2 keeps standing
// alarms of out-of-service points for the operator).
//
// newID names an alarm that is raised. Evaluate does not allocate.
func (r *Rule) Evaluate(s *State, in Sample, newID func() id.UUID) Outcome {
	if !finite(in.Value) || in.At.Before(s.LastAt) {
		return Outcome{}
	}
	if s.RuleVersion != r.Version {
		s.restart(r.Version)
	}
	s.LastValue, s.LastAt = in.Value, in.At
	met := !in.Foreign && r.Operator.Met(in.Value, r.Threshold)
	if s.Event.Status.Holding() {
		return r.held(s, in, met)
	}
	return r.armed(s, in, met, newID)
}

// armed judges a sample while no alarm holds.
func (r *Rule) armed(s *State, in Sample, met bool, newID func() id.UUID) Outcome {
	if !met {
		s.Run, s.RunSince = 0, time.Time{}
		return Outcome{}
	}
	if s.Run == 0 {
		s.RunSince = in.At
	}
	s.Run++
	if s.Run < r.MinConsecutive || in.At.Sub(s.RunSince) < r.OnDelay {
		return Outcome{}
	}
	s.restart(r.Version)
	from := s.Event.Status
	if from == None {
		s.Event.ID = newID()
	}
	s.Event.Status = Open
	return Outcome{EventID: s.Event.ID, From: from, To: Open, Met: true, At: in.At, Value: in.Value}
}

// held judges a sample while an alarm holds.
func (r *Rule) held(s *State, in Sample, met bool) Outcome {
	status := s.Event.Status
	out := Outcome{EventID: s.Event.ID, From: status, To: status, Met: met, At: in.At, Value: in.Value}
	if met {
		s.GoneSince = time.Time{}
		return out
	}
	if !in.Foreign && r.Operator.Holds(in.Value, r.Threshold, r.Deadband) {
		s.GoneSince = time.Time{}
		return Outcome{}
	}
	if s.GoneSince.IsZero() {
		s.GoneSince = in.At
	}
	if in.At.Sub(s.GoneSince) < r.OffDelay || status == Acknowledged && r.Latching {
		return Outcome{}
	}
	s.restart(r.Version)
	if status == Acknowledged {
		out.To, s.Event = Resolved, Event{}
	} else {
		out.To, s.Event.Status = Cleared, Cleared
	}
	return out
}
