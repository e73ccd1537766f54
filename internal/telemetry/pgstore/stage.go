package pgstore

import (
	"bytes"
	"context"
	"sync"

	"github.com/jackc/pgx/v5"
)

// Rows that are not committed make another writer of the same documents wait: a
// process that is paused in between must not hold it up, so the server ends its
// transaction. (While COPY goes on the server knows no such limit, but then only the
// temporary table is locked.) Without arguments a query may be several: one round trip.
const (
	begin         = `BEGIN; SET LOCAL idle_in_transaction_session_timeout = '1s'`
	beginDeferred = begin + `; SET LOCAL synchronous_commit = off`
)

// staged copies the stream into the temporary table, lets move do with it what it
// will, and commits; the table is then empty again.
func (s *Store) staged(ctx context.Context, table, copyTo string, stream []byte, move func(pgx.Tx) error) error {
	conn, err := s.write.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if err := makeStage(ctx, conn.Conn(), table); err != nil {
		return err
	}
	o := pgx.TxOptions{BeginQuery: begin}
	if s.deferSync {
		o.BeginQuery = beginDeferred
	}
	return pgx.BeginTxFunc(ctx, conn, o, func(tx pgx.Tx) error {
		if _, err := conn.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(stream), copyTo); err != nil {
			return err
		}
		return move(tx)
	})
}

// makeStage makes a temporary table once per connection.
func makeStage(ctx context.Context, conn *pgx.Conn, table string) error {
	made := conn.PgConn().CustomData()
	if made[table] != nil {
		return nil
	}
	if _, err := conn.Exec(ctx, table); err != nil {
		return err
	}
	made[table] = true
	return nil
}

// buffers hold the COPY stream of a batch, at most maxPooled between batches.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

const maxPooled = 4 << 20 // bytes

func borrow() *[]byte { return buffers.Get().(*[]byte) }

func giveBack(b *[]byte) {
	if cap(*b) <= maxPooled {
		buffers.Put(b)
	}
}
