package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/secret"
	"foresight/internal/tenancy"
)

// refreshRow is a row of lookup_refresh_token.
type refreshRow struct {
	ID         id.UUID
	TenantID   id.UUID
	TenantCode string
	UserID     id.UUID
	FamilyID   id.UUID
	ExpiresAt  time.Time
	UsedAt     *time.Time
	RevokedAt  *time.Time
	Role       string
	Status     string
	Locale     *string
}

// maxRefresh bounds the length of a refresh token in bytes.
const maxRefresh = 256

func newRefreshToken() (token string, hash []byte) {
	token = secret.Text(32)
	sum := sha256.Sum256([]byte(token))
	return token, sum[:]
}

// Refresh exchanges a refresh token for a new pair, with the person's present
// role. Any token that is not good is a fault of kind Unauthenticated; one that
// was used before also ends its family.
func (s *Service) Refresh(ctx context.Context, token string) (*Session, error) {
	now := s.c.Now()
	r, err := s.findRefresh(ctx, token)
	if err != nil {
		return nil, err
	}
	if err := r.good(now); err != nil {
		return nil, err
	}
	next, hash := newRefreshToken()
	actor := newPerson(r.UserID, r.TenantID, r.TenantCode, r.Role, r.Locale)
	err = s.inTenant(ctx, r.TenantID, func(ctx context.Context, tx pgx.Tx) error {
		used, err := s.claim(ctx, tx, r, now)
		if err != nil {
			return err
		}
		if !used {
			if _, err := tx.Exec(ctx, `UPDATE refresh_tokens SET used_at = $3 WHERE tenant_id = $1 AND id = $2`, r.TenantID, r.ID, now); err != nil {
				return err
			}
		}
		if err := s.insertRefresh(ctx, tx, r.TenantID, r.UserID, r.FamilyID, hash); err != nil {
			return err
		}
		return hold(ctx, tx, actor)
	})
	if err != nil {
		return nil, s.refused(ctx, r, err)
	}
	return s.session(actor, r.FamilyID, next, now)
}

// good refuses what the row alone shows to be over.
func (r *refreshRow) good(now time.Time) error {
	if r.RevokedAt != nil || !now.Before(r.ExpiresAt) || r.Status != statusActive {
		return badRefresh(nil)
	}
	return nil
}

// claim looks at the row again under the family's lock: of two that come at once, one
// is first, and a family that is being revoked gets no new token. It returns whether
// the token was used before, which ReuseGrace forgives; errReused beyond.
func (s *Service) claim(ctx context.Context, tx pgx.Tx, r *refreshRow, now time.Time) (used bool, err error) {
	if err := lockFamily(ctx, tx, r.FamilyID); err != nil {
		return false, err
	}
	var at *time.Time
	var revoked bool
	if err := tx.QueryRow(ctx, `SELECT used_at, revoked_at IS NOT NULL FROM refresh_tokens WHERE tenant_id = $1 AND id = $2`,
		r.TenantID, r.ID).Scan(&at, &revoked); err != nil {
		return false, err
	}
	switch {
	case revoked:
		return false, badRefresh(nil)
	case at != nil && now.Sub(*at) > s.c.ReuseGrace:
		return true, errReused
	}
	return at != nil, nil
}

// refused gives the error of a transaction that claimed a token its meaning.
func (s *Service) refused(ctx context.Context, r *refreshRow, err error) error {
	var f *fault.Error
	switch {
	case errors.Is(err, errReused):
		return s.reused(ctx, r)
	case errors.As(err, &f):
		return f
	}
	return unavailable(err)
}

// errReused leaves the transaction of Refresh for the one that revokes.
var errReused = errors.New("refresh token used twice")

// Logout ends the session that the refresh token belongs to. An unknown token is
// no error: there is no session, as asked for.
func (s *Service) Logout(ctx context.Context, token string) error {
	r, err := s.findRefresh(ctx, token)
	if fault.Is(err, fault.Unauthenticated) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.revokeFamily(ctx, r, didSignOut)
}

func (s *Service) findRefresh(ctx context.Context, token string) (*refreshRow, error) {
	if token == "" || len(token) > maxRefresh {
		return nil, badRefresh(nil)
	}
	sum := sha256.Sum256([]byte(token))
	rows, err := lookup[refreshRow](ctx, s.c.DB, `SELECT * FROM lookup_refresh_token($1)`, sum[:])
	if err != nil {
		return nil, err
	}
	if len(rows) != 1 {
		return nil, badRefresh(nil)
	}
	return &rows[0], nil
}

// reused revokes the family of a token that came a second time.
func (s *Service) reused(ctx context.Context, r *refreshRow) error {
	s.c.Log.WarnContext(ctx, "refresh token used twice: session ended", "tenant_id", r.TenantID, "user_id", r.UserID, "session", r.FamilyID)
	if err := s.revokeFamily(ctx, r, noticedReplay); err != nil {
		return err
	}
	return badRefresh(errReused)
}

// revokeFamily ends the session of the token for a reason that the audit log tells.
func (s *Service) revokeFamily(ctx context.Context, r *refreshRow, why string) error {
	err := s.inTenant(ctx, r.TenantID, func(ctx context.Context, tx pgx.Tx) error {
		if r.RevokedAt == nil {
			by := ctx // the product notices a replay
			if why == didSignOut {
				by = tenancy.With(ctx, newPerson(r.UserID, r.TenantID, r.TenantCode, r.Role, r.Locale))
			}
			if err := note(by, tx, why, r.UserID); err != nil {
				return err
			}
		}
		return s.endFamilies(ctx, tx, r.TenantID, r.FamilyID)
	})
	if err != nil {
		return unavailable(err)
	}
	s.announce(Revocation{Session: r.FamilyID, At: s.c.Now()})
	return nil
}

// lockFamily lets one transaction at a time change a family; row locks would not
// hold back the insertion of the next token.
func lockFamily(ctx context.Context, tx pgx.Tx, family id.UUID) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, family.String())
	return err
}

// insertRefresh adds a link to the family, given to the client behind the context.
func (s *Service) insertRefresh(ctx context.Context, tx pgx.Tx, tenant, user, family id.UUID, hash []byte) error {
	address, agent := client(ctx)
	_, err := tx.Exec(ctx, `INSERT INTO refresh_tokens (id, tenant_id, user_id, token_hash, family_id, created_at, expires_at, address, user_agent)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, id.New(id.RefreshToken), tenant, user, hash, family,
		s.c.Now(), s.c.Now().Add(s.c.RefreshTTL), address, agent)
	return err
}

func badRefresh(cause error) *fault.Error {
	return fault.New(fault.Unauthenticated, "error.auth.refresh").Because(cause)
}
