package graph_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"foresight/internal/access"
	"foresight/internal/auth"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/mail"
	"foresight/internal/secret"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
	"foresight/locales"
)

// people is the service of tenants and people, with a mail server. Acme operates the
// installation.
func (r *rig) people(orm *sql.DB) *access.Service {
	r.Helper()
	r.smtp = testkit.SMTP(r)
	m, err := mail.NewSMTP(mail.Options{Host: r.smtp.Host, Port: r.smtp.Port, TLSConfig: r.smtp.Trust, From: "robot@foresight.example"}, locales.New())
	r.ok(err)
	box, err := secret.New(map[uint32][]byte{1: bytes.Repeat([]byte("k"), 32)})
	r.ok(err)
	queue, err := jobs.NewQueue(r.app)
	r.ok(err)
	post := access.NewPost(access.PostOptions{Mailer: m, Queue: queue, Sealer: box, Log: slog.New(slog.DiscardHandler)})
	r.sendLetters = sync.OnceFunc(func() { r.runs(post.Work) })
	r.ok(post.Start(r.Context()))
	r.Cleanup(func() { r.ok(post.Stop(context.WithoutCancel(r.Context()))) })
	s, err := access.New(access.Config{DB: orm, App: r.app, Registry: r.worker, Hasher: auth.NewHasher(auth.Params{Memory: 64, Time: 1, Threads: 1}),
		Sessions: r.sessions, Post: post, Sealer: box, PublicURL: &url.URL{Scheme: "https", Host: "foresight.example"}, OpenRegistration: true,
		Operator: r.acme.TenantCode, Log: slog.New(slog.DiscardHandler)})
	r.ok(err)
	for _, p := range []testkit.Plant{r.acme, r.globex} {
		r.ok(s.EnsureSystemRoles(r.Context(), p.TenantID))
	}
	return s
}

// letter returns the token of the nth letter.
func (r *rig) letter(n int) string {
	r.Helper()
	r.sendLetters()
	m := regexp.MustCompile(`#token=([A-Za-z0-9_-]{43})`).FindStringSubmatch(r.smtp.Wait(r, n).Body)
	if m == nil {
		r.Fatal("no token in the letter")
	}
	return m[1]
}

// do runs a mutation whose payload has the fields, and returns the payload.
func (r *rig) do(actor, field, inputType, fields string, in map[string]any) any {
	r.Helper()
	q := fmt.Sprintf(`mutation($in: %s!) { %s(input: $in) { %s userErrors { field message code } } }`, inputType, field, fields)
	return r.data(actor, q, "in", in)[field]
}

// onlyMistake checks the only mistake of a payload.
func onlyMistake(t testing.TB, payload any, code, field string) {
	t.Helper()
	if at(payload, "userErrors", 0, "code") != code || field != "" && at(payload, "userErrors", 0, "field") != field || at(payload, "userErrors", 1) != nil {
		t.Errorf("%v, want %s at %s", payload, code, field)
	}
}

const goodPassword = "correct horse battery"

func TestRegisterInviteAndJoin(t *testing.T) {
	r := newRig(t)
	const session = `session { accessToken refreshToken viewer { role tenant { code plan settings { rawRetentionDays automaticWorkOrders } } user { email status } settings { theme version } faultActions { id } } }`
	got := r.do("", "register", "RegisterInput", session, map[string]any{"tenantCode": "initech", "tenantName": "Initech", "email": "ada@initech.example",
		"fullName": "Ada", "password": goodPassword, "locale": "de", "currency": "CHF"})
	if at(got, "session", "viewer", "tenant", "code") != "initech" || at(got, "session", "viewer", "role") != "ADMIN" || at(got, "session", "refreshToken") == nil ||
		at(got, "session", "viewer", "tenant", "settings", "automaticWorkOrders") != "PROPOSED" || at(got, "session", "viewer", "user", "status") != "ACTIVE" ||
		at(got, "session", "viewer", "settings", "version") != 0.0 {
		t.Fatalf("registered %v", got)
	}
	if g, err := r.sessions.Authenticate(t.Context(), "Bearer "+at(got, "session", "accessToken").(string)); err != nil || g.Actor.TenantCode != "initech" {
		t.Errorf("the token: %v", err)
	}
	again := r.do("", "register", "RegisterInput", session, map[string]any{"tenantCode": "initech", "tenantName": "", "email": "x", "fullName": "Ada", "password": "short"})
	if s := fmt.Sprint(at(again, "userErrors")); !strings.Contains(s, "input.tenantName") || !strings.Contains(s, "input.email") || !strings.Contains(s, "input.password") {
		t.Errorf("mistakes %v", s)
	}

	invited := r.do("acme/admin", "inviteUser", "InviteUserInput", `invite { id email role state invitedBy { fullName } } link`, map[string]any{"email": "New@acme.example", "role": "OPERATOR"})
	if at(invited, "invite", "email") != "new@acme.example" || at(invited, "invite", "state") != "PENDING" || at(invited, "link") != nil || at(invited, "invite", "invitedBy", "fullName") != "admin" {
		t.Fatalf("invited %v", invited)
	}
	token := r.letter(0)
	onlyMistake(t, r.do("", "acceptInvite", "AcceptInviteInput", "tenantCode", map[string]any{"token": token, "fullName": "New", "password": "short"}), "BAD_USER_INPUT", "input.password")
	joined := r.do("", "acceptInvite", "AcceptInviteInput", "tenantCode "+session, map[string]any{"token": token, "fullName": "New One", "password": goodPassword})
	if at(joined, "tenantCode") != "acme" || at(joined, "session", "viewer", "role") != "OPERATOR" || at(joined, "session", "viewer", "user", "email") != "new@acme.example" {
		t.Fatalf("joined %v", joined)
	}
	onlyMistake(t, r.do("", "acceptInvite", "AcceptInviteInput", "tenantCode", map[string]any{"token": token, "fullName": "Two", "password": goodPassword}), "BAD_USER_INPUT", "input.token")
	list := r.data("acme/admin", `{ invites(filter: {state: ACCEPTED, search: "NEW"}) { totalCount nodes { id state acceptedAt } } users(filter: {search: "new"}) { nodes { id username assignments { id } } } }`)
	if at(list, "invites", "totalCount") != 1.0 || at(list, "users", "nodes", 0, "username") != "new" {
		t.Errorf("lists %v", list)
	}
	other := r.do("acme/admin", "inviteUser", "InviteUserInput", "invite { id }", map[string]any{"email": "other@acme.example", "role": "VIEWER"})
	gone := r.do("acme/admin", "withdrawInvite", "WithdrawInviteInput", "invite { state }", map[string]any{"id": at(other, "invite", "id")})
	if at(gone, "invite", "state") != "WITHDRAWN" {
		t.Errorf("withdrawn %v", gone)
	}
	onlyMistake(t, r.do("globex/admin", "withdrawInvite", "WithdrawInviteInput", "invite { state }", map[string]any{"id": at(other, "invite", "id")}), "NOT_FOUND", "input.id")
	onlyMistake(t, r.do("", "acceptInvite", "AcceptInviteInput", "tenantCode", map[string]any{"token": r.letter(1), "fullName": "Two", "password": goodPassword}), "BAD_USER_INPUT", "input.token")
}

func TestUserMutations(t *testing.T) {
	r := newRig(t)
	const user = `user { id username email role locale isActive status version } link`
	in := map[string]any{"email": "max@acme.example", "fullName": "Max", "role": "VIEWER", "idempotencyKey": "max-1"}
	made := r.do("acme/admin", "createUser", "CreateUserInput", user, in)
	which := at(made, "user", "id")
	if which == nil || at(made, "user", "status") != "INVITED" || at(made, "user", "username") != "max" || at(made, "link") != nil {
		t.Fatalf("made %v", made)
	}
	if again := r.do("acme/admin", "createUser", "CreateUserInput", user, in); at(again, "user", "id") != which {
		t.Errorf("the same attempt: %v", again)
	}
	delete(in, "idempotencyKey")
	onlyMistake(t, r.do("acme/admin", "createUser", "CreateUserInput", user, in), "CONFLICT", "input.email")

	reset := r.do("", "resetPassword", "ResetPasswordInput", "session { viewer { user { email } } }", map[string]any{"token": r.letter(0), "password": goodPassword})
	if at(reset, "session", "viewer", "user", "email") != "max@acme.example" {
		t.Fatalf("the welcome letter: %v", reset)
	}
	update := func(actor string, of any, version int, fields map[string]any) any {
		fields["id"], fields["expectedVersion"] = of, version
		return r.do(actor, "updateUser", "UpdateUserInput", user, fields)
	}
	version := int(at(r.data("acme/admin", `query($id: UUID!) { node(id: $id) { ... on User { version } } }`, "id", which), "node", "version").(float64))
	got := update("acme/admin", which, version, map[string]any{"role": "ENGINEER", "locale": "fr"})
	if at(got, "user", "role") != "ENGINEER" || at(got, "user", "locale") != "fr" || at(got, "user", "email") != "max@acme.example" {
		t.Errorf("updated %v", got)
	}
	onlyMistake(t, update("acme/admin", which, version, map[string]any{"fullName": "Lost"}), "CONFLICT", "input.expectedVersion")
	onlyMistake(t, update("globex/admin", which, version+1, map[string]any{"fullName": "Stolen"}), "NOT_FOUND", "input.id")
	onlyMistake(t, update("acme/admin", r.acme.Users[tenancy.Admin], 1, map[string]any{"role": "VIEWER"}), "CONFLICT", "")
	gone := r.do("acme/admin", "deactivateUser", "DeactivateUserInput", user, map[string]any{"id": which})
	if at(gone, "user", "isActive") != false || at(gone, "user", "status") != "DISABLED" {
		t.Errorf("deactivated %v", gone)
	}
	onlyMistake(t, r.do("globex/admin", "deactivateUser", "DeactivateUserInput", user, map[string]any{"id": which}), "NOT_FOUND", "input.id")
	for _, f := range []string{"createUser", "inviteUser", "deactivateUser"} {
		q := fmt.Sprintf(`mutation($in: %sInput!) { %s(input: $in) { userErrors { code } } }`, strings.ToUpper(f[:1])+f[1:], f)
		vars := map[string]any{"deactivateUser": map[string]any{"id": which}, "createUser": map[string]any{"email": "a@b.example", "fullName": "A", "role": "VIEWER"}, "inviteUser": map[string]any{"email": "a@b.example", "role": "VIEWER"}}[f]
		if a := r.ask("acme/engineer", q, "in", vars); len(a.Errors) == 0 || a.Errors[0].Extensions["code"] != "FORBIDDEN" {
			t.Errorf("%s by an engineer: %s", f, a.raw)
		}
	}
	lists := r.data("acme/admin", `{ users(filter: {roles: [ENGINEER], isActive: true}) { nodes { username } } memberships(filter: {isActive: false}) { nodes { displayName isGuest role user { id } } } }`)
	if at(lists, "users", "nodes", 0, "username") != "engineer" || at(lists, "users", "nodes", 1) != nil ||
		at(lists, "memberships", "nodes", 0, "displayName") != "Max" || at(lists, "memberships", "nodes", 0, "isGuest") != false {
		t.Errorf("filters: %v", lists)
	}
}

func TestGuests(t *testing.T) {
	r := newRig(t)
	const membership = `membership { id userId displayName role isGuest isActive version user { id } }`
	guest := r.globex.Users[tenancy.Engineer]
	r.sql(`UPDATE users SET email = 'gus@globex.example' WHERE id = $1`, guest)
	in := map[string]any{"userId": guest, "email": "gus@globex.example", "displayName": "Gus", "role": "OPERATOR"}
	for name, change := range map[string]map[string]any{"another address": {"email": "engineer@example.com"}, "another person": {"userId": id.New(id.User)}} {
		wrong := map[string]any{}
		for k, v := range in {
			wrong[k] = v
		}
		for k, v := range change {
			wrong[k] = v
		}
		got := r.do("acme/admin", "addMembership", "AddMembershipInput", membership, wrong)
		if at(got, "userErrors", 0, "code") != "NOT_FOUND" || at(got, "userErrors", 0, "field") != "input.userId" {
			t.Errorf("%s: %v", name, got)
		}
	}
	got := r.do("acme/admin", "addMembership", "AddMembershipInput", membership, in)
	if at(got, "membership", "isGuest") != true || at(got, "membership", "user") != nil || at(got, "membership", "role") != "OPERATOR" {
		t.Fatalf("added %v", got)
	}
	onlyMistake(t, r.do("acme/admin", "addMembership", "AddMembershipInput", membership, in), "CONFLICT", "")
	got = r.do("acme/admin", "updateMembership", "UpdateMembershipInput", membership, map[string]any{"userId": guest, "expectedVersion": 1, "role": "VIEWER"})
	if at(got, "membership", "role") != "VIEWER" || at(got, "membership", "displayName") != "Gus" {
		t.Errorf("changed %v", got)
	}
	onlyMistake(t, r.do("acme/admin", "updateMembership", "UpdateMembershipInput", membership, map[string]any{"userId": guest, "expectedVersion": 1}), "CONFLICT", "input.expectedVersion")
	onlyMistake(t, r.do("acme/admin", "updateUser", "UpdateUserInput", "user { id }", map[string]any{"id": guest, "expectedVersion": 1, "email": "mine@acme.example"}), "BAD_USER_INPUT", "input.id")
	got = r.do("acme/admin", "removeMembership", "RemoveMembershipInput", membership, map[string]any{"userId": guest})
	if at(got, "membership", "isActive") != false {
		t.Errorf("removed %v", got)
	}
	onlyMistake(t, r.do("acme/admin", "removeMembership", "RemoveMembershipInput", membership, map[string]any{"userId": r.acme.Users[tenancy.Viewer]}), "BAD_USER_INPUT", "input.userId")
	onlyMistake(t, r.do("acme/admin", "removeMembership", "RemoveMembershipInput", membership, map[string]any{"userId": r.globex.Users[tenancy.Viewer]}), "NOT_FOUND", "input.userId")
}

func TestRoleMutations(t *testing.T) {
	r := newRig(t)
	const role = `role { id name description isSystem permissions version }`
	made := r.do("acme/admin", "createRole", "CreateRoleInput", role, map[string]any{"name": "Planner", "permissions": []string{"plant:read", "plant:write"}})
	which := at(made, "role", "id")
	if which == nil || fmt.Sprint(at(made, "role", "permissions")) != "[plant:read plant:write]" {
		t.Fatalf("made %v", made)
	}
	onlyMistake(t, r.do("acme/admin", "createRole", "CreateRoleInput", role, map[string]any{"name": "Planner", "permissions": []string{}}), "CONFLICT", "input.name")
	onlyMistake(t, r.do("acme/admin", "createRole", "CreateRoleInput", role, map[string]any{"name": "Admin", "permissions": []string{}}), "BAD_USER_INPUT", "input.name")
	onlyMistake(t, r.do("acme/admin", "createRole", "CreateRoleInput", role, map[string]any{"name": "x", "permissions": []string{"plant:fly"}}), "BAD_USER_INPUT", "input.permissions")
	r.change = func(a *tenancy.Actor) {
		a.Scopes = tenancy.NewSet(tenancy.RolesRead, tenancy.RolesWrite, tenancy.PlantRead)
	}
	onlyMistake(t, r.do("acme/operator", "createRole", "CreateRoleInput", role, map[string]any{"name": "x", "permissions": []string{"users:write"}}), "BAD_USER_INPUT", "input.permissions")
	onlyMistake(t, r.do("acme/operator", "assignRole", "AssignRoleInput", "assignment { id }", map[string]any{"userId": r.acme.Users[tenancy.Operator], "roleId": which}), "BAD_USER_INPUT", "input.roleId")
	r.change = func(*tenancy.Actor) {}

	up := map[string]any{"id": which, "expectedVersion": 1, "permissions": []string{"plant:read"}, "description": "Plans"}
	if got := r.do("acme/admin", "updateRole", "UpdateRoleInput", role, up); fmt.Sprint(at(got, "role", "permissions")) != "[plant:read]" || at(got, "role", "name") != "Planner" || at(got, "role", "version") != 2.0 {
		t.Errorf("updated %v", got)
	}
	onlyMistake(t, r.do("acme/admin", "updateRole", "UpdateRoleInput", role, up), "CONFLICT", "input.expectedVersion")
	onlyMistake(t, r.do("globex/admin", "updateRole", "UpdateRoleInput", role, up), "NOT_FOUND", "input.id")
	system := at(r.data("acme/admin", `{ roles(filter: {isSystem: true, search: "admin"}) { nodes { id name permissions } } }`), "roles", "nodes", 0)
	if at(system, "name") != "admin" || len(at(system, "permissions").([]any)) != len(tenancy.Permissions()) {
		t.Errorf("system role %v", system)
	}
	onlyMistake(t, r.do("acme/admin", "updateRole", "UpdateRoleInput", role, map[string]any{"id": at(system, "id"), "expectedVersion": 1, "name": "boss"}), "BAD_USER_INPUT", "input.id")

	const assignment = `assignment { id userId role { name } site { code } }`
	give := map[string]any{"userId": r.acme.Users[tenancy.Viewer], "roleId": which, "siteId": r.acme.SiteID}
	given := r.do("acme/admin", "assignRole", "AssignRoleInput", assignment, give)
	if at(given, "assignment", "role", "name") != "Planner" || at(given, "assignment", "site", "code") != "north" {
		t.Fatalf("assigned %v", given)
	}
	onlyMistake(t, r.do("acme/admin", "assignRole", "AssignRoleInput", assignment, give), "CONFLICT", "")
	foreign := r.do("acme/admin", "assignRole", "AssignRoleInput", assignment, map[string]any{"userId": r.globex.Users[tenancy.Viewer], "roleId": id.New(id.Role), "siteId": r.globex.SiteID})
	for i, field := range []string{"input.userId", "input.roleId", "input.siteId"} {
		if at(foreign, "userErrors", i, "field") != field || at(foreign, "userErrors", i, "code") != "NOT_FOUND" {
			t.Errorf("another tenant's: %v", foreign)
		}
	}
	seen := r.data("acme/admin", `query($id: UUID!, $role: UUID!) { node(id: $id) { ... on User { assignments { role { name } site { code } } } } r: node(id: $role) { ... on AccessRole { name } } permissions(first: 2) { nodes { name resource } } }`,
		"id", r.acme.Users[tenancy.Viewer], "role", which)
	if at(seen, "node", "assignments", 0, "role", "name") != "Planner" || at(seen, "r", "name") != "Planner" || at(seen, "permissions", "nodes", 0, "resource") != "alarms" {
		t.Errorf("seen %v", seen)
	}
	onlyMistake(t, r.do("acme/admin", "deleteRole", "DeleteRoleInput", "deletedId", map[string]any{"id": which}), "CONFLICT", "input.id")
	onlyMistake(t, r.do("globex/admin", "unassignRole", "UnassignRoleInput", "deletedId", map[string]any{"id": at(given, "assignment", "id")}), "NOT_FOUND", "input.id")
	if got := r.do("acme/admin", "unassignRole", "UnassignRoleInput", "deletedId", map[string]any{"id": at(given, "assignment", "id")}); at(got, "deletedId") != at(given, "assignment", "id") {
		t.Errorf("taken back %v", got)
	}
	onlyMistake(t, r.do("globex/admin", "deleteRole", "DeleteRoleInput", "deletedId", map[string]any{"id": which}), "NOT_FOUND", "input.id")
	if got := r.do("acme/admin", "deleteRole", "DeleteRoleInput", "deletedId", map[string]any{"id": which}); at(got, "deletedId") != which {
		t.Errorf("deleted %v", got)
	}
}

func TestPasswordsAndSettings(t *testing.T) {
	r := newRig(t)
	hash, err := auth.NewHasher(auth.Params{Memory: 64, Time: 1, Threads: 1}).Hash(t.Context(), "the old password")
	r.ok(err)
	r.sql(`UPDATE users SET password_hash = $1, email = 'olga@acme.example' WHERE id = $2`, hash, r.acme.Users[tenancy.Operator])
	change := func(current, next string) any {
		return r.do("acme/operator", "changePassword", "ChangePasswordInput", "session { viewer { user { email } } }", map[string]any{"currentPassword": current, "password": next})
	}
	onlyMistake(t, change("wrong password", goodPassword), "BAD_USER_INPUT", "input.currentPassword")
	onlyMistake(t, change("the old password", "short"), "BAD_USER_INPUT", "input.password")
	if got := change("the old password", goodPassword); at(got, "session", "viewer", "user", "email") != "olga@acme.example" {
		t.Errorf("changed %v", got)
	}
	ask := func(email string) any {
		return r.do("", "requestPasswordReset", "RequestPasswordResetInput", "ok", map[string]any{"email": email})
	}
	unknown, known := ask("nobody@acme.example"), ask("olga@acme.example")
	if fmt.Sprint(unknown) != fmt.Sprint(known) || at(known, "ok") != true {
		t.Errorf("the answers differ: %v, %v", unknown, known)
	}
	token := r.letter(0)
	if to := r.smtp.Taken()[0].To; to != "olga@acme.example" {
		t.Errorf("a letter to %s", to)
	}
	for i := range 2 {
		got := r.do("", "resetPassword", "ResetPasswordInput", "session { accessToken }", map[string]any{"token": token, "password": "yet another one"})
		if ok := at(got, "session", "accessToken") != nil; ok != (i == 0) {
			t.Errorf("time %d: %v", i, got)
		}
	}

	settings := func(version int, in map[string]any) any {
		in["expectedVersion"] = version
		return r.do("acme/operator", "updateMySettings", "UpdateMySettingsInput", "settings { theme units anomalyThreshold refreshIntervalSec quietHours { from to timeZone } version }", in)
	}
	got := settings(0, map[string]any{"theme": "DARK", "quietHours": map[string]any{"from": "22:00", "to": "06:00", "timeZone": "Europe/Berlin"}})
	if at(got, "settings", "theme") != "DARK" || at(got, "settings", "quietHours", "from") != "22:00" || at(got, "settings", "version") != 1.0 || at(got, "settings", "refreshIntervalSec") != 5.0 {
		t.Fatalf("chosen %v", got)
	}
	onlyMistake(t, settings(0, map[string]any{"theme": "LIGHT"}), "CONFLICT", "input.expectedVersion")
	onlyMistake(t, settings(1, map[string]any{"anomalyThreshold": 1.5}), "BAD_USER_INPUT", "input.anomalyThreshold")
	onlyMistake(t, settings(1, map[string]any{"quietHours": map[string]any{"from": "25:00", "to": "06:00", "timeZone": "UTC"}}), "BAD_USER_INPUT", "input.quietHours")
	if got = settings(1, map[string]any{"quietHours": nil, "units": "IMPERIAL"}); at(got, "settings", "quietHours") != nil || at(got, "settings", "theme") != "DARK" {
		t.Errorf("cleared %v", got)
	}

	actions := func(list ...map[string]any) any {
		return r.do("acme/operator", "setFaultActions", "SetFaultActionsInput", "faultActions { id type enabled address hasSecret }", map[string]any{"actions": list})
	}
	set := actions(map[string]any{"type": "EMAIL", "address": "Olga@acme.example"}, map[string]any{"type": "SLACK", "address": "https://hooks.slack.com/services/T0/B0/hush"},
		map[string]any{"type": "WEBHOOK", "address": "https://hooks.example.com/x", "secret": "0123456789abcdef", "enabled": false})
	if at(set, "faultActions", 0, "address") != "olga@acme.example" || at(set, "faultActions", 1, "address") != "hooks.slack.com/…" || at(set, "faultActions", 1, "hasSecret") != true ||
		at(set, "faultActions", 2, "hasSecret") != true || strings.Contains(fmt.Sprint(set), "hush") {
		t.Fatalf("actions %v", set)
	}
	onlyMistake(t, actions(map[string]any{"type": "SMS", "address": "12"}), "BAD_USER_INPUT", "input.actions.0.address")
	onlyMistake(t, actions(map[string]any{"type": "WEBHOOK", "address": "https://10.0.0.1/x"}), "BAD_USER_INPUT", "input.actions.0.address")
	mine := at(set, "faultActions", 1, "id")
	kept := actions(map[string]any{"id": mine, "type": "SLACK", "enabled": false})
	if at(kept, "faultActions", 0, "id") != mine || at(kept, "faultActions", 0, "enabled") != false || at(kept, "faultActions", 0, "hasSecret") != true || at(kept, "faultActions", 1) != nil {
		t.Errorf("kept %v", kept)
	}
	if got := r.do("acme/viewer", "setFaultActions", "SetFaultActionsInput", "faultActions { id }", map[string]any{"actions": []any{map[string]any{"id": mine, "type": "SLACK"}}}); at(got, "userErrors", 0, "code") != "NOT_FOUND" {
		t.Errorf("another's: %v", got)
	}
	me := r.data("acme/operator", `{ me { settings { units version } faultActions { id enabled } } }`)
	if at(me, "me", "settings", "units") != "IMPERIAL" || at(me, "me", "faultActions", 0, "id") != mine {
		t.Errorf("me %v", me)
	}
}

func TestTenantMutations(t *testing.T) {
	r := newRig(t)
	const tenant = `tenant { id code name timeZone isActive plan version settings { rawRetentionDays healthyFrom } }`
	got := r.do("acme/admin", "updateTenant", "UpdateTenantInput", tenant, map[string]any{"expectedVersion": 1, "timeZone": "Asia/Riyadh", "settings": map[string]any{"rawRetentionDays": 7}})
	if at(got, "tenant", "timeZone") != "Asia/Riyadh" || at(got, "tenant", "settings", "rawRetentionDays") != 7.0 || at(got, "tenant", "settings", "healthyFrom") != 80.0 || at(got, "tenant", "name") != "acme" {
		t.Errorf("updated %v", got)
	}
	onlyMistake(t, r.do("acme/admin", "updateTenant", "UpdateTenantInput", tenant, map[string]any{"expectedVersion": 1}), "CONFLICT", "input.expectedVersion")
	onlyMistake(t, r.do("acme/admin", "updateTenant", "UpdateTenantInput", tenant, map[string]any{"expectedVersion": 2, "currency": "MONEY"}), "BAD_USER_INPUT", "input.currency")

	made := r.do("acme/admin", "createTenant", "CreateTenantInput", tenant+" link", map[string]any{"tenantCode": "initech", "tenantName": "Initech", "plan": "ENTERPRISE", "email": "ada@initech.example", "fullName": "Ada"})
	if at(made, "tenant", "plan") != "ENTERPRISE" || at(made, "link") != nil {
		t.Fatalf("made %v", made)
	}
	r.letter(0)
	locked := r.do("acme/admin", "deactivateTenant", "DeactivateTenantInput", tenant, map[string]any{"id": at(made, "tenant", "id"), "reason": "a test"})
	if at(locked, "tenant", "isActive") != false {
		t.Errorf("locked %v", locked)
	}
	onlyMistake(t, r.do("acme/admin", "deactivateTenant", "DeactivateTenantInput", tenant, map[string]any{"id": id.New(id.Tenant), "reason": "a test"}), "NOT_FOUND", "input.id")
	list := r.data("acme/admin", `{ tenants(filter: {isActive: false}) { totalCount nodes { code plan } } }`)
	if at(list, "tenants", "totalCount") != 1.0 || at(list, "tenants", "nodes", 0, "code") != "initech" {
		t.Errorf("list %v", list)
	}
	for name, q := range map[string]string{"list": `{ tenants { nodes { id } } }`, "lock": fmt.Sprintf(`mutation { deactivateTenant(input: {id: "%s", reason: "spite"}) { userErrors { code } } }`, r.acme.TenantID),
		"make": `mutation { createTenant(input: {tenantCode: "x", tenantName: "x", email: "a@b.example", fullName: "x"}) { userErrors { code } } }`} {
		if a := r.ask("globex/admin", q); len(a.Errors) == 0 || a.Errors[0].Extensions["code"] != "FORBIDDEN" {
			t.Errorf("%s by another tenant's admin: %s", name, a.raw)
		}
	}
}
