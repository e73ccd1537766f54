package graph_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"foresight/internal/auth"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

const createKey = `mutation($in: CreateApiKeyInput!) { createApiKey(input: $in) { key apiKey { id name prefix scopes isActive expiresAt lastUsedAt createdAt createdBy { username } } userErrors { field code message } } }`

func TestAPIKeys(t *testing.T) {
	r := newRig(t)
	expires := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	out := at(r.data("acme/admin", createKey, "in", map[string]any{"name": "Historian", "scopes": []string{"plant:read", "alarms:read"},
		"expiresAt": expires, "idempotencyKey": "k1"}), "createApiKey")
	key, _ := at(out, "key").(string)
	of, _ := at(out, "apiKey", "id").(string)
	if prefix, _ := at(out, "apiKey", "prefix").(string); !strings.HasPrefix(key, prefix+".") || at(out, "apiKey", "createdBy", "username") != "admin" ||
		at(out, "apiKey", "isActive") != true || at(out, "apiKey", "lastUsedAt") != nil {
		t.Fatalf("%v", out)
	}
	again := at(r.data("acme/admin", createKey, "in", map[string]any{"name": "Historian", "scopes": []string{"plant:read", "alarms:read"},
		"expiresAt": expires, "idempotencyKey": "k1"}), "createApiKey")
	if at(again, "apiKey", "id") != of || at(again, "key") != nil {
		t.Errorf("repeated: %v", again)
	}
	g, err := r.sessions.Authenticate(t.Context(), auth.KeyScheme+" "+key)
	if err != nil || !g.Actor.Can(tenancy.AlarmsRead) || g.Actor.Can(tenancy.PlantWrite) {
		t.Fatalf("%+v %v", g, err)
	}
	closed, release := r.sessions.Watch(g)
	defer release()

	list := `{ apiKeys { totalCount nodes { id lastUsedAt } } me { permissions } }`
	if l := r.data("acme/admin", list); at(l, "apiKeys", "totalCount") != 1.0 || at(l, "apiKeys", "nodes", 0, "id") != of || at(l, "apiKeys", "nodes", 0, "lastUsedAt") == nil {
		t.Errorf("%v", l)
	}
	if l := r.data("globex/admin", list); at(l, "apiKeys", "totalCount") != 0.0 {
		t.Errorf("another tenant lists %v", l)
	}
	node := `query($id: UUID!) { node(id: $id) { ... on ApiKey { name } } }`
	if n := r.data("acme/admin", node, "id", of); at(n, "node", "name") != "Historian" {
		t.Errorf("%v", n)
	}
	if n := r.data("globex/admin", node, "id", of); at(n, "node") != nil {
		t.Errorf("another tenant reads %v", n)
	}
	revoke := `mutation($in: RevokeApiKeyInput!) { revokeApiKey(input: $in) { apiKey { isActive } userErrors { field code } } }`
	if o := at(r.data("globex/admin", revoke, "in", map[string]any{"id": of}), "revokeApiKey"); at(o, "userErrors", 0, "code") != "NOT_FOUND" || at(o, "userErrors", 0, "field") != "input.id" {
		t.Errorf("another tenant revokes: %v", o)
	}
	if o := at(r.data("acme/admin", revoke, "in", map[string]any{"id": of}), "revokeApiKey"); at(o, "apiKey", "isActive") != false {
		t.Errorf("%v", o)
	}
	<-closed
	if _, err := r.sessions.Authenticate(t.Context(), auth.KeyScheme+" "+key); err == nil {
		t.Error("a revoked key lets in")
	}
	for _, actor := range []string{"acme/engineer", "acme/operator", "acme/viewer"} {
		for _, q := range []string{list, `mutation { createApiKey(input: {name: "x", scopes: ["plant:read"]}) { userErrors { code } } }`} {
			if a := r.ask(actor, q); len(a.Errors) == 0 || a.Errors[0].Extensions["code"] != "FORBIDDEN" {
				t.Errorf("%s %s: %s", actor, q, a.raw)
			}
		}
	}
	wrong := at(r.data("acme/admin", createKey, "in", map[string]any{"name": "", "scopes": []string{"all:all"}}, "Accept-Language", "de"), "createApiKey", "userErrors")
	if at(wrong, 0, "field") != "input.name" || at(wrong, 1, "field") != "input.scopes" || at(wrong, 1, "message") != "Eine Berechtigung all:all gibt es nicht." {
		t.Errorf("%v", wrong)
	}
}

func TestOAuthClients(t *testing.T) {
	r := newRig(t)
	out := at(r.data("acme/admin", `mutation { createOAuthClient(input: {name: "Partner", scopes: ["plant:read"]}) {
		secret client { id clientId name scopes isActive lastUsedAt createdAt version createdBy { username } } userErrors { code } } }`), "createOAuthClient")
	of, version := at(out, "client", "id"), at(out, "client", "version")
	clientID, _ := at(out, "client", "clientId").(string)
	login := func(secret any) error {
		text, _ := secret.(string)
		_, err := r.sessions.ClientCredentials(t.Context(), auth.ClientLogin{ClientID: clientID, Secret: text})
		return err
	}
	if err := login(at(out, "secret")); err != nil {
		t.Fatalf("%v: %v", out, err)
	}
	rotate := `mutation($id: UUID!, $v: Int!) { rotateOAuthClientSecret(input: {id: $id, expectedVersion: $v}) { secret client { version } userErrors { field code } } }`
	next := at(r.data("acme/admin", rotate, "id", of, "v", version), "rotateOAuthClientSecret")
	if err := login(at(next, "secret")); err != nil {
		t.Errorf("%v: %v", next, err)
	}
	if err := login(at(out, "secret")); err == nil {
		t.Error("the former secret still works")
	}
	if o := at(r.data("acme/admin", rotate, "id", of, "v", version), "rotateOAuthClientSecret"); at(o, "userErrors", 0, "code") != "CONFLICT" || at(o, "secret") != nil {
		t.Errorf("stale: %v", o)
	}
	list := `{ oauthClients(first: 5) { totalCount nodes { id name isActive lastUsedAt createdBy { username } } } }`
	if l := r.data("acme/admin", list); at(l, "oauthClients", "totalCount") != 1.0 || at(l, "oauthClients", "nodes", 0, "lastUsedAt") == nil || at(l, "oauthClients", "nodes", 0, "createdBy", "username") != "admin" {
		t.Errorf("%v", l)
	}
	if l := r.data("globex/admin", list); at(l, "oauthClients", "totalCount") != 0.0 {
		t.Errorf("another tenant lists %v", l)
	}
	if n := r.data("acme/admin", `query($id: UUID!) { node(id: $id) { ... on OAuthClient { clientId } } }`, "id", of); at(n, "node", "clientId") != clientID {
		t.Errorf("%v", n)
	}
	end := `mutation($id: UUID!) { deactivateOAuthClient(input: {id: $id}) { client { isActive } userErrors { code } } }`
	if o := at(r.data("globex/admin", end, "id", of), "deactivateOAuthClient"); at(o, "userErrors", 0, "code") != "NOT_FOUND" {
		t.Errorf("another tenant: %v", o)
	}
	if o := at(r.data("acme/admin", end, "id", of), "deactivateOAuthClient"); at(o, "client", "isActive") != false {
		t.Errorf("%v", o)
	}
	if err := login(at(next, "secret")); err == nil {
		t.Error("a client out of use is let in")
	}
}

const loginAs = `mutation($email: String!) { login(input: {email: $email, password: "correct horse"}) {
	session { accessToken refreshToken viewer { user { username } tenants { code role isHome } } } userErrors { code } } }`

// signIn gives acme's operator a password and a membership in globex, and signs in.
func (r *rig) signIn() any {
	r.Helper()
	hash, err := auth.NewHasher(auth.DefaultParams).Hash(r.Context(), "correct horse")
	r.ok(err)
	r.sql(`UPDATE users SET password_hash = $1, email = 'only@acme.example' WHERE id = $2`, hash, r.acme.Users[tenancy.Operator])
	r.sql(`INSERT INTO memberships (id, tenant_id, user_id, display_name, role) VALUES ($1, $2, $3, 'Guest', 'viewer') ON CONFLICT DO NOTHING`,
		id.New(id.Membership), r.globex.TenantID, r.acme.Users[tenancy.Operator])
	return at(r.data("", loginAs, "email", "only@acme.example"), "login", "session")
}

func TestSessions(t *testing.T) {
	r := newRig(t)
	first, second := r.signIn(), r.signIn()
	list := `query($of: UUID) { sessions(userId: $of) { id beganAt lastUsedAt expiresAt address userAgent isCurrent } }`
	operator := r.acme.Users[tenancy.Operator]
	own := at(r.data("acme/operator", list), "sessions").([]any)
	if len(own) != 2 || at(own, 0, "isCurrent") != false || at(own, 0, "beganAt") == nil {
		t.Fatalf("%v", own)
	}
	if l := at(r.data("acme/admin", list, "of", operator), "sessions").([]any); len(l) != 2 {
		t.Errorf("the admin sees %v", l)
	}
	if a := r.ask("acme/viewer", list, "of", operator); len(a.Errors) == 0 || a.Errors[0].Extensions["code"] != "FORBIDDEN" {
		t.Errorf("a colleague: %s", a.raw)
	}
	end := `mutation($id: UUID!) { revokeSession(input: {id: $id}) { id userErrors { field code } } }`
	newest := at(own, 0, "id")
	for _, who := range []string{"acme/viewer", "globex/admin"} {
		if o := at(r.data(who, end, "id", newest), "revokeSession"); at(o, "userErrors", 0, "code") != "NOT_FOUND" || at(o, "id") != nil {
			t.Errorf("%s: %v", who, o)
		}
	}
	if o := at(r.data("acme/operator", end, "id", newest), "revokeSession"); at(o, "id") != newest {
		t.Errorf("%v", o)
	}
	refresh := `mutation($t: String!) { refreshToken(input: {refreshToken: $t}) { session { refreshToken } } }`
	if a := r.ask("", refresh, "t", at(second, "refreshToken")); len(a.Errors) == 0 {
		t.Errorf("a session that was ended goes on: %s", a.raw)
	}
	all := `mutation($of: UUID) { revokeAllSessions(input: {userId: $of}) { count userErrors { code } } }`
	if a := r.ask("acme/engineer", all, "of", operator); len(a.Errors) == 0 || a.Errors[0].Extensions["code"] != "FORBIDDEN" {
		t.Errorf("a colleague: %s", a.raw)
	}
	if o := r.data("acme/admin", all, "of", operator); at(o, "revokeAllSessions", "count") != 1.0 {
		t.Errorf("%v", o)
	}
	if a := r.ask("", refresh, "t", at(first, "refreshToken")); len(a.Errors) == 0 {
		t.Errorf("a session that was ended goes on: %s", a.raw)
	}
	if o := r.data("acme/operator", all); at(o, "revokeAllSessions", "count") != 0.0 {
		t.Errorf("%v", o)
	}
}

func TestSwitchTenantOfTheGraph(t *testing.T) {
	r := newRig(t)
	s := r.signIn()
	if l := at(s, "viewer", "tenants").([]any); len(l) != 2 || at(l, 0, "code") != "acme" || at(l, 0, "isHome") != true || at(l, 0, "role") != "OPERATOR" || at(l, 1, "role") != "VIEWER" {
		t.Fatalf("%v", s)
	}
	change := `mutation($in: SwitchTenantInput!) { switchTenant(input: $in) { session { refreshToken
		viewer { user { username } role tenant { code } permissions siteIds sitePermissions { permission siteIds } tenants { tenantId name displayName } } } userErrors { field code } } }`
	if o := at(r.data("acme/operator", change, "in", map[string]any{"tenantId": id.New(id.Tenant), "refreshToken": at(s, "refreshToken")}), "switchTenant"); at(o, "userErrors", 0, "field") != "input.tenantId" {
		t.Errorf("%v", o)
	}
	if a := r.ask("acme/admin", change, "in", map[string]any{"tenantId": r.globex.TenantID, "refreshToken": at(s, "refreshToken")}); len(a.Errors) == 0 || a.Errors[0].Extensions["code"] != "UNAUTHENTICATED" {
		t.Errorf("with another's token: %s", a.raw)
	}
	o := at(r.data("acme/operator", change, "in", map[string]any{"tenantId": r.globex.TenantID, "refreshToken": at(s, "refreshToken")}), "switchTenant", "session")
	if at(o, "viewer", "tenant", "code") != "globex" || at(o, "viewer", "role") != "VIEWER" || at(o, "viewer", "user") != nil || at(o, "refreshToken") == nil ||
		len(at(o, "viewer", "tenants").([]any)) != 2 || at(o, "viewer", "siteIds") != nil {
		t.Errorf("%v", o)
	}
}

// What a person holds on a site alone works there, and nowhere else.
func TestPermissionsOnASite(t *testing.T) {
	r := newRig(t)
	south := id.New(id.Site)
	r.sql(`INSERT INTO sites (id, tenant_id, site_code, name) VALUES ($1, $2, 'south', 'South works')`, south, r.acme.TenantID)
	pump := id.New(id.Asset)
	r.sql(`INSERT INTO assets (id, tenant_id, site_id, asset_code, name, asset_type) VALUES ($1, $2, $3, 'south-pump', 'South pump', 'pump')`, pump, r.acme.TenantID, south)
	r.change = func(a *tenancy.Actor) {
		a.Hold(tenancy.Viewer, []tenancy.RoleGrant{{Permissions: tenancy.NewSet()}, {Permissions: tenancy.NewSet(tenancy.PlantWrite), SiteID: south}})
	}
	me := at(r.data("acme/viewer", `{ me { permissions siteIds sitePermissions { permission siteIds } } }`), "me")
	if slices.Contains(at(me, "permissions").([]any), any("plant:write")) || at(me, "siteIds") != nil ||
		at(me, "sitePermissions", 0, "permission") != "plant:write" || at(me, "sitePermissions", 0, "siteIds", 0) != south.String() {
		t.Errorf("%v", me)
	}
	if l := r.data("acme/viewer", `{ assets { totalCount } }`); at(l, "assets", "totalCount") != 2.0 {
		t.Errorf("reads %v", l)
	}
	rename := `mutation($id: UUID!) { updateAsset(input: {id: $id, expectedVersion: 1, name: "Renamed"}) { asset { name } userErrors { code } } }`
	if o := r.data("acme/viewer", rename, "id", pump); at(o, "updateAsset", "asset", "name") != "Renamed" {
		t.Errorf("on the site: %v", o)
	}
	o := r.ask("acme/viewer", rename, "id", r.acme.AssetID)
	if at(o.Data, "updateAsset", "asset") != nil || at(o.Data, "updateAsset", "userErrors", 0, "code") != "NOT_FOUND" && len(o.Errors) == 0 {
		t.Errorf("elsewhere: %s", o.raw)
	}
	var name string
	r.ok(r.owner.QueryRow(t.Context(), `SELECT name FROM assets WHERE id = $1`, r.acme.AssetID).Scan(&name))
	if name != "Feed pump" {
		t.Errorf("an asset of another site is now %q", name)
	}
}
