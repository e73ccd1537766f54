package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrRefusesWrites says that the server answers and cannot be written to: its disk is
// full, or it is a copy that is only read.
var ErrRefusesWrites = errors.New("postgres: the server takes no writes")

const codeDiskFull = "53100"

// CheckWrites asks whether the server answers and can be written to. It leaves nothing
// behind: more rows than the memory of the statement holds go to a temporary file, for
// which the disk of the data needs some 500 kB.
func CheckWrites(ctx context.Context, pool *pgxpool.Pool) error {
	var readOnly bool
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		b := &pgx.Batch{}
		b.Queue(`SET LOCAL work_mem = '64kB'`)
		b.Queue(`SELECT current_setting('transaction_read_only')::bool FROM (SELECT count(*) FROM generate_series(1, 20000)) x`).
			QueryRow(func(r pgx.Row) error { return r.Scan(&readOnly) })
		return tx.SendBatch(ctx, b).Close()
	})
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused) && refused.Code == codeDiskFull:
		return fmt.Errorf("%w: %w", ErrRefusesWrites, err)
	case err != nil:
		return fmt.Errorf("postgres: %w", err)
	case readOnly:
		return fmt.Errorf("%w: it is read only", ErrRefusesWrites)
	}
	return nil
}
