package mongostore

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// rollupSize is about what a rollup takes, for the first size of buffers.
const rollupSize = 3500

// WriteRollups implements telemetry.RollupStore. Each row replaces the document of its
// key that holds fewer readings, or is inserted when there is none such. When one that
// holds as many is there, the insert meets its key: a duplicate says that the row is
// left aside. Only it may also say that another writer has inserted in the same moment,
// so these rows are sent once more: now the document is there to be compared.
func (s *Store) WriteRollups(ctx context.Context, resolution telemetry.Resolution, rows []telemetry.Rollup) error {
	if len(rows) == 0 {
		return nil
	}
	const what = "write rollups"
	if err := s.writable(what); err != nil {
		return err
	}
	a := newArena(len(rows), rollupSize)
	for i := range rows {
		r := &rows[i]
		if r.Tenant == id.Nil {
			return failed(ctx, what, telemetry.ErrNoTenant)
		}
		key := rollupKey(r.Tenant, r.Sensor, r.Start, r.Lane)
		if err := a.add(key[:], func(b []byte) ([]byte, error) { return appendRollup(b, key[:], r) }); err != nil {
			return failed(ctx, what, err)
		}
	}
	var err error
	left := a.entries()
	for range 2 {
		if left, err = replace(ctx, s.rollups[resolution], rows, left); err != nil || len(left) == 0 {
			break
		}
	}
	return failed(ctx, what, err)
}

// replace sends the rows in one unordered command and returns those that met their key.
func replace(ctx context.Context, c *mongo.Collection, rows []telemetry.Rollup, entries []entry) (met []entry, err error) {
	models := make([]mongo.WriteModel, len(entries))
	for i, e := range entries {
		fewer := bson.D{{Key: "$lt", Value: int64(rows[e.at].Readings)}}
		models[i] = mongo.NewReplaceOneModel().SetUpsert(true).SetReplacement(bson.Raw(e.body)).
			SetFilter(bson.D{{Key: fieldID, Value: bin(e.key)}, {Key: fieldReadings, Value: fewer}})
	}
	_, err = c.BulkWrite(ctx, models, options.BulkWrite().SetOrdered(false))
	dup, err := duplicates(err)
	if err != nil {
		return nil, err
	}
	for _, i := range dup {
		met = append(met, entries[i])
	}
	return met, nil
}
