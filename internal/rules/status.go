package rules

import "foresight/internal/fault"

// Status is the state of an alarm after ISA-18.2. Its text is what is stored.
type Status string

// The states. None is the absence of an alarm, before it is raised.
const (
	None         Status = ""
	Open         Status = "open"         // the condition holds, nobody has seen it
	Acknowledged Status = "acknowledged" // the condition holds, somebody has seen it
	Cleared      Status = "cleared"      // the condition is gone, nobody has seen it
	Resolved     Status = "resolved"     // closed
)

// Statuses lists the states that are stored. The slice is the caller's.
func Statuses() []Status { return []Status{Open, Acknowledged, Cleared, Resolved} }

// Valid reports whether s is a state that is stored.
func (s Status) Valid() bool { return s.Active() || s == Resolved }

// Active reports whether an alarm in this state is not closed.
func (s Status) Active() bool { return s == Open || s == Acknowledged || s == Cleared }

// Holding reports whether the condition was there when it was last judged.
func (s Status) Holding() bool { return s == Open || s == Acknowledged }

// Allowed reports whether an alarm may go from one state to the other, by a sample
// or by hand.
func Allowed(from, to Status) bool {
	switch from {
	case None:
		return to == Open
	case Open:
		return to == Acknowledged || to == Cleared || to == Resolved
	case Acknowledged:
		return to == Cleared || to == Resolved
	case Cleared:
		return to == Open || to == Resolved
	}
	return false
}

// Action is what a person does to an alarm.
type Action string

// The actions.
const (
	Acknowledge Action = "acknowledge" // seen
	Clear       Action = "clear"       // the condition is gone, says the person
	Resolve     Action = "resolve"     // mended, whatever the condition
)

// Act returns the state that follows when a person acts on an alarm in state from,
// or a fault.Conflict that says why the action does not apply.
//
// A person's word is not stronger than the machine's: an alarm cleared or resolved
// by hand while its condition still holds is opened again, or raised anew, once
// further samples meet the condition for the rule's delay and number.
func Act(from Status, a Action) (Status, error) {
	switch {
	case from == Resolved:
		return from, fault.New(fault.Conflict, "error.alarm.resolved")
	case a == Resolve && from.Active():
		return Resolved, nil
	case a == Clear && from.Holding():
		return Cleared, nil
	case a == Clear && from == Cleared:
		return from, fault.New(fault.Conflict, "error.alarm.alreadyCleared")
	case a == Acknowledge && from == Open:
		return Acknowledged, nil
	case a == Acknowledge && from == Cleared:
		return Resolved, nil
	case a == Acknowledge && from == Acknowledged:
		return from, fault.New(fault.Conflict, "error.alarm.alreadyAcknowledged")
	}
	return from, fault.New(fault.Internal, "error.internal")
}
