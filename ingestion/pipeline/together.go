package pipeline

import (
	"context"
	"runtime"
	"time"

	"foresight/internal/telemetry"
)

// together is a store in which what several partitions write at the same time is one
// write: a statement, a COPY, a commit for all of them.
type together struct {
	telemetry.Store
	readings    *gather[*readingsWrite]
	predictions *gather[[]telemetry.FaultPrediction]
	rollups     map[telemetry.Resolution]*gather[[]telemetry.Rollup]
}

type readingsWrite struct {
	docs  []telemetry.Raw
	first []uint64
}

// commonBatches is how many full batches go into one write.
const commonBatches = 4

// atOnce is how many writes of a kind are at work at once: half of the processors are
// the database's when it is on this machine.
func atOnce() int { return max(1, runtime.GOMAXPROCS(0)/2) }

// linger is short beside a transaction, and long beside what partitions that begin at
// one beat are apart.
const linger = 500 * time.Microsecond

func writeTogether(s telemetry.Store, maxBatch int) *together {
	most := commonBatches * maxBatch
	t := &together{Store: s, rollups: map[telemetry.Resolution]*gather[[]telemetry.Rollup]{}}
	t.readings = newGather(atOnce(), most, func(ctx context.Context, all []*readingsWrite) error {
		docs := joined(all, func(w *readingsWrite) []telemetry.Raw { return w.docs })
		first, err := s.WriteReadings(ctx, docs)
		if err != nil {
			return err
		}
		for _, w := range all {
			w.first, first = first[:len(w.docs):len(w.docs)], first[len(w.docs):]
		}
		return nil
	})
	t.predictions = newGather(atOnce(), most, func(ctx context.Context, all [][]telemetry.FaultPrediction) error {
		return s.WritePredictions(ctx, joined(all, func(p []telemetry.FaultPrediction) []telemetry.FaultPrediction { return p }))
	})
	// Only these the pipeline writes; the coarser ones follow from them elsewhere.
	t.rollups[telemetry.M5] = newGather(atOnce(), most, func(ctx context.Context, all [][]telemetry.Rollup) error {
		return s.WriteRollups(ctx, telemetry.M5, joined(all, func(r []telemetry.Rollup) []telemetry.Rollup { return r }))
	})
	t.readings.linger, t.predictions.linger, t.rollups[telemetry.M5].linger = linger, linger, linger
	return t
}

// joined puts the lists one behind the other. Lists of partitions hold documents of
// different sensors, so their order among each other means nothing.
func joined[T, D any](all []T, of func(T) []D) []D {
	if len(all) == 1 {
		return of(all[0])
	}
	n := 0
	for _, a := range all {
		n += len(of(a))
	}
	out := make([]D, 0, n)
	for _, a := range all {
		out = append(out, of(a)...)
	}
	return out
}

// WriteReadings implements telemetry.Store.
func (t *together) WriteReadings(ctx context.Context, docs []telemetry.Raw) ([]uint64, error) {
	if len(docs) == 0 {
		return nil, nil
	}
	w := &readingsWrite{docs: docs}
	err := t.readings.do(ctx, w, len(docs))
	return w.first, err
}

// WritePredictions implements telemetry.Store.
func (t *together) WritePredictions(ctx context.Context, docs []telemetry.FaultPrediction) error {
	if len(docs) == 0 {
		return nil
	}
	return t.predictions.do(ctx, docs, len(docs))
}

// WriteRollups implements telemetry.Store.
func (t *together) WriteRollups(ctx context.Context, r telemetry.Resolution, rows []telemetry.Rollup) error {
	g := t.rollups[r]
	if g == nil || len(rows) == 0 {
		return t.Store.WriteRollups(ctx, r, rows)
	}
	return g.do(ctx, rows, len(rows))
}
