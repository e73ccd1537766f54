package alarms

import (
	"time"

	"foresight/internal/id"
	"foresight/internal/obs/tracing"
	"foresight/internal/rules"
	"foresight/internal/telemetry"
)

// judgement collects what a batch of samples does to the states and alarms of one
// tenant.
type judgement struct {
	states map[rules.Key]rules.State // as loaded; absent is the zero state

	touched     map[rules.Key]*rules.State // as they are after the samples
	changes     map[id.UUID]*change        // by alarm
	order       []*change                  // as they first happened
	transitions []transition               // as they happened
	samples     int
}

// change is all that the batch does to one alarm.
type change struct {
	id       id.UUID
	key      telemetry.Key
	rule     *rules.Rule
	raisedBy *telemetry.FaultPrediction // of a new alarm; nil when it was no prediction
	version  id.UUID                    // of a new alarm: that predicted what raised it; Nil: none

	isNew       bool
	value       float64   // that raised it
	triggeredAt time.Time // event time of the sample that raised it

	more          int       // occurrences
	lastTriggered time.Time // zero when there were none

	moved     bool // the state changed
	status    rules.Status
	clearedAt time.Time // zero while the condition holds
	movedAt   time.Time // when that was processed
	trace     tracing.Ref
}

// transition is one change of state.
type transition struct {
	of       *change
	from, to rules.Status
	at       time.Time // of processing
	received time.Time // when the reading arrived; zero for silence
}

// newEventID names alarms.
var newEventID = id.Maker(id.AlarmEvent)

// judge lets the rule judge one sample.
func (j *judgement) judge(rule *rules.Rule, in *input, s rules.Sample) {
	j.samples++
	k := rules.Key{Rule: rule.ID, Asset: in.key.Asset, Sensor: in.key.Sensor}
	state := j.touched[k]
	if state == nil {
		loaded := j.states[k]
		state = &loaded
		j.touched[k] = state
	}
	out := rule.Evaluate(state, s, newEventID)
	if !out.Happened() {
		return
	}
	c := j.changes[out.EventID]
	if c == nil {
		c = &change{id: out.EventID, key: in.key, rule: rule}
		j.changes[c.id] = c
		j.order = append(j.order, c)
	}
	c.apply(&out, in)
	if out.Changed() {
		j.transitions = append(j.transitions, transition{c, out.From, out.To, in.at, in.received})
	}
}

func (c *change) apply(out *rules.Outcome, in *input) {
	if out.Raised() {
		c.isNew, c.value, c.triggeredAt, c.raisedBy, c.version = true, out.Value, out.At, in.prediction, in.version
		if p := in.prediction; p != nil {
			c.version = p.VersionID
		}
	}
	if out.Met {
		c.more++
		c.lastTriggered = out.At
	}
	if !out.Changed() {
		return
	}
	c.moved, c.status, c.movedAt, c.trace = true, out.To, in.at, in.trace
	if out.To == rules.Open {
		c.clearedAt = time.Time{}
	} else {
		c.clearedAt = out.At
	}
}

// kept splits the states that are not as they were loaded into those to keep and
// those that hold nothing any more.
func (j *judgement) kept() (keep, drop []rules.Key) {
	for k, s := range j.touched {
		before, stored := j.states[k]
		stored = stored && !before.Idle()
		switch {
		case !s.Idle():
			keep = append(keep, k)
		case stored:
			drop = append(drop, k)
		}
	}
	return keep, drop
}
