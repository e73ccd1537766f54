// Package access is who may do what in a tenant: the tenants themselves, their
// people, invitations, guests, roles, and what a person has chosen. All methods act
// for the actor of the context, check its permission and see only its tenant.
//
// # What a person may do
//
// A membership lets a person into a tenant with a base role, one of the four system
// roles. Rows of user_roles add roles to it, in the whole tenant or on one site.
// internal/auth reads both at sign-in; the tables are what the two packages share.
//
// # No climbing
//
// Nobody gives what they do not hold: not by a role of their making, by granting a
// role, by an invitation, nor by taking over the account of somebody who may do more
// than they (error.access.outranked). A tenant always keeps a person at home who may
// sign in and holds the role admin in the whole of it. Changes that could break this
// wait for each other in one tenant (lockPeople).
//
// # Sessions
//
// A change of rights takes effect at once: the person's access tokens end and open
// connections close, and come back with the new rights. Whoever is locked out, or
// has changed the password, loses the refresh tokens too, in the same transaction.
//
// The service is safe for concurrent use. Letters are written in the background
// (Post), so that their time tells nobody whether an address is known.
package access

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/ent"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/limit"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

// Hasher keeps passwords. *auth.Hasher is one.
type Hasher interface {
	Hash(ctx context.Context, password string) (string, error)
	// Verify reports whether the password belongs to the hash; an error is of a hash
	// that is none, or the context's.
	Verify(ctx context.Context, hash, password string) (bool, error)
}

// Sessions ends what was issued to a person or machine. *auth.Service is one.
type Sessions interface {
	// RevokeActor ends the access tokens and open connections of a person or machine,
	// in all tenants and processes. Clients come back by their refresh tokens, if these
	// were not revoked, and with the rights of now.
	RevokeActor(actor id.UUID)
}

// Sealer encrypts what is stored and must not be read from the database alone.
// *secret.Box is one.
type Sealer interface {
	// Seal encrypts the text for one place; it opens nowhere else.
	Seal(plain []byte, place string) ([]byte, error)
	Open(sealed []byte, place string) ([]byte, error)
}

// Config are the parts of a service.
type Config struct {
	DB       *sql.DB       // of the role foresight_app, from postgres.OpenDB
	App      *pgxpool.Pool // of the same role, for look-ups before a tenant is known
	Registry *pgxpool.Pool // of the role foresight_worker, which reads the tenants' names; for operators alone
	Hasher   Hasher
	Sessions Sessions
	Post     *Post
	Sealer   Sealer
	// Begin gives a new tenant what every tenant begins with beside its people and
	// roles. It acts as the tenant's system, in the transaction that makes the tenant.
	Begin func(ctx context.Context, c *ent.Client) error

	// PublicURL is where links in letters lead.
	PublicURL *url.URL
	// OpenRegistration lets anybody make a tenant of their own.
	OpenRegistration bool
	// Operator is the code of the tenant whose admins operate the installation; ""
	// for none.
	Operator string

	Now func() time.Time // time.Now when nil
	Log *slog.Logger     // slog.Default() when nil
}

// Service is access control.
type Service struct {
	c       Config
	ent     *ent.Client
	strange *limit.Limiter // of callers without a credential
	guesses *limit.Limiter // of the present password
}

// New returns the service.
func New(c Config) (*Service, error) {
	if c.DB == nil || c.App == nil || c.Hasher == nil || c.Sessions == nil || c.Post == nil || c.PublicURL == nil {
		return nil, errors.New("access: a database, a hasher, sessions, post and an address for links are needed")
	}
	if c.Begin == nil {
		c.Begin = func(context.Context, *ent.Client) error { return nil }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Service{c: c, ent: postgres.Client(c.DB),
		strange: limit.NewLimiter(strange, c.Now),
		guesses: limit.NewLimiter(guesses, c.Now)}, nil
}

// now is the present time at the precision that PostgreSQL keeps.
func (s *Service) now() time.Time { return s.c.Now().UTC().Truncate(time.Microsecond) }

// change runs f in one transaction of the actor's tenant.
func (s *Service) change(ctx context.Context, f func(ctx context.Context, c *ent.Client, tx pgx.Tx) error) error {
	return postgres.InTx(ctx, s.c.DB, f)
}

// changePeople is change for what decides who may do what: such changes of one
// tenant wait for each other, and none leaves the tenant without an admin.
func (s *Service) changePeople(ctx context.Context, f func(ctx context.Context, c *ent.Client, tx pgx.Tx) error) error {
	return s.change(ctx, func(ctx context.Context, c *ent.Client, tx pgx.Tx) error {
		if err := lockPeople(ctx, tx); err != nil {
			return err
		}
		if err := f(ctx, c, tx); err != nil {
			return err
		}
		return keepsAdmin(ctx, tx)
	})
}

// lockPeople holds back other changes of the tenant's people until the transaction ends.
func lockPeople(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('people of ' || $1::text, 0))`, tenancy.Must(ctx).TenantID.String())
	return err
}

// wholeTenant refuses actors who are limited to sites: what follows concerns all.
func wholeTenant(ctx context.Context) error {
	if len(tenancy.Must(ctx).SiteIDs) > 0 {
		return fault.New(fault.Forbidden, "error.access.wholeTenant")
	}
	return nil
}

// may checks that the actor holds the permission, in the whole tenant.
func may(ctx context.Context, p tenancy.Permission) error {
	if err := tenancy.Require(ctx, p); err != nil {
		return err
	}
	return wholeTenant(ctx)
}

// missing turns the ORM's not-found into the product's.
func missing(err error, entity string) error {
	if ent.IsNotFound(err) {
		return fault.Missing(entity)
	}
	return err
}
