package auth

import (
	"context"

	"github.com/jackc/pgx/v5"

	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// hold gives a person what the membership's role and the grants of roles mean now.
// All was read at or after the time that the token will say it was issued at: whoever
// changes it later revokes that token.
func hold(ctx context.Context, tx pgx.Tx, a *tenancy.Actor) error {
	rows, err := tx.Query(ctx, `
		SELECT ur.site_id, r.is_active, r.is_system, r.name,
			coalesce(array_agg(p.resource || ':' || p.action) FILTER (WHERE p.id IS NOT NULL), '{}')
		FROM user_roles ur
		JOIN roles r ON r.tenant_id = ur.tenant_id AND r.id = ur.role_id
		LEFT JOIN role_permissions rp ON rp.tenant_id = r.tenant_id AND rp.role_id = r.id
		LEFT JOIN permissions p ON p.id = rp.permission_id
		WHERE ur.tenant_id = $1 AND ur.user_id = $2
		GROUP BY ur.id, r.id`, a.TenantID, a.ID)
	if err != nil {
		return err
	}
	type grant struct {
		Site             *id.UUID
		IsActive, System bool
		Name             string
		Permissions      []string
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[grant])
	if err != nil {
		return err
	}
	var grants []tenancy.RoleGrant
	for _, f := range found {
		g := tenancy.RoleGrant{Permissions: scopeSet(f.Permissions)}
		if f.System {
			g.Permissions = tenancy.RoleScopes(tenancy.Role(f.Name))
		}
		if !f.IsActive {
			g.Permissions = nil
		}
		switch {
		case f.Site != nil:
			g.SiteID = *f.Site // limits, even when the role gives nothing or the site is gone
		case !f.IsActive:
			continue // must not lift the limit of the others
		}
		grants = append(grants, g)
	}
	a.Hold(a.Role, grants)
	return nil
}
