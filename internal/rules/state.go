package rules

import (
	"time"

	"foresight/internal/id"
)

// State is what a rule remembers of one asset and sensor between samples. The zero
// value is the beginning. It is a plain comparable value and serialises as it is.
//
// Event mirrors the stored alarm, which is the only truth about it: who keeps states
// loads Event from there (locked) before evaluating, so that what people did
// meanwhile is seen.
type State struct {
	Event Event `json:"event,omitzero"`

	RuleVersion int `json:"ruleVersion,omitempty"` // under which the counters were made

	// While no alarm holds: the samples in a row that met the condition, and the
	// time of the first of them.
	Run      int       `json:"run,omitempty"`
	RunSince time.Time `json:"runSince,omitzero"`

	// While an alarm holds: since when the condition is gone, zero when it is not.
	GoneSince time.Time `json:"goneSince,omitzero"`

	LastValue float64   `json:"lastValue"`
	LastAt    time.Time `json:"lastAt,omitzero"` // zero when there was no sample
}

// Event is the active alarm of a State; the zero value when there is none.
type Event struct {
	ID     id.UUID `json:"id"`
	Status Status  `json:"status"`
}

// Idle reports whether the state holds neither a run nor a timer, so that losing it
// (not the Event) loses nothing.
func (s *State) Idle() bool { return s.Run == 0 && s.GoneSince.IsZero() }

func (s *State) restart(version int) {
	s.RuleVersion = version
	s.Run, s.RunSince, s.GoneSince = 0, time.Time{}, time.Time{}
}
