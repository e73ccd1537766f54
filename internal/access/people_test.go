package access_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"foresight/ent/enum"
	"foresight/internal/access"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/page"
	"foresight/internal/tenancy"
)

func person(role tenancy.Role) access.NewPerson {
	return access.NewPerson{Email: "max@acme.example", FullName: "Max Power", Role: role}
}

func TestNobodyGivesWhatTheyDoNotHold(t *testing.T) {
	r := newRig(t)
	// May manage people, and otherwise no more than an operator.
	manager := r.holding(append([]tenancy.Permission{tenancy.UsersRead, tenancy.UsersWrite}, permissions(tenancy.Operator)...)...)
	for role, allowed := range map[tenancy.Role]bool{tenancy.Viewer: true, tenancy.Operator: true, tenancy.Engineer: false, tenancy.Admin: false} {
		p := person(role)
		p.Email, p.Username = string(role)+"2@acme.example", string(role)+"2"
		_, created := r.CreateUser(manager, p)
		_, invited := r.Invite(manager, "x-"+p.Email, role, "")
		for what, err := range map[string]error{"create": created, "invite": invited} {
			if allowed {
				r.ok(err)
			} else if refused(t, err, fault.BadInput, "error.access.escalation", "input.role"); t.Failed() {
				t.Fatalf("%s %s", what, role)
			}
		}
	}
	// Nor do they take over the account of somebody who holds more.
	engineer := r.acme.Users[tenancy.Engineer]
	_, err := r.UpdateUser(manager, engineer, 1, func(p *access.Person) { p.Email = "mine@acme.example" })
	refused(t, err, fault.Forbidden, "error.access.outranked", "")
	_, err = r.DeactivateUser(manager, engineer)
	refused(t, err, fault.Forbidden, "error.access.outranked", "")
	_, err = r.UpdateUser(manager, r.acme.Users[tenancy.Viewer], 1, func(p *access.Person) { p.Role = tenancy.Admin })
	refused(t, err, fault.BadInput, "error.access.escalation", "input.role")
	// A role that was given on a site counts, too.
	admin := r.as(tenancy.Admin)
	role, err := r.CreateRole(admin, access.RoleSpec{Name: "Rules", Permissions: []string{"rules:write"}})
	r.ok(err)
	_, err = r.AssignRole(admin, access.Assignment{UserID: r.acme.Users[tenancy.Viewer], RoleID: role.ID, SiteID: &r.acme.SiteID})
	r.ok(err)
	_, err = r.DeactivateUser(manager, r.acme.Users[tenancy.Viewer])
	refused(t, err, fault.Forbidden, "error.access.outranked", "")
	if _, err = r.DeactivateUser(manager, r.acme.Users[tenancy.Operator]); err != nil {
		t.Errorf("an equal: %v", err)
	}
	// And whoever is limited to a site manages nobody.
	a := *tenancy.Must(admin)
	a.SiteIDs = []id.UUID{r.acme.SiteID}
	_, err = r.CreateUser(tenancy.With(t.Context(), &a), person(tenancy.Viewer))
	refused(t, err, fault.Forbidden, "error.access.wholeTenant", "")
}

func permissions(role tenancy.Role) (out []tenancy.Permission) {
	for p := range tenancy.RoleScopes(role) {
		out = append(out, p)
	}
	return out
}

func TestATenantKeepsAnAdmin(t *testing.T) {
	r := newRig(t)
	admin, last := r.as(tenancy.Admin), r.acme.Users[tenancy.Admin]
	_, err := r.DeactivateUser(admin, last)
	refused(t, err, fault.Conflict, "error.access.lastAdmin", "")
	_, err = r.UpdateUser(admin, last, 1, func(p *access.Person) { p.Role = tenancy.Engineer })
	refused(t, err, fault.Conflict, "error.access.lastAdmin", "")
	if got := one[string](r, `SELECT role || status FROM users WHERE id = $1`, last); got != "adminactive" {
		t.Fatalf("the last admin is %s", got)
	}
	// An admin on one site, or one who has not set a password yet, does not count.
	role := one[id.UUID](r, `SELECT id FROM roles WHERE tenant_id = $1 AND name = 'admin'`, r.acme.TenantID)
	onSite, err := r.AssignRole(admin, access.Assignment{UserID: r.acme.Users[tenancy.Viewer], RoleID: role, SiteID: &r.acme.SiteID})
	r.ok(err)
	_, err = r.CreateUser(admin, person(tenancy.Admin))
	r.ok(err)
	_, err = r.DeactivateUser(admin, last)
	refused(t, err, fault.Conflict, "error.access.lastAdmin", "")
	// One who was given the role in the whole tenant does.
	_, err = r.UnassignRole(admin, onSite.ID)
	r.ok(err)
	_, err = r.AssignRole(admin, access.Assignment{UserID: r.acme.Users[tenancy.Viewer], RoleID: role})
	r.ok(err)
	_, err = r.DeactivateUser(admin, last)
	r.ok(err)
}

func TestDeactivationEndsSessionsEverywhere(t *testing.T) {
	r := newRig(t)
	who := r.acme.Users[tenancy.Operator]
	r.sql(`UPDATE users SET email = 'olga@acme.example', password_hash = 'x' WHERE id = $1`, who)
	_, err := r.AddMembership(r.globex.As(t.Context(), tenancy.Admin), access.Guest{UserID: who, Email: "Olga@acme.example", DisplayName: "Olga", Role: tenancy.Viewer})
	r.ok(err)
	r.signIn(r.acme.TenantID, who)
	r.signIn(r.globex.TenantID, who)
	u, err := r.DeactivateUser(r.as(tenancy.Admin), who)
	r.ok(err)
	if u.IsActive || u.Status != enum.UserDisabled || r.live(who) != 0 || !slices.Contains(r.ended(), who) {
		t.Errorf("%v with %d sessions", u, r.live(who))
	}
	if n := one[int](r, `SELECT (SELECT count(*) FROM lookup_login('olga@acme.example')) + (SELECT count(*) FROM lookup_memberships($1))`, who); n != 0 {
		t.Error("the person may still come in")
	}
	// And comes back by an update.
	u, err = r.UpdateUser(r.as(tenancy.Admin), who, u.Version, func(p *access.Person) { p.IsActive = true })
	r.ok(err)
	if !u.IsActive || u.Status != enum.UserActive || one[int](r, `SELECT count(*) FROM lookup_login('olga@acme.example')`) != 1 {
		t.Errorf("back: %v", u)
	}
	_, err = r.UpdateUser(r.as(tenancy.Admin), who, u.Version, func(p *access.Person) { p.Role = tenancy.Engineer })
	r.ok(err)
	if !slices.Contains(r.ended(), who) {
		t.Error("a change of role does not reach open sessions")
	}
	if got := one[string](r, `SELECT role FROM memberships WHERE tenant_id = $1 AND user_id = $2`, r.acme.TenantID, who); got != "engineer" {
		t.Errorf("the membership says %s", got)
	}
}

func TestAGuestIsShownOut(t *testing.T) {
	r := newRig(t)
	host, guest := r.globex.As(t.Context(), tenancy.Admin), r.acme.Users[tenancy.Operator]
	r.sql(`UPDATE users SET email = 'olga@acme.example' WHERE id = $1`, guest)
	_, err := r.AddMembership(host, access.Guest{UserID: guest, Email: "olga@acme.example", DisplayName: "Olga", Role: tenancy.Viewer})
	r.ok(err)
	role := one[id.UUID](r, `SELECT id FROM roles WHERE tenant_id = $1 AND name = 'operator'`, r.globex.TenantID)
	_, err = r.AssignRole(host, access.Assignment{UserID: guest, RoleID: role, SiteID: &r.globex.SiteID})
	r.ok(err)
	r.signIn(r.acme.TenantID, guest)
	r.signIn(r.globex.TenantID, guest)
	r.ended()
	m, err := r.RemoveMembership(host, guest)
	r.ok(err)
	if m.IsActive || r.live(guest) != 1 || !slices.Contains(r.ended(), guest) {
		t.Errorf("%v with %d sessions, want the one at home", m, r.live(guest))
	}
	if n := one[int](r, `SELECT count(*) FROM user_roles WHERE user_id = $1`, guest); n != 0 {
		t.Error("the roles stayed")
	}
	again, err := r.AddMembership(host, access.Guest{UserID: guest, Email: "olga@acme.example", DisplayName: "Olga O", Role: tenancy.Operator})
	r.ok(err)
	if again.ID != m.ID || !again.IsActive || again.DisplayName != "Olga O" {
		t.Errorf("let in again %v", again)
	}
}

func TestInvitations(t *testing.T) {
	r := newRig(t)
	admin := r.as(tenancy.Admin)
	first, err := r.Invite(admin, "New@Acme.example", tenancy.Operator, "fr")
	r.ok(err)
	if first.Link != "" {
		t.Error("the link is shown although a letter was sent")
	}
	letter := r.smtp.Wait(t, 0)
	second, err := r.Invite(admin, "new@acme.example", tenancy.Viewer, "")
	r.ok(err)
	me := access.NewPerson{FullName: "New One", Password: password, Role: tenancy.Admin, Email: "other@acme.example"}
	_, err = r.AcceptInvite(t.Context(), token(t, letter.Body), me, "")
	refused(t, err, fault.BadInput, "error.access.token", "input.token") // the second has replaced it
	j, err := r.AcceptInvite(t.Context(), token(t, r.smtp.Wait(t, 1).Body), me, "")
	r.ok(err)
	if j.User.Email != "new@acme.example" || j.User.Role != tenancy.Viewer || j.TenantCode != "acme" || j.User.TenantID != r.acme.TenantID {
		t.Errorf("address and role are not the invitation's: %v", j.User)
	}
	_, err = r.Invite(admin, "new@acme.example", tenancy.Viewer, "")
	refused(t, err, fault.Conflict, "error.access.emailTaken", "input.email")
	late, err := r.Invite(admin, "late@acme.example", tenancy.Viewer, "")
	r.ok(err)
	r.sql(`UPDATE invites SET expires_at = now() - interval '1 s' WHERE id = $1`, late.Invite.ID)
	_, err = r.AcceptInvite(t.Context(), token(t, r.smtp.Wait(t, 2).Body), me, "")
	refused(t, err, fault.BadInput, "error.access.token", "input.token")
	for i, want := range map[*access.Invited]access.InviteState{first: access.InviteWithdrawn, second: access.InviteAccepted, late: access.InviteExpired} {
		p, err := r.Invites(admin, page.Args{}, access.InviteFilter{State: want})
		r.ok(err)
		if len(p.Items) != 1 || p.Items[0].ID != i.Invite.ID || r.StateOf(p.Items[0]) != want {
			t.Errorf("%s: %v", want, p.Items)
		}
	}
	if strings.Contains(r.log.String(), "token") {
		t.Error("a token stands in the log")
	}
}

// Of several who come with one token at once, one joins.
func TestAnInvitationIsAcceptedOnce(t *testing.T) {
	r := newRig(t)
	_, err := r.Invite(r.as(tenancy.Admin), "new@acme.example", tenancy.Operator, "")
	r.ok(err)
	tok := token(t, r.smtp.Wait(t, 0).Body)
	results := make(chan error)
	for range 4 {
		go func() {
			_, err := r.AcceptInvite(context.WithoutCancel(t.Context()), tok, access.NewPerson{FullName: "New", Password: password}, "")
			results <- err
		}()
	}
	won := 0
	for range 4 {
		if err := <-results; err == nil {
			won++
		} else {
			refused(t, err, fault.BadInput, "error.access.token", "input.token")
		}
	}
	if won != 1 || one[int](r, `SELECT count(*) FROM users WHERE email = 'new@acme.example'`) != 1 {
		t.Errorf("%d joined", won)
	}
}

// Whoever is locked out does not come back by what they have left open.
func TestInvitationsEndWithTheirMaker(t *testing.T) {
	r := newRig(t)
	maker := *tenancy.Must(r.as(tenancy.Engineer))
	maker.Scopes = tenancy.RoleScopes(tenancy.Admin)
	_, err := r.Invite(tenancy.With(t.Context(), &maker), "back@door.example", tenancy.Admin, "")
	r.ok(err)
	tok := token(t, r.smtp.Wait(t, 0).Body)
	_, err = r.DeactivateUser(r.as(tenancy.Admin), maker.ID)
	r.ok(err)
	_, err = r.AcceptInvite(t.Context(), tok, access.NewPerson{FullName: "Back", Password: password}, "")
	refused(t, err, fault.BadInput, "error.access.token", "input.token")
}

func TestAGuestAcceptsWithTheAccountAtHome(t *testing.T) {
	r := newRig(t)
	r.sql(`UPDATE users SET email = 'gus@globex.example' WHERE id = $1`, r.globex.Users[tenancy.Engineer])
	_, err := r.Invite(r.as(tenancy.Admin), "gus@globex.example", tenancy.Operator, "")
	r.ok(err)
	tok := token(t, r.smtp.Wait(t, 0).Body)
	_, err = r.AcceptInviteAsGuest(r.globex.As(t.Context(), tenancy.Viewer), tok)
	refused(t, err, fault.BadInput, "error.access.token", "input.token") // it is for somebody else
	j, err := r.AcceptInviteAsGuest(r.globex.As(t.Context(), tenancy.Engineer), tok)
	r.ok(err)
	if j.TenantCode != "acme" || one[string](r, `SELECT role FROM memberships WHERE tenant_id = $1 AND user_id = $2`, r.acme.TenantID, j.User.ID) != "operator" {
		t.Errorf("joined %v", j)
	}
}

func TestWithoutAMailServerLinksAreHandedOver(t *testing.T) {
	r := newRig(t, func(r *rig) { r.config.Post = access.NewPost(access.PostOptions{Log: r.config.Log}) })
	i, err := r.Invite(r.as(tenancy.Admin), "new@acme.example", tenancy.Viewer, "")
	r.ok(err)
	if !strings.HasPrefix(i.Link, "https://foresight.example/accept-invite#token=") {
		t.Errorf("link %q", i.Link)
	}
	u, err := r.CreateUser(r.as(tenancy.Admin), person(tenancy.Viewer))
	r.ok(err)
	if _, err := r.ResetPassword(t.Context(), token(t, u.Link), password, ""); err != nil {
		t.Error(err)
	}
	if got := one[string](r, `SELECT status FROM users WHERE id = $1`, u.User.ID); got != "active" {
		t.Errorf("the person is %s", got)
	}
	if log := r.log.String(); !strings.Contains(log, "no mail server is configured") || strings.Contains(log, token(t, i.Link)) {
		t.Errorf("log %s", log)
	}
}

func TestPasswordReset(t *testing.T) {
	r := newRig(t)
	who := r.acme.Users[tenancy.Operator]
	r.sql(`UPDATE users SET email = 'olga@acme.example', locale = 'ar', failed_logins = 9, locked_until = now() + interval '1 h' WHERE id = $1`, who)
	r.signIn(r.acme.TenantID, who)
	r.ok(r.RequestPasswordReset(t.Context(), "nobody@acme.example", "", "192.0.2.1"))
	r.ok(r.RequestPasswordReset(t.Context(), "not an address", "", "192.0.2.1"))
	r.ok(r.RequestPasswordReset(t.Context(), "olga@acme.example", "globex", "192.0.2.1")) // not there
	r.ok(r.RequestPasswordReset(t.Context(), " Olga@ACME.example", "acme", "192.0.2.1"))
	letter := r.smtp.Wait(t, 0)
	if letter.To != "olga@acme.example" || len(r.smtp.Taken()) != 1 {
		t.Fatalf("letters %v", r.smtp.Taken())
	}
	tok := token(t, letter.Body)
	_, err := r.ResetPassword(t.Context(), tok, "olga@acme.example", "")
	refused(t, err, fault.BadInput, "error.access.passwordGuessable", "input.password")
	got, err := r.ResetPassword(t.Context(), tok, password, "")
	r.ok(err)
	if got.Email != "olga@acme.example" || got.TenantCode != "acme" || r.live(who) != 0 || !slices.Contains(r.ended(), who) {
		t.Errorf("%v with %d sessions", got, r.live(who))
	}
	if n := one[int](r, `SELECT failed_logins::int FROM users WHERE id = $1 AND locked_until IS NULL`, who); n != 0 {
		t.Error("still locked")
	}
	if ok, err := r.hasher.Verify(t.Context(), one[string](r, `SELECT password_hash FROM users WHERE id = $1`, who), password); err != nil || !ok {
		t.Error("the password does not let in")
	}
	_, err = r.ResetPassword(t.Context(), tok, "another one of these", "")
	refused(t, err, fault.BadInput, "error.access.token", "input.token")

	r.ok(r.RequestPasswordReset(t.Context(), "olga@acme.example", "", "192.0.2.2"))
	old := token(t, r.smtp.Wait(t, 1).Body)
	r.sql(`UPDATE password_resets SET expires_at = now() - interval '1 s'`)
	for _, bad := range []string{old, "", "x", strings.Repeat("x", 43), strings.Repeat("x", 100_000)} {
		_, err = r.ResetPassword(t.Context(), bad, password, "")
		refused(t, err, fault.BadInput, "error.access.token", "input.token")
	}
	r.ok(r.RequestPasswordReset(t.Context(), "olga@acme.example", "", "192.0.2.2"))
	former := token(t, r.smtp.Wait(t, 2).Body)
	_, err = r.UpdateUser(r.as(tenancy.Admin), who, one[int](r, `SELECT version FROM users WHERE id = $1`, who), func(p *access.Person) { p.Email = "olga@new.example" })
	r.ok(err)
	_, err = r.ResetPassword(t.Context(), former, password, "")
	refused(t, err, fault.BadInput, "error.access.token", "input.token") // it went to the former address
	if n := one[int](r, `SELECT count(*) FROM audit_logs WHERE changes::text LIKE '%' || $1 || '%'`, password); n != 0 {
		t.Error("a password stands in the audit log")
	}
}

// A letter box is not filled, whoever asks, and nobody is told.
func TestLettersOfOneAddressAreLimited(t *testing.T) {
	r := newRig(t)
	r.sql(`UPDATE users SET email = 'olga@acme.example' WHERE id = $1`, r.acme.Users[tenancy.Operator])
	for i := range 60 {
		r.ok(r.RequestPasswordReset(t.Context(), "olga@acme.example", "", string(rune('a'+i))))
	}
	r.ok(r.RequestPasswordReset(t.Context(), "admin@example.com", "acme", "192.0.2.9")) // the last in the queue
	n := 0
	for ; r.smtp.Wait(t, n).To == "olga@acme.example"; n++ {
	}
	if n < 5 || n > 25 {
		t.Errorf("%d letters", n)
	}
}

func TestChangePassword(t *testing.T) {
	r := newRig(t)
	who, ctx := r.acme.Users[tenancy.Operator], r.as(tenancy.Operator)
	hash, err := r.hasher.Hash(t.Context(), "the old password")
	r.ok(err)
	r.sql(`UPDATE users SET password_hash = $1 WHERE id = $2`, hash, who)
	r.signIn(r.acme.TenantID, who)
	_, err = r.ChangePassword(ctx, "the old password", "short")
	refused(t, err, fault.BadInput, "error.access.passwordLength", "input.password")
	_, err = r.ChangePassword(ctx, "the old password", password)
	r.ok(err)
	if r.live(who) != 0 || !slices.Contains(r.ended(), who) {
		t.Error("sessions outlive the password")
	}
	r.pass(0) // the clock stands: no guess comes back meanwhile
	wrong := 0
	for ; wrong < 20; wrong++ {
		if _, err = r.ChangePassword(ctx, "guess", password); fault.Is(err, fault.RateLimited) {
			break
		}
		refused(t, err, fault.BadInput, "error.access.currentPassword", "input.currentPassword")
	}
	if wrong == 0 || wrong > 5 {
		t.Errorf("limited after %d guesses", wrong)
	}
	r.pass(time.Hour)
	if _, err = r.ChangePassword(ctx, password, "the next password"); err != nil {
		t.Errorf("an hour later: %v", err)
	}
	guest := *tenancy.Must(ctx)
	guest.TenantID = r.globex.TenantID
	_, err = r.ChangePassword(tenancy.With(t.Context(), &guest), password, password)
	refused(t, err, fault.Conflict, "error.access.atHome", "")
	_, err = r.ChangePassword(tenancy.AsSystem(t.Context(), r.acme.TenantID), password, password)
	refused(t, err, fault.BadInput, "error.access.personsOnly", "")
}
