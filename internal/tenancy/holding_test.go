package tenancy

import (
	"slices"
	"testing"

	"foresight/internal/fault"
	"foresight/internal/id"
)

func TestHold(t *testing.T) {
	var s []id.UUID // sorted
	for range 3 {
		s = insert(s, id.New(id.Site))
	}
	everywhere := func(ps ...Permission) RoleGrant { return RoleGrant{Permissions: NewSet(ps...)} }
	on := func(site int, ps ...Permission) RoleGrant { return RoleGrant{NewSet(ps...), s[site]} }
	type where struct {
		held  bool
		sites []id.UUID // nil: the whole tenant
	}
	nowhere, tenant := where{}, where{held: true}
	at := func(sites ...int) where {
		w := where{held: true}
		for _, i := range sites {
			w.sites = append(w.sites, s[i])
		}
		return w
	}
	for _, c := range []struct {
		name   string
		role   Role
		grants []RoleGrant
		limit  []id.UUID
		want   map[Permission]where
	}{
		{"no grants", Operator, nil, nil, map[Permission]where{PlantRead: tenant, AlarmsAct: tenant, PlantWrite: nowhere}},
		{"one for the tenant", Viewer, []RoleGrant{everywhere(RulesWrite)}, nil,
			map[Permission]where{PlantRead: tenant, RulesWrite: tenant, PlantWrite: nowhere}},
		{"one on a site limits all", Viewer, []RoleGrant{on(0, AlarmsAct)}, s[:1],
			map[Permission]where{PlantRead: at(0), AlarmsAct: at(0), PlantWrite: nowhere}},
		{"an empty role on a site limits all", Operator, []RoleGrant{on(1)}, s[1:2],
			map[Permission]where{PlantRead: at(1), AlarmsAct: at(1)}},
		{"the same on two sites", Viewer, []RoleGrant{on(2, AlarmsAct), on(0, AlarmsAct)}, []id.UUID{s[0], s[2]},
			map[Permission]where{PlantRead: at(0, 2), AlarmsAct: at(0, 2)}},
		{"different on two sites", Viewer, []RoleGrant{on(0, AlarmsAct, PlantWrite), on(1, PlantWrite, RulesWrite)}, s[:2],
			map[Permission]where{PlantRead: at(0, 1), PlantWrite: at(0, 1), AlarmsAct: at(0), RulesWrite: at(1)}},
		{"tenant and site", Viewer, []RoleGrant{everywhere(AlarmsAct), on(1, AlarmsAct, PlantWrite)}, nil,
			map[Permission]where{PlantRead: tenant, AlarmsAct: tenant, PlantWrite: at(1)}},
		{"what concerns the tenant is not given on a site", Viewer, []RoleGrant{on(0, UsersWrite, ModelsDeploy, CredentialsWrite, AlarmsAct)}, s[:1],
			map[Permission]where{UsersWrite: nowhere, ModelsDeploy: nowhere, CredentialsWrite: nowhere, AlarmsAct: at(0)}},
		{"nor by the role of a person limited to sites", Engineer, []RoleGrant{on(0)}, s[:1],
			map[Permission]where{PlantWrite: at(0), ModelsDeploy: nowhere, ModelsWrite: nowhere}},
		{"an admin is never limited", Admin, []RoleGrant{on(0, AlarmsAct)}, nil,
			map[Permission]where{UsersWrite: tenant, AlarmsAct: tenant}},
		{"an unknown role", "owner", []RoleGrant{on(0, AlarmsAct)}, s[:1], map[Permission]where{PlantRead: nowhere, AlarmsAct: at(0)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := &Actor{Kind: Person}
			a.Hold(c.role, c.grants)
			if !slices.Equal(a.SiteIDs, c.limit) {
				t.Errorf("limited to %v, want %v", a.SiteIDs, c.limit)
			}
			for p, w := range c.want {
				sites, ok := a.SitesFor(p)
				if ok != w.held || !slices.Equal(sites, w.sites) {
					t.Errorf("%s: %v on %v, want %v on %v", p, ok, sites, w.held, w.sites)
				}
				if a.Can(p) && !slices.Equal(w.sites, c.limit) {
					t.Errorf("%s counts beyond %v", p, w.sites)
				}
			}
		})
	}
}

func TestUnderNarrowsAndNeverWidens(t *testing.T) {
	var s []id.UUID
	for range 3 {
		s = insert(s, id.New(id.Site))
	}
	a := &Actor{Kind: Person}
	a.Hold(Viewer, []RoleGrant{{Permissions: NewSet(TelemetryWrite)},
		{NewSet(PlantWrite, AlarmsAct), s[0]}, {NewSet(PlantWrite, AlarmsAct), s[1]}, {NewSet(AlarmsAct, RulesWrite), s[2]}})
	if u, err := a.Under(PlantRead, TelemetryWrite); err != nil || u != a {
		t.Errorf("what is held everywhere narrows: %+v %v", u, err)
	}
	u, err := a.Under(PlantRead, PlantWrite)
	if err != nil || !slices.Equal(u.SiteIDs, s[:2]) {
		t.Fatalf("%+v %v", u, err)
	}
	if !u.Can(PlantWrite) || !u.Can(AlarmsAct) || u.Can(RulesWrite) || len(u.OnSites) != 0 {
		t.Errorf("%+v", u)
	}
	if a.Can(PlantWrite) || len(a.SiteIDs) != 0 {
		t.Error("the actor itself has changed")
	}
	if u, err = a.Under(AlarmsAct, RulesWrite); err != nil || !slices.Equal(u.SiteIDs, s[2:]) || u.Can(PlantWrite) {
		t.Errorf("%+v %v", u, err)
	}
	for _, ps := range [][]Permission{{PlantWrite, RulesWrite}, {ModelsDeploy}} {
		if _, err := a.Under(ps...); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%v together: %v", ps, err)
		}
	}
	// The same for one who is limited to start with.
	a.Hold(Viewer, []RoleGrant{{NewSet(PlantWrite), s[0]}, {NewSet(RulesWrite), s[1]}})
	if u, err = a.Under(RulesWrite); err != nil || !slices.Equal(u.SiteIDs, s[1:2]) || u.Can(PlantWrite) {
		t.Errorf("%+v %v", u, err)
	}
}
