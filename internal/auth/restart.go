package auth

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// vouched remembers since when this process has heard of every revocation, and which
// older tokens were checked against the database, by token id until they expire. It
// is safe for concurrent use.
type vouched struct {
	mu    sync.Mutex
	since time.Time
	m     map[string]time.Time
}

// maxVouched bounds the memory: about 10 MB.
const maxVouched = 50_000

// doubts reports whether the token is to be checked.
func (v *vouched) doubts(g *Grant) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, ok := v.m[g.TokenID]
	return !ok && g.IssuedAt.Before(v.since)
}

// restart forgets what was checked until now.
func (v *vouched) restart(now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.since = now
	clear(v.m)
}

func (v *vouched) add(token string, until, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.m) >= maxVouched {
		for t, u := range v.m {
			if now.After(u) {
				delete(v.m, t)
			}
		}
	}
	if len(v.m) >= maxVouched {
		clear(v.m) // each is checked once more
	}
	if v.m == nil {
		v.m = map[string]time.Time{}
	}
	v.m[token] = until
}

// errSuperseded says that a token from before the start no longer tells the truth.
var errSuperseded = errors.New("revoked, or its rights have changed, before this process could hear of it")

// Doubt says that revocations of other processes may have been missed until now: each
// token of before is checked against the database when it is used next. Connections
// that are open stay until their token expires.
func (s *Service) Doubt() { s.vouched.restart(s.c.Now()) }

// stillTrue checks a token that was issued before this process started, or before
// Doubt, once: what was revoked until then, nobody has told it. The session must go
// on, and the rights must be those of now. Other errors are of the database.
func (s *Service) stillTrue(ctx context.Context, g *Grant) error {
	if !s.vouched.doubts(g) {
		return nil
	}
	a := g.Actor
	holds := false
	err := s.inTenant(ctx, a.TenantID, func(ctx context.Context, tx pgx.Tx) (err error) {
		if a.Kind == tenancy.Person {
			holds, err = personHolds(ctx, tx, g)
		} else {
			holds, err = clientHolds(ctx, tx, a.TenantID, a.ID, g.IssuedAt)
		}
		return err
	})
	if err != nil {
		return err
	}
	if !holds {
		return errSuperseded
	}
	s.vouched.add(g.TokenID, g.ExpiresAt, s.c.Now())
	return nil
}

func personHolds(ctx context.Context, tx pgx.Tx, g *Grant) (bool, error) {
	a := g.Actor
	var role string
	err := tx.QueryRow(ctx, `SELECT m.role FROM memberships m WHERE m.tenant_id = $1 AND m.user_id = $2 AND m.is_active AND EXISTS (
		SELECT FROM refresh_tokens r WHERE r.tenant_id = $1 AND r.user_id = $2 AND r.family_id = $3 AND r.revoked_at IS NULL)`,
		a.TenantID, a.ID, g.SessionID).Scan(&role)
	if err != nil {
		return false, ignoreNoRows(err)
	}
	now := newPerson(a.ID, a.TenantID, a.TenantCode, role, nil)
	if err := hold(ctx, tx, now); err != nil {
		return false, err
	}
	return now.Role == a.Role && digest(now) == digest(a), nil
}

// clientHolds reports whether the client is in use and was not changed since.
func clientHolds(ctx context.Context, tx pgx.Tx, tenant, client id.UUID, since time.Time) (holds bool, err error) {
	err = tx.QueryRow(ctx, `SELECT is_active AND updated_at <= $3 FROM oauth_clients WHERE tenant_id = $1 AND id = $2`, tenant, client, since).Scan(&holds)
	return holds, ignoreNoRows(err)
}

func ignoreNoRows(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	return err
}
