package pgstore

import (
	"context"
	"log/slog"
	"time"

	"foresight/internal/lifecycle"
)

// Retention says how long data is kept; a whole day goes when its end is that old.
type Retention struct {
	Readings    time.Duration // 30 days when zero
	Predictions time.Duration // 90 days when zero
	Rollups     time.Duration // of 5 minutes; 60 days when zero
}

func (r Retention) withDefaults() Retention {
	if r.Readings == 0 {
		r.Readings = 30 * 24 * time.Hour
	}
	if r.Predictions == 0 {
		r.Predictions = 90 * 24 * time.Hour
	}
	if r.Rollups == 0 {
		r.Rollups = 60 * 24 * time.Hour
	}
	return r
}

// Keeper makes the coming days' partitions and drops the old ones, at the start and
// then every hour. Any number of processes may run one. It is a lifecycle.Part.
type Keeper struct {
	lifecycle.Part
	store *Store
	keep  Retention
}

const (
	keepEvery  = time.Hour
	keepWithin = time.Minute
	daysAhead  = 2
)

// NewKeeper returns a keeper that is not started yet; log may be nil.
func NewKeeper(s *Store, keep Retention, log *slog.Logger) *Keeper {
	k := &Keeper{store: s, keep: keep.withDefaults()}
	k.Part = lifecycle.Every("retention", keepEvery, log, func(ctx context.Context) error { return k.Keep(ctx, time.Now()) })
	return k
}

// Start makes the partitions of today and the next days, so that no message waits for
// them.
func (k *Keeper) Start(ctx context.Context) error {
	now := time.Now()
	if err := k.store.EnsureDays(ctx, now, now.AddDate(0, 0, daysAhead)); err != nil {
		return err
	}
	return k.Part.Start(ctx)
}

// Keep does at once what is due at the time.
func (k *Keeper) Keep(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, keepWithin)
	defer cancel()
	if err := k.store.EnsureDays(ctx, now, now.AddDate(0, 0, daysAhead)); err != nil {
		return err
	}
	if err := k.store.DropReadingsBefore(ctx, now.Add(-k.keep.Readings)); err != nil {
		return err
	}
	if err := k.store.DropPredictionsBefore(ctx, now.Add(-k.keep.Predictions)); err != nil {
		return err
	}
	return k.store.DropRollupsBefore(ctx, now.Add(-k.keep.Rollups))
}
