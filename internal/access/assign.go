package access

import (
	"context"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/role"
	"foresight/ent/site"
	"foresight/ent/userrole"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

// Assignment gives a role to a member, in the whole tenant or on one site.
type Assignment struct {
	UserID id.UUID
	RoleID id.UUID
	SiteID *id.UUID // nil: in the whole tenant
}

// AssignRole gives a role. The first role on a site limits the member to the sites
// where the member has one, unless the member is an admin or has a role in the whole
// tenant besides; see tenancy.Actor.Hold.
func (s *Service) AssignRole(ctx context.Context, a Assignment) (*ent.UserRole, error) {
	if err := may(ctx, tenancy.RolesWrite); err != nil {
		return nil, err
	}
	var out *ent.UserRole
	err := s.changePeople(ctx, func(ctx context.Context, c *ent.Client, _ pgx.Tx) error {
		if err := s.assignable(ctx, c, a); err != nil {
			return err
		}
		create := c.UserRole.Create().SetUserID(a.UserID).SetRoleID(a.RoleID).SetNillableSiteID(a.SiteID)
		if by, person := tenancy.Must(ctx).UserID(); person {
			create.SetGrantedBy(by)
		}
		var err error
		if out, err = create.Save(ctx); err != nil {
			if _, taken := postgres.Unique(err); taken {
				return fault.New(fault.Conflict, "error.access.assigned").Because(err)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	s.c.Sessions.RevokeActor(a.UserID)
	return out, nil
}

// assignable tells everything that is wrong with an assignment.
func (s *Service) assignable(ctx context.Context, c *ent.Client, a Assignment) error {
	var m mistakes
	switch got, err := member(ctx, c, a.UserID); {
	case fault.Is(err, fault.NotFound):
		m.add(fault.Missing("User").At("input.userId"))
	case err != nil:
		return err
	case !got.IsActive:
		m.add(fault.Missing("User").At("input.userId"))
	}
	switch r, err := c.Role.Query().Where(role.ID(a.RoleID)).
		WithPermissions(func(q *ent.RolePermissionQuery) { q.WithPermission() }).Only(ctx); {
	case ent.IsNotFound(err):
		m.add(fault.Missing("Role").At("input.roleId"))
	case err != nil:
		return err
	default:
		if err := holds(ctx, allowedBy(r), "roleId"); err != nil {
			return err
		}
	}
	if a.SiteID != nil {
		switch found, err := c.Site.Query().Where(site.ID(*a.SiteID)).Exist(ctx); {
		case err != nil:
			return err
		case !found:
			m.add(fault.Missing("Site").At("input.siteId"))
		}
	}
	if err := m.err(); err != nil {
		return err
	}
	return outranks(ctx, c, a.UserID)
}

// allowedBy is what a role allows; it comes with its permissions loaded. Of system
// roles that is the code's affair.
func allowedBy(r *ent.Role) tenancy.Set {
	if r.IsSystem {
		return tenancy.RoleScopes(tenancy.Role(r.Name))
	}
	return permissionSet(r.Edges.Permissions)
}

// UnassignRole takes a role back. It returns the assignment as it was.
func (s *Service) UnassignRole(ctx context.Context, which id.UUID) (*ent.UserRole, error) {
	if err := may(ctx, tenancy.RolesWrite); err != nil {
		return nil, err
	}
	var out *ent.UserRole
	err := s.changePeople(ctx, func(ctx context.Context, c *ent.Client, _ pgx.Tx) error {
		var err error
		if out, err = c.UserRole.Query().Where(userrole.ID(which)).Only(ctx); err != nil {
			return missing(err, "RoleAssignment")
		}
		if err := outranks(ctx, c, out.UserID); err != nil {
			return err
		}
		return c.UserRole.DeleteOneID(which).Exec(ctx)
	})
	if err != nil {
		return nil, err
	}
	s.c.Sessions.RevokeActor(out.UserID)
	return out, nil
}
