package pgstore

import (
	"context"
	"log/slog"
	"time"
)

// Retention says how long data is kept; a whole day goes when its end is that old.
type Retention struct {
	Readings    time.Duration // 30 days when zero
	Predictions time.Duration // 90 days when zero
}

func (r Retention) withDefaults() Retention {
	if r.Readings == 0 {
		r.Readings = 30 * 24 * time.Hour
	}
	if r.Predictions == 0 {
		r.Predictions = 90 * 24 * time.Hour
	}
	return r
}

// Keeper makes the coming days' partitions and drops the old ones, at the start and
// then every hour. Any number of processes may run one. It is a lifecycle.Part.
type Keeper struct {
	store *Store
	keep  Retention
	log   *slog.Logger
	stop  context.CancelFunc
	done  chan struct{}
}

const (
	keepEvery  = time.Hour
	keepWithin = time.Minute
	daysAhead  = 2
)

// NewKeeper returns a keeper that is not started yet; log may be nil.
func NewKeeper(s *Store, keep Retention, log *slog.Logger) *Keeper {
	if log == nil {
		log = slog.Default()
	}
	return &Keeper{store: s, keep: keep.withDefaults(), log: log.With("part", "retention"), done: make(chan struct{})}
}

// Name implements lifecycle.Part.
func (k *Keeper) Name() string { return "retention" }

// Start makes the partitions of today and the next days, so that no message waits for
// them.
func (k *Keeper) Start(ctx context.Context) error {
	now := time.Now()
	if err := k.store.EnsureDays(ctx, now, now.AddDate(0, 0, daysAhead)); err != nil {
		return err
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	k.stop = stop
	go k.run(run)
	return nil
}

// Stop implements lifecycle.Part.
func (k *Keeper) Stop(context.Context) error {
	k.stop()
	<-k.done
	return nil
}

func (k *Keeper) run(ctx context.Context) {
	defer close(k.done)
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		if err := k.Keep(ctx, time.Now()); err != nil && ctx.Err() == nil {
			k.log.Warn("will try again in an hour", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
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
	return k.store.DropPredictionsBefore(ctx, now.Add(-k.keep.Predictions))
}
