package mongostore

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// forgetPart is the number of documents that are deleted at a time.
const forgetPart = 5000

// Forget implements telemetry.Forgetter.
func (s *Store) Forget(ctx context.Context, tenant id.UUID, class telemetry.Class, before time.Time) (int64, error) {
	n, err := s.forget(ctx, tenant, class, before)
	return n, failed(ctx, "forget", err)
}

// ForgetTenant implements telemetry.Forgetter.
func (s *Store) ForgetTenant(ctx context.Context, tenant id.UUID) (n int64, err error) {
	const what = "forget tenant"
	for _, class := range telemetry.Classes {
		one, err := s.forget(ctx, tenant, class, time.Time{})
		n += one
		if err != nil {
			return n, failed(ctx, what, err)
		}
	}
	s.known.forget(tenant)
	if _, err := s.sensors.DeleteMany(ctx, bson.D{{Key: fieldTenant, Value: uuid(tenant)}}); err != nil {
		return n, failed(ctx, what, err)
	}
	return n, nil
}

// forget deletes what lies before the time, all when that is zero: it reads the keys
// of a part along an index, and deletes by key.
func (s *Store) forget(ctx context.Context, tenant id.UUID, class telemetry.Class, before time.Time) (n int64, err error) {
	if err := checkTenant(tenant); err != nil {
		return 0, err
	}
	c, filter, hint, err := s.classOf(tenant, class, before)
	if err != nil {
		return 0, err
	}
	for {
		cur, err := c.Find(ctx, filter, options.Find().SetHint(hint).SetProjection(byID).SetLimit(forgetPart).SetBatchSize(forgetPart+1))
		if err != nil {
			return n, err
		}
		keys := make(bson.A, 0, forgetPart)
		err = each(ctx, cur, func(doc bson.Raw) error {
			_, key, ok := doc.Lookup(fieldID).BinaryOK()
			if !ok {
				return errForm
			}
			keys = append(keys, bin(bytes.Clone(key)))
			return nil
		})
		if err != nil || len(keys) == 0 {
			return n, err
		}
		res, err := c.DeleteMany(ctx, bson.D{{Key: fieldID, Value: bson.D{{Key: "$in", Value: keys}}}}, options.DeleteMany().SetHint(byID))
		if err != nil {
			return n, err
		}
		n += res.DeletedCount
		if len(keys) < forgetPart {
			return n, nil
		}
	}
}

// classOf returns where the tenant's documents of a class are that lie before the time.
func (s *Store) classOf(tenant id.UUID, class telemetry.Class, before time.Time) (c *mongo.Collection, filter, hint bson.D, err error) {
	owned := bson.D{{Key: fieldTenant, Value: uuid(tenant)}}
	q := telemetry.RangeQuery{Tenant: tenant, To: before}
	resolution := telemetry.M5
	switch class {
	case telemetry.ClassReadings:
		from, to := rawRange(q)
		return s.raw, append(owned, bson.E{Key: fieldID, Value: keyRange(from, to, bson.E{})}), byID, nil
	case telemetry.ClassPredictions:
		return s.predictions, join(owned, predictionTimes(q)), byID, nil
	case telemetry.ClassRollupsM5:
	case telemetry.ClassRollupsH1:
		resolution = telemetry.H1
	case telemetry.ClassRollupsD1:
		resolution = telemetry.D1
	default:
		return nil, nil, nil, fmt.Errorf("no class %d", class)
	}
	if !before.IsZero() {
		owned = append(owned, bson.E{Key: fieldStart, Value: bson.D{{Key: "$lt", Value: bson.DateTime(ceilMillis(before))}}})
	}
	return s.rollups[resolution], owned, rollupsBySensor, nil
}
