package mongostore

import (
	"cmp"
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// RollupsAt implements telemetry.RollupStore.
func (s *Store) RollupsAt(ctx context.Context, tenant id.UUID, at []telemetry.BucketID) ([]telemetry.Rollup, error) {
	const what = "rollups at"
	if err := checkTenant(tenant); err != nil {
		return nil, failed(ctx, what, err)
	}
	if len(at) == 0 {
		return nil, nil
	}
	keys := make(bson.A, len(at))
	for i, b := range at {
		key := rollupKey(tenant, b.Sensor, b.Start, b.Lane)
		keys[i] = bin(key[:])
	}
	cur, err := s.rollups[telemetry.M5].Find(ctx, bson.D{{Key: fieldID, Value: bson.D{{Key: "$in", Value: keys}}}},
		options.Find().SetHint(byID).SetBatchSize(int32(len(keys)+1)))
	if err != nil {
		return nil, failed(ctx, what, err)
	}
	out, err := collect(ctx, cur, decodeRollup)
	return out, failed(ctx, what, err)
}

// rollupBatch is the number of rows that the server sends at a time, about 3 MB.
const rollupBatch = 1000

// Rollups implements telemetry.RollupStore. Over a whole tenant the index leaps from
// sensor to sensor, as its range of time stands behind the sensor.
func (s *Store) Rollups(ctx context.Context, q telemetry.RollupQuery, each func(*telemetry.Rollup) error) error {
	const what = "rollups"
	if err := cmp.Or(checkTenant(q.Tenant), checkLimit(q.Limit, telemetry.MaxRollups)); err != nil {
		return failed(ctx, what, err)
	}
	where, ok := scopeFilter(q.Tenant, q.Scope)
	if one := q.Scope.Sensor; one != id.Nil && q.Sensors != nil {
		ok, q.Sensors = ok && slices.Contains(q.Sensors, one), nil
	}
	if !ok || q.Sensors != nil && len(q.Sensors) == 0 {
		return nil
	}
	if q.Sensors != nil {
		where = append(where, bson.E{Key: fieldSensor, Value: bson.D{{Key: "$in", Value: uuids(q.Sensors)}}})
	}
	var times bson.D
	if !q.From.IsZero() {
		times = append(times, bson.E{Key: "$gte", Value: bson.DateTime(ceilMillis(q.From))})
	}
	if !q.To.IsZero() {
		times = append(times, bson.E{Key: "$lt", Value: bson.DateTime(ceilMillis(q.To))})
	}
	if times != nil {
		where = append(where, bson.E{Key: fieldStart, Value: times})
	}
	hint := rollupsBySensor
	if q.Scope.Asset != id.Nil && q.Scope.Sensor == id.Nil {
		hint = rollupsByAsset
	}
	cur, err := s.rollups[q.Resolution].Find(ctx, where, options.Find().SetHint(hint).SetLimit(int64(q.Limit)).
		SetSort(rollupOrder).SetBatchSize(rollupBatch))
	if err != nil {
		return failed(ctx, what, err)
	}
	defer cur.Close(context.WithoutCancel(ctx))
	var row telemetry.Rollup
	for cur.Next(ctx) {
		if err := decodeRollup(cur.Current, &row); err != nil {
			return failed(ctx, what, err)
		}
		if err := each(&row); err != nil {
			return err
		}
	}
	return failed(ctx, what, cur.Err())
}
