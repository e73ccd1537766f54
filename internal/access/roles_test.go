package access_test

import (
	"slices"
	"testing"

	"foresight/ent/enum"
	"foresight/ent/userrole"
	"foresight/internal/access"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/page"
	"foresight/internal/tenancy"
)

func TestRoles(t *testing.T) {
	r := newRig(t)
	admin := r.as(tenancy.Admin)
	role, err := r.CreateRole(admin, access.RoleSpec{Name: " Planner ", Description: "Plans", Permissions: []string{"plant:write", "plant:read", "plant:read"}})
	r.ok(err)
	if role.Name != "Planner" || role.IsSystem {
		t.Errorf("made %v", role)
	}
	people := []id.UUID{r.acme.Users[tenancy.Viewer], r.acme.Users[tenancy.Operator]}
	for _, p := range people {
		_, err := r.AssignRole(admin, access.Assignment{UserID: p, RoleID: role.ID})
		r.ok(err)
	}
	if got := r.ended(); !slices.Equal(got, people) {
		t.Errorf("rights of %v renewed, want %v", got, people)
	}
	_, err = r.UpdateRole(admin, role.ID, 1, func(s *access.RoleSpec) { s.Permissions = append(s.Permissions, "rules:write") })
	r.ok(err)
	if got := r.ended(); len(got) != 2 || !slices.Contains(got, people[0]) || !slices.Contains(got, people[1]) {
		t.Errorf("rights of %v renewed", got)
	}
	_, err = r.UpdateRole(admin, role.ID, 2, func(s *access.RoleSpec) { s.Description = "Plans much" })
	r.ok(err)
	if got := r.ended(); len(got) != 0 {
		t.Errorf("a text has ended sessions of %v", got)
	}
	sets, err := r.PermissionsOf(admin, []id.UUID{role.ID})
	r.ok(err)
	if got := sets[role.ID]; !slices.Equal(got, []string{"plant:read", "plant:write", "rules:write"}) {
		t.Errorf("allows %v", got)
	}
	_, err = r.UpdateRole(admin, role.ID, 2, func(*access.RoleSpec) {})
	refused(t, err, fault.Conflict, "error.stale", "input.expectedVersion")
	_, err = r.DeleteRole(admin, role.ID)
	refused(t, err, fault.Conflict, "error.access.roleInUse", "input.id")
	for _, a := range r.orm.UserRole.Query().Where(userrole.RoleID(role.ID)).AllX(admin) {
		_, err := r.UnassignRole(admin, a.ID)
		r.ok(err)
	}
	_, err = r.DeleteRole(admin, role.ID)
	r.ok(err)
	if n := one[int](r, `SELECT count(*) FROM role_permissions WHERE role_id = $1`, role.ID); n != 0 {
		t.Error("its permissions stayed")
	}
}

func TestSystemRolesCannotBeChanged(t *testing.T) {
	r := newRig(t)
	admin := r.as(tenancy.Admin)
	p, err := r.Roles(admin, page.Args{}, access.RoleFilter{})
	r.ok(err)
	if len(p.Items) != 4 {
		t.Fatalf("%d roles", len(p.Items))
	}
	for _, role := range p.Items {
		_, err := r.UpdateRole(admin, role.ID, role.Version, func(s *access.RoleSpec) { s.Permissions = nil })
		refused(t, err, fault.BadInput, "error.access.systemRole", "input.id")
		_, err = r.DeleteRole(admin, role.ID)
		refused(t, err, fault.BadInput, "error.access.systemRole", "input.id")
		_, err = r.CreateRole(admin, access.RoleSpec{Name: "  " + role.Name})
		refused(t, err, fault.BadInput, "error.access.roleName", "input.name")
	}
}

func TestRolesDoNotClimb(t *testing.T) {
	r := newRig(t)
	admin := r.as(tenancy.Admin)
	// May make and give roles, and act on alarms.
	keeper := r.holding(tenancy.RolesRead, tenancy.RolesWrite, tenancy.AlarmsRead, tenancy.AlarmsAct)
	self := r.acme.Users[tenancy.Operator]
	mine, err := r.CreateRole(keeper, access.RoleSpec{Name: "Alarms", Permissions: []string{"alarms:acknowledge"}})
	r.ok(err)
	strong, err := r.CreateRole(admin, access.RoleSpec{Name: "Strong", Permissions: []string{"users:write"}})
	r.ok(err)
	system := one[id.UUID](r, `SELECT id FROM roles WHERE tenant_id = $1 AND name = 'admin'`, r.acme.TenantID)

	_, err = r.CreateRole(keeper, access.RoleSpec{Name: "More", Permissions: []string{"alarms:read", "users:write"}})
	refused(t, err, fault.BadInput, "error.access.escalation", "input.permissions")
	_, err = r.UpdateRole(keeper, mine.ID, 1, func(s *access.RoleSpec) { s.Permissions = []string{"tenant:write"} })
	refused(t, err, fault.BadInput, "error.access.escalation", "input.permissions")
	// Not even weaker: a role that allows more than oneself holds is others' affair.
	_, err = r.UpdateRole(keeper, strong.ID, 1, func(s *access.RoleSpec) { s.Permissions = nil })
	refused(t, err, fault.BadInput, "error.access.escalation", "input.id")
	_, err = r.DeleteRole(keeper, strong.ID)
	refused(t, err, fault.BadInput, "error.access.escalation", "input.id")
	for _, role := range []id.UUID{strong.ID, system} {
		for _, site := range []*id.UUID{nil, &r.acme.SiteID} {
			_, err = r.AssignRole(keeper, access.Assignment{UserID: self, RoleID: role, SiteID: site})
			refused(t, err, fault.BadInput, "error.access.escalation", "input.roleId")
		}
	}
	// A role on a site limits: whoever holds more is not limited by who holds less.
	_, err = r.AssignRole(keeper, access.Assignment{UserID: r.acme.Users[tenancy.Engineer], RoleID: mine.ID, SiteID: &r.acme.SiteID})
	refused(t, err, fault.Forbidden, "error.access.outranked", "")
	_, err = r.AssignRole(keeper, access.Assignment{UserID: self, RoleID: mine.ID})
	r.ok(err)
	_, err = r.CreateRole(r.as(tenancy.Engineer), access.RoleSpec{Name: "x"})
	refused(t, err, fault.Forbidden, "error.forbidden", "")
}

func TestWhatIsAnotherTenantsDoesNotExist(t *testing.T) {
	r := newRig(t)
	theirs := r.globex.As(t.Context(), tenancy.Admin)
	role, err := r.CreateRole(r.as(tenancy.Admin), access.RoleSpec{Name: "Planner"})
	r.ok(err)
	mine := r.acme.Users[tenancy.Viewer]
	given, err := r.AssignRole(r.as(tenancy.Admin), access.Assignment{UserID: mine, RoleID: role.ID})
	r.ok(err)
	invited, err := r.Invite(r.as(tenancy.Admin), "x@acme.example", tenancy.Viewer, "")
	r.ok(err)
	for name, try := range map[string]func() error{
		"update user":       func() error { _, err := r.UpdateUser(theirs, mine, 1, func(*access.Person) {}); return err },
		"deactivate user":   func() error { _, err := r.DeactivateUser(theirs, mine); return err },
		"remove membership": func() error { _, err := r.RemoveMembership(theirs, mine); return err },
		"update membership": func() error {
			_, err := r.UpdateMembership(theirs, mine, 1, func(*string, *tenancy.Role) {})
			return err
		},
		"withdraw invite": func() error { _, err := r.WithdrawInvite(theirs, invited.Invite.ID); return err },
		"update role":     func() error { _, err := r.UpdateRole(theirs, role.ID, 1, func(*access.RoleSpec) {}); return err },
		"delete role":     func() error { _, err := r.DeleteRole(theirs, role.ID); return err },
		"unassign":        func() error { _, err := r.UnassignRole(theirs, given.ID); return err },
		"assign its role": func() error {
			_, err := r.AssignRole(theirs, access.Assignment{UserID: r.globex.Users[tenancy.Viewer], RoleID: role.ID})
			return err
		},
		"assign to its member": func() error {
			_, err := r.AssignRole(theirs, access.Assignment{UserID: mine, RoleID: one[id.UUID](r, `SELECT id FROM roles WHERE tenant_id = $1 AND name = 'viewer'`, r.globex.TenantID)})
			return err
		},
		"assign on its site": func() error {
			_, err := r.AssignRole(theirs, access.Assignment{UserID: r.globex.Users[tenancy.Viewer], SiteID: &r.acme.SiteID,
				RoleID: one[id.UUID](r, `SELECT id FROM roles WHERE tenant_id = $1 AND name = 'viewer'`, r.globex.TenantID)})
			return err
		},
	} {
		var l fault.List
		if err := try(); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v %v", name, err, l)
		}
	}
	for name, list := range map[string]func() (int, error){
		"users": func() (int, error) {
			p, err := r.Users(theirs, page.Args{}, access.PersonFilter{})
			return len(p.Items), err
		},
		"memberships": func() (int, error) {
			p, err := r.Memberships(theirs, page.Args{}, access.PersonFilter{})
			return len(p.Items), err
		},
		"roles": func() (int, error) {
			p, err := r.Roles(theirs, page.Args{}, access.RoleFilter{})
			return len(p.Items), err
		},
	} {
		if n, err := list(); err != nil || n != 4 {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
	if p, err := r.Invites(theirs, page.Args{}, access.InviteFilter{}); err != nil || len(p.Items) != 0 {
		t.Errorf("invites %v %v", p.Items, err)
	}
}

func TestFaultActionsAreSealed(t *testing.T) {
	r := newRig(t)
	ctx := r.as(tenancy.Operator)
	text := func(s string) *string { return &s }
	set, err := r.SetFaultActions(ctx, []access.Action{
		{Type: enum.ChannelSlack, Enabled: true, Address: text("https://hooks.slack.com/services/T0/B0/hush")},
		{Type: enum.ChannelWebhook, Enabled: true, Address: text("https://hooks.example.com/in"), Secret: text("0123456789abcdef")},
	})
	r.ok(err)
	for i, want := range []string{"https://hooks.slack.com/services/T0/B0/hush", "0123456789abcdef"} {
		sealed := one[[]byte](r, `SELECT secret_ciphertext FROM fault_actions WHERE id = $1`, set[i].ID)
		if plain, err := r.box.Open(sealed, access.SecretPlace(set[i].ID)); err != nil || string(plain) != want {
			t.Errorf("%d: %q %v", i, plain, err)
		}
	}
	if n := one[int](r, `SELECT count(*) FROM fault_actions WHERE config::text LIKE '%hush%'`) + one[int](r, `SELECT count(*) FROM audit_logs WHERE changes::text LIKE '%hush%'`); n != 0 {
		t.Error("the secret stands in the open")
	}
	_, err = r.SetFaultActions(ctx, []access.Action{{Type: enum.ChannelEmail, Address: text("olga@acme.example")}, {Type: enum.ChannelSMS, Address: text("030 1234")}})
	refused(t, err, fault.BadInput, "error.access.actionAddress", "input.actions.1.address")
	if got, err := r.FaultActions(ctx); err != nil || len(got) != 2 {
		t.Errorf("a refused list has changed something: %v %v", got, err)
	}
	kept, err := r.SetFaultActions(ctx, []access.Action{{ID: &set[1].ID, Type: enum.ChannelWebhook, Secret: text("")}, {Type: enum.ChannelSMS, Address: text("+49301234567")}})
	r.ok(err)
	if len(kept) != 2 || kept[0].ID != set[1].ID || len(kept[0].SecretCiphertext) != 0 || access.AddressOf(kept[0]) != "https://hooks.example.com/in" {
		t.Errorf("kept %v", kept)
	}
	if got, err := r.FaultActions(r.as(tenancy.Viewer)); err != nil || len(got) != 0 {
		t.Errorf("another sees %v %v", got, err)
	}
}
