package e2e

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
)

// A revoked key is refused at once, and what was opened with it ends.
func TestRevokedKeyClosesItsConnections(t *testing.T) {
	i := quiet.get(t)
	admin := i.login(t, alpha, "admin")
	made := get[struct {
		CreateAPIKey struct {
			Key    string
			APIKey struct{ ID string }
		} `json:"createApiKey"`
	}](t, i, admin, `mutation { createApiKey(input: {name: "Historian", scopes: ["alarms:read"]}) { key apiKey { id } } }`, nil).CreateAPIKey
	if a := i.ask(t, request{token: made.Key, query: `{ alarmEvents(first: 1) { nodes { id } } }`}); a.Status != http.StatusOK || len(a.Errors) > 0 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if a := i.ask(t, request{token: made.Key, query: `{ assets { totalCount } }`}); len(a.Errors) == 0 || a.Errors[0].Code() != "FORBIDDEN" {
		t.Errorf("beyond its scopes: %s", a.Body)
	}
	s := i.dial(t, made.Key)
	s.subscribe(t, "1", `subscription { alarms { seq } }`, nil)
	get[any](t, i, admin, `mutation($id: UUID!) { revokeApiKey(input: {id: $id}) { apiKey { isActive } userErrors { message } } }`, vars{"id": made.APIKey.ID})
	if code := s.closed(t); code != 4403 {
		t.Errorf("the connection ends with %d, want 4403", code)
	}
	if a := i.ask(t, request{token: made.Key, query: `{ alarmEvents { totalCount } }`}); a.Status != http.StatusUnauthorized || a.Errors[0].Code() != "UNAUTHENTICATED" {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if code := i.initWith(t, made.Key); code != 4403 {
		t.Errorf("a new connection ends with %d, want 4403", code)
	}
}

// A role on a site takes effect on tokens and connections that are there: they end,
// and the person who comes back sees that site alone.
func TestGrantTakesEffectAtOnce(t *testing.T) {
	i := quiet.get(t)
	admin := i.login(t, alpha, "admin")
	const address, secret = "fitter@alpha-grid.example", "a long password"
	person := get[struct {
		CreateUser struct{ User struct{ ID string } }
	}](t, i, admin, `mutation($in: CreateUserInput!) { createUser(input: $in) { user { id } userErrors { message } } }`,
		vars{"in": vars{"email": address, "fullName": "Fitter", "role": "VIEWER", "password": secret}}).CreateUser.User.ID
	type session struct {
		Session struct{ AccessToken, RefreshToken string }
	}
	first := get[struct{ Login session }](t, i, "", `mutation($e: String!, $p: String!) { login(input: {email: $e, password: $p}) { session { accessToken refreshToken } } }`,
		vars{"e": address, "p": secret}).Login.Session
	type lists struct {
		Sites struct {
			Nodes []struct{ ID string }
		}
		Roles struct {
			Nodes []struct{ ID, Name string }
		}
	}
	const sites = `sites(first: 100) { nodes { id } }`
	all := get[lists](t, i, admin, `{ `+sites+` roles(first: 100) { nodes { id name } } }`, nil)
	if n := len(get[lists](t, i, first.AccessToken, `{ `+sites+` }`, nil).Sites.Nodes); n != len(all.Sites.Nodes) || n < 2 {
		t.Fatalf("sees %d of %d sites", n, len(all.Sites.Nodes))
	}
	operator := ""
	for _, r := range all.Roles.Nodes {
		if r.Name == "operator" {
			operator = r.ID
		}
	}
	type open struct {
		Sessions []struct {
			Address, UserAgent string
			IsCurrent          bool
		}
	}
	if l := get[open](t, i, first.AccessToken, `{ sessions { address userAgent isCurrent } }`, nil).Sessions; len(l) != 1 || !l[0].IsCurrent || l[0].Address != "127.0.0.1" || !strings.HasPrefix(l[0].UserAgent, "Go-http-client") {
		t.Errorf("sessions %+v", l)
	}
	s := i.dial(t, first.AccessToken)
	get[any](t, i, admin, `mutation($in: AssignRoleInput!) { assignRole(input: $in) { userErrors { message } } }`,
		vars{"in": vars{"userId": person, "roleId": operator, "siteId": all.Sites.Nodes[0].ID}})
	if code := s.closed(t); code != 4403 {
		t.Errorf("the connection ends with %d, want 4403", code)
	}
	if a := i.ask(t, request{token: first.AccessToken, query: `{ ` + sites + ` }`}); a.Status != http.StatusUnauthorized {
		t.Errorf("the former token: %d %s", a.Status, a.Body)
	}
	next := get[struct{ RefreshToken session }](t, i, "", `mutation($t: String!) { refreshToken(input: {refreshToken: $t}) { session { accessToken refreshToken } } }`,
		vars{"t": first.RefreshToken}).RefreshToken.Session
	seen := get[lists](t, i, next.AccessToken, `{ `+sites+` }`, nil).Sites.Nodes
	if len(seen) != 1 || seen[0].ID != all.Sites.Nodes[0].ID {
		t.Errorf("sees %v", seen)
	}
	me := get[struct {
		Me struct {
			Permissions []string
			SiteIDs     []string `json:"siteIds"`
		}
	}](t, i, next.AccessToken, `{ me { permissions siteIds } }`, nil).Me
	if len(me.SiteIDs) != 1 || !strings.Contains(strings.Join(me.Permissions, " "), "alarms:acknowledge") {
		t.Errorf("%+v", me)
	}
	i.dial(t, next.AccessToken)
}

// forget makes the next one who asks for the token get a new one.
func (i *instance) forget(who string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.tokens, who)
}

// keyOf returns the id of the key that signed the token.
func keyOf(t testing.TB, token string) string {
	t.Helper()
	head, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	if err != nil {
		t.Fatal(err)
	}
	return decode[struct{ Kid string }](t, head).Kid
}

// The command rotates the keys under a running process: it signs with the new key,
// and takes the tokens of the old one as long as they live.
func TestKeysRotateWhileTokensLive(t *testing.T) {
	i := quiet.get(t)
	old := i.partner(t, alpha, "plant:read")
	cmd, out, err := command(i.dir, "keys", "rotate")
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if said := out.String(); !strings.Contains(said, "signs and verifies") || !strings.Contains(said, keyOf(t, old)) || !strings.Contains(said, "verifies until") {
		t.Errorf("says %s", said)
	}
	var fresh string
	within(t, patience, "a token of the new key", func() bool {
		i.forget("client@" + alpha + "plant:read")
		fresh = i.partner(t, alpha, "plant:read")
		return keyOf(t, fresh) != keyOf(t, old)
	})
	for name, token := range map[string]string{"old": old, "fresh": fresh} {
		if a := i.ask(t, request{token: token, query: `{ sites { totalCount } }`}); a.Status != http.StatusOK || len(a.Errors) > 0 {
			t.Errorf("a token of the %s key: %d %s", name, a.Status, a.Body)
		}
	}
	res, err := web.Get(i.url + "/.well-known/jwks.json")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var b strings.Builder
	if err := res.Write(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), keyOf(t, old)) || !strings.Contains(b.String(), keyOf(t, fresh)) || strings.Contains(b.String(), `"d"`) ||
		!strings.HasPrefix(res.Header.Get("Cache-Control"), "public, max-age=") {
		t.Errorf("published: %s", b.String())
	}
}
