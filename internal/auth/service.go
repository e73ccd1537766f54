// Package auth signs people and machines in. It checks passwords (argon2id) and
// client secrets, issues access tokens (JWT, EdDSA by default) and rotating refresh
// tokens, and verifies them.
//
// # Sessions
//
// A sign-in begins a family of refresh tokens, of which only the SHA-256 is stored.
// Each is used once and replaced by the next. A token that is used again revokes its
// whole family, since one of the two users is a thief; only within ReuseGrace of the
// first use it is taken for a retry (two tabs of a browser, an answer that was lost
// on the way) and continues the family. Access tokens name the family, so that a
// session that is ended takes its access tokens and open connections with it.
//
// # Rights
//
// What a person may do, and on which sites, is read at sign-in and at each refresh
// and stands in the access token (tenancy.Actor.Hold). Whoever changes it calls
// RevokeActor, which ends the tokens and connections of before; clients come back by
// their refresh token. A process that has just started checks older tokens against
// the database, as it has not heard what was revoked. API keys are looked up at each
// use, so that a revoked one is refused at once by every process.
//
// # Guessing
//
// After a few failures an account and the address they come from are locked for a
// time that doubles. Unknown accounts cost the same time and are locked the same
// way. The lock of a known account is also stored, and survives a restart.
package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/secret"
	"foresight/internal/tenancy"
)

// DB is the pool of the role foresight_app: *pgxpool.Pool.
type DB interface {
	Begin(ctx context.Context) (pgx.Tx, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Config are the parts of a service. Zero values take the defaults in brackets.
type Config struct {
	DB     DB
	Keys   *Keys
	Hasher *Hasher // [NewHasher(DefaultParams)]

	Issuer     string        // `iss` and `aud` of tokens ["foresight"]
	AccessTTL  time.Duration // of access tokens [15m]
	RefreshTTL time.Duration // of refresh tokens, renewed by use [30 days]
	// ReuseGrace is how long after its use a refresh token may be used again
	// [10s]; negative: not at all.
	ReuseGrace time.Duration

	// OnRevoke is told of every revocation that begins here, so that other
	// processes can Apply it. It must not block. May be nil.
	OnRevoke func(Revocation)
	Now      func() time.Time // [time.Now]
	Log      *slog.Logger     // [slog.Default()]
}

// Service is safe for concurrent use and has no goroutines.
type Service struct {
	c       Config
	tokens  tokens
	tries   throttle
	revoked revocations
	uses    uses
	vouched vouched
	dummy   string // hash that unknown accounts are checked against
}

// New returns the service.
func New(ctx context.Context, c Config) (*Service, error) {
	if c.DB == nil || c.Keys == nil {
		return nil, errors.New("auth: a database and keys are needed")
	}
	if c.Hasher == nil {
		c.Hasher = NewHasher(DefaultParams)
	}
	if c.Issuer == "" {
		c.Issuer = "foresight"
	}
	for _, d := range []struct {
		v *time.Duration
		d time.Duration
	}{{&c.AccessTTL, 15 * time.Minute}, {&c.RefreshTTL, 30 * 24 * time.Hour}, {&c.ReuseGrace, 10 * time.Second}} {
		if *d.v == 0 {
			*d.v = d.d
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	dummy, err := c.Hasher.Hash(ctx, secret.Text(16))
	if err != nil {
		return nil, err
	}
	return &Service{c: c, dummy: dummy,
		tokens:  tokens{c.Keys, c.Issuer, c.Issuer, c.AccessTTL, c.Now},
		tries:   throttle{now: c.Now},
		revoked: revocations{now: c.Now, keep: c.AccessTTL},
		vouched: vouched{since: c.Now()},
	}, nil
}

// JWKS returns the public keys as a JWK set.
func (s *Service) JWKS() []byte { return s.c.Keys.JWKS() }

// Authenticate verifies a credential: "Bearer <token>", as in an Authorization
// header, or "ApiKey <key>" (KeyScheme). Every error but Unavailable is a fault of
// kind Unauthenticated that says nothing of the reason.
func (s *Service) Authenticate(ctx context.Context, credential string) (*Grant, error) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(credential), " ")
	var g *Grant
	var err error
	switch rest = strings.TrimSpace(rest); {
	case rest == "":
		return nil, fault.New(fault.Unauthenticated, "error.auth.required")
	case strings.EqualFold(scheme, KeyScheme):
		if g, err = s.verifyKey(ctx, rest); err != nil {
			return nil, err
		}
	case strings.EqualFold(scheme, "Bearer"):
		if g, err = s.tokens.verify(rest); err != nil {
			return nil, fault.New(fault.Unauthenticated, "error.auth.token").Because(err)
		}
		switch err := s.stillTrue(ctx, g); {
		case errors.Is(err, errSuperseded):
			return nil, fault.New(fault.Unauthenticated, "error.auth.token").Because(err)
		case err != nil:
			return nil, unavailable(err)
		}
	default:
		return nil, fault.New(fault.Unauthenticated, "error.auth.required")
	}
	if s.revoked.hit(g) {
		return nil, fault.New(fault.Unauthenticated, "error.auth.token").Because(errors.New("revoked"))
	}
	return g, nil
}

// Watch returns a channel that is closed when the grant's session, or all of its
// actor, is revoked (at once when that has happened). Call release when done.
func (s *Service) Watch(g *Grant) (revoked <-chan struct{}, release func()) {
	return s.revoked.watch(g)
}

// RevokeActor makes a change of what a person or machine may do take effect at once:
// call it after the commit. Access tokens given out before are no longer taken, and
// open connections end with 4403, in all processes. Refresh tokens stay valid, so
// that clients come back with the new rights. It ends a person's tokens of other
// tenants, too, which costs their clients one refresh.
func (s *Service) RevokeActor(actor id.UUID) { s.announce(Revocation{Actor: actor, At: s.c.Now()}) }

// Apply takes a revocation that began in another process.
func (s *Service) Apply(v Revocation) { s.revoked.apply(v) }

func (s *Service) announce(v Revocation) {
	s.revoked.apply(v)
	if s.c.OnRevoke != nil {
		s.c.OnRevoke(v)
	}
}

// inTenant runs f in a transaction that sees one tenant.
func (s *Service) inTenant(ctx context.Context, tenant id.UUID, f func(context.Context, pgx.Tx) error) error {
	ctx = tenancy.AsSystem(ctx, tenant)
	return pgx.BeginFunc(ctx, s.c.DB, func(tx pgx.Tx) error {
		// Said for the transaction, too: nothing here depends on how the pool was made.
		if err := setTenant(ctx, tx, tenant); err != nil {
			return err
		}
		return f(ctx, tx)
	})
}

// setTenant makes the rest of the transaction see the tenant.
func setTenant(ctx context.Context, tx pgx.Tx, tenant id.UUID) error {
	_, err := tx.Exec(ctx, `SELECT set_config('app.tenant_id', $1, true)`, tenant.String())
	return err
}

// lookup runs one of the look-ups that come before a tenant is known.
func lookup[T any](ctx context.Context, db DB, sql string, args ...any) ([]T, error) {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return nil, unavailable(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[T])
	if err != nil {
		return nil, unavailable(err)
	}
	return out, nil
}

// unavailable wraps an error of the database or of a full hasher.
func unavailable(err error) error {
	return fault.New(fault.Unavailable, "error.auth.unavailable").Because(fmt.Errorf("auth: %w", err))
}
