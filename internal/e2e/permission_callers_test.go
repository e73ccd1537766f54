package e2e

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// caller is a credential and what it may do.
type caller struct {
	name  string
	token string
	actor *tenancy.Actor // nil: it is nobody
	sited bool           // limited to sites
	bad   bool           // the credential is not good
}

// holds reports whether the caller may do what needs all of the permissions, be it on
// some of its sites only. "" and "*" need none.
func (c caller) holds(ps ...tenancy.Permission) bool {
	ps = slices.DeleteFunc(slices.Clone(ps), func(p tenancy.Permission) bool { return p == "" || p == "*" })
	_, err := c.actor.Under(ps...)
	return err == nil
}

// may lists what the caller may do, be it on some of its sites only.
func (c caller) may() []tenancy.Permission {
	return slices.DeleteFunc(tenancy.Permissions(), func(p tenancy.Permission) bool { return !c.holds(p) })
}

// allowed is an actor of exactly the permissions.
func allowed(s tenancy.Set) *tenancy.Actor { return &tenancy.Actor{Kind: tenancy.Person, Scopes: s} }

// somebody returns the tenant's person of the role.
func (i *instance) somebody(t testing.TB, tenant string, r tenancy.Role) caller {
	t.Helper()
	return caller{name: string(r), token: i.login(t, tenant, string(r)), actor: allowed(tenancy.RoleScopes(r))}
}

// grant gives permissions on a site.
type grant struct {
	site        string // its code
	permissions []tenancy.Permission
}

// sited returns a person of alpha with the system role who works on the sites of the
// grants only.
func (i *instance) sited(t testing.TB, name string, role tenancy.Role, grants ...grant) caller {
	t.Helper()
	i.once(t, name, func() {
		user := id.New(id.User)
		i.sql(t, `INSERT INTO users (id, tenant_id, username, email, full_name, password_hash, role)
			SELECT $1, tenant_id, $2, $2 || '@' || $3 || '.example', $2, password_hash, $4 FROM users WHERE email = 'viewer@' || $3 || '.example'`,
			user, name, alpha, string(role))
		i.sql(t, `INSERT INTO memberships (id, tenant_id, user_id, display_name, role) SELECT $1, tenant_id, id, full_name, role FROM users WHERE id = $2`,
			id.New(id.Membership), user)
		for _, g := range grants {
			r := id.New(id.Role)
			i.sql(t, `INSERT INTO roles (id, tenant_id, name) SELECT $1, tenant_id, $2 FROM users WHERE id = $3`, r, name+" on "+g.site, user)
			for _, p := range g.permissions {
				i.sql(t, `INSERT INTO role_permissions (id, tenant_id, role_id, permission_id) SELECT $1, r.tenant_id, r.id, p.id
					FROM roles r, permissions p WHERE r.id = $2 AND p.resource || ':' || p.action = $3`, id.New(id.RolePermission), r, string(p))
			}
			i.sql(t, `INSERT INTO user_roles (id, tenant_id, user_id, role_id, site_id) SELECT $1, u.tenant_id, u.id, $2, s.id
				FROM users u JOIN sites s ON s.tenant_id = u.tenant_id AND s.site_code = $4 WHERE u.id = $3`, id.New(id.UserRole), r, user, g.site)
		}
	})
	var held []tenancy.RoleGrant
	for _, g := range grants {
		// What may be done hangs on which sites are the same, not on which they are.
		held = append(held, tenancy.RoleGrant{Permissions: tenancy.NewSet(g.permissions...), SiteID: id.Derive(id.Site, time.Unix(0, 0), []byte(g.site))})
	}
	c := caller{name: name, actor: &tenancy.Actor{Kind: tenancy.Person}, sited: true}
	c.token = i.login(t, alpha, name)
	c.actor.Hold(role, held)
	return c
}

// key returns an API key of the tenant, made as the owner of the database.
func (i *instance) key(t testing.TB, tenant, name string, ends *time.Time, active bool, scopes tenancy.Set) caller {
	t.Helper()
	token := i.cached(name+" of "+tenant, func() string {
		row := id.New(id.APIKey)
		prefix := fmt.Sprintf("fsk_%016x", row[8:])
		key := prefix + "." + strings.Repeat("s3cret-", 6)
		sum := sha256.Sum256([]byte(key))
		i.sql(t, `INSERT INTO api_keys (id, tenant_id, name, prefix, key_hash, scopes, expires_at, is_active)
			SELECT $1, id, $2, $3, $4, to_jsonb($5::text[]), $6, $7 FROM tenants WHERE code = $8`,
			row, name, prefix, sum[:], scopes.Strings(), ends, active, tenant)
		return key
	})
	return caller{name: name, token: token, actor: allowed(scopes)}
}

// once does something the first time that it is asked for by the name.
func (i *instance) once(t testing.TB, name string, do func()) {
	t.Helper()
	i.cached("once: "+name, func() string {
		do()
		return "done"
	})
}

// callers are credentials of every kind: whole and narrow, of the whole tenant and of
// sites, and such as must not be taken any more.
func (i *instance) callers(t testing.TB) []caller {
	t.Helper()
	engineer := tenancy.RoleScopes(tenancy.Engineer)
	out := []caller{
		i.somebody(t, alpha, tenancy.Viewer), i.somebody(t, alpha, tenancy.Operator), i.somebody(t, alpha, tenancy.Engineer), i.somebody(t, alpha, tenancy.Admin),
		{name: "partner", token: i.partner(t, alpha), actor: allowed(engineer)},
		i.key(t, alpha, "key", nil, true, engineer),
		i.key(t, alpha, "key with everything", nil, true, tenancy.RoleScopes(tenancy.Admin)),
		i.sited(t, "engineer-of-north", tenancy.Engineer, grant{site: "north-station"}),
		i.sited(t, "viewer-who-writes-north", tenancy.Viewer, grant{"north-station", []tenancy.Permission{tenancy.PlantWrite, tenancy.RolesWrite}}),
		i.sited(t, "viewer-of-two-sites", tenancy.Viewer, grant{"north-station", []tenancy.Permission{tenancy.PlantWrite}}, grant{"river-works", []tenancy.Permission{tenancy.RulesWrite}}),
	}
	for _, scope := range []tenancy.Permission{tenancy.AlarmsRead, tenancy.PlantRead, tenancy.PlantWrite, tenancy.TelemetryRead} {
		out = append(out, caller{name: "partner with " + string(scope), token: i.partner(t, alpha, string(scope)), actor: allowed(tenancy.NewSet(scope))})
		out = append(out, i.key(t, alpha, "key with "+string(scope), nil, true, tenancy.NewSet(scope)))
	}
	return append(append(out, caller{name: "anonymous"}), i.badCallers(t)...)
}

// badCallers are credentials that were never good, and such as are no longer.
func (i *instance) badCallers(t testing.TB) []caller {
	t.Helper()
	good := i.login(t, alpha, "admin")
	parts := strings.Split(good, ".")
	past := time.Now().Add(-time.Minute)
	all := tenancy.RoleScopes(tenancy.Admin)
	key := i.key(t, alpha, "key with everything", nil, true, all).token
	prefix, _, _ := strings.Cut(key, ".")
	out := []caller{
		{name: "expired", token: i.expired(t, good)},
		{name: "expired partner", token: i.expired(t, i.partner(t, alpha))},
		i.key(t, alpha, "expired key", &past, true, all),
		i.key(t, alpha, "revoked key", nil, false, all),
		{name: "logged out", token: i.loggedOut(t)},
		{name: "garbage", token: "no.token.at-all"},
		{name: "unsigned", token: parts[0] + "." + parts[1] + "."},
		{name: "body of another", token: parts[0] + "." + strings.Split(i.login(t, beta, "admin"), ".")[1] + "." + parts[2]},
		{name: "key with another secret", token: prefix + "." + strings.Repeat("s3cret+", 6)},
		{name: "key without a secret", token: prefix},
	}
	for n := range out {
		out[n].actor, out[n].bad = nil, true
	}
	return out
}

// loggedOut returns the access token of a session that was ended.
func (i *instance) loggedOut(t testing.TB) string {
	t.Helper()
	type payload struct {
		Login struct {
			Session struct{ AccessToken, RefreshToken string }
		}
	}
	s := get[payload](t, i, "", `mutation($in: LoginInput!) { login(input: $in) { session { accessToken refreshToken } } }`,
		vars{"in": vars{"email": "admin@" + alpha + ".example", "password": password}}).Login.Session
	if a := i.ask(t, request{token: s.AccessToken, query: `{ me { role } }`}); a.Status != http.StatusOK || len(a.Errors) > 0 {
		t.Fatalf("a fresh token is not taken: %s", a.Body)
	}
	get[any](t, i, s.AccessToken, `mutation($in: LogoutInput!) { logout(input: $in) { ok } }`, vars{"in": vars{"refreshToken": s.RefreshToken}})
	// The end of a session is told to all processes, this one among them.
	within(t, patience, "the end of the session", func() bool {
		return i.ask(t, request{token: s.AccessToken, query: `{ me { role } }`}).Status == http.StatusUnauthorized
	})
	return s.AccessToken
}

// expired returns the token as it would have been an hour ago, well signed with the
// instance's own key.
func (i *instance) expired(t testing.TB, good string) string {
	t.Helper()
	claims := jwt.MapClaims{}
	was, _, err := jwt.NewParser().ParseUnverified(good, claims)
	if err != nil {
		t.Fatal(err)
	}
	move := func(seconds float64) {
		for _, c := range []string{"iat", "nbf", "exp"} {
			if at, ok := claims[c].(float64); ok {
				claims[c] = at + seconds
			}
		}
	}
	move(-3600)
	text, err := os.ReadFile(filepath.Join(i.dir, "keys", "signing.json"))
	if err != nil {
		t.Fatal(err)
	}
	key := signingKey(t, text, was.Header["kid"].(string))
	old := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
	old.Header = maps.Clone(was.Header)
	s, err := old.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	// The same way with the times as they were gives a token that is taken: it is the
	// time that the expired one is refused for.
	move(3600)
	again, err := old.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	if a := i.ask(t, request{token: again, query: `{ me { role } }`}); a.Status != http.StatusOK {
		t.Fatalf("a token signed by the test is not taken: %s", a.Body)
	}
	return s
}
