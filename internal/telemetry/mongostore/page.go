package mongostore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// Keys of indexes, and the orders that they give.
var (
	byID   = bson.D{{Key: fieldID, Value: 1}}
	newest = bson.D{{Key: fieldTime, Value: -1}}
)

// listing is a list ordered by event time, newest first, and in the order of place
// among equal times. It follows one index, which knows the time only: an order that no
// index has would sort all that the range holds.
type listing struct {
	where bson.D                 // without what bounds the index in time
	times bson.D                 // that
	at    func(time.Time) bson.D // the same for a single time
	order bson.D
	hint  bson.D
	place string // the field that orders equal times, descending, together with _id
	exact bool   // the index knows the place, too
}

// scopeFilter begins with the tenant. ok is false when nothing can match.
func scopeFilter(tenant id.UUID, s telemetry.Scope) (where bson.D, ok bool) {
	where = bson.D{{Key: fieldTenant, Value: uuid(tenant)}}
	for _, c := range []struct {
		field string
		is    id.UUID
	}{{fieldSensor, s.Sensor}, {fieldAsset, s.Asset}} {
		if c.is != id.Nil {
			where = append(where, bson.E{Key: c.field, Value: uuid(c.is)})
		}
	}
	if s.Site != id.Nil && s.Sites != nil {
		if !slices.Contains(s.Sites, s.Site) {
			return nil, false
		}
		s.Sites = nil
	}
	switch {
	case s.Site != id.Nil:
		where = append(where, bson.E{Key: fieldSite, Value: uuid(s.Site)})
	case s.Sites != nil && len(s.Sites) == 0:
		return nil, false
	case s.Sites != nil:
		where = append(where, bson.E{Key: fieldSite, Value: bson.D{{Key: "$in", Value: uuids(s.Sites)}}})
	}
	return where, true
}

// timeRange bounds the event time to [from, to) and to what is not behind the cursor.
func timeRange(q telemetry.RangeQuery) bson.D {
	var d bson.D
	if !q.From.IsZero() {
		d = append(d, bson.E{Key: "$gte", Value: bson.DateTime(ceilMillis(q.From))})
	}
	if !q.To.IsZero() {
		d = append(d, bson.E{Key: "$lt", Value: bson.DateTime(ceilMillis(q.To))})
	}
	if !q.After.Timestamp.IsZero() {
		d = append(d, bson.E{Key: "$lte", Value: bson.DateTime(q.After.Timestamp.UnixMilli())})
	}
	if d == nil {
		return nil
	}
	return bson.D{{Key: fieldTime, Value: d}}
}

func atTime(t time.Time) bson.D {
	return bson.D{{Key: fieldTime, Value: bson.NewDateTimeFromTime(t)}}
}

// page reads one page of the list. It asks for one document more than the page holds:
// when that is as old as the last, the page's end lies among documents of one time, of
// which the index gave any; then those of this time are asked for in their order.
func page[T any](ctx context.Context, c *mongo.Collection, l listing, limit int, decode func([]byte, *T) error,
	at func(*T) time.Time, compare func(a, b T) int) ([]T, error) {
	got, err := find(ctx, c, join(l.where, l.times), l.order, l.hint, limit+1, decode)
	if err != nil {
		return nil, err
	}
	if n := len(got); n > limit && !l.exact && at(&got[limit]).Equal(at(&got[limit-1])) {
		last := at(&got[limit])
		got = got[:slices.IndexFunc(got, func(t T) bool { return at(&t).Equal(last) })]
		ties, err := find(ctx, c, join(l.where, l.at(last)), bson.D{{Key: l.place, Value: -1}, {Key: fieldID, Value: -1}}, l.hint, limit-len(got), decode)
		if err != nil {
			return nil, err
		}
		got = append(got, ties...)
	}
	slices.SortFunc(got, compare)
	return got[:min(limit, len(got))], nil
}

func find[T any](ctx context.Context, c *mongo.Collection, filter, order, hint bson.D, limit int, decode func([]byte, *T) error) ([]T, error) {
	cur, err := c.Find(ctx, filter, options.Find().SetSort(order).SetHint(hint).SetLimit(int64(limit)).SetBatchSize(int32(limit+1)))
	if err != nil {
		return nil, err
	}
	return collect(ctx, cur, decode)
}

func collect[T any](ctx context.Context, cur *mongo.Cursor, decode func([]byte, *T) error) ([]T, error) {
	var out []T
	err := each(ctx, cur, func(doc bson.Raw) error {
		var t T
		out = append(out, t)
		if err := decode(doc, &out[len(out)-1]); err != nil {
			return fmt.Errorf("%s: %w", doc.Lookup(fieldID), err)
		}
		return nil
	})
	return out, err
}

// each hands over every document, valid during the call only, and closes the cursor.
func each(ctx context.Context, cur *mongo.Cursor, do func(bson.Raw) error) error {
	defer cur.Close(context.WithoutCancel(ctx))
	for cur.Next(ctx) {
		if err := do(cur.Current); err != nil {
			return err
		}
	}
	return cur.Err()
}

func join(a, b bson.D) bson.D { return append(slices.Clone(a), b...) }
