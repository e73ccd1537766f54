package telemetry

import (
	"context"
	"errors"
	"time"

	"foresight/internal/id"
)

// ErrNoTenant is returned when a query or a document names no tenant.
var ErrNoTenant = errors.New("telemetry: no tenant")

// ErrLimit is returned when a limit is less than 1 or more than allowed.
var ErrLimit = errors.New("telemetry: limit out of range")

// The largest limits.
const (
	MaxLimit  = 1000   // of lists
	MaxLatest = 10_000 // of Latest: sensors
)

// Scope narrows a query below its tenant. The zero value is the whole tenant;
// set fields are and-ed. Sites, when not nil, also limits to these sites (the
// actor's site scope), and an empty non-nil slice matches nothing.
type Scope struct {
	Site, Asset, Sensor id.UUID
	Sites               []id.UUID
}

// Cursor is a place in a list ordered by event time, newest first; the zero value
// is its beginning.
type Cursor struct {
	Timestamp time.Time
	IngestID  IngestID // tie-break among equal timestamps
}

// RangeQuery asks for what happened in [From, To), newest first.
type RangeQuery struct {
	Tenant   id.UUID
	Scope    Scope
	From, To time.Time // a zero time does not bound
	After    Cursor    // exclusive: continue behind it
	Limit    int       // 1-MaxLimit
}

// PredictionQuery asks for predictions, newest first.
type PredictionQuery struct {
	RangeQuery
	OnlyAbnormal   bool // no `normal`
	Labels         []string
	MinProbability float64
	Roles          []Role // empty: production only
}

// PredictionCount is how many predictions of an asset named the label.
type PredictionCount struct {
	Asset id.UUID
	Label string
	Count int64
}

// Store keeps readings, predictions and rollups. Every implementation passes the suite in
// storetest. All methods are safe for concurrent use; every query is confined to
// the one tenant that it names, and a query without one is ErrNoTenant.
type Store interface {
	RollupStore
	Forgetter
	VersionCounter

	// WriteReadings stores the documents of any number of tenants. It is
	// idempotent by (tenant, ingest id): a document that is there already is left
	// as it was. The result holds, for each document in order, the LogSeq of its
	// first write (of equal documents in one call, the first); so `firstSeq[i] == docs[i].LogSeq` says that the document is
	// new, or that this very log entry was written before and its batch did not
	// commit. On an error nothing is promised, and the caller repeats the batch; an
	// error of kind fault.BadInput says that repeating it will not help.
	//
	// An ingest id always comes with the same timestamp, from which it is made.
	WriteReadings(ctx context.Context, docs []Raw) (firstSeq []uint64, err error)

	// WritePredictions stores predictions, idempotent by (tenant, id): first write wins.
	WritePredictions(ctx context.Context, docs []FaultPrediction) error

	// Readings returns raw readings, newest first by event time.
	Readings(ctx context.Context, q RangeQuery) ([]Raw, error)

	// Latest returns the newest reading by event time of each sensor of the scope
	// that has one (of one time: the last in the log), in the order of the sensors'
	// ids, at most limit of them.
	Latest(ctx context.Context, tenant id.UUID, scope Scope, limit int) ([]Raw, error)

	// Window returns for each sensor its newest n readings by event time (of one
	// time: by LogSeq) among those that are not Late and whose LogSeq is at most
	// maxSeq, oldest first, looking back no further than since: what a telemetry.Window
	// holds that saw the log up to maxSeq. Payload and Topic are absent. Sensors
	// without any are absent from the map.
	Window(ctx context.Context, tenant id.UUID, sensors []id.UUID, n int, maxSeq uint64, since time.Time) (map[id.UUID][]Raw, error)

	// Predictions returns predictions, newest first by event time.
	Predictions(ctx context.Context, q PredictionQuery) ([]FaultPrediction, error)

	// Prediction returns one by its id, ErrNotFound when the tenant has none such.
	Prediction(ctx context.Context, tenant, id id.UUID) (FaultPrediction, error)

	// PredictionsByID returns those that the tenant has, by id; others are absent
	// from the map.
	PredictionsByID(ctx context.Context, tenant id.UUID, ids []id.UUID) (map[id.UUID]FaultPrediction, error)

	// LatestPredictions returns the newest production prediction of each asset that
	// has one since the time given. Assets without any are absent from the map.
	LatestPredictions(ctx context.Context, tenant id.UUID, assets []id.UUID, since time.Time) (map[id.UUID]FaultPrediction, error)

	// PredictionCounts counts the production predictions of a tenant with event times in
	// [from, to) by asset and label, in no order.
	PredictionCounts(ctx context.Context, tenant id.UUID, from, to time.Time) ([]PredictionCount, error)

	// Ping says whether the store can serve.
	Ping(ctx context.Context) error
}

// ErrNotFound says that the tenant has no such document.
var ErrNotFound = errors.New("telemetry: not found")
