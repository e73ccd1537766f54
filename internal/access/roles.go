package access

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/role"
	"foresight/ent/rolepermission"
	"foresight/ent/userrole"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

// RoleSpec is what a tenant says of a role of its own.
type RoleSpec struct {
	Name        string
	Description string
	Permissions []string // `resource:action`
}

// check brings the input into its stored form and returns the permissions.
func (r *RoleSpec) check() (tenancy.Set, error) {
	var m mistakes
	r.Name = strings.TrimSpace(r.Name)
	if r.Name == "" || utf8.RuneCountInString(r.Name) > maxUsername || reserved(r.Name) {
		m.bad("name", "error.access.roleName")
	}
	r.Description = m.atMost("description", r.Description, maxDescription)
	set := tenancy.Set{}
	for _, p := range r.Permissions {
		if !tenancy.Known(tenancy.Permission(p)) {
			m.add(fault.Invalid("input.permissions", "error.access.permissionUnknown").With("Permission", p))
			break // one is enough: the rest may be as many as the request is long
		}
		set[tenancy.Permission(p)] = struct{}{}
	}
	return set, m.err()
}

// CreateRole makes a role of the tenant. It allows nothing that the actor does not hold.
func (s *Service) CreateRole(ctx context.Context, spec RoleSpec) (*ent.Role, error) {
	if err := may(ctx, tenancy.RolesWrite); err != nil {
		return nil, err
	}
	set, err := spec.check()
	if err != nil {
		return nil, err
	}
	if err := holds(ctx, set, "permissions"); err != nil {
		return nil, err
	}
	var out *ent.Role
	err = s.change(ctx, func(ctx context.Context, c *ent.Client, _ pgx.Tx) error {
		if out, err = c.Role.Create().SetName(spec.Name).SetDescription(spec.Description).Save(ctx); err != nil {
			return roleTaken(err)
		}
		return setPermissions(ctx, c, out, set)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateRole lets change alter a role of the tenant's own whose version is the
// expected one. Who holds it gets the new rights at once. The actor must hold what
// the role allows before and after.
func (s *Service) UpdateRole(ctx context.Context, which id.UUID, expected int, change func(*RoleSpec)) (*ent.Role, error) {
	if err := may(ctx, tenancy.RolesWrite); err != nil {
		return nil, err
	}
	var out *ent.Role
	var people []id.UUID
	err := s.changePeople(ctx, func(ctx context.Context, c *ent.Client, _ pgx.Tx) error {
		r, before, err := ownRole(ctx, c, which)
		if err != nil {
			return err
		}
		if r.Version != expected {
			return fault.Stale("Role")
		}
		spec := RoleSpec{r.Name, r.Description, before.Strings()}
		change(&spec)
		after, err := spec.check()
		if err != nil {
			return err
		}
		if err := holds(ctx, after, "permissions"); err != nil {
			return err
		}
		if out, err = c.Role.UpdateOneID(r.ID).SetName(spec.Name).SetDescription(spec.Description).Save(ctx); err != nil {
			return roleTaken(err)
		}
		if err := setPermissions(ctx, c, r, after); err != nil {
			return err
		}
		if add, drop := difference(r, after); len(add)+len(drop) > 0 {
			people, err = holders(ctx, c, r.ID)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, p := range people {
		s.c.Sessions.RevokeActor(p)
	}
	return out, nil
}

// DeleteRole removes a role of the tenant's own that nobody holds.
func (s *Service) DeleteRole(ctx context.Context, which id.UUID) (*ent.Role, error) {
	if err := may(ctx, tenancy.RolesWrite); err != nil {
		return nil, err
	}
	var out *ent.Role
	err := s.changePeople(ctx, func(ctx context.Context, c *ent.Client, _ pgx.Tx) error {
		r, _, err := ownRole(ctx, c, which)
		if err != nil {
			return err
		}
		switch held, err := c.UserRole.Query().Where(userrole.RoleID(which)).Exist(ctx); {
		case err != nil:
			return err
		case held:
			return fault.New(fault.Conflict, "error.access.roleInUse").At("input.id")
		}
		if _, err := c.RolePermission.Delete().Where(rolepermission.RoleID(which)).Exec(ctx); err != nil {
			return err
		}
		out = r
		return c.Role.DeleteOneID(which).Exec(ctx)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ownRole reads a role that the tenant has made, with what it allows, which the actor
// must hold, too: whoever changes a role changes what others may do.
func ownRole(ctx context.Context, c *ent.Client, which id.UUID) (*ent.Role, tenancy.Set, error) {
	r, err := c.Role.Query().Where(role.ID(which)).
		WithPermissions(func(q *ent.RolePermissionQuery) { q.WithPermission() }).Only(ctx)
	if err != nil {
		return nil, nil, missing(err, "Role")
	}
	if r.IsSystem {
		return nil, nil, fault.Invalid("input.id", "error.access.systemRole")
	}
	set := permissionSet(r.Edges.Permissions)
	return r, set, holds(ctx, set, "id")
}

func holders(ctx context.Context, c *ent.Client, which id.UUID) ([]id.UUID, error) {
	rows, err := c.UserRole.Query().Where(userrole.RoleID(which)).All(ctx)
	seen := map[id.UUID]bool{}
	var out []id.UUID
	for _, r := range rows {
		if !seen[r.UserID] {
			seen[r.UserID] = true
			out = append(out, r.UserID)
		}
	}
	return out, err
}

func roleTaken(err error) error {
	if _, taken := postgres.Unique(err); taken {
		return fault.New(fault.Conflict, "error.access.roleNameTaken").At("input.name").Because(err)
	}
	return err
}
