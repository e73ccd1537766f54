package access

import (
	"context"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/membership"
	"foresight/ent/rolepermission"
	"foresight/ent/userrole"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// holds refuses to give permissions that the actor does not hold.
func holds(ctx context.Context, given tenancy.Set, field string) error {
	a := tenancy.Must(ctx)
	for _, p := range given.Strings() {
		if !a.Can(tenancy.Permission(p)) {
			return fault.Invalid("input."+field, "error.access.escalation").With("Permission", p)
		}
	}
	return nil
}

// outranks refuses to touch the account of somebody who may do what the actor may
// not, wherever in the tenant: whoever sets another's address could sign in as them.
func outranks(ctx context.Context, c *ent.Client, user id.UUID) error {
	a := tenancy.Must(ctx)
	if own, person := a.UserID(); a.Kind == tenancy.System || person && own == user {
		return nil
	}
	theirs, err := holdings(ctx, c, user)
	if err != nil {
		return err
	}
	for p := range theirs {
		if !a.Can(p) {
			return fault.New(fault.Forbidden, "error.access.outranked")
		}
	}
	return nil
}

// holdings returns what a member may do somewhere in the tenant.
func holdings(ctx context.Context, c *ent.Client, user id.UUID) (tenancy.Set, error) {
	m, err := c.Membership.Query().Where(membership.UserID(user)).Only(ctx)
	if err != nil {
		return nil, missing(err, "User")
	}
	out := tenancy.RoleScopes(m.Role)
	granted, err := c.UserRole.Query().Where(userrole.UserID(user)).All(ctx)
	if err != nil || len(granted) == 0 {
		return out, err
	}
	roles := make([]id.UUID, len(granted))
	for i, g := range granted {
		roles[i] = g.RoleID
	}
	sets, err := permissionsOf(ctx, c, roles)
	for _, set := range sets {
		for p := range set {
			out[p] = struct{}{}
		}
	}
	return out, err
}

// permissionsOf loads what roles allow, in a constant number of statements.
func permissionsOf(ctx context.Context, c *ent.Client, roles []id.UUID) (map[id.UUID]tenancy.Set, error) {
	rows, err := c.RolePermission.Query().Where(rolepermission.RoleIDIn(roles...)).WithPermission().All(ctx)
	if err != nil {
		return nil, err
	}
	byRole := map[id.UUID][]*ent.RolePermission{}
	for _, r := range rows {
		byRole[r.RoleID] = append(byRole[r.RoleID], r)
	}
	out := make(map[id.UUID]tenancy.Set, len(roles))
	for _, r := range roles {
		out[r] = permissionSet(byRole[r])
	}
	return out, nil
}

// keepsAdmin refuses a change after which nobody at home could administer the
// tenant: an active person with the role admin in the whole of it.
func keepsAdmin(ctx context.Context, tx pgx.Tx) error {
	a := tenancy.Must(ctx)
	if a.Kind == tenancy.System {
		return nil // the product and its operator make tenants, and end them
	}
	var kept bool
	if err := tx.QueryRow(ctx, `
		SELECT EXISTS (
			SELECT FROM users u
			JOIN memberships m ON m.tenant_id = u.tenant_id AND m.user_id = u.id
			WHERE u.tenant_id = $1 AND u.is_active AND NOT u.is_deleted AND u.status = 'active' AND m.is_active
			  AND (m.role = 'admin' OR EXISTS (
				SELECT FROM user_roles g JOIN roles r ON r.tenant_id = g.tenant_id AND r.id = g.role_id
				WHERE g.tenant_id = $1 AND g.user_id = u.id AND g.site_id IS NULL AND r.is_system AND r.name = 'admin')))`,
		a.TenantID).Scan(&kept); err != nil {
		return err
	}
	if !kept {
		return fault.New(fault.Conflict, "error.access.lastAdmin")
	}
	return nil
}
