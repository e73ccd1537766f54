package pipeline

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// Model says what a sensor's window means. inference.Service implements it.
type Model interface {
	// Predict judges a full window whose newest reading is raw. It must not keep the
	// window. The answer's key, id, timestamp and ingest id are the reading's. An
	// error costs the prediction and nothing else: the reading is stored and judged
	// by rules all the same.
	Predict(ctx context.Context, key telemetry.Key, w *telemetry.Window, raw *telemetry.Raw) (telemetry.FaultPrediction, error)

	// Shadow does the same by a model that is tried beside the one that counts, false
	// when none is. What it says is stored, in its role, and nothing follows from it.
	Shadow(ctx context.Context, key telemetry.Key, w *telemetry.Window, raw *telemetry.Raw) (telemetry.FaultPrediction, bool, error)
}

// Alarms judges what happened by the tenant's rules and records what comes of it.
// internal/alarms implements it.
//
// Both methods run inside the worker's transaction, as foresight_worker with
// app.tenant_id set to the tenant, and read and write all that they know of an alarm
// there (rule_states, alarm_events, alarm_transitions): after a rollback they are
// called again with the same events and must come to the same result. Tenants
// come in the order of their ids, so that locks per tenant are taken in one order.
// An error fails the batch; one of kind fault.BadInput, or a violated constraint,
// blames the events, any other the surroundings (the batch is repeated).
type Alarms interface {
	// Apply judges events of one tenant in the order in which they happened: of every
	// reading in order (none is late, none was seen before) its Telemetry event and,
	// behind it, its Prediction event if there is one. Event.At is the time of
	// processing. It returns the Alarm events (hints) to publish after the commit.
	Apply(ctx context.Context, tx pgx.Tx, tenant id.UUID, happened []event.Event) ([]event.Event, error)

	// ApplySilence judges the rules on silence: at the time now, sensor seen[i].Key
	// had last spoken at seen[i].At. It is called every few seconds with the sensors
	// of one partition, only while the partition has caught up with its log, so that
	// a backlog is never taken for silence. A sensor that speaks again comes with
	// its new time in the next call.
	ApplySilence(ctx context.Context, tx pgx.Tx, tenant id.UUID, seen []telemetry.Seen, now time.Time) ([]event.Event, error)
}

// DeadLetters keeps what can never be processed, for people to look at. Letters
// implements it.
type DeadLetters interface {
	// Reject stores one log entry with the reason, a machine-readable code. It
	// returns when it is durable, and is harmless when repeated.
	Reject(ctx context.Context, r Rejected) error
}

// Rejected is a log entry that went to the dead letters.
type Rejected struct {
	Partition int
	Seq       uint64
	At        time.Time // when the log took it
	Tenant    id.UUID   // Nil when its subject does not tell
	Reason    string    // ReasonEnvelope, ReasonPoison
	Cause     error
	Data      []byte         // the entry as it stands in the log
	Reading   *telemetry.Raw // nil when the entry could not be decoded
}

// The reasons of Rejected.
const (
	ReasonEnvelope = "bad_envelope"      // not an envelope that this version reads
	ReasonPoison   = "processing_failed" // fails again and again, alone as well
)
