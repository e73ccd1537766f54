package access_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"foresight/internal/access"
	"foresight/internal/id"
	"foresight/internal/mail"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// Those who may decide are written to, in their language: by role, or by one that was
// given for the whole tenant; not who wants no letters, nor another tenant's people.
func TestLettersOfDriftGoToThoseWhoDecide(t *testing.T) {
	r := newRig(t, idle)
	r.sql(`UPDATE users SET locale = 'de' WHERE tenant_id = $1 AND role = 'engineer'`, r.acme.TenantID)
	given, elsewhere := id.New(id.Role), r.acme.Users[tenancy.Viewer]
	r.sql(`INSERT INTO roles (id, tenant_id, name) VALUES ($1, $2, 'models')`, given, r.acme.TenantID)
	r.sql(`INSERT INTO role_permissions (id, tenant_id, role_id, permission_id) SELECT $1, $2, $3, id FROM permissions WHERE resource = 'models' AND action = 'write'`, id.New(id.RolePermission), r.acme.TenantID, given)
	r.sql(`INSERT INTO user_roles (id, tenant_id, user_id, role_id) VALUES ($1, $2, $3, $4)`, id.New(id.UserRole), r.acme.TenantID, r.acme.Users[tenancy.Operator], given)
	r.sql(`INSERT INTO user_roles (id, tenant_id, user_id, role_id, site_id) VALUES ($1, $2, $3, $4, $5)`, id.New(id.UserRole), r.acme.TenantID, elsewhere, given, r.acme.SiteID)
	r.sql(`INSERT INTO user_settings (id, tenant_id, user_id, enable_notifications) VALUES ($1, $2, $3, false)`, id.New(id.UserSettings), r.acme.TenantID, r.acme.Users[tenancy.Admin])

	ctx := tenancy.AsSystem(t.Context(), r.acme.TenantID)
	tell := func(end error) error {
		return pgx.BeginFunc(ctx, r.config.App, func(tx pgx.Tx) error {
			return errors.Join(r.config.Post.OfModel(ctx, tx, access.ModelNews{Kind: mail.Drift, Needs: tenancy.ModelsWrite, Version: "bearings:1.0.0"}), end)
		})
	}
	if err := tell(context.Canceled); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if n := one[int](r, `SELECT count(*) FROM river.river_job`); n != 0 {
		t.Fatalf("%d letters of a transaction that was rolled back", n)
	}
	r.ok(tell(nil))
	r.sends(r.config.Post)
	testkit.Eventually(t, soon, func() bool { return len(r.smtp.Taken()) >= 2 })
	var to []string
	for _, m := range r.smtp.Taken() {
		to = append(to, m.To)
		want := "far from what the model bearings:1.0.0 was trained on"
		if m.To == "engineer@example.com" {
			want = "womit das Modell bearings:1.0.0 trainiert wurde"
		}
		if !strings.Contains(strings.ReplaceAll(m.Body, "\n", " "), want) {
			t.Errorf("to %s: %s", m.To, m.Body)
		}
	}
	slices.Sort(to)
	if !slices.Equal(to, []string{"engineer@example.com", "operator@example.com"}) {
		t.Errorf("written to %v", to)
	}
	if n := one[int](r, `SELECT count(*) FROM river.river_job`); n != 2 {
		t.Errorf("%d letters", n)
	}
}

// Who asked for a deployment is not written to about it; who may approve it is.
func TestLettersOfDeploymentsGoToThoseWhoDecide(t *testing.T) {
	r := newRig(t, idle)
	ctx := tenancy.AsSystem(t.Context(), r.acme.TenantID)
	tell := func(n access.ModelNews) {
		t.Helper()
		n.Needs, n.Version = tenancy.ModelsDeploy, "bearings:1.0.1"
		r.ok(pgx.BeginFunc(ctx, r.config.App, func(tx pgx.Tx) error { return r.config.Post.OfModel(ctx, tx, n) }))
	}
	tell(access.ModelNews{Kind: mail.DeployAsked, Percent: 5, But: []id.UUID{r.acme.Users[tenancy.Engineer]}})
	tell(access.ModelNews{Kind: mail.DeployRolledBack, But: []id.UUID{r.acme.Users[tenancy.Admin]}})
	r.sends(r.config.Post)
	testkit.Eventually(t, soon, func() bool { return len(r.smtp.Taken()) >= 2 })
	for _, m := range r.smtp.Taken() {
		want, to := "5 % of the machines", "admin@example.com"
		if m.To == "engineer@example.com" {
			want, to = "taken back", "engineer@example.com"
		}
		if body := strings.ReplaceAll(m.Body, "\n", " "); m.To != to || !strings.Contains(body, want) || !strings.Contains(body, "bearings:1.0.1") {
			t.Errorf("to %s: %s", m.To, m.Body)
		}
	}
	if n := one[int](r, `SELECT count(*) FROM river.river_job`); n != 2 {
		t.Errorf("%d letters", n)
	}
}
