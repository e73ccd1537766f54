package auth

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// TenantAccess is a tenant that a person may enter.
type TenantAccess struct {
	TenantID    id.UUID
	Code        string
	Name        string
	Role        tenancy.Role
	DisplayName string // of the person in this tenant
	IsHome      bool   // where the person's account is kept
}

// Tenants lists the tenants that a person may enter, by code: home and those where
// the person is a guest.
func (s *Service) Tenants(ctx context.Context, user id.UUID) ([]*TenantAccess, error) {
	found, err := lookup[TenantAccess](ctx, s.c.DB, `SELECT * FROM lookup_memberships($1)`, user)
	if err != nil {
		return nil, err
	}
	out := make([]*TenantAccess, len(found))
	for i := range found {
		out[i] = &found[i]
	}
	return out, nil
}

// SwitchTenant ends the session of the refresh token, which must be the actor's, and
// begins one in another of the person's tenants: a token is always for one. Errors:
// Unauthenticated for any token that is not good, one used before also ending its
// family; NotFound at `input.tenantId`; Unavailable.
func (s *Service) SwitchTenant(ctx context.Context, token string, tenant id.UUID) (*Session, error) {
	asOf := s.c.Now()
	user, person := tenancy.Must(ctx).UserID()
	if !person {
		return nil, badRefresh(errors.New("no person"))
	}
	r, err := s.findRefresh(ctx, token)
	if err != nil {
		return nil, err
	}
	if r.UserID != user {
		return nil, badRefresh(errors.New("another person's"))
	}
	if err := r.good(asOf); err != nil {
		return nil, err
	}
	target, err := s.enterable(ctx, user, tenant)
	if err != nil {
		return nil, err
	}
	family := id.New(id.RefreshToken)
	next, hash := newRefreshToken()
	actor := newPerson(user, target.TenantID, target.Code, string(target.Role), r.Locale)
	err = s.inTenant(ctx, r.TenantID, func(tctx context.Context, tx pgx.Tx) error {
		if _, err := s.claim(tctx, tx, r, asOf); err != nil {
			return err
		}
		if err := s.endFamilies(tctx, tx, r.TenantID, r.FamilyID); err != nil {
			return err
		}
		leaving := *tenancy.Must(ctx)
		leaving.TenantID = r.TenantID // of the session that ends
		if err := note(tenancy.With(tctx, &leaving), tx, didSwitch, user); err != nil {
			return err
		}
		// One ends and the other begins, or neither: the transaction goes on in the other tenant.
		if err := setTenant(tctx, tx, tenant); err != nil {
			return err
		}
		if err := s.insertRefresh(tctx, tx, tenant, user, family, hash); err != nil {
			return err
		}
		if err := hold(tctx, tx, actor); err != nil {
			return err
		}
		return note(tenancy.With(tctx, actor), tx, didSignIn, user)
	})
	if err != nil {
		return nil, s.refused(ctx, r, err)
	}
	s.announce(Revocation{Session: r.FamilyID, At: s.c.Now()})
	return s.session(actor, family, next, asOf)
}

// enterable returns the tenant when the person may enter it.
func (s *Service) enterable(ctx context.Context, user, tenant id.UUID) (*TenantAccess, error) {
	all, err := s.Tenants(ctx, user)
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		if t.TenantID == tenant {
			return t, nil
		}
	}
	return nil, fault.Missing("Tenant").At("input.tenantId")
}
