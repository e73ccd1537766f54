package telemetry

import (
	"context"
	"time"

	"foresight/internal/id"
)

// VersionQuery asks what a model version has predicted with event times in [From, To).
type VersionQuery struct {
	Tenant   id.UUID
	Version  id.UUID
	Scope    Scope
	From, To time.Time
}

// VersionCount is how often a version named a label on a day, in a role.
type VersionCount struct {
	Day   time.Time // its beginning, UTC
	Role  Role
	Label string
	Count int64
	// Probability is the mean one that the label had, 0-1.
	Probability float64
}

// VersionCounter counts what versions have predicted. A Store is one.
type VersionCounter interface {
	// VersionCounts counts the predictions of a version by day, role and label, in no
	// order.
	VersionCounts(ctx context.Context, q VersionQuery) ([]VersionCount, error)
}
