package telemetry

import (
	"context"
	"time"

	"foresight/internal/id"
)

// MaxRollups is the largest limit of a RollupQuery.
const MaxRollups = 100_000

// RollupQuery asks for rollups whose buckets begin in [From, To), of the scope.
type RollupQuery struct {
	Tenant     id.UUID
	Scope      Scope
	Sensors    []id.UUID // only these; nil: all of the scope
	Resolution Resolution
	From, To   time.Time
	Limit      int // rows, 1-MaxRollups
}

// BucketID names a 5-minute bucket of a sensor and a lane within its tenant.
type BucketID struct {
	Sensor id.UUID
	Start  time.Time
	Lane   uint8
}

// RollupStore keeps rollups. A Store is one.
type RollupStore interface {
	// WriteRollups stores rollups of one resolution and of any number of tenants, each
	// at most once. They are absolute values: a rollup replaces the one of the same
	// tenant, sensor, start and lane that holds fewer readings, and is left aside when
	// that holds as many or more. (Of one lane more readings mean a higher LastSeq, so
	// that a repetition, and what a writer sends that was overtaken, change nothing; a
	// late reading re-opens its bucket.) On an error nothing is promised, and the
	// caller repeats it.
	WriteRollups(ctx context.Context, r Resolution, rows []Rollup) error

	// RollupsAt returns those of the 5-minute buckets that are there, in no order.
	RollupsAt(ctx context.Context, tenant id.UUID, at []BucketID) ([]Rollup, error)

	// Rollups hands the rows to each, in the order of sensor, start and lane, at most
	// as many as the limit, and ends with the first error of each. The row is valid
	// during the call only. Scope is judged by where the sensor was when it was last
	// heard in the bucket.
	Rollups(ctx context.Context, q RollupQuery, each func(*Rollup) error) error
}

// Class is a sort of documents that are kept equally long.
type Class uint8

// The classes.
const (
	ClassReadings Class = iota
	ClassPredictions
	ClassRollupsM5
	ClassRollupsH1
	ClassRollupsD1
)

// Classes lists them.
var Classes = [...]Class{ClassReadings, ClassPredictions, ClassRollupsM5, ClassRollupsH1, ClassRollupsD1}

// Forgetter deletes what belongs to one tenant. A Store is one.
type Forgetter interface {
	// Forget deletes a tenant's documents of the class whose event time (of rollups:
	// whose beginning) lies before the time, a part at a time, so that a call that is
	// ended by its context has done a part of the work. It returns how many it deleted.
	Forget(ctx context.Context, tenant id.UUID, c Class, before time.Time) (int64, error)

	// ForgetTenant deletes all that the tenant has in the store, in the same manner,
	// and returns the number of documents of all classes.
	ForgetTenant(ctx context.Context, tenant id.UUID) (int64, error)
}
