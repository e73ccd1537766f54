package auth

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"foresight/ent"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// maxName is the longest name of a credential in characters, as the columns have it.
const maxName = 200

// Credentials keeps the credentials of a tenant's machines: API keys and OAuth
// clients. All methods act for the actor of the context, who needs
// credentials:read or credentials:write in the whole tenant. It is safe for
// concurrent use.
//
// Nobody gives a machine what they do not hold. Secrets are shown once, by the
// method that makes them; only hashes are stored. What is revoked stays in the lists
// and never works again: access tokens and open connections end with it.
type Credentials struct {
	ent  *ent.Client
	auth *Service
}

// NewCredentials returns the service over the ORM's client of the role
// foresight_app. The sessions of s end when a credential does.
func NewCredentials(c *ent.Client, s *Service) *Credentials { return &Credentials{c, s} }

// NewCredential is what a credential is made from.
type NewCredential struct {
	Name      string     // what it is for, 1-200 characters
	Scopes    []string   // permissions, each of them the actor's own; at least one
	ExpiresAt *time.Time // API keys: not accepted from then on; nil: no end
}

// verify checks the input and brings it into its stored form.
func (n *NewCredential) verify(a *tenancy.Actor, now time.Time) error {
	var wrong fault.List
	if n.Name = strings.TrimSpace(n.Name); n.Name == "" || utf8.RuneCountInString(n.Name) > maxName {
		wrong = append(wrong, fault.Invalid("input.name", "error.name"))
	}
	n.Scopes = slices.Clone(n.Scopes)
	slices.Sort(n.Scopes)
	n.Scopes = slices.Compact(n.Scopes)
	if len(n.Scopes) == 0 {
		wrong = append(wrong, fault.Invalid("input.scopes", "error.auth.scopesMissing"))
	}
	for _, name := range n.Scopes {
		switch p := tenancy.Permission(name); {
		case !tenancy.Known(p):
			wrong = append(wrong, fault.Invalid("input.scopes", "error.auth.scopeUnknown").With("Scope", limited(name)))
		case !a.Can(p):
			wrong = append(wrong, fault.Invalid("input.scopes", "error.auth.scopeNotHeld").With("Scope", name))
		}
		if len(wrong) > len(tenancy.Permissions()) {
			break // no honest list has as many mistakes
		}
	}
	if n.ExpiresAt != nil && !n.ExpiresAt.After(now) {
		wrong = append(wrong, fault.Invalid("input.expiresAt", "error.auth.expiryPast"))
	}
	return wrong.Err()
}

// limited cuts a text that is repeated to whom it came from.
func limited(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// may checks the permission. Credentials concern the whole tenant.
func may(ctx context.Context, p tenancy.Permission) error {
	if err := tenancy.Require(ctx, p); err != nil {
		return err
	}
	if len(tenancy.Must(ctx).SiteIDs) > 0 {
		return fault.Denied(string(p))
	}
	return nil
}

// stored passes an error of the ORM on; one of a thing that is not there blames the id.
func stored(err error, entity string) error {
	var f *fault.Error
	switch {
	case ent.IsNotFound(err):
		return fault.Missing(entity).At("input.id")
	case err == nil, errors.As(err, &f):
		return err
	}
	return unavailable(err)
}

// end makes the end of a credential take effect.
func (c *Credentials) end(of id.UUID) { c.auth.RevokeActor(of) }
