package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/event"
	"foresight/internal/id"
)

const setTenant = `SELECT set_config('app.tenant_id', $1, true)`

// transact runs f in a transaction that holds the lease, or returns errFenced.
func (p *partition) transact(ctx context.Context, f func(pgx.Tx) error) error {
	return p.w.transact(ctx, func(tx pgx.Tx) error {
		if err := p.w.leases.lock(ctx, tx, p.lease); err != nil {
			return wrap("lock the lease", err)
		}
		return f(tx)
	})
}

// transact runs f in a transaction.
func (w *Worker) transact(ctx context.Context, f func(pgx.Tx) error) error {
	tx, err := w.parts.Pool.Begin(ctx)
	if err != nil {
		return wrap("begin", err)
	}
	defer func() {
		// After a commit this does nothing; after a panic or error it frees the row.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		if err := tx.Rollback(ctx); err != nil && !errors.Is(err, pgx.ErrTxClosed) {
			w.log.Debug("not rolled back, the server does", "error", err)
		}
	}()
	if err := f(tx); err != nil {
		return err
	}
	return wrap("commit", tx.Commit(ctx))
}

// attendSilence lets rules judge how long the partition's sensors have been silent,
// when it is time.
func (p *partition) attendSilence(ctx context.Context) error {
	now := p.w.opt.Now()
	if now.Sub(p.seen.judged) < p.w.opt.SilenceEvery {
		return nil
	}
	p.seen.judged = now
	tenants := p.seen.tenants()
	if len(tenants) == 0 {
		return nil
	}
	gone := p.seen.offline(now.Add(-p.w.opt.OfflineAfter))
	hints, err := p.judgeSilence(ctx, tenants, gone, now.UTC())
	switch {
	case err == nil:
		p.seen.settle(gone)
		p.publish(ctx, hints)
	case errors.Is(err, errFenced):
		return err
	default:
		p.complain("silence", err, p.w.opt.SilenceEvery)
	}
	return nil
}

const setOffline = `UPDATE sensor_states SET is_online = false WHERE tenant_id = $1 AND sensor_id = ANY ($2)`

func (p *partition) judgeSilence(ctx context.Context, tenants []id.UUID, gone map[id.UUID][]id.UUID, now time.Time) (hints []event.Event, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %v", errPanic, v)
		}
	}()
	slices.SortFunc(tenants, func(a, b id.UUID) int { return bytes.Compare(a[:], b[:]) })
	err = p.transact(ctx, func(tx pgx.Tx) error {
		for _, tenant := range tenants {
			if _, err := tx.Exec(ctx, setTenant, tenant.String()); err != nil {
				return wrap("set the tenant", err)
			}
			more, err := p.w.parts.Alarms.ApplySilence(ctx, tx, tenant, p.seen.of(tenant), now)
			if err != nil {
				return wrap("apply rules on silence", err)
			}
			hints = append(hints, more...)
			if sensors := gone[tenant]; len(sensors) > 0 {
				if _, err := tx.Exec(ctx, setOffline, tenant, sensors); err != nil {
					return wrap("set sensors offline", err)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return hints, nil
}
