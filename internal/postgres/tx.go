package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"foresight/ent"
	"foresight/internal/audit"
)

// rollbackWithin bounds the rollback after the caller's context has ended.
const rollbackWithin = 5 * time.Second

// InTx calls f with one transaction in two forms: a client of the ORM, and the
// pgx.Tx under it, for hand-written SQL and for River's InsertTx. It commits when
// f returns nil and rolls back when f fails or panics; f does neither itself, and
// uses the two forms one after the other, not from several goroutines.
//
// The connection acts for the tenant of ctx. Tell others what happened (events,
// hints) after InTx has returned nil, never inside f.
func InTx(ctx context.Context, db *sql.DB, f func(ctx context.Context, c *ent.Client, tx pgx.Tx) error) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()

	var tx pgx.Tx
	if err := conn.Raw(func(c any) (err error) {
		tx, err = c.(*stdlib.Conn).Conn().Begin(ctx)
		return err
	}); err != nil {
		return fmt.Errorf("postgres: begin: %w", err)
	}
	committed := false
	defer func() {
		if committed {
			return
		}
		// The server must hear of it although ctx may have ended; when it does not,
		// the connection is destroyed with the transaction.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackWithin)
		defer cancel()
		if rerr := tx.Rollback(ctx); rerr != nil && !errors.Is(rerr, pgx.ErrTxClosed) {
			err = errors.Join(err, fmt.Errorf("postgres: rollback: %w", rerr))
		}
	}()

	client := ent.NewClient(ent.Driver(&sharedTx{conn: entsql.Conn{ExecQuerier: conn}}))
	client.Use(audit.Hook)
	etx, err := client.Tx(ctx)
	if err != nil {
		return err
	}
	if err := f(ctx, etx.Client(), tx); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("postgres: commit: %w", err)
	}
	committed = true
	return nil
}

// sharedTx is the ORM's driver inside a transaction that it did not begin. What
// it calls transactions (it wraps every update of one row in one) is this one.
type sharedTx struct{ conn entsql.Conn }

// Exec implements dialect.ExecQuerier.
func (d *sharedTx) Exec(ctx context.Context, query string, args, v any) error {
	return d.conn.Exec(ctx, query, args, v)
}

// Query implements dialect.ExecQuerier.
func (d *sharedTx) Query(ctx context.Context, query string, args, v any) error {
	return d.conn.Query(ctx, query, args, v)
}

// Tx implements dialect.Driver; Commit and Rollback of the result do nothing.
func (d *sharedTx) Tx(context.Context) (dialect.Tx, error) { return dialect.NopTx(d), nil }

// Close implements dialect.Driver.
func (d *sharedTx) Close() error { return nil }

// Dialect implements dialect.Driver.
func (d *sharedTx) Dialect() string { return dialect.Postgres }
