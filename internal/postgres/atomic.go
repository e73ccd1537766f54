package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	gen "foresight/ent"
)

// driver is the ORM's over database/sql. Statements with a context that carries a
// transaction of the driver go through that, so that a hook can make one of a
// mutation and of what it adds to it.
type driver struct{ *entsql.Driver }

type txKey struct{ of *driver }

// within returns the transaction that the context carries, nil for none.
func (d *driver) within(ctx context.Context) dialect.Tx {
	tx, _ := ctx.Value(txKey{d}).(dialect.Tx)
	return tx
}

// Exec implements dialect.ExecQuerier.
func (d *driver) Exec(ctx context.Context, query string, args, v any) error {
	if tx := d.within(ctx); tx != nil {
		return tx.Exec(ctx, query, args, v)
	}
	return d.Driver.Exec(ctx, query, args, v)
}

// Query implements dialect.ExecQuerier.
func (d *driver) Query(ctx context.Context, query string, args, v any) error {
	if tx := d.within(ctx); tx != nil {
		return tx.Query(ctx, query, args, v)
	}
	return d.Driver.Query(ctx, query, args, v)
}

// Tx implements dialect.Driver; the transaction of the context has its end elsewhere.
func (d *driver) Tx(ctx context.Context) (dialect.Tx, error) {
	if d.within(ctx) != nil {
		return dialect.NopTx(d), nil
	}
	return d.Driver.Tx(ctx)
}

// atomic runs a mutation, with all that hooks add to it, in one transaction, unless
// it is in one.
func (d *driver) atomic(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (v ent.Value, err error) {
		if t, ok := m.(interface{ Tx() (*gen.Tx, error) }); ok {
			if _, err := t.Tx(); err == nil {
				return next.Mutate(ctx, m)
			}
		}
		if d.within(ctx) != nil {
			return next.Mutate(ctx, m)
		}
		tx, err := d.Driver.Tx(ctx)
		if err != nil {
			return nil, fmt.Errorf("postgres: begin: %w", err)
		}
		done := false
		defer func() {
			if !done { // it failed, or panicked
				if rerr := tx.Rollback(); rerr != nil && !errors.Is(rerr, sql.ErrTxDone) {
					err = errors.Join(err, fmt.Errorf("postgres: rollback: %w", rerr))
				}
			}
		}()
		if v, err = next.Mutate(context.WithValue(ctx, txKey{d}, tx), m); err != nil {
			return v, err
		}
		if err := tx.Commit(); err != nil {
			return nil, fmt.Errorf("postgres: commit: %w", err)
		}
		done = true
		return v, nil
	})
}
