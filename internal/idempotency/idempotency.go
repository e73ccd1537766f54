// Package idempotency keeps repetitions of an operation from doing it twice: who
// repeats a key within its life gets the outcome of the first time.
//
// A key belongs to the credential that chose it. Of calls with one key at once the
// first runs and the others wait for it, in whichever processes they are. A process
// that dies in between leaves a key whose outcome nobody knows: repetitions are then
// refused until the key expires, since doing it twice is what must not happen.
package idempotency

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

const (
	// Life is how long a key is remembered.
	Life = 24 * time.Hour
	// MaxKey is the length of a key in characters.
	MaxKey = 255

	// patience is how long a repetition waits for the first call.
	patience = 15 * time.Second
	// lost is how long after its begin a call that has not ended is given up: longer
	// than any request lives.
	lost = 2 * time.Minute
	// swept is how many expired keys a new one takes along.
	swept = 50
)

// Request is one call.
type Request struct {
	Key       string // 1-MaxKey characters
	Operation string // 1-100 characters
	Hash      [sha256.Size]byte
}

// Result is what a call leaves for its repetitions: what is needed to tell the outcome
// again, and no secrets.
type Result = map[string]any

// Store remembers keys in PostgreSQL for the actor of the context. It is safe for
// concurrent use.
type Store struct {
	pool     *pgxpool.Pool
	patience time.Duration
}

// NewStore returns a store on the pool of requests.
func NewStore(app *pgxpool.Pool) *Store { return &Store{app, patience} }

// Claim is the right to run a call. Its holder ends it with Done or Drop.
type Claim struct {
	pool       *pgxpool.Pool
	tenant, id id.UUID
}

// Begin returns a claim when the call is to be run, or the result of the call with
// this key that was run before. The same key with another operation or input, and one
// whose first call has not ended in time, is a fault.Conflict.
func (s *Store) Begin(ctx context.Context, r Request) (*Claim, Result, error) {
	end := time.Now().Add(s.patience)
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 250*time.Millisecond) {
		c, err := s.claim(ctx, r)
		if err != nil || c != nil {
			return c, nil, err
		}
		result, begun, err := s.look(ctx, r)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			continue // it was dropped meanwhile
		case err != nil || result != nil:
			return nil, result, err
		case time.Since(begun) > lost:
			return nil, nil, conflict("error.idempotency.lost")
		case time.Now().After(end):
			return nil, nil, conflict("error.idempotency.running")
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
	}
}

func conflict(key string) error {
	return fault.New(fault.Conflict, key).At("input.idempotencyKey")
}

// claim takes the key when nobody has it, or its time is over.
func (s *Store) claim(ctx context.Context, r Request) (*Claim, error) {
	a, at := tenancy.Must(ctx), time.Now().UTC()
	c := &Claim{s.pool, a.TenantID, id.New(id.IdempotencyKey)}
	var b pgx.Batch
	b.Queue(`DELETE FROM idempotency_keys WHERE tenant_id = $1 AND id IN
		(SELECT id FROM idempotency_keys WHERE tenant_id = $1 AND expires_at <= $2 LIMIT $3 FOR UPDATE SKIP LOCKED)`, a.TenantID, at, swept)
	taken := false
	b.Queue(`INSERT INTO idempotency_keys (tenant_id, id, actor_id, key, operation, request_hash, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant_id, actor_id, key) DO NOTHING`,
		c.tenant, c.id, a.ID, r.Key, r.Operation, r.Hash[:], at, at.Add(Life)).
		Exec(func(tag pgconn.CommandTag) error {
			taken = tag.RowsAffected() == 1
			return nil
		})
	if err := s.pool.SendBatch(ctx, &b).Close(); err != nil {
		return nil, fmt.Errorf("idempotency: %w", err)
	}
	if !taken {
		return nil, nil
	}
	return c, nil
}

// look returns what the key's first call left, nil while it runs, and when it began.
func (s *Store) look(ctx context.Context, r Request) (result Result, begun time.Time, err error) {
	a := tenancy.Must(ctx)
	var operation string
	var hash []byte
	if err := s.pool.QueryRow(ctx, `SELECT operation, request_hash, result, created_at FROM idempotency_keys
		WHERE tenant_id = $1 AND actor_id = $2 AND key = $3`, a.TenantID, a.ID, r.Key).Scan(&operation, &hash, &result, &begun); err != nil {
		return nil, begun, fmt.Errorf("idempotency: %w", err)
	}
	if operation != r.Operation || string(hash) != string(r.Hash[:]) {
		return nil, begun, conflict("error.idempotency.other")
	}
	return result, begun, nil
}

// Done keeps the result for repetitions.
func (c *Claim) Done(ctx context.Context, r Result) error {
	if r == nil {
		r = Result{}
	}
	return c.exec(ctx, `UPDATE idempotency_keys SET result = $3 WHERE tenant_id = $1 AND id = $2`, c.tenant, c.id, r)
}

// Drop forgets the key, as nothing was done: the next call with it runs.
func (c *Claim) Drop(ctx context.Context) error {
	return c.exec(ctx, `DELETE FROM idempotency_keys WHERE tenant_id = $1 AND id = $2`, c.tenant, c.id)
}

// outcomeWithin is for long: without its outcome a key is of no use until it expires.
const outcomeWithin = 30 * time.Second

// exec speaks to the database even when the caller has gone: the outcome stands.
func (c *Claim) exec(ctx context.Context, sql string, args ...any) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), outcomeWithin)
	defer cancel()
	if _, err := c.pool.Exec(ctx, sql, args...); err != nil {
		return fmt.Errorf("idempotency: %w", err)
	}
	return nil
}
