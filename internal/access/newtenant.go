package access

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

// NewTenant is what a tenant begins with.
type NewTenant struct {
	Code     string // of topics and imports, for good
	Name     string
	Plan     enum.Plan // "": standard
	Locale   string    // "": en
	TimeZone string    // "": UTC
	Currency string    // "": EUR
	Admin    NewPerson // the first person; the role is admin whatever it says
}

// Founded is a new tenant with its first person.
type Founded struct {
	Tenant *ent.Tenant
	Admin  *ent.User
	// Link lets the admin set a password, for a week; "" when one was given.
	Link string
}

// errCodeTaken is the refusal of a tenant's code; tenants that are deleted keep theirs.
var errCodeTaken = fault.New(fault.Conflict, "error.access.tenantCodeTaken")

// Also is a step of the transaction that makes a tenant; f is what was made.
type Also func(ctx context.Context, c *ent.Client, tx pgx.Tx, f *Founded) error

// Found makes a tenant with its first admin, the system roles and what every tenant
// begins with, in one transaction; also, when it is not nil, adds to it as the
// tenant's system. Found checks no permission: its callers do.
func (s *Service) Found(ctx context.Context, n NewTenant, also Also) (*Founded, error) {
	n.Admin.Role = tenancy.Admin
	if err := n.check(); err != nil {
		return nil, err
	}
	p, err := s.hashed(ctx, n.Admin)
	if err != nil {
		return nil, err
	}
	out := &Founded{}
	tenant := id.New(id.Tenant)
	err = s.change(tenancy.AsSystem(ctx, tenant), func(ctx context.Context, c *ent.Client, tx pgx.Tx) error {
		if out.Tenant, err = c.Tenant.Create().SetID(tenant).SetCode(n.Code).SetName(n.Name).SetPlan(n.Plan).
			SetDefaultLocale(n.Locale).SetTimeZone(n.TimeZone).SetCurrency(n.Currency).Save(ctx); err != nil {
			return err
		}
		if out.Admin, err = Join(ctx, c, p); err != nil {
			return err
		}
		if p.PasswordHash == "" {
			if out.Link, err = s.passwordLink(ctx, c, out.Admin.ID, welcomeLife, "welcome"); err != nil {
				return err
			}
		}
		if err := ensureSystemRoles(ctx, c); err != nil {
			return err
		}
		if err := s.c.Begin(ctx, c); err != nil {
			return err
		}
		if also != nil {
			return also(ctx, c, tx, out)
		}
		return nil
	})
	if err != nil {
		if key, taken := postgres.Unique(err); taken && key == "tenants_code_key" {
			return nil, errCodeTaken.At("input.tenantCode").Because(err)
		}
		return nil, err
	}
	return out, nil
}

// check brings the input into its stored form, and tells everything that is wrong
// with it, with the field names of the graph.
func (n *NewTenant) check() error {
	var m mistakes
	m.code("tenantCode", n.Code)
	n.Name = m.name("tenantName", n.Name)
	if n.Plan == "" {
		n.Plan = enum.PlanStandard
	}
	n.Locale = m.locale("locale", or(n.Locale, "en"))
	n.TimeZone = m.timeZone("timeZone", or(n.TimeZone, "UTC"))
	n.Currency = m.currency("currency", or(n.Currency, "EUR"))
	var l fault.List
	if err := n.Admin.check(); errors.As(err, &l) {
		m.l = append(m.l, l...)
	}
	return m.err()
}
