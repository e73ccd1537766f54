package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"foresight/internal/id"
	"foresight/internal/obs"
	"foresight/internal/tenancy"
)

// The columns travel as arrays, so that a statement is the same for any number of entries.
const insert = `
INSERT INTO audit_logs (tenant_id, id, actor_kind, actor_id, action, entity, entity_id, changes, ip, request_id, at)
SELECT $1, n.id, $2, $3, n.action, n.entity, n.entity_id, n.changes::jsonb, $4, $5, $6
FROM unnest($7::uuid[], $8::text[], $9::text[], $10::uuid[], $11::text[]) AS n (id, action, entity, entity_id, changes)`

// Execer runs a statement: pgx.Tx, or a connection in a transaction.
type Execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// Record adds the entries in one statement, in the transaction of what they tell of.
// Without an actor in the context it fails, as nobody would have done it.
func Record(ctx context.Context, tx Execer, entries ...Entry) error {
	args, err := arguments(ctx, entries)
	if err != nil || args == nil {
		return err
	}
	if _, err := tx.Exec(ctx, insert, args...); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// Queue is Record as a part of a batch, which saves a round trip.
func Queue(ctx context.Context, b *pgx.Batch, entries ...Entry) error {
	args, err := arguments(ctx, entries)
	if err == nil && args != nil {
		b.Queue(insert, args...)
	}
	return err
}

// arguments are those of insert, nil when there is nothing to tell.
func arguments(ctx context.Context, entries []Entry) ([]any, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	who, err := actor(ctx)
	if err != nil {
		return nil, err
	}
	n := len(entries)
	ids, actions, entities, things, changes := make([]id.UUID, n), make([]string, n), make([]string, n), make([]*id.UUID, n), make([]string, n)
	for i, e := range entries {
		ids[i], actions[i], entities[i], things[i] = id.New(id.AuditLog), e.Action, e.Entity, orNull(e.ID)
		if e.Changes == nil {
			e.Changes = Changes{}
		}
		b, err := json.Marshal(e.Changes)
		if err != nil {
			return nil, fmt.Errorf("audit: %s: %w", e.Entity, err)
		}
		changes[i] = string(b)
	}
	return []any{who.TenantID, string(who.Kind), orNull(who.ID), textOrNull(obs.Remote(ctx)), textOrNull(obs.RequestID(ctx)), now(),
		ids, actions, entities, things, changes}, nil
}

func actor(ctx context.Context) (*tenancy.Actor, error) {
	a := tenancy.From(ctx)
	if a == nil || a.TenantID == id.Nil {
		return nil, fmt.Errorf("audit: no actor in the context")
	}
	return a, nil
}

// now is the present in UTC at the precision that PostgreSQL keeps.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func orNull(u id.UUID) *id.UUID {
	if u == id.Nil {
		return nil
	}
	return &u
}

func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
