package access

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/tenant"
	"foresight/ent/user"
	"foresight/internal/audit"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/mail"
	"foresight/internal/page"
	"foresight/internal/tenancy"
)

// This file is the one path on which a person acts beyond the own tenant. Operators
// are the people of the tenant that the configuration names who may change that
// tenant. They see of others what a list of customers has, and make and lock
// tenants; what lies within a tenant stays closed to them. Each act is recorded
// twice: in the operator's tenant with the person's name, and in the other one.

// operator refuses everybody who does not operate the installation.
func (s *Service) operator(ctx context.Context) error {
	if err := may(ctx, tenancy.TenantWrite); err != nil {
		return err
	}
	a := tenancy.Must(ctx)
	refused := fault.New(fault.Forbidden, "error.access.operatorsOnly")
	if a.Kind != tenancy.Person || s.c.Operator == "" || a.TenantCode != s.c.Operator || s.c.Registry == nil {
		return refused
	}
	switch home, err := s.ent.User.Query().Where(user.ID(a.ID), user.IsActive(true)).Exist(ctx); {
	case err != nil:
		return err
	case !home: // a guest, whatever the role
		return refused
	}
	return nil
}

// Operates refuses everybody who does not operate the installation.
func (s *Service) Operates(ctx context.Context) error { return s.operator(ctx) }

// TenantFilter narrows a list of tenants; zero fields do not.
type TenantFilter struct {
	Search   string // within code and name, without regard to case
	IsActive *bool
}

// tenantColumns are what a list of customers has, in the order of scanTenant.
const tenantColumns = `id, code, name, plan, default_locale, time_zone, currency, is_active, created_at, version, settings`

// Tenants lists the tenants of the installation by code, for operators. What is read
// is recorded, too.
func (s *Service) Tenants(ctx context.Context, a page.Args, f TenantFilter) (page.Page[*ent.Tenant], error) {
	var none page.Page[*ent.Tenant]
	if err := s.operator(ctx); err != nil {
		return none, err
	}
	w, err := a.Resolve("tenants+code", 1)
	if err != nil {
		return none, err
	}
	const where = ` FROM tenants WHERE NOT is_deleted AND ($1 = '' OR position(lower($1) IN code) > 0 OR position(lower($1) IN lower(name)) > 0)
		AND ($2::boolean IS NULL OR is_active = $2)`
	args := []any{strings.TrimSpace(f.Search), f.IsActive}
	total := 0
	if w.Total {
		if err := s.c.Registry.QueryRow(ctx, `SELECT count(*)`+where, args...).Scan(&total); err != nil {
			return none, err
		}
	}
	than, direction := ">", "ASC"
	if w.Backward {
		than, direction = "<", "DESC"
	}
	bound := ""
	if w.Bound != nil {
		bound = w.Bound[0]
	}
	// Codes are ordered by their bytes, whatever the database's collation.
	rows, err := s.c.Registry.Query(ctx, `SELECT `+tenantColumns+where+` AND ($3 = '' OR code COLLATE "C" `+than+` $3) ORDER BY code COLLATE "C" `+direction+` LIMIT $4`,
		append(args, bound, w.Limit())...)
	if err != nil {
		return none, err
	}
	found, err := pgx.CollectRows(rows, scanTenant)
	if err != nil {
		return none, err
	}
	if err := audit.Record(ctx, s.c.App, audit.Entry{Action: "tenants:list", Entity: "Tenant"}); err != nil {
		return none, err
	}
	return page.Of(w, found, total, func(t *ent.Tenant) page.Key { return page.Key{t.Code} }), nil
}

func scanTenant(row pgx.CollectableRow) (*ent.Tenant, error) {
	t := &ent.Tenant{}
	err := row.Scan(&t.ID, &t.Code, &t.Name, &t.Plan, &t.DefaultLocale, &t.TimeZone, &t.Currency, &t.IsActive, &t.CreatedAt, &t.Version, &t.Settings)
	t.CreatedAt = t.CreatedAt.In(time.UTC)
	return t, err
}

// CreateTenant makes a tenant, for operators. The admin gets a letter, or the
// operator a link to hand over.
func (s *Service) CreateTenant(ctx context.Context, n NewTenant) (*Founded, error) {
	if err := s.operator(ctx); err != nil {
		return nil, err
	}
	n.Admin.Password = "" // nobody but the admin knows it
	var letter mail.Letter
	f, err := s.Found(ctx, n, func(in context.Context, _ *ent.Client, tx pgx.Tx, f *Founded) error {
		letter = mail.Letter{Kind: mail.Welcome, To: f.Admin.Email, Locale: or(f.Admin.Locale, f.Tenant.DefaultLocale),
			Tenant: f.Tenant.Name, Name: f.Admin.FullName, Link: f.Link, Life: welcomeLife}
		if err := s.c.Post.write(in, tx, letter); err != nil {
			return err
		}
		// In the operator's tenant, before the commit: an act that is not recorded is not done.
		return audit.Record(ctx, s.c.App, audit.Entry{Action: "tenants:create", Entity: "Tenant", ID: tenancy.Must(in).TenantID,
			Changes: audit.Changes{"code": {After: n.Code}}})
	})
	if err != nil {
		return nil, err
	}
	f.Link = s.handedOver(ctx, letter)
	return f, nil
}

// DeactivateTenant locks a tenant, for operators: nobody of it signs in, its
// credentials and devices are refused and all its sessions end, those of its people as
// guests of other tenants, too. Nothing is deleted. The reason is recorded in both
// tenants.
func (s *Service) DeactivateTenant(ctx context.Context, which id.UUID, reason string) (*ent.Tenant, error) {
	if err := s.operator(ctx); err != nil {
		return nil, err
	}
	var m mistakes
	if reason = m.atMost("reason", reason, maxDescription); reason == "" {
		m.bad("reason", "error.required")
	}
	if err := m.err(); err != nil {
		return nil, err
	}
	if tenancy.Must(ctx).TenantID == which {
		return nil, fault.New(fault.Conflict, "error.access.operatorTenant").At("input.id")
	}
	// The operator's record first: an act that is not recorded is not done.
	said := audit.Changes{"is_active": {After: false}, "reason": {After: reason}}
	if err := audit.Record(ctx, s.c.App, audit.Entry{Action: "tenants:deactivate", Entity: "Tenant", ID: which, Changes: said}); err != nil {
		return nil, err
	}
	t, actors, err := s.lock(tenancy.AsSystem(ctx, which), said)
	if err != nil {
		return nil, err
	}
	for _, a := range actors {
		s.c.Sessions.RevokeActor(a)
	}
	return t, nil
}

// lock deactivates the tenant of the context and returns everybody who may be
// holding a token of it.
func (s *Service) lock(ctx context.Context, said audit.Changes) (t *ent.Tenant, actors []id.UUID, err error) {
	which := tenancy.Must(ctx).TenantID
	err = s.change(ctx, func(ctx context.Context, c *ent.Client, tx pgx.Tx) error {
		n, err := c.Tenant.Update().Where(tenant.ID(which)).SetIsActive(false).Save(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Missing("Tenant")
		}
		if err := s.endAllSessions(ctx, tx); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT user_id FROM memberships WHERE tenant_id = $1 UNION ALL
			SELECT id FROM oauth_clients WHERE tenant_id = $1 UNION ALL SELECT id FROM api_keys WHERE tenant_id = $1`, which)
		if err != nil {
			return err
		}
		if actors, err = pgx.CollectRows(rows, pgx.RowTo[id.UUID]); err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, audit.Entry{Action: "tenants:deactivate", Entity: "Tenant", ID: which, Changes: said}); err != nil {
			return err
		}
		t, err = tenantOf(ctx, c)
		return err
	})
	return t, actors, err
}
