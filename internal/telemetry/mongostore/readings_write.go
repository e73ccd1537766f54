package mongostore

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// documentSize is about what a reading takes, for the first size of buffers.
const documentSize = 1500

// WriteReadings implements telemetry.Store.
func (s *Store) WriteReadings(ctx context.Context, docs []telemetry.Raw) ([]uint64, error) {
	if len(docs) == 0 {
		return nil, nil
	}
	const what = "write readings"
	if err := s.writable(what); err != nil {
		return nil, err
	}
	a := newArena(len(docs), documentSize)
	for i := range docs {
		r := &docs[i]
		if r.Tenant == id.Nil {
			return nil, failed(ctx, what, telemetry.ErrNoTenant)
		}
		key := rawKey(r.Tenant, r.Timestamp, r.IngestID)
		if err := a.add(key[:], func(b []byte) ([]byte, error) { return appendReading(b, key[:], r) }); err != nil {
			return nil, failed(ctx, what, err)
		}
	}
	// Sensors first: a reading whose sensor is not listed would be missing in Latest.
	if err := s.known.tell(ctx, s.sensors, docs); err != nil {
		return nil, failed(ctx, what, err)
	}
	first, err := s.insertReadings(ctx, docs, a.entries())
	return first, failed(ctx, what, err)
}

// insertTries bounds how often documents are written again that were there at the
// insert and gone when their sequences were asked for: the retention's doing.
const insertTries = 3

var errGoing = errors.New("documents were deleted while they were written")

func (s *Store) insertReadings(ctx context.Context, docs []telemetry.Raw, all []entry) ([]uint64, error) {
	first := make([]uint64, len(docs))
	left := inKeyOrder(all)
	for _, e := range left {
		first[e.at] = docs[e.at].LogSeq
	}
	for range insertTries {
		there, err := insert(ctx, s.raw, left)
		if err != nil {
			return nil, err
		}
		if left, err = s.firstSequences(ctx, there, first); err != nil {
			return nil, err
		}
		if len(left) == 0 {
			// Equal documents of one call have the answer of the first.
			for i := 1; i < len(all); i++ {
				if string(all[i].key) == string(all[i-1].key) {
					first[all[i].at] = first[all[i-1].at]
				}
			}
			return first, nil
		}
	}
	return nil, errGoing
}

// firstSequences reads the sequences of documents that are there, all at once, and
// returns the entries of those that are not there any more.
func (s *Store) firstSequences(ctx context.Context, there []entry, first []uint64) (gone []entry, err error) {
	if len(there) == 0 {
		return nil, nil
	}
	keys := make(bson.A, len(there))
	for i := range there {
		keys[i] = bin(there[i].key)
	}
	cur, err := s.raw.Find(ctx, bson.D{{Key: fieldID, Value: bson.D{{Key: "$in", Value: keys}}}},
		options.Find().SetProjection(bson.D{{Key: fieldLogSeq, Value: 1}}).SetHint(byID).SetBatchSize(int32(len(there)+1)))
	if err != nil {
		return nil, err
	}
	found := make(map[[rawKeySize]byte]uint64, len(there))
	err = each(ctx, cur, func(doc bson.Raw) error {
		key, seq, err := decodeSequence(doc)
		found[key] = seq
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, e := range there {
		seq, ok := found[[rawKeySize]byte(e.key)]
		if !ok {
			gone = append(gone, e)
			continue
		}
		first[e.at] = seq
	}
	return gone, nil
}

func decodeSequence(doc []byte) (key [rawKeySize]byte, seq uint64, err error) {
	r := read(doc)
	for name, ok := r.next(); ok; name, ok = r.next() {
		switch string(name) {
		case fieldID:
			copy(key[:], r.binary(rawKeySize))
		case fieldLogSeq:
			seq = uint64(r.int64())
		}
	}
	return key, seq, r.err()
}
