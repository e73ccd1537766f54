package access

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/role"
	"foresight/ent/rolepermission"
	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
	"foresight/migrations"
)

// systemRoles are the four roles that every tenant has, rising.
var systemRoles = []tenancy.Role{tenancy.Viewer, tenancy.Operator, tenancy.Engineer, tenancy.Admin}

// descriptions of the system roles, in the product's own language: people read the
// role's name in theirs.
var descriptions = map[tenancy.Role]string{
	tenancy.Viewer:   "Sees everything but people and keys.",
	tenancy.Operator: "Also acts on alarms and predictions.",
	tenancy.Engineer: "Also changes the plant, rules and models.",
	tenancy.Admin:    "May do everything in the tenant.",
}

// EnsureSystemRoles gives a tenant the system roles with the permissions that this
// build knows, and changes nothing when all is as it should be. Several processes
// may do it at once.
func (s *Service) EnsureSystemRoles(ctx context.Context, tenant id.UUID) error {
	ctx = tenancy.AsSystem(ctx, tenant)
	if done, err := asItShouldBe(ctx, s.ent); err != nil || done {
		return err
	}
	return postgres.InTx(ctx, s.c.DB, func(ctx context.Context, c *ent.Client, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('system roles of ' || $1::text, 0))`, tenant.String()); err != nil {
			return err
		}
		return ensureSystemRoles(ctx, c)
	})
}

// asItShouldBe reports whether there is nothing to do.
func asItShouldBe(ctx context.Context, c *ent.Client) (bool, error) {
	found, err := storedSystemRoles(ctx, c)
	if err != nil {
		return false, err
	}
	for _, name := range systemRoles {
		r := found[name]
		if r == nil {
			return false, nil
		}
		if add, drop := difference(r, tenancy.RoleScopes(name)); len(add)+len(drop) > 0 {
			return false, nil
		}
	}
	return true, nil
}

// ensureSystemRoles makes and mends the system roles of the actor's tenant.
func ensureSystemRoles(ctx context.Context, c *ent.Client) error {
	found, err := storedSystemRoles(ctx, c)
	if err != nil {
		return err
	}
	for _, name := range systemRoles {
		r := found[name]
		if r == nil {
			if r, err = c.Role.Create().SetName(string(name)).SetDescription(descriptions[name]).SetIsSystem(true).Save(ctx); err != nil {
				return err
			}
		}
		if err := setPermissions(ctx, c, r, tenancy.RoleScopes(name)); err != nil {
			return err
		}
	}
	return nil
}

func storedSystemRoles(ctx context.Context, c *ent.Client) (map[tenancy.Role]*ent.Role, error) {
	rows, err := c.Role.Query().Where(role.IsSystem(true)).WithPermissions().All(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[tenancy.Role]*ent.Role, len(rows))
	for _, r := range rows {
		out[tenancy.Role(r.Name)] = r
	}
	return out, nil
}

// setPermissions makes the permissions of a role the given ones. The role comes
// with its permissions loaded, or is new.
func setPermissions(ctx context.Context, c *ent.Client, r *ent.Role, want tenancy.Set) error {
	add, drop := difference(r, want)
	if len(drop) > 0 {
		if _, err := c.RolePermission.Delete().Where(rolepermission.RoleID(r.ID), rolepermission.PermissionIDIn(drop...)).Exec(ctx); err != nil {
			return err
		}
	}
	rows := make([]*ent.RolePermissionCreate, len(add))
	for i, p := range add {
		rows[i] = c.RolePermission.Create().SetRoleID(r.ID).SetPermissionID(p)
	}
	return c.RolePermission.CreateBulk(rows...).Exec(ctx)
}

// difference tells which permissions a role lacks, and which it has beside the wanted.
func difference(r *ent.Role, want tenancy.Set) (add, drop []id.UUID) {
	wanted := make(map[id.UUID]bool, len(want))
	for p := range want {
		wanted[migrations.PermissionID(p)] = true
	}
	for _, p := range r.Edges.Permissions {
		if !wanted[p.PermissionID] {
			drop = append(drop, p.PermissionID)
		}
		delete(wanted, p.PermissionID)
	}
	for p := range wanted {
		add = append(add, p)
	}
	return add, drop
}

// permissionSet reads what rows of role_permissions with their permission allow. A
// permission that this build does not know allows nothing.
func permissionSet(rows []*ent.RolePermission) tenancy.Set {
	out := tenancy.Set{}
	for _, r := range rows {
		if p := r.Edges.Permission; p != nil {
			if name := tenancy.Permission(p.Resource + ":" + p.Action); tenancy.Known(name) {
				out[name] = struct{}{}
			}
		}
	}
	return out
}

// reserved reports whether the name is a system role's, in any case of letters.
func reserved(name string) bool {
	for _, r := range systemRoles {
		if strings.EqualFold(name, string(r)) {
			return true
		}
	}
	return false
}
