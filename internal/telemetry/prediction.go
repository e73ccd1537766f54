package telemetry

import (
	"time"

	"foresight/internal/id"
)

// Role says what a prediction may cause: only production ones raise alarms.
type Role string

// The roles of a model version.
const (
	Production Role = "production"
	Canary     Role = "canary"
	Shadow     Role = "shadow"
)

// LabelProbability is one class of a classifier's answer.
type LabelProbability struct {
	Label       string  `json:"label"`
	Probability float64 `json:"probability"` // 0-1
}

// FaultPrediction is what a fault classifier said of one full window.
type FaultPrediction struct {
	Key
	// ID is derived from the reading and role (id.Derive with Timestamp), so that it
	// is stored once when written twice and found by the time that stands in it.
	ID           id.UUID
	Timestamp    time.Time // event time of the newest reading of the window
	IngestID     IngestID  // that reading
	Label        string    // the most probable class
	Probability  float64   // calibrated, 0-1
	Top          []LabelProbability
	VersionID    id.UUID
	VersionLabel string // `fault_classifier:1.0.0`
	Role         Role
	// OutOfDistribution: the window lies far from what the model was trained on.
	OutOfDistribution bool
}
