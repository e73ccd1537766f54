package auth

import (
	"context"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Session are the tokens of a person or client, and what they allow.
type Session struct {
	AccessToken  string
	RefreshToken string // "" for machines
	ExpiresIn    time.Duration
	Grant        *Grant
}

// Login is how a person signs in.
type Login struct {
	Email      string
	Password   string
	TenantCode string // needed only when the address exists in several tenants
	Remote     string // address of the client, for the back-off
}

// account is a row of lookup_login.
type account struct {
	UserID       id.UUID
	TenantID     id.UUID
	TenantCode   string
	PasswordHash string
	Role         string
	Status       string
	Locale       *string
	FailedLogins int32
	LockedUntil  *time.Time
}

const (
	statusActive = "active"
	// maxCandidates bounds the hashes of one try: an address that exists in more
	// tenants needs the tenant's code.
	maxCandidates = 5
	// maxWaitHash is how long a try waits for its turn at the hasher.
	maxWaitHash = 10 * time.Second
)

// Login checks address and password and begins a session. Errors: a fault of
// BadInput for wrong credentials (the same whatever is wrong) and, at
// `input.tenantCode`, when the password is right and the address exists in several
// tenants; RateLimited with `Seconds` while locked; Forbidden for a person who may
// not sign in; Unavailable.
func (s *Service) Login(ctx context.Context, in Login) (*Session, error) {
	asOf := s.c.Now()
	email := strings.ToLower(strings.TrimSpace(in.Email))
	accountKey, remote := "account:"+email, remoteKey(in.Remote)
	if d := max(s.tries.wait(accountKey), s.tries.wait(remote)); d > 0 {
		return nil, locked(d)
	}
	found, err := lookup[account](ctx, s.c.DB, `SELECT * FROM lookup_login($1)`, email)
	if err != nil {
		return nil, err
	}
	candidates := found[:0:0]
	for _, a := range found {
		if in.TenantCode == "" || strings.EqualFold(a.TenantCode, strings.TrimSpace(in.TenantCode)) {
			candidates = append(candidates, a)
		}
	}
	ambiguous := len(candidates) > 1
	candidates = candidates[:min(len(candidates), maxCandidates)]
	for _, a := range candidates {
		if a.LockedUntil != nil && a.LockedUntil.After(s.c.Now()) {
			return nil, locked(a.LockedUntil.Sub(s.c.Now()))
		}
	}
	match, err := s.match(ctx, candidates, in.Password)
	if err != nil {
		return nil, unavailable(err)
	}
	if match == nil {
		wait := s.tries.fail(accountKey, accountFree)
		s.tries.fail(remote, remoteFree)
		for _, a := range candidates {
			s.storeFailure(ctx, a, wait)
		}
		return nil, fault.New(fault.BadInput, "error.auth.credentials")
	}
	s.tries.clear(accountKey)
	if ambiguous {
		return nil, fault.Invalid("input.tenantCode", "error.auth.tenantCode")
	}
	if match.Status != statusActive {
		return nil, fault.New(fault.Forbidden, "error.auth.disabled")
	}
	return s.begin(ctx, match, in.Password, asOf)
}

// match returns a candidate whose password it is. Without a candidate one hash is
// computed all the same, so that the time does not tell that the address is unknown.
func (s *Service) match(ctx context.Context, candidates []account, password string) (*account, error) {
	ctx, cancel := context.WithTimeout(ctx, maxWaitHash)
	defer cancel()
	var match *account
	checked := false
	for i := range candidates {
		ok, err := s.c.Hasher.Verify(ctx, candidates[i].PasswordHash, password)
		if err == ErrHash { //nolint:errorlint // our own, never wrapped
			continue // no sign-in by password
		}
		if err != nil {
			return nil, err
		}
		checked = true
		if ok && match == nil {
			match = &candidates[i]
		}
	}
	if !checked {
		if _, err := s.c.Hasher.Verify(ctx, s.dummy, password); err != nil {
			return nil, err
		}
	}
	return match, nil
}

// storeFailure keeps the count and the lock beyond the life of the process. Its
// own failure is logged only: the lock in memory holds.
func (s *Service) storeFailure(ctx context.Context, a account, wait time.Duration) {
	err := s.inTenant(ctx, a.TenantID, func(ctx context.Context, tx pgx.Tx) error {
		n := int(a.FailedLogins) + 1
		until := s.c.Now().Add(max(wait, lockFor(n, accountFree)))
		_, err := tx.Exec(ctx, `UPDATE users SET failed_logins = failed_logins + 1,
			locked_until = CASE WHEN $3::timestamptz > $4 THEN $3 ELSE NULL END WHERE tenant_id = $1 AND id = $2`, a.TenantID, a.UserID, until, s.c.Now())
		return err
	})
	if err != nil {
		s.c.Log.WarnContext(ctx, "failed sign-in not stored", "error", err, "tenant_id", a.TenantID, "user_id", a.UserID)
	}
}

// begin opens a session for an account whose password was right and whose role was
// read at the time or later.
func (s *Service) begin(ctx context.Context, a *account, password string, asOf time.Time) (*Session, error) {
	var rehash *string
	if s.c.Hasher.Outdated(a.PasswordHash) {
		if h, err := s.c.Hasher.Hash(ctx, password); err == nil {
			rehash = &h
		}
	}
	return s.open(ctx, a, rehash, asOf, func(context.Context, pgx.Tx) error { return nil })
}

// open begins a session of an account, after what first does in the same transaction.
func (s *Service) open(ctx context.Context, a *account, rehash *string, asOf time.Time, first func(context.Context, pgx.Tx) error) (*Session, error) {
	family := id.New(id.RefreshToken)
	token, hash := newRefreshToken()
	actor := newPerson(a.UserID, a.TenantID, a.TenantCode, a.Role, a.Locale)
	err := s.inTenant(ctx, a.TenantID, func(ctx context.Context, tx pgx.Tx) error {
		if err := first(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE users SET failed_logins = 0, locked_until = NULL, last_login_at = $3,
			password_hash = coalesce($4, password_hash) WHERE tenant_id = $1 AND id = $2`, a.TenantID, a.UserID, s.c.Now(), rehash); err != nil {
			return err
		}
		// Old tokens of the person go when the person comes: no job is needed for it.
		if _, err := tx.Exec(ctx, `DELETE FROM refresh_tokens WHERE tenant_id = $1 AND user_id = $2 AND expires_at < $3`, a.TenantID, a.UserID, s.c.Now()); err != nil {
			return err
		}
		if err := s.insertRefresh(ctx, tx, a.TenantID, a.UserID, family, hash); err != nil {
			return err
		}
		if err := hold(ctx, tx, actor); err != nil {
			return err
		}
		return note(tenancy.With(ctx, actor), tx, didSignIn, actor.ID)
	})
	var f *fault.Error
	if errors.As(err, &f) {
		return nil, f
	}
	if err != nil {
		return nil, unavailable(err)
	}
	return s.session(actor, family, token, asOf)
}

// newPerson is an actor that holds nothing yet.
func newPerson(user, tenant id.UUID, code, role string, locale *string) *tenancy.Actor {
	a := &tenancy.Actor{Kind: tenancy.Person, ID: user, TenantID: tenant, TenantCode: code, Role: tenancy.Role(role)}
	if locale != nil {
		a.Locale = *locale
	}
	return a
}

// session signs an access token of the actor, whose rights were read at the time or
// later.
func (s *Service) session(a *tenancy.Actor, family id.UUID, refresh string, asOf time.Time) (*Session, error) {
	access, g, err := s.tokens.sign(a, family, asOf)
	if err != nil {
		return nil, err
	}
	return &Session{AccessToken: access, RefreshToken: refresh, ExpiresIn: s.c.AccessTTL, Grant: g}, nil
}

func locked(d time.Duration) *fault.Error {
	return fault.New(fault.RateLimited, "error.auth.locked").With("Seconds", int(math.Ceil(d.Seconds())))
}
