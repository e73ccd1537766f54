package access

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/id"
	"foresight/internal/mail"
	"foresight/internal/tenancy"
)

// modelLetterLife is for how long a letter about a model is of use.
const modelLetterLife = 7 * 24 * time.Hour

// maxModelLetters bounds the letters about one thing.
const maxModelLetters = 100

// caretakers are the people of a tenant who have a permission, by their role or by one
// that was given to them for the whole tenant, and who want to be notified.
const caretakers = `SELECT u.email, u.full_name, coalesce(u.locale, t.default_locale), t.name
	FROM users u JOIN tenants t ON t.id = u.tenant_id
	LEFT JOIN user_settings s ON s.tenant_id = u.tenant_id AND s.user_id = u.id
	WHERE u.tenant_id = $1 AND u.is_active AND NOT u.is_deleted AND u.status = 'active' AND coalesce(s.enable_notifications, true)
		AND u.id <> ALL ($5)
		AND (u.role = ANY ($2) OR EXISTS (SELECT FROM user_roles g
			JOIN role_permissions p ON p.tenant_id = g.tenant_id AND p.role_id = g.role_id
			JOIN permissions a ON a.id = p.permission_id
			WHERE g.tenant_id = u.tenant_id AND g.user_id = u.id AND g.site_id IS NULL AND a.resource || ':' || a.action = $3))
	ORDER BY u.id LIMIT $4`

// ModelNews is what those are written to who look after the models of a tenant.
type ModelNews struct {
	Kind    mail.Kind
	Needs   tenancy.Permission // of who is written to
	Version string             // label of the version that it is about
	Percent int                // of the machines, where it is about a share of them
	But     []id.UUID          // who needs no letter: user ids
}

// OfModel writes to the people of the context's tenant whom the news concerns. The letters
// go when the transaction commits.
func (p *Post) OfModel(ctx context.Context, tx pgx.Tx, n ModelNews) error {
	if !p.Configured() {
		return nil
	}
	var roles []string
	for _, r := range []tenancy.Role{tenancy.Viewer, tenancy.Operator, tenancy.Engineer, tenancy.Admin} {
		if tenancy.RoleScopes(r).Has(n.Needs) {
			roles = append(roles, string(r))
		}
	}
	but := append([]id.UUID{}, n.But...) // nobody is an empty list, not null
	rows, err := tx.Query(ctx, caretakers, tenancy.Must(ctx).TenantID, roles, string(n.Needs), maxModelLetters, but)
	if err != nil {
		return fmt.Errorf("access: caretakers: %w", err)
	}
	letters, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (mail.Letter, error) {
		l := mail.Letter{Kind: n.Kind, About: n.Version, Percent: n.Percent, Life: modelLetterLife}
		return l, r.Scan(&l.To, &l.Name, &l.Locale, &l.Tenant)
	})
	if err != nil {
		return fmt.Errorf("access: caretakers: %w", err)
	}
	for _, l := range letters {
		if err := p.write(ctx, tx, l); err != nil {
			return err
		}
	}
	return nil
}
