package mongostore

import (
	"context"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// predictionSize is about what a prediction takes, for the first size of buffers.
const predictionSize = 600

// WritePredictions implements telemetry.Store.
func (s *Store) WritePredictions(ctx context.Context, docs []telemetry.FaultPrediction) error {
	if len(docs) == 0 {
		return nil
	}
	const what = "write predictions"
	if err := s.writable(what); err != nil {
		return err
	}
	a := newArena(len(docs), predictionSize)
	for i := range docs {
		p := &docs[i]
		if p.Tenant == id.Nil {
			return failed(ctx, what, telemetry.ErrNoTenant)
		}
		key := predictionKey(p.Tenant, p.ID)
		if err := a.add(key[:], func(b []byte) ([]byte, error) { return appendPrediction(b, key[:], p) }); err != nil {
			return failed(ctx, what, err)
		}
	}
	_, err := insert(ctx, s.predictions, inKeyOrder(a.entries()))
	return failed(ctx, what, err)
}
