package mongostore

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// Readings implements telemetry.Store.
func (s *Store) Readings(ctx context.Context, q telemetry.RangeQuery) ([]telemetry.Raw, error) {
	const what = "readings"
	if err := cmp.Or(checkTenant(q.Tenant), checkLimit(q.Limit, telemetry.MaxLimit)); err != nil {
		return nil, failed(ctx, what, err)
	}
	where, ok := scopeFilter(q.Tenant, q.Scope)
	if !ok {
		return nil, nil
	}
	out, err := page(ctx, s.raw, readingsOf(q, where), q.Limit, decodeReading,
		func(r *telemetry.Raw) time.Time { return r.Timestamp },
		func(a, b telemetry.Raw) int {
			return cmp.Or(b.Timestamp.Compare(a.Timestamp), bytes.Compare(b.IngestID[:], a.IngestID[:]))
		})
	return out, failed(ctx, what, err)
}

// readingsOf chooses the index. The key itself lists a whole tenant, and exactly; its
// order is that of cursors.
func readingsOf(q telemetry.RangeQuery, where bson.D) listing {
	l := listing{where: where, times: timeRange(q), at: atTime, order: newest, place: fieldID}
	var behind bson.E
	if !q.After.Timestamp.IsZero() {
		key := rawKey(q.Tenant, q.After.Timestamp, q.After.IngestID)
		behind = bson.E{Key: "$lt", Value: bin(key[:])}
	}
	switch {
	case q.Scope.Sensor != id.Nil:
		l.hint = rawBySensor
	case q.Scope.Asset != id.Nil:
		l.hint = rawByAsset
	default:
		l.hint, l.order, l.exact = byID, bson.D{{Key: fieldID, Value: -1}}, true
		from, to := rawRange(q)
		l.times = bson.D{{Key: fieldID, Value: keyRange(from, to, behind)}}
		return l
	}
	if behind.Key != "" {
		l.where = append(l.where, bson.E{Key: fieldID, Value: bson.D{behind}})
	}
	return l
}

// rawRange returns the keys between which the tenant's readings of the range lie.
func rawRange(q telemetry.RangeQuery) (from, to bson.Binary) {
	lo, hi := int64(math.MinInt64), int64(math.MaxInt64)
	if !q.From.IsZero() {
		lo = ceilMillis(q.From)
	}
	if !q.To.IsZero() {
		hi = ceilMillis(q.To)
	}
	a, b := rawKeyMillis(q.Tenant, lo, telemetry.IngestID{}), rawKeyMillis(q.Tenant, hi, telemetry.IngestID{})
	return bin(a[:]), bin(b[:])
}

// keyRange is [from, to), or up to what is behind a cursor, whichever ends first.
func keyRange(from, to bson.Binary, behind bson.E) bson.D {
	if b, ok := behind.Value.(bson.Binary); ok && bytes.Compare(b.Data, to.Data) < 0 {
		to = b
	}
	return bson.D{{Key: "$gte", Value: from}, {Key: "$lt", Value: to}}
}

// Latest implements telemetry.Store: from the list of sensors, for each one step down
// the index. A sensor is listed wherever it was heard; its newest reading says where it
// is, so that is asked again.
func (s *Store) Latest(ctx context.Context, tenant id.UUID, scope telemetry.Scope, limit int) ([]telemetry.Raw, error) {
	const what = "latest"
	if err := cmp.Or(checkTenant(tenant), checkLimit(limit, telemetry.MaxLatest)); err != nil {
		return nil, failed(ctx, what, err)
	}
	where, ok := scopeFilter(tenant, scope)
	if !ok {
		return nil, nil
	}
	cur, err := s.sensors.Aggregate(ctx, mongo.Pipeline{
		{{Key: "$match", Value: where}},
		{{Key: "$group", Value: bson.D{{Key: fieldID, Value: "$" + fieldSensor}}}},
		{{Key: "$sort", Value: byID}},
		lookup(rawName, fieldID, fieldSensor, 1, bson.D{{Key: fieldTenant, Value: uuid(tenant)}},
			bson.D{{Key: fieldTime, Value: -1}, {Key: fieldLogSeq, Value: -1}}, nil),
		unwind,
		replaceRoot,
		{{Key: "$match", Value: where}},
		{{Key: "$limit", Value: limit}},
	}, options.Aggregate().SetBatchSize(int32(limit+1)))
	if err != nil {
		return nil, failed(ctx, what, err)
	}
	out, err := collect(ctx, cur, decodeReading)
	return out, failed(ctx, what, err)
}

// Window implements telemetry.Store, in one command for any number of sensors. It
// leaves topic and payload out: a worker that takes over thousands of sensors has no
// use for their messages.
func (s *Store) Window(ctx context.Context, tenant id.UUID, sensors []id.UUID, n int, maxSeq uint64, since time.Time) (map[id.UUID][]telemetry.Raw, error) {
	const what = "window"
	if err := cmp.Or(checkTenant(tenant), checkLimit(n, telemetry.MaxLimit)); err != nil {
		return nil, failed(ctx, what, err)
	}
	out := make(map[id.UUID][]telemetry.Raw, len(sensors))
	if len(sensors) == 0 {
		return out, nil
	}
	cur, err := s.db.Aggregate(ctx, forEach(sensors,
		lookup(rawName, fieldID, fieldSensor, n, bson.D{
			{Key: fieldTenant, Value: uuid(tenant)},
			{Key: fieldTime, Value: bson.D{{Key: "$gte", Value: bson.DateTime(ceilMillis(since))}}},
			{Key: fieldLogSeq, Value: bson.D{{Key: "$lte", Value: int64(min(maxSeq, math.MaxInt64))}}},
			{Key: fieldLate, Value: false},
		}, bson.D{{Key: fieldTime, Value: -1}, {Key: fieldLogSeq, Value: -1}},
			bson.D{{Key: fieldTopic, Value: 0}, {Key: fieldPayload, Value: 0}})))
	if err != nil {
		return nil, failed(ctx, what, err)
	}
	err = each(ctx, cur, func(doc bson.Raw) error {
		var r telemetry.Raw
		if err := decodeReading(doc, &r); err != nil {
			return err
		}
		out[r.Sensor] = append(out[r.Sensor], r)
		return nil
	})
	if err != nil {
		return nil, failed(ctx, what, err)
	}
	for _, rs := range out {
		slices.Reverse(rs)
	}
	return out, nil
}
