package pipeline

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/bus"
	"foresight/internal/telemetry"
)

// BackfillLane is the lane of the backfill log's sequences, see telemetry.Lane: its
// numbers are not those of the live log.
const BackfillLane = 1

// backfillReader is the backfill's name in the table log_checkpoints.
const backfillReader = "backfill"

// BackfillBatch is the most entries of the backfill log that are taken at once: what
// live readings may have to share the database with.
const BackfillBatch = 200

// priority lets live readings go first. Backfill is done by one partition of a worker
// at a time, in no slot of the live batches, and begins a batch only while none of the
// worker's partitions lags behind its log: a month of history takes what live readings
// leave.
type priority struct {
	lagging atomic.Int64  // partitions that have more than they have read, or have not looked
	turn    chan struct{} // holds one element while a batch of history is at work
	quiet   chan struct{} // told when the last one has caught up
}

func newPriority() *priority {
	return &priority{turn: make(chan struct{}, 1), quiet: make(chan struct{}, 1)}
}

// lag counts a partition in or out. Each partition remembers what it said last.
func (r *priority) lag(was *bool, now bool) {
	switch {
	case *was == now:
		return
	case now:
		r.lagging.Add(1)
	case r.lagging.Add(-1) == 0:
		select {
		case r.quiet <- struct{}{}:
		default:
		}
	}
	*was = now
}

// lookAgain bounds the wait for a notice that another took.
const lookAgain = 50 * time.Millisecond

// wait returns when it is history's turn, which the caller ends by done.
func (r *priority) wait(ctx context.Context) error {
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	for r.lagging.Load() > 0 {
		select {
		case <-r.quiet:
		case <-again.C:
		case <-ctx.Done():
			r.done()
			return context.Cause(ctx)
		}
	}
	return nil
}

func (r *priority) done() { <-r.turn }

// history is a partition of the backfill log under the lease of the live one. What it
// brings in is late by definition: it is stored and rolled up, moves no window, is
// judged by nobody, raises no alarm, does not count as a sign of life of its sensor
// and is not published.
type history struct {
	*partition
	held     *Held
	sequence uint64
}

// backfill works on the partition of the backfill log until reading ends.
func (w *Worker) backfill(ctx, reading context.Context, x lease, live string) {
	p := w.newPartition(x, live)
	p.log = p.log.With("log", backfillReader)
	err := p.retry(reading, "log", func() error {
		stream, err := w.parts.Backfill.Identity(reading)
		if err != nil {
			return err
		}
		h := &history{partition: p, held: &Held{p: p, reader: backfillReader, stream: stream}}
		p.process, p.pass = h.process, h.pass
		p.slots = make(chan struct{}, 1) // none of the live batches'
		p.rollups = newRollups(w.plain, w.opt.MaxWindows)
		return h.work(ctx, reading)
	})
	if err != nil && !over(err) && ctx.Err() == nil {
		p.log.Error("backfill given up", "error", err)
	}
}

func (h *history) work(ctx, reading context.Context) (err error) {
	if h.sequence, _, err = h.held.Checkpoint(reading); err != nil {
		return err
	}
	r, err := h.w.parts.Backfill.Read(h.lease.number, h.sequence+1)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		if err := r.Close(ctx); err != nil {
			h.log.Debug("reader not closed, the server forgets it", "error", err)
		}
	}()
	for {
		var entries []bus.Entry
		if err := h.retry(reading, "log", func() error {
			entries, err = r.Next(reading, BackfillBatch, backfillWait)
			return err
		}); err != nil {
			return err
		}
		h.w.metrics.backfillBehind(h.lease.number, r.Pending()+uint64(len(entries)))
		if len(entries) == 0 {
			continue
		}
		if err := h.w.priority.wait(reading); err != nil {
			return err
		}
		err = h.handle(ctx, reading, entries)
		h.w.priority.done()
		if err != nil {
			return err
		}
		h.w.metrics.backfillBehind(h.lease.number, r.Pending())
	}
}

// backfillWait is how long one call waits for entries.
const backfillWait = 5 * time.Second

// process stores and rolls up a batch of history once.
func (h *history) process(ctx context.Context, entries []bus.Entry) error {
	b := &batch{last: entries[len(entries)-1].Seq}
	if err := h.decode(ctx, entries, b); err != nil {
		return err
	}
	for i := range b.raws {
		b.raws[i].LogSeq = telemetry.InLane(BackfillLane, b.raws[i].LogSeq)
		b.raws[i].Late = true
	}
	first, err := h.w.plain.WriteReadings(ctx, b.raws)
	if err != nil {
		return err
	}
	b.own = make([]bool, len(b.raws))
	for i := range b.raws {
		b.own[i] = first[i] == b.raws[i].LogSeq
	}
	if err := h.rollups.write(ctx, b); err != nil {
		return err
	}
	if err := h.commitHistory(ctx, b); err != nil {
		return err
	}
	h.rollups.settle()
	h.w.metrics.backfilled(b)
	return nil
}

// commitHistory is the one transaction of a batch of history: the epoch, the hours to
// be rolled up again, the checkpoint.
func (h *history) commitHistory(ctx context.Context, b *batch) error {
	hours := pastHours(b, h.w.opt.Now())
	err := h.transact(ctx, func(tx pgx.Tx) error {
		var last pgx.Batch
		queueDue(&last, hours)
		last.Queue(saveSide, backfillReader, h.lease.number, int64(b.last), 0, h.held.stream)
		return wrap("write the backfill's checkpoint", tx.SendBatch(ctx, &last).Close())
	})
	if err == nil {
		h.sequence = b.last
	}
	return err
}

// pass lets the checkpoint pass an entry that was given up.
func (h *history) pass(ctx context.Context, sequence uint64) error {
	return h.commitHistory(ctx, &batch{last: sequence})
}

// purgeBackfill cuts the backfill log below its checkpoints.
func (b *balance) purgeBackfill(ctx context.Context) error {
	log := b.w.parts.Backfill
	if log == nil || b.held[0] == nil {
		return nil
	}
	stream, err := log.Identity(ctx)
	if err != nil {
		return err
	}
	needed := make(map[int]uint64, log.Partitions())
	for n := range log.Partitions() {
		needed[n] = ^uint64(0) - 1
	}
	if err := b.w.leases.sideCheckpoints(ctx, []Beside{{Name: backfillReader}}, stream, needed); err != nil {
		return err
	}
	for n := range needed {
		needed[n]++
	}
	_, err = log.Purge(ctx, needed)
	return err
}
