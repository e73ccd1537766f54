// Package event defines what the parts tell each other after the fact: typed
// events, published after the commit of what they speak of, and the two small
// interfaces by which they travel. internal/hub implements both.
//
// Events of one sensor arrive in the order in which they were published by one
// publisher. Telemetry and prediction events may be lost or coalesced when a
// subscriber is slow (it is told so by a Gap); alarm events are hints only: what
// counts is the table of transitions, which a reader follows by Seq.
package event

import (
	"context"
	"time"

	"foresight/internal/id"
	"foresight/internal/obs/tracing"
	"foresight/internal/telemetry"
)

// Kind is the kind of an event and a token of its subject.
type Kind string

// The kinds of events.
const (
	Telemetry  Kind = "telemetry"
	Prediction Kind = "prediction"
	Alarm      Kind = "alarm"
	Job        Kind = "job"
	Gateway    Kind = "gateway"
	Health     Kind = "health"
	Deployment Kind = "deployment"
)

// Event is one thing that happened in a tenant.
type Event struct {
	Kind Kind
	Key  telemetry.Key
	At   time.Time // when it was published

	Trace tracing.Ref // of the message that it came of, when that is followed

	// Exactly one of these is set, by Kind.
	Reading    *telemetry.Raw             // Telemetry; Payload may be empty
	Prediction *telemetry.FaultPrediction // Prediction
	Alarm      *AlarmHint                 // Alarm
	Job        *JobProgress               // Job; the key holds the tenant only
	Gateway    *GatewayChange             // Gateway; the key holds tenant and site
	Health     *HealthChange              // Health; the key holds no sensor
	Deployment *DeploymentNews            // Deployment; the key holds the tenant only
}

// AlarmHint says that the tenant's transitions have reached Seq.
type AlarmHint struct {
	Seq     uint64
	EventID id.UUID
}

// JobProgress says how far an import or export is. One may be lost: what counts is the
// job's row, which a reader looks at from time to time.
type JobProgress struct {
	ID     id.UUID
	Status string // queued, running, succeeded or failed
	Phase  string // reading, checking or writing; "" before and after
	Done   int64  // rows of the phase
	Total  int64  // rows of the phase; -1: not known
}

// GatewayChange says that a gateway came or went. One may be lost: what counts is the
// gateway's state in the database.
type GatewayChange struct {
	ID          id.UUID
	IsOnline    bool
	LastSeenAt  time.Time
	ConnectedAt time.Time // zero while it has no connection
}

// HealthChange is the newly calculated health of a machine. One may be lost: what counts
// is in the database.
type HealthChange struct {
	CalculatedAt time.Time // as of when
	Score        float64   // 0-100
	Status       string    // healthy, warning or critical
	Method       string    // name and version of the formula
	Failure      FailureChange
}

// FailureChange is the failure prediction on which a health rests; the zero value is
// none.
type FailureChange struct {
	ID, Version       id.UUID
	Within7, Within30 [3]float64 // probability, lower and upper end of its interval, 0-1
	Risk              string     // low, medium, high or critical
}

// DeploymentNews says what happened to a deployment. One may be lost: what counts is in
// the database.
type DeploymentNews struct {
	ID   id.UUID // of the deployment; of the decision about it when that is the news
	News string  // opened, changed, ended or decided
}

// Publisher sends events. Publish never blocks on subscribers and returns an error
// only when the transport is gone; callers log it and go on.
type Publisher interface {
	Publish(ctx context.Context, events ...Event) error
}

// Filter chooses the events of one tenant. Zero ids do not narrow; Sites, when not
// nil, also limits to these sites.
type Filter struct {
	Tenant id.UUID
	Kind   Kind
	Scope  telemetry.Scope
}

// Item is an event, or the news that events were left out before it (Gap).
type Item struct {
	Event Event
	Gap   bool
}

// Subscriber gives live events. The channel is closed when ctx ends or the
// process stops; it is buffered, bounded, and never blocks the publisher.
type Subscriber interface {
	Subscribe(ctx context.Context, f Filter) (<-chan Item, error)
}
