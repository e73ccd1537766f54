package mongostore

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// Predictions implements telemetry.Store.
func (s *Store) Predictions(ctx context.Context, q telemetry.PredictionQuery) ([]telemetry.FaultPrediction, error) {
	const what = "predictions"
	if err := cmp.Or(checkTenant(q.Tenant), checkLimit(q.Limit, telemetry.MaxLimit)); err != nil {
		return nil, failed(ctx, what, err)
	}
	where, ok := scopeFilter(q.Tenant, q.Scope)
	if !ok {
		return nil, nil
	}
	out, err := page(ctx, s.predictions, predictionsOf(q, where), q.Limit, decodePrediction,
		func(p *telemetry.FaultPrediction) time.Time { return p.Timestamp },
		func(a, b telemetry.FaultPrediction) int {
			return cmp.Or(b.Timestamp.Compare(a.Timestamp), bytes.Compare(b.IngestID[:], a.IngestID[:]), bytes.Compare(b.ID[:], a.ID[:]))
		})
	return out, failed(ctx, what, err)
}

// predictionsOf chooses the index. Most predictions say `normal`; the indexes of what
// people look for leave them out.
func predictionsOf(q telemetry.PredictionQuery, where bson.D) listing {
	l := listing{times: timeRange(q.RangeQuery), at: atTime, order: newest, place: fieldRaw}
	abnormal := q.OnlyAbnormal || len(q.Labels) > 0 && !slices.Contains(q.Labels, telemetry.Normal)
	switch {
	case q.Scope.Sensor != id.Nil:
		l.hint = predictionsBySensor
	case q.Scope.Asset != id.Nil:
		l.hint = predictionsByAsset
	case abnormal && len(q.Labels) > 0:
		l.hint = predictionsByLabel
	case abnormal:
		l.hint = predictionsAbnormal
	default:
		l.hint, l.order = byID, bson.D{{Key: fieldID, Value: -1}}
		l.times = predictionTimes(q.RangeQuery)
		l.at = func(t time.Time) bson.D {
			return predictionTimes(telemetry.RangeQuery{Tenant: q.Tenant, From: t, To: t.Add(time.Millisecond)})
		}
	}
	if abnormal {
		where = append(where, bson.E{Key: fieldAbnormal, Value: true})
	}
	if len(q.Labels) > 0 {
		where = append(where, bson.E{Key: fieldLabel, Value: in(q.Labels)})
	}
	if q.MinProbability > 0 {
		where = append(where, bson.E{Key: fieldProb, Value: bson.D{{Key: "$gte", Value: q.MinProbability}}})
	}
	roles := q.Roles
	if len(roles) == 0 {
		roles = []telemetry.Role{telemetry.Production}
	}
	where = append(where, bson.E{Key: fieldRole, Value: in(roles)})
	if !q.After.Timestamp.IsZero() {
		key := rawKey(q.Tenant, q.After.Timestamp, q.After.IngestID)
		where = append(where, bson.E{Key: fieldRaw, Value: bson.D{{Key: "$lt", Value: bin(key[:])}}})
	}
	l.where = where
	return l
}

// predictionTimes is the range as keys, in which an id's time stands.
func predictionTimes(q telemetry.RangeQuery) bson.D {
	lo, hi := int64(0), int64(math.MaxInt64)
	if !q.From.IsZero() {
		lo = ceilMillis(q.From)
	}
	if !q.To.IsZero() {
		hi = ceilMillis(q.To)
	}
	if !q.After.Timestamp.IsZero() {
		hi = min(hi, q.After.Timestamp.UnixMilli()+1)
	}
	from, to := predictionTime(q.Tenant, lo), predictionTime(q.Tenant, hi)
	return bson.D{{Key: fieldID, Value: bson.D{{Key: "$gte", Value: bin(from[:])}, {Key: "$lt", Value: bin(to[:])}}}}
}

func in[T any](values []T) bson.D {
	list := make(bson.A, len(values))
	for i, v := range values {
		list[i] = v
	}
	return bson.D{{Key: "$in", Value: list}}
}

// Prediction implements telemetry.Store.
func (s *Store) Prediction(ctx context.Context, tenant, prediction id.UUID) (p telemetry.FaultPrediction, err error) {
	const what = "prediction"
	if err := checkTenant(tenant); err != nil {
		return p, failed(ctx, what, err)
	}
	key := predictionKey(tenant, prediction)
	doc, err := s.predictions.FindOne(ctx, bson.D{{Key: fieldID, Value: bin(key[:])}}).Raw()
	if errors.Is(err, mongo.ErrNoDocuments) {
		err = telemetry.ErrNotFound
	}
	if err == nil {
		err = decodePrediction(doc, &p)
	}
	return p, failed(ctx, what, err)
}

// PredictionsByID implements telemetry.Store.
func (s *Store) PredictionsByID(ctx context.Context, tenant id.UUID, ids []id.UUID) (map[id.UUID]telemetry.FaultPrediction, error) {
	const what = "predictions by id"
	if err := checkTenant(tenant); err != nil {
		return nil, failed(ctx, what, err)
	}
	out := make(map[id.UUID]telemetry.FaultPrediction, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	keys := make(bson.A, 0, len(ids))
	for _, u := range distinct(ids) {
		key := predictionKey(tenant, u)
		keys = append(keys, bin(key[:]))
	}
	cur, err := s.predictions.Find(ctx, bson.D{{Key: fieldID, Value: bson.D{{Key: "$in", Value: keys}}}},
		options.Find().SetHint(byID).SetBatchSize(int32(len(keys)+1)))
	if err != nil {
		return nil, failed(ctx, what, err)
	}
	found, err := collect(ctx, cur, decodePrediction)
	for _, p := range found {
		out[p.ID] = p
	}
	return out, failed(ctx, what, err)
}

// LatestPredictions implements telemetry.Store: for each asset one step down the index
// by time, in one command.
func (s *Store) LatestPredictions(ctx context.Context, tenant id.UUID, assets []id.UUID, since time.Time) (map[id.UUID]telemetry.FaultPrediction, error) {
	const what = "latest predictions"
	if err := checkTenant(tenant); err != nil {
		return nil, failed(ctx, what, err)
	}
	out := make(map[id.UUID]telemetry.FaultPrediction, len(assets))
	if len(assets) == 0 {
		return out, nil
	}
	cur, err := s.db.Aggregate(ctx, forEach(assets, lookup(predictionsName, fieldID, fieldAsset, 1, bson.D{
		{Key: fieldTenant, Value: uuid(tenant)},
		{Key: fieldTime, Value: bson.D{{Key: "$gte", Value: bson.DateTime(ceilMillis(since))}}},
		{Key: fieldRole, Value: telemetry.Production},
	}, newest, nil)))
	if err != nil {
		return nil, failed(ctx, what, err)
	}
	found, err := collect(ctx, cur, decodePrediction)
	for _, p := range found {
		out[p.Asset] = p
	}
	return out, failed(ctx, what, err)
}

func distinct(ids []id.UUID) []id.UUID {
	out := slices.Clone(ids)
	slices.SortFunc(out, func(a, b id.UUID) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(out)
}
