package mongostore

import (
	"context"
	"math"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"foresight/internal/telemetry"
)

const fieldDay = "day"

// VersionCounts implements telemetry.VersionCounter. The server reads the tenant's
// stretch of the _id index and sends the counts alone.
func (s *Store) VersionCounts(ctx context.Context, q telemetry.VersionQuery) ([]telemetry.VersionCount, error) {
	const what = "version counts"
	if err := checkTenant(q.Tenant); err != nil {
		return nil, failed(ctx, what, err)
	}
	where, ok := scopeFilter(q.Tenant, q.Scope)
	if !ok {
		return nil, nil
	}
	where = append(where, bson.E{Key: fieldVersion, Value: uuid(q.Version)})
	cur, err := s.predictions.Aggregate(ctx, mongo.Pipeline{
		{{Key: "$match", Value: join(predictionTimes(telemetry.RangeQuery{Tenant: q.Tenant, From: q.From, To: q.To}), where)}},
		{{Key: "$group", Value: bson.D{
			{Key: fieldID, Value: bson.D{
				{Key: fieldDay, Value: bson.D{{Key: "$dateTrunc", Value: bson.D{{Key: "date", Value: "$" + fieldTime}, {Key: "unit", Value: "day"}}}}},
				{Key: fieldRole, Value: "$" + fieldRole},
				{Key: fieldLabel, Value: "$" + fieldLabel},
			}},
			{Key: fieldCount, Value: bson.D{{Key: "$sum", Value: int32(1)}}},
			{Key: fieldProb, Value: bson.D{{Key: "$avg", Value: "$" + fieldProb}}},
		}}},
	}, options.Aggregate().SetHint(byID))
	if err != nil {
		return nil, failed(ctx, what, err)
	}
	out, err := collect(ctx, cur, decodeVersionCount)
	return out, failed(ctx, what, err)
}

func decodeVersionCount(doc []byte, c *telemetry.VersionCount) error {
	r := read(doc)
	for name, ok := r.next(); ok; name, ok = r.next() {
		switch string(name) {
		case fieldID:
			of := r.inner(bsoncore.TypeEmbeddedDocument)
			for name, ok := of.next(); ok; name, ok = of.next() {
				switch string(name) {
				case fieldDay:
					c.Day = of.time()
				case fieldRole:
					c.Role = telemetry.Role(of.text())
				case fieldLabel:
					c.Label = of.text()
				}
			}
			r.bad = r.bad || of.bad
		case fieldCount:
			c.Count = r.ranged(math.MaxInt64)
		case fieldProb:
			c.Probability = r.double()
		}
	}
	return r.err()
}
