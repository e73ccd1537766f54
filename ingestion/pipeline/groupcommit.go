package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"foresight/internal/bus"
	"foresight/internal/event"
	"foresight/internal/id"
)

// committing is a partition's batch on its way into a transaction.
type committing struct {
	p        *partition
	last     uint64        // the checkpoint that it leaves
	happened []event.Event // tenant by tenant
	heard    []heard
	hours    []past

	hints  []event.Event // of alarms, to publish after the commit
	fenced bool          // the partition has another owner
	before bool          // it was committed before: only the answer was lost
}

// commit puts a batch into a transaction: the epoch, what rules make of the events, the
// sensors' states, the hours to be rolled up again, the checkpoint. Batches of several
// partitions that come at the same time share one; a partition that has another owner
// is left out of it. It returns the hints of alarms, or errFenced.
func (p *partition) commit(ctx context.Context, b *batch, happened []event.Event) ([]event.Event, error) {
	c := &committing{p: p, last: b.last, happened: happened, heard: heardIn(p.lease.number, b, p.windows), hours: pastHours(b, p.w.opt.Now())}
	if err := p.w.commits.do(ctx, c, max(1, len(b.raws))); err != nil {
		return nil, err
	}
	if c.fenced {
		return nil, wrap("lock the lease", errFenced)
	}
	return c.hints, nil
}

// commitAll is the transaction of several batches.
func (w *Worker) commitAll(ctx context.Context, all []*committing) error {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b *committing) int { return cmp.Compare(a.p.lease.number, b.p.lease.number) })
	for _, c := range all {
		c.hints, c.fenced, c.before = nil, false, false // of a try that failed
	}
	err := w.transact(ctx, func(tx pgx.Tx) error {
		if err := w.leases.lockAll(ctx, tx, all); err != nil {
			return wrap("lock the leases", err)
		}
		all = slices.DeleteFunc(all, func(c *committing) bool { return c.fenced || c.before })
		if len(all) == 0 {
			return errNothing
		}
		if err := w.judge(ctx, tx, all); err != nil {
			return err
		}
		var last pgx.Batch
		var states []heard
		var hours []past
		for _, c := range all {
			states, hours = append(states, c.heard...), append(hours, c.hours...)
		}
		queueStates(&last, states)
		queueDue(&last, inOrder(hours))
		w.leases.queueCheckpoints(&last, all)
		return wrap("write the checkpoint", tx.SendBatch(ctx, &last).Close())
	})
	if errors.Is(err, errNothing) {
		return nil
	}
	return err
}

// errNothing ends a transaction in which there is nothing to do.
var errNothing = errors.New("pipeline: nothing to commit")

// judge lets rules judge what happened, tenant by tenant in the order of their ids.
// Events of one partition stay in their order; a sensor's are all of one.
func (w *Worker) judge(ctx context.Context, tx pgx.Tx, all []*committing) error {
	of := map[id.UUID][]event.Event{}
	by := make(map[int]*committing, len(all))
	for _, c := range all {
		by[c.p.lease.number] = c
		for from, to := 0, 0; from < len(c.happened); from = to {
			tenant := c.happened[from].Key.Tenant
			for to = from + 1; to < len(c.happened) && c.happened[to].Key.Tenant == tenant; to++ {
			}
			if of[tenant] == nil {
				of[tenant] = c.happened[from:to:to]
			} else {
				of[tenant] = append(of[tenant], c.happened[from:to]...)
			}
		}
	}
	for _, tenant := range slices.SortedFunc(maps.Keys(of), compareIDs) {
		if _, err := tx.Exec(ctx, setTenant, tenant.String()); err != nil {
			return wrap("set the tenant", err)
		}
		hints, err := w.parts.Alarms.Apply(ctx, tx, tenant, of[tenant])
		if err != nil {
			return wrap("apply rules", err)
		}
		// Each goes with the readings of its sensor, behind which it is published.
		for _, h := range hints {
			c := by[bus.Partition(h.Key.Tenant, h.Key.Sensor, w.parts.Log.Partitions())]
			if c == nil {
				c = all[0]
			}
			c.hints = append(c.hints, h)
		}
	}
	return nil
}

func compareIDs(a, b id.UUID) int { return bytes.Compare(a[:], b[:]) }

const (
	lockLeases = `SELECT p.number, p.sequence, p.stream FROM partitions p JOIN unnest($1::int[], $2::bigint[]) AS l (number, epoch)
		ON p.number = l.number AND p.epoch = l.epoch WHERE p.owner = $3 ORDER BY p.number FOR UPDATE OF p`

	moveCheckpoints = `UPDATE partitions p SET sequence = greatest(p.sequence, n.sequence), stream = n.stream, expires_at = clock_timestamp() + $4
		FROM unnest($1::int[], $2::bigint[], $3::text[]) AS n (number, sequence, stream) WHERE p.number = n.number`
)

// lockAll holds the leases' rows to the end of the transaction, and tells which of them
// are no longer the worker's. A checkpoint that stands where the batch would move it
// says that the batch is committed: the connection was lost before the answer came.
func (l *leases) lockAll(ctx context.Context, tx pgx.Tx, all []*committing) error {
	by := make(map[int32]*committing, len(all))
	var numbers []int32
	var epochs []int64
	for _, c := range all {
		c.fenced = true
		by[int32(c.p.lease.number)] = c
		numbers, epochs = append(numbers, int32(c.p.lease.number)), append(epochs, c.p.lease.epoch)
	}
	var b pgx.Batch
	b.Queue(limitIdle)
	b.Queue(lockLeases, numbers, epochs, l.worker).Query(func(rows pgx.Rows) error {
		var number int32
		var sequence int64
		var stream string
		_, err := pgx.ForEachRow(rows, []any{&number, &sequence, &stream}, func() error {
			c := by[number]
			c.fenced = false
			c.before = stream == c.p.stream && uint64(sequence) >= c.last
			return nil
		})
		return err
	})
	return tx.SendBatch(ctx, &b).Close()
}

// queueCheckpoints adds the statement that moves the checkpoints of locked leases.
func (l *leases) queueCheckpoints(b *pgx.Batch, all []*committing) {
	var numbers []int32
	var sequences []int64
	var streams []string
	for _, c := range all {
		numbers, sequences, streams = append(numbers, int32(c.p.lease.number)), append(sequences, int64(c.last)), append(streams, c.p.stream)
	}
	b.Queue(moveCheckpoints, numbers, sequences, streams, l.term)
}
