package pipeline

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// balance keeps the worker's leases: it renews them, takes free partitions up to its
// fair share and gives up what is beyond it. One goroutine uses it.
type balance struct {
	w      *Worker
	work   context.Context // of the partitions
	stream string          // identity of the log at the start
	held   map[int]*partition
}

const stopTimeout = 2 * time.Second // for the last words to the database

func (b *balance) run(ctx context.Context) {
	beat := time.NewTicker(b.w.opt.Heartbeat)
	defer beat.Stop()
	purge := time.NewTicker(b.w.opt.PurgeEvery)
	defer purge.Stop()
	for {
		select {
		case <-ctx.Done():
			b.leave()
			return
		case <-beat.C:
			if err := b.beat(ctx); err != nil && ctx.Err() == nil {
				b.w.metrics.errors.WithLabelValues("lease").Inc()
				b.w.log.Warn("leases not renewed", "error", err)
			}
		case <-purge.C:
			if err := b.purge(ctx); err != nil && ctx.Err() == nil {
				b.w.metrics.errors.WithLabelValues("purge").Inc()
				b.w.log.Warn("log not purged", "error", err)
			}
		}
	}
}

func (b *balance) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.w.opt.Lease)
	defer cancel()
	return b.share(ctx)
}

// share renews the leases, takes free partitions and gives up what is beyond the share.
func (b *balance) share(ctx context.Context) error {
	b.reap()
	epochs, workers, err := b.w.leases.renew(ctx)
	if err != nil {
		return err
	}
	for number, p := range b.held {
		if epochs[number] != p.lease.epoch {
			p.fence()
		}
	}
	n := b.w.parts.Log.Partitions()
	share := (n + max(workers, 1) - 1) / max(workers, 1)
	if len(b.held) > share {
		b.giveUp(len(b.held) - share)
		return nil
	}
	if len(b.held) == share {
		return nil
	}
	taken, err := b.w.leases.acquire(ctx, share-len(b.held), n)
	for _, x := range taken {
		p := b.w.newPartition(x, b.stream)
		b.w.priority.lag(&p.lags, true) // until it has looked; all, before the first begins
		b.held[x.number] = p
		b.w.metrics.held.Inc()
		b.w.metrics.leases.WithLabelValues("taken").Inc()
	}
	for _, x := range taken {
		go b.held[x.number].run(b.work)
	}
	return err
}

// reap forgets the partitions whose goroutine has ended. One that stopped because of
// the log stays held: another worker would fare no better.
func (b *balance) reap() {
	for number, p := range b.held {
		select {
		case <-p.done:
			if !errors.Is(p.err, errStream) {
				delete(b.held, number)
				b.w.metrics.held.Dec()
			}
		default:
		}
	}
}

// giveUp stops the n highest partitions, which then release their leases.
func (b *balance) giveUp(n int) {
	numbers := slices.Sorted(maps.Keys(b.held))
	for _, number := range numbers[len(numbers)-n:] {
		b.held[number].stop()
	}
}

// leave stops all partitions, waits for them and signs off.
func (b *balance) leave() {
	for _, p := range b.held {
		p.stop()
	}
	b.wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.work), stopTimeout)
	defer cancel()
	if err := b.w.leases.leave(ctx); err != nil {
		b.w.log.Warn("worker not signed off, its leases expire", "error", err)
	}
}

func (b *balance) wait() {
	for _, p := range b.held {
		<-p.done
		b.w.metrics.held.Dec()
	}
}

// purge cuts the log below the lowest of the checkpoints. The owner of partition 0 does it, and
// compares the log with the one that all checkpoints count in.
func (b *balance) purge(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.w.opt.PurgeEvery)
	defer cancel()
	stream, err := b.w.parts.Log.Identity(ctx)
	if err != nil {
		return err
	}
	sequences, same, err := b.w.leases.checkpoints(ctx, stream)
	if err != nil {
		return err
	}
	if err := b.w.leases.sideCheckpoints(ctx, b.w.parts.Beside, stream, sequences); err != nil {
		return err
	}
	info, err := b.w.parts.Log.Info(ctx) // after the checkpoints: they can only be below
	if err != nil {
		return err
	}
	needed := make(map[int]uint64, len(sequences))
	for number, sequence := range sequences {
		needed[number] = sequence + 1
		same = same && sequence <= info.LastSeq
	}
	if stream != b.stream || !same {
		for _, p := range b.held {
			p.fail(errStream)
		}
		return errStream
	}
	if b.held[0] == nil {
		return nil
	}
	if _, err = b.w.parts.Log.Purge(ctx, needed); err != nil {
		return err
	}
	return b.purgeBackfill(ctx)
}
