package pipeline

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5"
)

// Beside reads the log of live readings for a purpose of its own, under the worker's
// lease on each partition and with a checkpoint of its own, for which the log is kept
// like for the worker's.
type Beside struct {
	// Name is the reader's in the table log_checkpoints.
	Name string
	// Follow works on a partition until ctx ends. An error is logged, and Follow
	// called again.
	Follow func(ctx context.Context, h *Held) error
}

// Held is a partition that this worker holds, as those see it who read beside it. One
// goroutine uses it.
type Held struct {
	p      *partition // of its own: nobody else touches it
	reader string
	stream string // identity of the log that is read
}

// Partition returns the partition's number.
func (h *Held) Partition() int { return h.p.lease.number }

// Stream returns the identity of the log, in which the sequences count.
func (h *Held) Stream() string { return h.stream }

// Checkpoint returns up to where all is done, and up to where something was intended
// to be done at once: intended is above done when that was not finished. Both are 0
// for a log that is not the one in which the checkpoint counts: who reads beside
// begins with a new log at its beginning.
func (h *Held) Checkpoint(ctx context.Context) (done, intended uint64, err error) {
	var sequence, further int64
	err = h.p.w.parts.Pool.QueryRow(ctx, `SELECT sequence, intended FROM log_checkpoints WHERE reader = $1 AND number = $2 AND stream = $3`,
		h.reader, h.Partition(), h.stream).Scan(&sequence, &further)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, 0, nil
	}
	return uint64(sequence), uint64(further), wrap("read a checkpoint", err)
}

// Save moves the checkpoint, unless the partition has another owner.
func (h *Held) Save(ctx context.Context, done, intended uint64) error {
	return h.p.transact(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, saveSide, h.reader, h.Partition(), int64(done), int64(intended), h.stream)
		return wrap("save a checkpoint", err)
	})
}

const saveSide = `INSERT INTO log_checkpoints (reader, number, sequence, intended, stream) VALUES ($1, $2, $3, $4, $5)
	ON CONFLICT (reader, number) DO UPDATE SET sequence = excluded.sequence, intended = excluded.intended, stream = excluded.stream`

// startBeside starts what reads the partition beside the worker, until reading ends.
func (p *partition) startBeside(ctx, reading context.Context) *sync.WaitGroup {
	var g sync.WaitGroup
	for _, b := range p.w.parts.Beside {
		h := &Held{p: p.w.newPartition(p.lease, p.stream), reader: b.Name, stream: p.stream}
		g.Go(func() {
			if err := h.p.retry(reading, b.Name, func() error { return b.Follow(reading, h) }); err != nil && !over(err) {
				p.log.Warn("no longer read beside", "reader", b.Name, "error", err)
			}
		})
	}
	if p.w.parts.Backfill != nil {
		g.Go(func() { p.w.backfill(ctx, reading, p.lease, p.stream) })
	}
	return &g
}

// over reports that somebody ended the work on the partition.
func over(err error) bool {
	return errors.Is(err, errStopped) || errors.Is(err, errFenced) || errors.Is(err, context.Canceled)
}

// sideCheckpoints lowers the sequences to those of the readers beside the worker. A
// reader that has no checkpoint in the stream yet needs everything.
func (l *leases) sideCheckpoints(ctx context.Context, readers []Beside, stream string, sequences map[int]uint64) error {
	for _, r := range readers {
		rows, err := l.pool.Query(ctx, `SELECT number, sequence FROM log_checkpoints WHERE reader = $1 AND stream = $2`, r.Name, stream)
		if err != nil {
			return wrap("read checkpoints", err)
		}
		done := map[int]uint64{}
		var number int
		var sequence int64
		if _, err := pgx.ForEachRow(rows, []any{&number, &sequence}, func() error {
			done[number] = uint64(sequence)
			return nil
		}); err != nil {
			return wrap("read checkpoints", err)
		}
		for n := range sequences {
			sequences[n] = min(sequences[n], done[n])
		}
	}
	return nil
}
