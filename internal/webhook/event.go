package webhook

import "slices"

// Event is a kind of event that webhooks are told of, as it is stored and sent.
type Event string

// The events.
const (
	AlarmRaised       Event = "alarm.raised"
	AlarmAcknowledged Event = "alarm.acknowledged"
	AlarmCleared      Event = "alarm.cleared"
	AlarmResolved     Event = "alarm.resolved"
	WorkOrderCreated  Event = "work_order.created"
	WorkOrderUpdated  Event = "work_order.updated"

	// Test is sent on request only; nobody subscribes to it.
	Test Event = "test"
)

// Events lists what can be subscribed to.
var Events = []Event{AlarmRaised, AlarmAcknowledged, AlarmCleared, AlarmResolved, WorkOrderCreated, WorkOrderUpdated}

// Known reports whether the event can be subscribed to.
func (e Event) Known() bool { return slices.Contains(Events, e) }
