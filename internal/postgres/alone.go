package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// TryAlone does a task unless somebody else is at it, in whichever process. That is
// thrift, not safety: a process that loses its connection, and with it the lock, goes on.
func TryAlone(ctx context.Context, pool *pgxpool.Pool, task string, f func(context.Context) error) error {
	return alone(ctx, pool, task, f, func(c *pgx.Conn) (got bool, err error) {
		err = c.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtextextended('upkeep of ' || $1::text, 0))`, task).Scan(&got)
		return got, err
	})
}

// Alone is TryAlone that waits for whoever is at it.
func Alone(ctx context.Context, pool *pgxpool.Pool, task string, f func(context.Context) error) error {
	return alone(ctx, pool, task, f, func(c *pgx.Conn) (bool, error) {
		_, err := c.Exec(ctx, `SELECT pg_advisory_lock(hashtextextended('upkeep of ' || $1::text, 0))`, task)
		return true, err
	})
}

func alone(ctx context.Context, pool *pgxpool.Pool, task string, f func(context.Context) error, lock func(*pgx.Conn) (bool, error)) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if got, err := lock(conn.Conn()); err != nil || !got {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if _, err := conn.Exec(ctx, `SELECT pg_advisory_unlock(hashtextextended('upkeep of ' || $1::text, 0))`, task); err != nil {
			_ = conn.Conn().Close(ctx) // the lock goes with the session
		}
	}()
	return f(ctx)
}
