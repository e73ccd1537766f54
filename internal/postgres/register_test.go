package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

// A tenant makes itself, in the role of requests and without any way past the
// policies: who registers acts for the tenant's future id.
func TestATenantIsMadeFromInside(t *testing.T) {
	w := newWorld(t)
	client, db := open(t, w.AppDSN)
	tenant := id.New(id.Tenant)
	ctx := tenancy.AsSystem(t.Context(), tenant)
	err := postgres.InTx(ctx, db, func(ctx context.Context, c *ent.Client, _ pgx.Tx) error {
		if err := c.Tenant.Create().SetID(tenant).SetCode("fresh").SetName("Fresh").Exec(ctx); err != nil {
			return err
		}
		u, err := c.User.Create().SetUsername("admin").SetEmail("admin@fresh.example").SetFullName("A").
			SetPasswordHash("").SetRole(tenancy.Admin).Save(ctx)
		if err != nil {
			return err
		}
		return c.Membership.Create().SetUserID(u.ID).SetDisplayName("A").SetRole(tenancy.Admin).Exec(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := client.User.Query().Count(ctx); err != nil || n != 1 {
		t.Errorf("%d users, %v", n, err)
	}
	made, err := client.Tenant.Get(ctx, tenant)
	if err != nil || made.Settings.RawRetentionDays != 30 || made.Plan != "standard" {
		t.Errorf("%+v, %v", made, err)
	}

	// A guest: a membership of a person who is at home elsewhere, who can then be
	// named in this tenant's rows, though the user stays out of sight.
	if err := client.Membership.Create().SetUserID(w.a.user).SetDisplayName("Guest").Exec(ctx); err != nil {
		t.Fatal(err)
	}
	guest := tenancy.With(t.Context(), &tenancy.Actor{Kind: tenancy.Person, ID: w.a.user, TenantID: tenant, Role: tenancy.Engineer})
	s, err := client.Site.Create().SetSiteCode("s").SetName("S").Save(guest)
	if err != nil || s.CreatedBy == nil || *s.CreatedBy != w.a.user {
		t.Errorf("made by a guest: %+v, %v", s, err)
	}
	if _, err := client.User.Get(guest, w.a.user); !ent.IsNotFound(err) {
		t.Errorf("the guest's home is open: %v", err)
	}
	stranger := tenancy.With(t.Context(), &tenancy.Actor{Kind: tenancy.Person, ID: w.b.user, TenantID: tenant})
	if err := client.Site.Create().SetSiteCode("x").SetName("X").Exec(stranger); err == nil {
		t.Error("a person without a membership is named")
	} else if _, ok := postgres.ForeignKey(err); !ok {
		t.Error(err)
	}
}
