package access

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/ent/passwordreset"
	"foresight/internal/id"
	"foresight/internal/mail"
	"foresight/internal/tenancy"
)

// passwordLink makes a link by which the person sets a password once. Earlier ones
// stay good until one is used: a letter may have been delayed.
func (s *Service) passwordLink(ctx context.Context, c *ent.Client, person id.UUID, life time.Duration, page string) (string, error) {
	token, hash := newToken()
	// Old ones go when new ones come: no job is needed for it.
	if _, err := c.PasswordReset.Delete().Where(passwordreset.UserID(person), passwordreset.ExpiresAtLT(s.now())).Exec(ctx); err != nil {
		return "", err
	}
	if err := c.PasswordReset.Create().SetUserID(person).SetTokenHash(hash).SetExpiresAt(s.now().Add(life)).Exec(ctx); err != nil {
		return "", err
	}
	return s.link(page, token), nil
}

// candidate is a person whom an address may mean.
type candidate struct {
	UserID, TenantID   id.UUID
	TenantCode, Status string
}

// maxResets bounds the letters of one request, for an address in many tenants.
const maxResets = 5

// RequestPasswordReset writes to the address how to set another password, if it is
// somebody's. Neither the answer nor its time tells whether it is: all that depends
// on it happens in the background. tenantCode may be "". The only error is
// RateLimited, by remote.
func (s *Service) RequestPasswordReset(ctx context.Context, email, tenantCode, remote string) error {
	if err := s.stranger(remote); err != nil {
		return err
	}
	// And by what is asked for, so that nobody's letter box is filled from many
	// addresses. This one is kept quiet about.
	email, tenantCode = address(email), strings.TrimSpace(tenantCode)
	if email == "" || s.strange.Take("letter:"+email) != nil {
		return nil
	}
	s.c.Post.later(ctx, func(ctx context.Context) {
		if err := s.writeResets(ctx, email, tenantCode); err != nil {
			s.c.Log.ErrorContext(ctx, "password reset not written", "error", err)
		}
	})
	return nil
}

func (s *Service) writeResets(ctx context.Context, email, tenantCode string) error {
	rows, err := s.c.App.Query(ctx, `SELECT user_id, tenant_id, tenant_code, status FROM lookup_login($1)`, email)
	if err != nil {
		return err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[candidate])
	if err != nil {
		return err
	}
	written := 0
	for _, p := range found {
		if p.Status == string(enum.UserDisabled) || tenantCode != "" && !strings.EqualFold(p.TenantCode, tenantCode) {
			continue
		}
		if written++; written > maxResets {
			break
		}
		if err := s.writeReset(ctx, p.TenantID, p.UserID, email); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) writeReset(ctx context.Context, tenant, person id.UUID, email string) error {
	ctx = tenancy.AsSystem(ctx, tenant)
	l := mail.Letter{Kind: mail.Reset, To: email, Life: resetLife}
	if err := s.change(ctx, func(ctx context.Context, c *ent.Client, tx pgx.Tx) error {
		t, err := tenantOf(ctx, c)
		if err != nil {
			return err
		}
		u, err := c.User.Get(ctx, person)
		if err != nil {
			return err
		}
		l.Locale, l.Tenant, l.Name = or(u.Locale, t.DefaultLocale), t.Name, u.FullName
		if l.Link, err = s.passwordLink(ctx, c, person, resetLife, "reset-password"); err != nil {
			return err
		}
		return s.c.Post.write(ctx, tx, l)
	}); err != nil {
		return err
	}
	s.c.Post.told(ctx, l.Kind)
	return nil
}

// resetRow is what the token of a letter is for.
type resetRow struct {
	ID, TenantID, UserID id.UUID
	TenantCode           string
}

// Reset is who has set a password by a letter.
type Reset struct{ Email, TenantCode string }

// ResetPassword sets the password by the token of a letter, ends all sessions of the
// person and lifts the lock after wrong passwords. Errors: BadInput at input.token
// (never was, used, too old) or input.password, RateLimited by remote.
func (s *Service) ResetPassword(ctx context.Context, token, password, remote string) (*Reset, error) {
	if err := s.stranger(remote); err != nil {
		return nil, err
	}
	if token == "" || len(token) > maxToken {
		return nil, badToken(nil)
	}
	row, err := lookUp[resetRow](ctx, s, `SELECT id, tenant_id, user_id, tenant_code FROM lookup_password_reset($1)`, hashOf(token))
	if err != nil {
		return nil, err
	}
	ctx = tenancy.AsSystem(ctx, row.TenantID)
	u, err := s.ent.User.Get(ctx, row.UserID)
	if err != nil {
		return nil, badToken(err)
	}
	var m mistakes
	if m.password("password", password, u.Email, u.Username, u.FullName); m.err() != nil {
		return nil, m.err()
	}
	hash, err := s.hash(ctx, password)
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, func(ctx context.Context, c *ent.Client, tx pgx.Tx) error {
		// Of two who come with one token, one is first.
		n, err := c.PasswordReset.Update().Where(passwordreset.ID(row.ID), passwordreset.UsedAtIsNil(), passwordreset.ExpiresAtGT(s.now())).
			SetUsedAt(s.now()).Save(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			return badToken(errors.New("used meanwhile"))
		}
		return s.setPassword(ctx, c, tx, u, hash)
	})
	if err != nil {
		return nil, err
	}
	s.c.Sessions.RevokeActor(u.ID)
	return &Reset{u.Email, row.TenantCode}, nil
}
