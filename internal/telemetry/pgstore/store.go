// Package pgstore keeps telemetry in PostgreSQL: the default store of the embedded
// run. Readings and predictions lie in daily partitions by event time, so that
// retention drops tables and recent data stays small; migrations/00010_pipeline.sql
// holds the schema.
//
// Every statement runs under row-level security with app.tenant_id set for its
// transaction alone, so that the tenant of a query is confined twice: by its own
// WHERE and by the database's policy.
//
// A tenant's readings are written as one array by INSERT ... ON CONFLICT DO NOTHING (COPY
// into a table with row-level security is refused), always in the order of ingest ids, so
// that two writers of the same documents wait for each other and never deadlock.
package pgstore

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// Store implements telemetry.Store.
type Store struct {
	write *pgxpool.Pool // as foresight_worker
	read  *pgxpool.Pool // as foresight_app
	// deferSync: see WithDeferredSync.
	deferSync bool

	mu   sync.RWMutex
	days map[day]struct{} // that have partitions, as far as is known
}

var _ telemetry.Store = (*Store)(nil)

// Option changes how a Store works.
type Option func(*Store)

// WithDeferredSync lets writes return before they are flushed to disk. It is for a
// caller that, before it relies on them, commits a transaction of its own in the same
// cluster: that commit flushes everything before it in the write-ahead log, so a
// crash never leaves the caller's commit without these writes.
func WithDeferredSync() Option { return func(s *Store) { s.deferSync = true } }

// New returns a store that writes, and rebuilds windows, through the worker's pool
// and answers queries through the application's. A process with one of the roles
// only gives the same pool twice; the application's role cannot write.
func New(worker, app *pgxpool.Pool, options ...Option) *Store {
	s := &Store{write: worker, read: app, days: map[day]struct{}{}}
	for _, o := range options {
		o(s)
	}
	return s
}

// Ping implements telemetry.Store.
func (s *Store) Ping(ctx context.Context) error {
	for _, p := range []*pgxpool.Pool{s.write, s.read} {
		if _, err := p.Exec(ctx, `SELECT FROM telemetry_raw LIMIT 0`); err != nil {
			return failed("ping", err)
		}
	}
	return nil
}

const setTenant = `SELECT set_config('app.tenant_id', $1, true)`

// rows runs one query of one tenant in one round trip (a batch is one implicit
// transaction) and hands every row's columns, valid for the call only, to scan. They
// come in the form that pgx prefers: jsonb as text, all others in binary form.
func rows(ctx context.Context, pool *pgxpool.Pool, tenant id.UUID, scan func(columns [][]byte) error, sql string, args ...any) (err error) {
	if tenant == id.Nil {
		return telemetry.ErrNoTenant
	}
	b := &pgx.Batch{}
	b.Queue(setTenant, tenant.String())
	b.Queue(sql, args...)
	res := pool.SendBatch(ctx, b)
	defer func() { err = errors.Join(err, res.Close()) }()
	if _, err := res.Exec(); err != nil {
		return err
	}
	rs, err := res.Query()
	if err != nil {
		return err
	}
	defer rs.Close()
	for rs.Next() {
		if err := scan(rs.RawValues()); err != nil {
			return err
		}
	}
	return rs.Err()
}

// failed wraps an error with its kind: what the server says of the data is BadInput
// and stays wrong when repeated; the rest is Unavailable. An ended context and the
// contract's own errors stay as they are.
func failed(what string, err error) error {
	if err == nil {
		return nil
	}
	for _, own := range []error{context.Canceled, context.DeadlineExceeded, telemetry.ErrNoTenant, telemetry.ErrNotFound, telemetry.ErrLimit} {
		if errors.Is(err, own) {
			return fmt.Errorf("pgstore: %s: %w", what, err)
		}
	}
	kind := fault.New(fault.Unavailable, "error.telemetry.unavailable")
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (pg.Code[:2] == "22" || pg.Code[:2] == "23") { // data exception, integrity violation
		kind = fault.New(fault.BadInput, "error.telemetry.refused")
	}
	return fmt.Errorf("pgstore: %s: %w", what, kind.Because(err))
}
