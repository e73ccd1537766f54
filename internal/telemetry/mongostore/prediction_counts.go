package mongostore

import (
	"context"
	"math"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

const fieldCount = "count"

// PredictionCounts implements telemetry.Store. The server reads the tenant's stretch of
// the _id index and sends the counts alone.
func (s *Store) PredictionCounts(ctx context.Context, tenant id.UUID, from, to time.Time) ([]telemetry.PredictionCount, error) {
	const what = "prediction counts"
	if err := checkTenant(tenant); err != nil {
		return nil, failed(ctx, what, err)
	}
	cur, err := s.predictions.Aggregate(ctx, mongo.Pipeline{
		{{Key: "$match", Value: join(predictionTimes(telemetry.RangeQuery{Tenant: tenant, From: from, To: to}), bson.D{{Key: fieldRole, Value: telemetry.Production}})}},
		{{Key: "$group", Value: bson.D{
			{Key: fieldID, Value: bson.D{{Key: fieldAsset, Value: "$" + fieldAsset}, {Key: fieldLabel, Value: "$" + fieldLabel}}},
			{Key: fieldCount, Value: bson.D{{Key: "$sum", Value: int32(1)}}},
		}}},
	}, options.Aggregate().SetHint(byID))
	if err != nil {
		return nil, failed(ctx, what, err)
	}
	out, err := collect(ctx, cur, decodePredictionCount)
	return out, failed(ctx, what, err)
}

func decodePredictionCount(doc []byte, c *telemetry.PredictionCount) error {
	r := read(doc)
	for name, ok := r.next(); ok; name, ok = r.next() {
		switch string(name) {
		case fieldID:
			of := r.inner(bsoncore.TypeEmbeddedDocument)
			for name, ok := of.next(); ok; name, ok = of.next() {
				switch string(name) {
				case fieldAsset:
					c.Asset = of.uuid()
				case fieldLabel:
					c.Label = of.text()
				}
			}
			r.bad = r.bad || of.bad
		case fieldCount:
			c.Count = r.ranged(math.MaxInt64)
		}
	}
	return r.err()
}
