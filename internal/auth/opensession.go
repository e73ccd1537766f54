package auth

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/obs"
	"foresight/internal/tenancy"
)

// OpenSession is a session of a person that may be continued: a family of refresh
// tokens of which none was revoked.
type OpenSession struct {
	ID         id.UUID
	UserID     id.UUID
	LastUsedAt time.Time // last sign-in or refresh
	ExpiresAt  time.Time // unless it is used before
	Address    string    // of the client that used it last, "" when unknown
	UserAgent  string    // what that client calls itself, "" when unknown
}

// BeganAt is the time of the sign-in.
func (s *OpenSession) BeganAt() time.Time { return id.TimeOf(s.ID) }

// maxSessions bounds a list of sessions.
const maxSessions = 100

// Sessions lists a person's open sessions in the actor's tenant, the one used last
// first, at most 100. Anybody sees their own; those of others need users:read.
func (s *Service) Sessions(ctx context.Context, user id.UUID) ([]*OpenSession, error) {
	if err := ownOr(ctx, user, tenancy.UsersRead); err != nil {
		return nil, err
	}
	var out []*OpenSession
	tenant := tenancy.Must(ctx).TenantID
	err := s.inTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT family_id, user_id, max(created_at), max(expires_at),
				coalesce((array_agg(address ORDER BY created_at DESC))[1], ''), coalesce((array_agg(user_agent ORDER BY created_at DESC))[1], '')
			FROM refresh_tokens WHERE tenant_id = $1 AND user_id = $2
			GROUP BY family_id, user_id HAVING bool_and(revoked_at IS NULL) AND max(expires_at) > $3
			ORDER BY max(created_at) DESC, family_id LIMIT $4`, tenant, user, s.c.Now(), maxSessions)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, pgx.RowToAddrOfStructByPos[OpenSession])
		return err
	})
	if err != nil {
		return nil, unavailable(err)
	}
	return out, nil
}

// EndSession ends a session of the actor's tenant with its access tokens and open
// connections: anybody their own, others' with users:write. What the actor may not
// end does not exist for it.
func (s *Service) EndSession(ctx context.Context, session id.UUID) error {
	a := tenancy.Must(ctx)
	var user id.UUID
	err := s.inTenant(ctx, a.TenantID, func(ctx context.Context, tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `SELECT user_id FROM refresh_tokens WHERE tenant_id = $1 AND family_id = $2 LIMIT 1`, a.TenantID, session).Scan(&user)
		if err != nil {
			return err
		}
		if ownOr(tenancy.With(ctx, a), user, tenancy.UsersWrite) != nil {
			return pgx.ErrNoRows
		}
		if err := note(tenancy.With(ctx, a), tx, didEndSession, user); err != nil {
			return err
		}
		return s.endFamilies(ctx, tx, a.TenantID, session)
	})
	switch {
	case err == nil:
		s.announce(Revocation{Session: session, At: s.c.Now()})
		return nil
	case errors.Is(err, pgx.ErrNoRows):
		return fault.Missing("ActiveSession").At("input.id")
	}
	return unavailable(err)
}

// EndSessions ends all sessions of a person and returns how many: the actor's own in
// every tenant, or, with users:write, another's in the actor's tenant.
func (s *Service) EndSessions(ctx context.Context, user id.UUID) (int, error) {
	if err := ownOr(ctx, user, tenancy.UsersWrite); err != nil {
		return 0, err
	}
	a := tenancy.Must(ctx)
	tenants := []id.UUID{a.TenantID}
	if own, person := a.UserID(); person && own == user {
		all, err := s.Tenants(ctx, user)
		if err != nil {
			return 0, err
		}
		for _, t := range all {
			if t.TenantID != a.TenantID {
				tenants = append(tenants, t.TenantID)
			}
		}
	}
	n := 0
	for _, tenant := range tenants {
		var open []id.UUID
		err := s.inTenant(ctx, tenant, func(ctx context.Context, tx pgx.Tx) error {
			rows, err := tx.Query(ctx, `SELECT DISTINCT family_id FROM refresh_tokens
				WHERE tenant_id = $1 AND user_id = $2 AND revoked_at IS NULL`, tenant, user)
			if err != nil {
				return err
			}
			if open, err = pgx.CollectRows(rows, pgx.RowTo[id.UUID]); err != nil {
				return err
			}
			if len(open) == 0 {
				return nil
			}
			by := *a
			by.TenantID = tenant // the person's own elsewhere, when it is another
			if err := note(tenancy.With(ctx, &by), tx, didEndSession, user); err != nil {
				return err
			}
			return s.endFamilies(ctx, tx, tenant, open...)
		})
		if err != nil {
			return n, unavailable(err)
		}
		for _, f := range open {
			s.announce(Revocation{Session: f, At: s.c.Now()})
		}
		n += len(open)
	}
	return n, nil
}

// endFamilies revokes families of refresh tokens; the caller announces it after the
// commit.
func (s *Service) endFamilies(ctx context.Context, tx pgx.Tx, tenant id.UUID, families ...id.UUID) error {
	// In one order, so that two who end the same ones do not wait for each other.
	slices.SortFunc(families, func(a, b id.UUID) int { return bytes.Compare(a[:], b[:]) })
	for _, f := range families {
		if err := lockFamily(ctx, tx, f); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `UPDATE refresh_tokens SET revoked_at = $3
		WHERE tenant_id = $1 AND family_id = ANY($2) AND revoked_at IS NULL`, tenant, families, s.c.Now())
	return err
}

// ownOr lets people at what is their own, and others with the permission.
func ownOr(ctx context.Context, user id.UUID, p tenancy.Permission) error {
	if a := tenancy.From(ctx); a != nil {
		if own, person := a.UserID(); person && own == user {
			return nil
		}
	}
	return may(ctx, p)
}

// The most characters that are kept of a client, as the columns have them.
const (
	maxAddress = 45
	maxAgent   = 300
)

// client returns address and name of the client behind the context for the columns
// of refresh_tokens, nil where unknown.
func client(ctx context.Context) (address, agent *string) {
	clean := func(s string, most int) *string {
		s = strings.Map(func(r rune) rune {
			if r == utf8.RuneError || !unicode.IsPrint(r) {
				return -1
			}
			return r
		}, s)
		if r := []rune(s); len(r) > most {
			s = string(r[:most])
		}
		if s == "" {
			return nil
		}
		return &s
	}
	return clean(obs.Remote(ctx), maxAddress), clean(obs.Agent(ctx), maxAgent)
}
