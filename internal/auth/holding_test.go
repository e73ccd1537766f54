package auth_test

import (
	"slices"
	"testing"
	"time"

	"foresight/internal/auth"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
	"foresight/migrations"
)

// addRole makes a role of acme.
func (r *rig) addRole(t *testing.T, name string, system bool, ps ...tenancy.Permission) id.UUID {
	t.Helper()
	role := id.New(id.Role)
	r.exec(t, `INSERT INTO roles (id, tenant_id, name, is_system) VALUES ($1, $2, $3, $4)`, role, r.acme.TenantID, name, system)
	for _, p := range ps {
		r.exec(t, `INSERT INTO role_permissions (id, tenant_id, role_id, permission_id) VALUES ($1, $2, $3, $4)`,
			id.New(id.RolePermission), r.acme.TenantID, role, migrations.PermissionID(p))
	}
	return role
}

// grant gives acme's operator a role; a nil site is the whole tenant.
func (r *rig) grant(t *testing.T, role id.UUID, site *id.UUID) {
	t.Helper()
	r.exec(t, `INSERT INTO user_roles (id, tenant_id, user_id, role_id, site_id) VALUES ($1, $2, $3, $4, $5)`,
		id.New(id.UserRole), r.acme.TenantID, r.acme.Users[tenancy.Operator], role, site)
}

func TestGrantsOfRolesAreHeld(t *testing.T) {
	r := newRig(t)
	south := id.New(id.Site)
	r.exec(t, `INSERT INTO sites (id, tenant_id, site_code, name) VALUES ($1, $2, 'south', 'South works')`, south, r.acme.TenantID)
	north := r.acme.SiteID
	planner := r.addRole(t, "Planner", false, tenancy.RulesWrite, tenancy.PlantWrite)
	engineer := r.addRole(t, "engineer", true)
	gone := r.addRole(t, "Gone", false, tenancy.TelemetryWrite)
	r.exec(t, `UPDATE roles SET is_active = false WHERE id = $1`, gone)
	for _, c := range []struct {
		name  string
		give  func()
		sites []id.UUID
		can   []tenancy.Permission
		not   []tenancy.Permission
		on    map[tenancy.Permission][]id.UUID
	}{
		{name: "none", give: func() {}, can: []tenancy.Permission{tenancy.AlarmsAct}, not: []tenancy.Permission{tenancy.RulesWrite}},
		{name: "in the tenant", give: func() { r.grant(t, planner, nil) }, can: []tenancy.Permission{tenancy.AlarmsAct, tenancy.RulesWrite}},
		{name: "and on a site", give: func() { r.grant(t, engineer, &south) }, can: []tenancy.Permission{tenancy.RulesWrite},
			not: []tenancy.Permission{tenancy.TelemetryWrite, tenancy.ModelsDeploy}, on: map[tenancy.Permission][]id.UUID{tenancy.TelemetryWrite: {south}}},
		{name: "on a site alone", give: func() { r.exec(t, `DELETE FROM user_roles WHERE site_id IS NULL`) }, sites: []id.UUID{south},
			can: []tenancy.Permission{tenancy.AlarmsAct, tenancy.TelemetryWrite}, not: []tenancy.Permission{tenancy.ModelsDeploy}},
		{name: "and on another, of a role that is off", give: func() { r.grant(t, gone, &north) }, sites: sorted(north, south),
			can: []tenancy.Permission{tenancy.AlarmsAct}, not: []tenancy.Permission{tenancy.TelemetryWrite},
			on: map[tenancy.Permission][]id.UUID{tenancy.TelemetryWrite: {south}}},
		{name: "a role that is off lifts no limit", give: func() { r.grant(t, gone, nil) }, sites: sorted(north, south)},
		{name: "a site that is gone lifts no limit", give: func() {
			r.exec(t, `DELETE FROM user_roles WHERE site_id IS DISTINCT FROM $1`, south)
			r.exec(t, `UPDATE sites SET is_deleted = true WHERE id = $1`, south)
		}, sites: []id.UUID{south}},
	} {
		c.give()
		for _, begin := range []func() (*auth.Session, error){
			func() (*auth.Session, error) { return r.login(t), nil },
			func() (*auth.Session, error) { return r.Refresh(t.Context(), r.login(t).RefreshToken) },
		} {
			s, err := begin()
			if err != nil {
				t.Fatal(err)
			}
			g, err := r.Authenticate(t.Context(), "Bearer "+s.AccessToken)
			if err != nil {
				t.Fatal(err)
			}
			a := g.Actor
			if !slices.Equal(a.SiteIDs, c.sites) {
				t.Errorf("%s: limited to %v, want %v", c.name, a.SiteIDs, c.sites)
			}
			for _, p := range c.can {
				if !a.Can(p) {
					t.Errorf("%s: may not %s", c.name, p)
				}
			}
			for _, p := range c.not {
				if a.Can(p) {
					t.Errorf("%s: may %s", c.name, p)
				}
			}
			for p, want := range c.on {
				if got, ok := a.SitesFor(p); !ok || !slices.Equal(got, want) {
					t.Errorf("%s: %s on %v, want %v", c.name, p, got, want)
				}
			}
		}
	}
}

func sorted(ids ...id.UUID) []id.UUID {
	slices.SortFunc(ids, func(a, b id.UUID) int { return slices.Compare(a[:], b[:]) })
	return ids
}

func TestChangedPermissionsTakeEffectAtOnce(t *testing.T) {
	r := newRig(t)
	s := r.login(t)
	revoked, release := r.Watch(s.Grant)
	defer release()
	r.grant(t, r.addRole(t, "Planner", false, tenancy.RulesWrite), &r.acme.SiteID)
	r.clock.Advance(300 * time.Millisecond)
	r.RevokeActor(s.Grant.Actor.ID)
	<-revoked
	_, err := r.Authenticate(t.Context(), "Bearer "+s.AccessToken)
	wantFault(t, err, fault.Unauthenticated, "error.auth.token")
	// At once, in the same second, the client comes back.
	r.clock.Advance(time.Microsecond)
	next, err := r.Refresh(t.Context(), s.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	g, err := r.Authenticate(t.Context(), "Bearer "+next.AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	if !g.Actor.Can(tenancy.RulesWrite) || !slices.Equal(g.Actor.SiteIDs, []id.UUID{r.acme.SiteID}) {
		t.Errorf("%+v", g.Actor)
	}
	open, done := r.Watch(g)
	defer done()
	select {
	case <-open:
		t.Error("the new token is revoked, too")
	default:
	}
	// Another process hears of it.
	other := r.newService(t, auth.Config{})
	other.Apply(<-r.revoked)
	if _, err := other.Authenticate(t.Context(), "Bearer "+s.AccessToken); err == nil {
		t.Error("another process takes the old token")
	}
	if _, err := other.Authenticate(t.Context(), "Bearer "+next.AccessToken); err != nil {
		t.Errorf("another process refuses the new token: %v", err)
	}
}
