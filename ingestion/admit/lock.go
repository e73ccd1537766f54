package admit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// lock is an advisory lock of PostgreSQL, held by a connection of its own. A process
// that dies, or loses the connection, loses the lock.
type lock struct {
	pool *pgxpool.Pool
	conn *pgxpool.Conn
	held bool
}

const lockTimeout = 5 * time.Second

// hold takes the lock if nobody has it, and reports whether this process has it.
func (l *lock) hold(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	if l.conn == nil {
		conn, err := l.pool.Acquire(ctx)
		if err != nil {
			return false, fmt.Errorf("admit: lock: %w", err)
		}
		l.conn = conn
	}
	var err error
	if l.held {
		err = l.conn.Ping(ctx)
	} else {
		err = l.conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(deferralLock)).Scan(&l.held)
	}
	if err != nil {
		return false, errors.Join(fmt.Errorf("admit: lock: %w", err), l.drop(context.WithoutCancel(ctx)))
	}
	if !l.held { // not to be kept for waiting
		l.conn.Release()
		l.conn = nil
	}
	return l.held, nil
}

// drop closes the connection, and with it the lock.
func (l *lock) drop(ctx context.Context) error {
	if l.conn == nil {
		return nil
	}
	conn := l.conn.Hijack()
	l.conn, l.held = nil, false
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	return conn.Close(ctx)
}
