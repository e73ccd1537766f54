package pipeline

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// The wrappers stand around the real thing and let it work before, or after, they fail.

var errInjected = errors.New("injected")

// faultyStore fails after the real store has written.
type faultyStore struct {
	telemetry.Store
	// afterReadings is called when readings are written; an error is the answer.
	afterReadings    func(ctx context.Context) error
	afterRollups     func(ctx context.Context) error
	afterPredictions func(ctx context.Context) error
	down             atomic.Bool
	refused          atomic.Int64
}

func (f *faultyStore) WriteReadings(ctx context.Context, docs []telemetry.Raw) ([]uint64, error) {
	if f.down.Load() {
		f.refused.Add(1)
		return nil, errInjected
	}
	first, err := f.Store.WriteReadings(ctx, docs)
	if err == nil && f.afterReadings != nil && len(docs) > 0 {
		err = f.afterReadings(ctx)
	}
	return first, err
}

func (f *faultyStore) WriteRollups(ctx context.Context, r telemetry.Resolution, rows []telemetry.Rollup) error {
	err := f.Store.WriteRollups(ctx, r, rows)
	if err == nil && f.afterRollups != nil && len(rows) > 0 {
		err = f.afterRollups(ctx)
	}
	return err
}

func (f *faultyStore) WritePredictions(ctx context.Context, docs []telemetry.FaultPrediction) error {
	err := f.Store.WritePredictions(ctx, docs)
	if err == nil && f.afterPredictions != nil && len(docs) > 0 {
		err = f.afterPredictions(ctx)
	}
	return err
}

// hookedAlarms fails after the real rules have been applied, within the transaction.
type hookedAlarms struct {
	Alarms
	after func(happened []event.Event) error
}

func (h *hookedAlarms) Apply(ctx context.Context, tx pgx.Tx, tenant id.UUID, happened []event.Event) ([]event.Event, error) {
	hints, err := h.Alarms.Apply(ctx, tx, tenant, happened)
	if err == nil && h.after != nil {
		err = h.after(happened)
	}
	return hints, err
}
