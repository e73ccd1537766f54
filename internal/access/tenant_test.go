package access_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/ent/role"
	"foresight/ent/settings"
	"foresight/internal/access"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/page"
	"foresight/internal/tenancy"
)

func newTenant(code string) access.NewTenant {
	return access.NewTenant{Code: code, Name: "Initech", Locale: "de", TimeZone: "Europe/Berlin", Currency: "CHF",
		Admin: access.NewPerson{Email: " Ada@Initech.example ", FullName: "Ada", Password: password}}
}

func TestATenantIsMadeWithAllThatItNeeds(t *testing.T) {
	begun := 0
	r := newRig(t, func(r *rig) {
		r.config.Begin = func(ctx context.Context, c *ent.Client) error {
			begun++
			return c.Site.Create().SetSiteCode("first").SetName("First").Exec(ctx)
		}
	})
	f, err := r.Register(t.Context(), newTenant("initech"), "192.0.2.1")
	r.ok(err)
	if f.Tenant.Plan != enum.PlanStandard || f.Tenant.Currency != "CHF" || f.Tenant.DefaultLocale != "de" || f.Link != "" || begun != 1 {
		t.Errorf("%v %q, begun %d times", f.Tenant, f.Link, begun)
	}
	u := f.Admin
	if u.Email != "ada@initech.example" || u.Username != "ada" || u.Role != tenancy.Admin || u.Status != enum.UserActive || u.TenantID != f.Tenant.ID {
		t.Errorf("admin %v", u)
	}
	if ok, err := r.hasher.Verify(t.Context(), u.PasswordHash, password); err != nil || !ok {
		t.Errorf("the password does not let in: %v", err)
	}
	if got := one[string](r, `SELECT role FROM memberships WHERE tenant_id = $1 AND user_id = $2`, f.Tenant.ID, u.ID); got != "admin" {
		t.Errorf("membership %s", got)
	}
	if n := one[int](r, `SELECT count(*) FROM sites WHERE tenant_id = $1`, f.Tenant.ID); n != 1 {
		t.Error("it lacks what every tenant begins with")
	}
	sameRoles(r, f.Tenant.ID)
}

// sameRoles checks the system roles of a tenant against the code.
func sameRoles(r *rig, tenant id.UUID) {
	r.Helper()
	rows, err := r.owner.Query(r.Context(), `SELECT r.name, coalesce(array_agg(p.resource || ':' || p.action ORDER BY p.resource || ':' || p.action COLLATE "C") FILTER (WHERE p.id IS NOT NULL), '{}')
		FROM roles r LEFT JOIN role_permissions x ON x.tenant_id = r.tenant_id AND x.role_id = r.id LEFT JOIN permissions p ON p.id = x.permission_id
		WHERE r.tenant_id = $1 AND r.is_system GROUP BY r.id`, tenant)
	r.ok(err)
	defer rows.Close()
	n := 0
	for rows.Next() {
		var name string
		var got []string
		r.ok(rows.Scan(&name, &got))
		slices.Sort(got)
		if want := tenancy.RoleScopes(tenancy.Role(name)).Strings(); !slices.Equal(got, want) {
			r.Errorf("%s allows %v, want %v", name, got, want)
		}
		n++
	}
	if n != 4 {
		r.Errorf("%d system roles", n)
	}
}

// A tenant comes whole or not at all.
func TestATenantThatFailsLeavesNothing(t *testing.T) {
	broken := errors.New("broken")
	r := newRig(t, func(r *rig) { r.config.Begin = func(context.Context, *ent.Client) error { return broken } })
	if _, err := r.Register(t.Context(), newTenant("initech"), ""); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	if n := one[int](r, `SELECT (SELECT count(*) FROM tenants WHERE code = 'initech') + (SELECT count(*) FROM users WHERE email = 'ada@initech.example')
		+ (SELECT count(*) FROM roles WHERE tenant_id NOT IN (SELECT id FROM tenants))`); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}

func TestRegistrationTellsEveryMistake(t *testing.T) {
	r := newRig(t)
	_, err := r.Register(t.Context(), access.NewTenant{Code: "No Code", Name: " ", Locale: "??", TimeZone: "Mars/Base", Currency: "XXXX",
		Admin: access.NewPerson{Email: "ada", Username: "a b", FullName: "", Password: "short"}}, "")
	for field, key := range map[string]string{"tenantCode": "error.code", "tenantName": "error.name", "locale": "error.access.locale", "timeZone": "error.access.timeZone",
		"currency": "error.access.currency", "email": "error.access.email", "username": "error.access.username", "fullName": "error.name", "password": "error.access.passwordLength"} {
		refused(t, err, fault.BadInput, key, "input."+field)
	}
	_, err = r.Register(t.Context(), newTenant("acme"), "")
	refused(t, err, fault.Conflict, "error.access.tenantCodeTaken", "input.tenantCode")
	for _, guessable := range []string{"ada@initech.example", "password123", "aaaaaaaaaaaa"} {
		n := newTenant("x")
		n.Admin.Password = guessable
		_, err = r.Register(t.Context(), n, "")
		refused(t, err, fault.BadInput, "error.access.passwordGuessable", "input.password")
	}
	n := newTenant("x")
	n.Admin.Password = ""
	_, err = r.Register(t.Context(), n, "")
	refused(t, err, fault.BadInput, "error.required", "input.password")
}

func TestRegistrationIsLimitedAndCanBeClosed(t *testing.T) {
	r := newRig(t)
	r.pass(0) // the clock stands: nothing comes back meanwhile
	bad := access.NewTenant{}
	tries := 0
	for ; tries < 100; tries++ {
		if _, err := r.Register(t.Context(), bad, "2001:db8::1"); fault.Is(err, fault.RateLimited) {
			break
		}
	}
	if tries < 5 || tries > 50 {
		t.Errorf("limited after %d tries", tries)
	}
	_, err := r.Register(t.Context(), bad, "2001:db8::2")
	refused(t, err, fault.RateLimited, "error.rateLimited", "") // the same network
	if _, err := r.Register(t.Context(), bad, "198.51.100.1"); fault.Is(err, fault.RateLimited) {
		t.Error("everybody is limited")
	}
	closed := newRig(t, func(r *rig) { r.config.OpenRegistration = false })
	_, err = closed.Register(t.Context(), newTenant("initech"), "")
	refused(t, err, fault.Forbidden, "error.access.registrationClosed", "")
}

func TestSystemRolesAreKeptByTheProduct(t *testing.T) {
	r := newRig(t)
	sameRoles(r, r.acme.TenantID)
	ctx := tenancy.AsSystem(t.Context(), r.acme.TenantID)
	viewer := r.orm.Role.Query().Where(role.Name("viewer")).OnlyX(ctx)
	// Another build had fewer permissions, and one that is gone.
	r.sql(`DELETE FROM role_permissions WHERE role_id = $1 AND permission_id IN (SELECT id FROM permissions WHERE resource = 'plant')`, viewer.ID)
	r.sql(`INSERT INTO role_permissions (id, tenant_id, role_id, permission_id) SELECT gen_random_uuid(), $1, $2, id FROM permissions WHERE resource = 'users' AND action = 'write'`, r.acme.TenantID, viewer.ID)
	r.sql(`DELETE FROM role_permissions WHERE role_id = (SELECT id FROM roles WHERE tenant_id = $1 AND name = 'operator')`, r.acme.TenantID)
	r.sql(`DELETE FROM roles WHERE tenant_id = $1 AND name = 'operator'`, r.acme.TenantID)
	var wg sync.WaitGroup
	for range 4 { // as many processes
		wg.Go(func() {
			if err := r.EnsureSystemRoles(t.Context(), r.acme.TenantID); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	sameRoles(r, r.acme.TenantID)
	if got := r.orm.Role.Query().Where(role.Name("viewer")).OnlyX(ctx); got.ID != viewer.ID {
		t.Error("a role that people hold was replaced")
	}
}

func TestUpdateTenant(t *testing.T) {
	r := newRig(t)
	got, err := r.UpdateTenant(r.as(tenancy.Admin), 1, func(s *access.TenantSpec) {
		s.Name, s.TimeZone, s.Settings.RawRetentionDays, s.Settings.AutomaticWorkOrders = " Acme Ltd ", "Asia/Riyadh", 14, settings.WorkOrdersOff
	})
	r.ok(err)
	if got.Name != "Acme Ltd" || got.TimeZone != "Asia/Riyadh" || got.Version != 2 || got.Settings.RawRetentionDays != 14 ||
		got.Settings.PredictionRetentionDays != 90 || got.Settings.AutomaticWorkOrders != settings.WorkOrdersOff {
		t.Errorf("%+v", got)
	}
	none := func(*access.TenantSpec) {}
	_, err = r.UpdateTenant(r.as(tenancy.Admin), 1, none)
	refused(t, err, fault.Conflict, "error.stale", "input.expectedVersion")
	_, err = r.UpdateTenant(r.as(tenancy.Engineer), 2, none)
	refused(t, err, fault.Forbidden, "error.forbidden", "")
	for field, change := range map[string]func(*access.TenantSpec){
		"rawRetentionDays":  func(s *access.TenantSpec) { s.Settings.RawRetentionDays = 31 },
		"healthyFrom":       func(s *access.TenantSpec) { s.Settings.HealthyFrom = s.Settings.WarningFrom },
		"riskCriticalFrom":  func(s *access.TenantSpec) { s.Settings.RiskHighFrom = 0.9 },
		"messagesPerSecond": func(s *access.TenantSpec) { s.Settings.MessagesPerSecond = 20_001 }, // more than the plan
	} {
		_, err := r.UpdateTenant(r.as(tenancy.Admin), 2, change)
		var l fault.List
		if !errors.As(err, &l) || len(l) != 1 || l[0].Field != "input.settings."+field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestOperators(t *testing.T) {
	r := newRig(t)
	operator := r.as(tenancy.Admin)
	elsewhere := r.globex.As(t.Context(), tenancy.Admin)
	n := newTenant("initech")
	guest := *tenancy.Must(operator)
	guest.ID = r.globex.Users[tenancy.Admin]
	for name, ctx := range map[string]context.Context{"another tenant's admin": elsewhere, "no admin": r.as(tenancy.Engineer), "a guest": tenancy.With(t.Context(), &guest)} {
		_, e1 := r.Tenants(ctx, page.Args{}, access.TenantFilter{})
		_, e2 := r.CreateTenant(ctx, n)
		_, e3 := r.DeactivateTenant(ctx, r.globex.TenantID, "why not")
		for _, err := range []error{e1, e2, e3} {
			if !fault.Is(err, fault.Forbidden) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	f, err := r.CreateTenant(operator, n)
	r.ok(err)
	if f.Link != "" || f.Admin.PasswordHash != "" || f.Admin.Status != enum.UserInvited {
		t.Errorf("the operator learns how to sign in: %q %s", f.Link, f.Admin.Status)
	}
	letter := r.smtp.Wait(t, 0)
	if letter.To != "ada@initech.example" {
		t.Errorf("the letter went to %s", letter.To)
	}
	yes, two := true, 2
	p, err := r.Tenants(operator, page.Args{First: &two, Total: true}, access.TenantFilter{})
	r.ok(err)
	if len(p.Items) != 2 || p.Total != 3 || p.Items[0].Code != "acme" || p.Items[1].Code != "globex" || !p.HasNext {
		t.Errorf("%v of %d", p.Items, p.Total)
	}
	after := p.Cursor(p.Items[1])
	p, err = r.Tenants(operator, page.Args{First: &two, After: &after}, access.TenantFilter{IsActive: &yes})
	r.ok(err)
	if len(p.Items) != 1 || p.Items[0].Code != "initech" || p.HasNext || p.Items[0].Plan != enum.PlanStandard {
		t.Errorf("second page %v", p.Items)
	}
	if p, err = r.Tenants(operator, page.Args{}, access.TenantFilter{Search: "INI"}); err != nil || len(p.Items) != 1 {
		t.Errorf("search: %v %v", p.Items, err)
	}

	theirs := r.globex.Users[tenancy.Operator]
	r.signIn(r.globex.TenantID, theirs)
	email := one[string](r, `SELECT email FROM users WHERE id = $1`, theirs)
	_, err = r.AddMembership(operator, access.Guest{UserID: theirs, Email: email, DisplayName: "Guest", Role: tenancy.Viewer})
	r.ok(err)
	r.signIn(r.acme.TenantID, theirs) // as a guest of another tenant
	r.signIn(r.acme.TenantID, r.acme.Users[tenancy.Operator])
	_, err = r.DeactivateTenant(operator, r.globex.TenantID, " ")
	refused(t, err, fault.BadInput, "error.required", "input.reason")
	_, err = r.DeactivateTenant(operator, r.acme.TenantID, "mistake")
	refused(t, err, fault.Conflict, "error.access.operatorTenant", "input.id")
	_, err = r.DeactivateTenant(operator, id.New(id.Tenant), "mistake")
	refused(t, err, fault.NotFound, "error.notFound", "")
	got, err := r.DeactivateTenant(operator, r.globex.TenantID, "has not paid")
	r.ok(err)
	if got.IsActive || r.live(theirs) != 0 || !slices.Contains(r.ended(), theirs) {
		t.Errorf("active %v, sessions %d", got.IsActive, r.live(theirs))
	}
	if r.live(r.acme.Users[tenancy.Operator]) != 1 {
		t.Error("sessions of another tenant's people ended")
	}
	if got := one[string](r, `SELECT string_agg(actor_kind, ',') FROM audit_logs WHERE tenant_id = $1 AND action = 'tenants:create' AND entity_id = $2`, r.acme.TenantID, f.Tenant.ID); got != "user" {
		t.Errorf("the creation is recorded by %q", got)
	}
	if n := one[int](r, `SELECT count(*) FROM lookup_login('operator@example.com') WHERE tenant_code = 'globex'`); n != 0 {
		t.Error("people of a locked tenant still sign in")
	}
	for tenant, want := range map[id.UUID]string{r.acme.TenantID: "user", r.globex.TenantID: "system"} {
		got := one[string](r, `SELECT string_agg(actor_kind, ',') FROM audit_logs WHERE tenant_id = $1 AND action = 'tenants:deactivate' AND entity_id = $2 AND changes::text LIKE '%has not paid%'`, tenant, r.globex.TenantID)
		if got != want {
			t.Errorf("recorded by %q, want %q", got, want)
		}
	}
	if strings.Contains(r.log.String(), "token") {
		t.Error("a token stands in the log")
	}
}
