package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// lease is the right to work on a partition under an epoch.
type lease struct {
	number   int
	epoch    int64
	sequence uint64 // the checkpoint: up to here everything is done
	stream   string // identity of the log in which sequence counts; "" before the first commit
}

// leases are the rows of the tables partitions and pipeline_workers. All times are
// the database's: workers' clocks may differ.
type leases struct {
	pool   *pgxpool.Pool
	worker string
	term   time.Duration
}

// prepare makes the rows of n partitions.
func (l *leases) prepare(ctx context.Context, n int) error {
	_, err := l.pool.Exec(ctx, `INSERT INTO partitions (number) SELECT generate_series(0, $1 - 1) ON CONFLICT DO NOTHING`, n)
	return wrap("prepare partitions", err)
}

// renew says that the worker lives, prolongs its leases and returns their epochs by
// partition, and the number of live workers. A row that a batch of its own has locked
// is prolonged by that batch.
func (l *leases) renew(ctx context.Context) (held map[int]int64, workers int, err error) {
	held = map[int]int64{}
	b := &pgx.Batch{}
	b.Queue(`INSERT INTO pipeline_workers (worker, expires_at) VALUES ($1, clock_timestamp() + $2)
		ON CONFLICT (worker) DO UPDATE SET expires_at = excluded.expires_at`, l.worker, l.term)
	b.Queue(`DELETE FROM pipeline_workers WHERE expires_at < clock_timestamp() - interval '1 minute'`)
	b.Queue(`UPDATE partitions SET expires_at = clock_timestamp() + $2
		WHERE number IN (SELECT number FROM partitions WHERE owner = $1 FOR UPDATE SKIP LOCKED)`, l.worker, l.term)
	b.Queue(`SELECT number, epoch FROM partitions WHERE owner = $1`, l.worker).Query(func(rows pgx.Rows) error {
		var number int
		var epoch int64
		_, err := pgx.ForEachRow(rows, []any{&number, &epoch}, func() error {
			held[number] = epoch
			return nil
		})
		return err
	})
	b.Queue(`SELECT count(*) FROM pipeline_workers WHERE expires_at > clock_timestamp()`).QueryRow(func(row pgx.Row) error {
		return row.Scan(&workers)
	})
	err = l.pool.SendBatch(ctx, b).Close()
	return held, workers, wrap("renew leases", err)
}

// acquire takes up to n of the partitions below limit that nobody holds. A partition
// whose last owner is in the middle of a commit is not free yet.
func (l *leases) acquire(ctx context.Context, n, limit int) ([]lease, error) {
	rows, err := l.pool.Query(ctx, `UPDATE partitions SET owner = $1, epoch = epoch + 1, expires_at = clock_timestamp() + $2
		WHERE number IN (SELECT number FROM partitions WHERE expires_at <= clock_timestamp() AND number < $4
			ORDER BY number LIMIT $3 FOR UPDATE SKIP LOCKED)
		RETURNING number, epoch, sequence, stream`, l.worker, l.term, n, limit)
	if err != nil {
		return nil, wrap("acquire leases", err)
	}
	taken, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (x lease, err error) {
		var sequence int64
		err = row.Scan(&x.number, &x.epoch, &sequence, &x.stream)
		x.sequence = uint64(sequence)
		return x, err
	})
	return taken, wrap("acquire leases", err)
}

// release hands a partition over at once.
func (l *leases) release(ctx context.Context, x lease) error {
	_, err := l.pool.Exec(ctx, `UPDATE partitions SET owner = '', expires_at = '-infinity'
		WHERE number = $1 AND epoch = $2 AND owner = $3`, x.number, x.epoch, l.worker)
	return wrap("release a lease", err)
}

// leave says that the worker lives no more.
func (l *leases) leave(ctx context.Context) error {
	_, err := l.pool.Exec(ctx, `DELETE FROM pipeline_workers WHERE worker = $1`, l.worker)
	return wrap("leave", err)
}

// checkpoints returns the sequence of every partition, and whether all of them count
// in the stream.
func (l *leases) checkpoints(ctx context.Context, stream string) (map[int]uint64, bool, error) {
	out, same := map[int]uint64{}, true
	rows, err := l.pool.Query(ctx, `SELECT number, sequence, stream FROM partitions`)
	if err != nil {
		return nil, false, wrap("read checkpoints", err)
	}
	var number int
	var sequence int64
	var of string
	_, err = pgx.ForEachRow(rows, []any{&number, &sequence, &of}, func() error {
		out[number] = uint64(sequence)
		same = same && (of == stream || of == "")
		return nil
	})
	return out, same, wrap("read checkpoints", err)
}

const (
	// A worker that is paused in the middle of a commit must not keep the row from
	// the next owner.
	limitIdle = `SET LOCAL idle_in_transaction_session_timeout = '1s'`

	lockLease = `SELECT count(*) FROM (SELECT FROM partitions WHERE number = $1 AND epoch = $2 AND owner = $3 FOR UPDATE) held`
)

// lock begins a commit: it holds the lease's row to the end of the transaction, or
// returns errFenced.
func (l *leases) lock(ctx context.Context, tx pgx.Tx, x lease) error {
	b := &pgx.Batch{}
	b.Queue(limitIdle)
	b.Queue(lockLease, x.number, x.epoch, l.worker).QueryRow(func(row pgx.Row) error {
		var held int
		if err := row.Scan(&held); err != nil {
			return err
		}
		if held == 0 {
			return errFenced
		}
		return nil
	})
	return tx.SendBatch(ctx, b).Close()
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("pipeline: %s: %w", what, err)
}
