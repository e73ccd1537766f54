package access

import (
	"context"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/membership"
	"foresight/ent/user"
	"foresight/ent/userrole"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Guest is a person of another tenant who is to be let in. The person tells both the
// id, which cannot be guessed, and the address: so nobody learns from here who works
// elsewhere.
type Guest struct {
	UserID      id.UUID
	Email       string
	DisplayName string
	Role        tenancy.Role
}

// AddMembership lets a person of another tenant into this one. Errors: NotFound at
// input.userId when id and address are not one person's, Conflict for a member.
func (s *Service) AddMembership(ctx context.Context, g Guest) (*ent.Membership, error) {
	if err := may(ctx, tenancy.UsersWrite); err != nil {
		return nil, err
	}
	if err := holds(ctx, tenancy.RoleScopes(g.Role), "role"); err != nil {
		return nil, err
	}
	var m mistakes
	g.Email, g.DisplayName = m.email("email", g.Email), m.name("displayName", g.DisplayName)
	if err := m.err(); err != nil {
		return nil, err
	}
	var known bool
	if err := s.c.App.QueryRow(ctx, `SELECT EXISTS (SELECT FROM lookup_login($1) WHERE user_id = $2 AND status = 'active')`, g.Email, g.UserID).Scan(&known); err != nil {
		return nil, err
	}
	if !known {
		return nil, fault.Missing("User").At("input.userId")
	}
	var out *ent.Membership
	err := s.changePeople(ctx, func(ctx context.Context, c *ent.Client, _ pgx.Tx) (err error) {
		out, err = welcomeGuest(ctx, c, g.UserID, g.DisplayName, g.Role)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// RemoveMembership shows a guest out: roles are taken back and sessions in this
// tenant end. What the guest has done keeps the name. People at home are deactivated.
func (s *Service) RemoveMembership(ctx context.Context, person id.UUID) (*ent.Membership, error) {
	if err := may(ctx, tenancy.UsersWrite); err != nil {
		return nil, err
	}
	var out *ent.Membership
	err := s.changePeople(ctx, func(ctx context.Context, c *ent.Client, tx pgx.Tx) error {
		m, err := member(ctx, c, person)
		if err != nil {
			return err
		}
		switch home, err := c.User.Query().Where(user.ID(person)).Exist(ctx); {
		case err != nil:
			return err
		case home:
			return fault.Invalid("input.userId", "error.access.home")
		}
		if err := outranks(ctx, c, person); err != nil {
			return err
		}
		if _, err := c.UserRole.Delete().Where(userrole.UserID(person)).Exec(ctx); err != nil {
			return err
		}
		if err := withdrawInvitesOf(ctx, c, person); err != nil {
			return err
		}
		if err := s.endSessionsHere(ctx, tx, m.TenantID, person); err != nil {
			return err
		}
		out, err = c.Membership.UpdateOneID(m.ID).SetIsActive(false).Save(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.c.Sessions.RevokeActor(person)
	return out, nil
}

// UpdateMembership changes the role and the name of a guest in this tenant.
func (s *Service) UpdateMembership(ctx context.Context, person id.UUID, expected int, change func(name *string, role *tenancy.Role)) (*ent.Membership, error) {
	if err := may(ctx, tenancy.UsersWrite); err != nil {
		return nil, err
	}
	var out *ent.Membership
	changed := false
	err := s.changePeople(ctx, func(ctx context.Context, c *ent.Client, _ pgx.Tx) error {
		old, err := member(ctx, c, person)
		if err != nil {
			return err
		}
		switch home, err := c.User.Query().Where(user.ID(person)).Exist(ctx); {
		case err != nil:
			return err
		case home:
			return fault.Invalid("input.userId", "error.access.home")
		case old.Version != expected:
			return fault.Stale("Membership")
		}
		if err := outranks(ctx, c, person); err != nil {
			return err
		}
		name, role := old.DisplayName, old.Role
		change(&name, &role)
		var m mistakes
		if name = m.name("displayName", name); m.err() != nil {
			return m.err()
		}
		if changed = role != old.Role; changed {
			if err := holds(ctx, tenancy.RoleScopes(role), "role"); err != nil {
				return err
			}
		}
		out, err = c.Membership.UpdateOneID(old.ID).Where(membership.Version(expected)).SetDisplayName(name).SetRole(role).Save(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	if changed {
		s.c.Sessions.RevokeActor(person)
	}
	return out, nil
}

// member reads the membership of a person in the actor's tenant.
func member(ctx context.Context, c *ent.Client, person id.UUID) (*ent.Membership, error) {
	m, err := c.Membership.Query().Where(membership.UserID(person)).Only(ctx)
	return m, missing(err, "User")
}
