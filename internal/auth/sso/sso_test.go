package sso_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"foresight/internal/auth/sso"
	"foresight/internal/tenancy"
)

func TestPeopleWithAnAccountComeIn(t *testing.T) {
	r := newRig(t, ``)
	operator := r.acme.Users[tenancy.Operator]
	r.sql(`UPDATE users SET email = 'ada@acme.example' WHERE id = $1`, operator)
	r.people.set("ada", "subject-1", "Ada@acme.example", true)
	b := r.browser()
	if at := r.signIn(b, "ada", "/assets?site=north"); at != "/assets?site=north" {
		t.Errorf("ends at %s", at)
	}
	a := r.session().Grant.Actor
	if a.ID != operator || a.TenantID != r.acme.TenantID || a.Role != tenancy.Operator || !a.Can(tenancy.AlarmsAct) {
		t.Errorf("%+v", a)
	}
	if n := r.count(`SELECT count(*) FROM user_identities WHERE user_id = $1 AND tenant_id = $2 AND issuer = $3 AND subject = 'subject-1'`, operator, r.acme.TenantID, r.provider.URL); n != 1 {
		t.Errorf("%d identities", n)
	}
	// The person is known from now on, whatever the address is.
	r.people.set("ada", "subject-1", "lovelace@elsewhere.example", false)
	r.signIn(r.browser(), "ada", "/")
	if a := r.session().Grant.Actor; a.ID != operator {
		t.Errorf("%+v", a)
	}
	if n := r.count(`SELECT count(*) FROM user_identities`); n != 1 {
		t.Errorf("%d identities", n)
	}
	if n := r.count(`SELECT count(*) FROM audit_logs WHERE action = 'link_identity' AND entity_id = $1`, operator); n != 1 {
		t.Errorf("%d entries of the link", n)
	}
	// The address is given to somebody else: no account comes with it.
	r.people.set("eve", "subject-2", "ada@acme.example", true)
	if at := r.signIn(r.browser(), "eve", "/"); at != "/?signInError=unknown" {
		t.Errorf("the next holder of the address ends at %s", at)
	}
	r.sql(`UPDATE users SET status = 'disabled' WHERE id = $1`, operator)
	r.people.set("ada", "subject-1", "ada@acme.example", true)
	if at := r.signIn(r.browser(), "ada", "/"); at != "/?signInError=disabled" {
		t.Errorf("who is disabled ends at %s", at)
	}
	if r.begun() != 2 {
		t.Errorf("%d sessions", r.begun())
	}
}

func TestStrangersStayOutside(t *testing.T) {
	r := newRig(t, `, "domains": ["acme.example"]`)
	r.sql(`UPDATE users SET email = 'ada@acme.example' WHERE id = $1`, r.acme.Users[tenancy.Operator])
	r.sql(`UPDATE users SET email = 'bob@acme.example' WHERE id = $1`, r.globex.Users[tenancy.Operator])
	r.sql(`UPDATE users SET email = 'carl@other.example' WHERE id = $1`, r.acme.Users[tenancy.Viewer])
	for name, c := range map[string]struct {
		email    string
		verified bool
	}{
		"no account":             {"nobody@acme.example", true},
		"address not verified":   {"ada@acme.example", false},
		"another tenant's":       {"bob@acme.example", true},
		"another domain":         {"carl@other.example", true},
		"a domain that looks so": {"ada@acme.example.evil.example", true},
	} {
		t.Run(name, func(t *testing.T) {
			r.people.set("x", "subject of "+name, c.email, c.verified)
			if at := r.signIn(r.browser(), "x", "/"); at != "/?signInError=unknown" {
				t.Errorf("ends at %s", at)
			}
		})
	}
	if r.begun() != 0 || r.count(`SELECT count(*) FROM user_identities`) != 0 || r.count(`SELECT count(*) FROM refresh_tokens`) != 0 {
		t.Error("a session was begun, or a stranger linked")
	}
}

func TestAccountsAreMade(t *testing.T) {
	r := newRig(t, `, "create_as": "viewer", "domains": ["acme.example"]`)
	r.people.set("new", "subject-9", "New@acme.example", true)
	for range 2 {
		if at := r.signIn(r.browser(), "new", "/"); at != "/" {
			t.Fatalf("ends at %s", at)
		}
		a := r.session().Grant.Actor
		if a.Role != tenancy.Viewer || a.TenantID != r.acme.TenantID || a.Can(tenancy.PlantWrite) {
			t.Errorf("%+v", a)
		}
	}
	if n := r.count(`SELECT count(*) FROM users u JOIN memberships m ON m.user_id = u.id WHERE u.email = 'new@acme.example'
		AND u.tenant_id = $1 AND m.tenant_id = $1 AND u.full_name = 'Ada Lovelace' AND u.password_hash = ''`, r.acme.TenantID); n != 1 {
		t.Errorf("%d accounts", n)
	}
	r.people.set("unseen", "subject-10", "unseen@acme.example", false)
	if at := r.signIn(r.browser(), "unseen", "/"); at != "/?signInError=unknown" {
		t.Errorf("an address that nobody verified ends at %s", at)
	}
}

// Each case takes a good way back to the product and changes one thing.
func TestForgedCallbacks(t *testing.T) {
	r := newRig(t, ``)
	r.sql(`UPDATE users SET email = 'ada@acme.example' WHERE id = $1`, r.acme.Users[tenancy.Operator])
	r.people.set("ada", "subject-1", "ada@acme.example", true)
	// back is the address to which the provider sends the browser, not yet followed.
	back := func(b *http.Client) *url.URL {
		var last *url.URL
		b.CheckRedirect = func(q *http.Request, _ []*http.Request) error {
			if strings.HasSuffix(q.URL.Path, "/callback") && q.URL.Host == strings.TrimPrefix(r.app.URL, "http://") {
				last = q.URL
				return http.ErrUseLastResponse
			}
			return nil
		}
		defer func() { b.CheckRedirect = nil }()
		func() {
			page := r.get(b, r.app.URL+"/auth/idp/login")
			body := make([]byte, 64<<10)
			n, _ := page.Body.Read(body)
			m := requestID.FindSubmatch(body[:n])
			if m == nil {
				t.Fatalf("no form: %s", body[:n])
			}
			res, err := b.PostForm(r.provider.URL+"/login/username", url.Values{"username": {"ada"}, "password": {"pass"}, "id": {string(m[1])}})
			r.ok(err)
			r.ok(res.Body.Close())
		}()
		if last == nil {
			t.Fatal("the provider did not send the browser back")
		}
		return last
	}
	with := func(u *url.URL, name, value string) string {
		q := u.Query()
		q.Set(name, value)
		c := *u
		c.RawQuery = q.Encode()
		return c.String()
	}
	end := func(b *http.Client, address string) string { return r.get(b, address).Request.URL.RequestURI() }

	b := r.browser()
	u := back(b)
	if at := end(b, u.String()); at != "/" {
		t.Fatalf("the good one ends at %s", at)
	}
	if at := end(b, u.String()); at != "/?signInError=expired" {
		t.Errorf("the same again ends at %s", at)
	}
	victim, thief := r.browser(), r.browser()
	u = back(thief)
	r.get(victim, r.app.URL+"/auth/idp/login")
	if at := end(victim, u.String()); at != "/?signInError=expired" {
		t.Errorf("another browser's sign-in ends at %s", at)
	}
	if at := end(r.browser(), u.String()); at != "/?signInError=expired" {
		t.Errorf("in a browser without one it ends at %s", at)
	}
	b = r.browser()
	if at := end(b, with(back(b), "state", "x")); at != "/?signInError=expired" {
		t.Errorf("another state ends at %s", at)
	}
	b = r.browser()
	if at := end(b, with(back(b), "code", "x")); at != "/?signInError=failed" {
		t.Errorf("another code ends at %s", at)
	}
	// A code of one sign-in under the state of another: PKCE and the nonce tell.
	first, second := r.browser(), r.browser()
	stolen := back(first).Query().Get("code")
	if at := end(second, with(back(second), "code", stolen)); at != "/?signInError=failed" {
		t.Errorf("a stolen code ends at %s", at)
	}
	b = r.browser()
	denied := back(b)
	q := url.Values{"state": {denied.Query().Get("state")}, "error": {"access_denied"}}
	denied.RawQuery = q.Encode()
	if at := end(b, denied.String()); at != "/?signInError=denied" {
		t.Errorf("a refusal ends at %s", at)
	}
	if r.begun() != 1 {
		t.Errorf("%d sessions", r.begun())
	}
}

func TestReturnLeadsInside(t *testing.T) {
	r := newRig(t, ``)
	r.sql(`UPDATE users SET email = 'ada@acme.example' WHERE id = $1`, r.acme.Users[tenancy.Operator])
	r.people.set("ada", "subject-1", "ada@acme.example", true)
	for _, after := range []string{"//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "relative", "", "/\t/evil.example"} {
		if at := r.signIn(r.browser(), "ada", after); at != "/" {
			t.Errorf("%q ends at %s", after, at)
		}
	}
}

func TestProviderThatIsAway(t *testing.T) {
	r := newRig(t, ``)
	r.sql(`UPDATE users SET email = 'ada@acme.example' WHERE id = $1`, r.acme.Users[tenancy.Operator])
	r.people.set("ada", "subject-1", "ada@acme.example", true)
	r.set(func() { r.away, r.still = true, time.Now() })
	failed := func() {
		t.Helper()
		if at := r.get(r.browser(), r.app.URL+"/auth/idp/login").Request.URL.RequestURI(); at != "/?signInError=failed" {
			t.Errorf("ends at %s", at)
		}
	}
	failed()
	r.set(func() { r.away = false })
	failed() // it is left alone for a while
	r.set(func() { r.still, r.ahead = time.Time{}, 6*time.Second })
	if at := r.signIn(r.browser(), "ada", "/"); at != "/" {
		t.Errorf("when it is back, ends at %s", at)
	}
	if res := r.get(r.browser(), r.app.URL+"/auth/other/login"); res.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown provider: %d", res.StatusCode)
	}
}

func TestProvidersAreVerified(t *testing.T) {
	good := `{"id": "idp", "issuer": "https://id.example", "client_id": "c", "tenant": "acme"}`
	for name, c := range map[string]struct{ doc, want string }{
		"good":              {good, ""},
		"no id":             {`{"issuer": "https://id.example", "client_id": "c", "tenant": "acme"}`, "id: want"},
		"twice":             {good + "," + good, "twice"},
		"plain http":        {`{"id": "i", "issuer": "http://id.example", "client_id": "c", "tenant": "acme"}`, "issuer: want an https address"},
		"no client":         {`{"id": "i", "issuer": "https://id.example", "tenant": "acme"}`, "client_id and tenant"},
		"admins from afar":  {`{"id": "i", "issuer": "https://id.example", "client_id": "c", "tenant": "acme", "create_as": "admin"}`, "create_as: want"},
		"two secrets":       {`{"id": "i", "issuer": "https://id.example", "client_id": "c", "tenant": "acme", "client_secret_file": "x", "client_secret_env": "y"}`, "not both"},
		"secret is missing": {`{"id": "i", "issuer": "https://id.example", "client_id": "c", "tenant": "acme", "client_secret_env": "NO_SUCH_VARIABLE"}`, "NO_SUCH_VARIABLE is not set"},
		"unknown member":    {`{"id": "i", "secret": "x"}`, "unknown field"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "p.json")
			if err := os.WriteFile(file, []byte(`{"providers": [`+c.doc+`]}`), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := sso.Load(file)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
