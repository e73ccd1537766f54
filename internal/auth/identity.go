package auth

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Identity is a person for whom a provider of sign-ins vouches.
type Identity struct {
	Issuer        string // the provider, as its tokens name it
	Subject       string // the person there, for ever
	Email         string
	EmailVerified bool // the provider has seen that the address is the person's
	Name          string

	TenantCode string // the tenant whose people the provider knows
	// CreateAs gives strangers with a verified address an account with this role; ""
	// lets in only those who have one.
	CreateAs tenancy.Role
	TenantID id.UUID // of TenantCode; needed with CreateAs only
}

// identityRow is a row of lookup_user_identity.
type identityRow struct {
	ID         id.UUID
	UserID     id.UUID
	TenantID   id.UUID
	TenantCode string
	Role       string
	Status     string
	Locale     *string
}

// LoginWith begins a session for a person whom a provider has signed in. A person who
// was here before is known by issuer and subject, whatever the address is now. Else
// the verified address finds an account of the tenant, which is linked from now on,
// unless it is linked to another person of the provider already: addresses are given
// to others in time. Errors: Forbidden (error.auth.ssoUnknown, error.auth.disabled),
// Unavailable.
func (s *Service) LoginWith(ctx context.Context, in Identity) (*Session, error) {
	asOf := s.c.Now()
	known, err := lookup[identityRow](ctx, s.c.DB, `SELECT * FROM lookup_user_identity($1, $2)`, in.Issuer, in.Subject)
	if err != nil {
		return nil, err
	}
	var a *account
	var link func(context.Context, pgx.Tx) error
	switch {
	case len(known) == 1:
		k := known[0]
		if k.TenantCode != in.TenantCode {
			return nil, unknownIdentity("linked to a person of another tenant")
		}
		a = &account{UserID: k.UserID, TenantID: k.TenantID, TenantCode: k.TenantCode, Role: k.Role, Status: k.Status, Locale: k.Locale}
		link = func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE user_identities SET last_login_at = $3 WHERE tenant_id = $1 AND id = $2`, k.TenantID, k.ID, asOf)
			return err
		}
	case !in.EmailVerified || in.Email == "":
		return nil, unknownIdentity("no verified address")
	default:
		if a, err = s.byAddress(ctx, in); err != nil {
			return nil, err
		}
		if a != nil {
			link = func(ctx context.Context, tx pgx.Tx) error { return linkIdentity(ctx, tx, a, in, asOf) }
			break
		}
		if a, err = in.account(); err != nil {
			return nil, err
		}
		link = func(ctx context.Context, tx pgx.Tx) error {
			if err := createPerson(ctx, tx, a, in); err != nil {
				return err
			}
			return linkIdentity(ctx, tx, a, in, asOf)
		}
	}
	if a.Status != statusActive {
		return nil, fault.New(fault.Forbidden, "error.auth.disabled")
	}
	return s.open(ctx, a, nil, asOf, link)
}

// byAddress finds the account of the tenant with the address, nil for none.
func (s *Service) byAddress(ctx context.Context, in Identity) (*account, error) {
	found, err := lookup[account](ctx, s.c.DB, `SELECT * FROM lookup_login($1)`, strings.ToLower(in.Email))
	if err != nil {
		return nil, err
	}
	for i := range found {
		if found[i].TenantCode == in.TenantCode {
			return &found[i], nil
		}
	}
	return nil, nil
}

// account is the account that a stranger gets.
func (in *Identity) account() (*account, error) {
	if in.CreateAs == "" || in.TenantID == id.Nil {
		return nil, unknownIdentity("no account, and none is made")
	}
	if utf8.RuneCountInString(in.Email) > 100 { // it is the username, too
		return nil, unknownIdentity("address too long")
	}
	return &account{UserID: id.New(id.User), TenantID: in.TenantID, TenantCode: in.TenantCode, Role: string(in.CreateAs), Status: statusActive}, nil
}

// createPerson makes an account without a password, and its membership at home.
func createPerson(ctx context.Context, tx pgx.Tx, a *account, in Identity) error {
	email, name := strings.ToLower(in.Email), in.Name
	if r := []rune(name); len(r) > maxName {
		name = string(r[:maxName])
	}
	if name == "" {
		name = email
	}
	if _, err := tx.Exec(ctx, `INSERT INTO users (id, tenant_id, username, email, full_name, password_hash, role)
		VALUES ($1, $2, $3, $3, $4, '', $5)`, a.UserID, a.TenantID, email, name, a.Role); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO memberships (id, tenant_id, user_id, display_name, role) VALUES ($1, $2, $3, $4, $5)`,
		id.New(id.Membership), a.TenantID, a.UserID, name, a.Role); err != nil {
		return err
	}
	return note(ctx, tx, "create", a.UserID)
}

// linkIdentity remembers who the person is at the provider.
func linkIdentity(ctx context.Context, tx pgx.Tx, a *account, in Identity, at time.Time) error {
	// Two sign-ins of one person at once link once; the lock also keeps two people of
	// the provider from being linked to one account.
	if _, err := tx.Exec(ctx, `SELECT FROM memberships WHERE tenant_id = $1 AND user_id = $2 FOR UPDATE`, a.TenantID, a.UserID); err != nil {
		return err
	}
	var other bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM user_identities WHERE tenant_id = $1 AND user_id = $2 AND issuer = $3 AND subject <> $4)`,
		a.TenantID, a.UserID, in.Issuer, in.Subject).Scan(&other); err != nil {
		return err
	}
	if other {
		return unknownIdentity("the account belongs to another person of the provider")
	}
	if _, err := tx.Exec(ctx, `INSERT INTO user_identities (id, tenant_id, user_id, issuer, subject, created_at, last_login_at)
		VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (issuer, subject) DO NOTHING`,
		id.New(id.UserIdentity), a.TenantID, a.UserID, in.Issuer, in.Subject, at); err != nil {
		return err
	}
	return note(ctx, tx, "link_identity", a.UserID)
}

func unknownIdentity(why string) *fault.Error {
	return fault.New(fault.Forbidden, "error.auth.ssoUnknown").Because(errors.New(why))
}
