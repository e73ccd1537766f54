package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"foresight/internal/app"
	"foresight/internal/testkit"
)

// A tenant from its registration to the end of a member, over the real doors: what is
// changed about a person reaches the tokens and sockets that are out there.
func TestRightsTakeEffectAtOnce(t *testing.T) {
	letters := testkit.SMTP(t)
	testkit.NoLeaks(t)
	cfg := settings(t, dataDir(t))
	cfg.Auth.OpenRegistration = true
	cfg.Mail.Host, cfg.Mail.Port, cfg.Mail.Security = letters.Host, letters.Port, "none"
	a, _ := started(t, cfg)
	defer stop(t, a)

	admin := at(post(t, a, "", `mutation { register(input: {tenantCode: "initech", tenantName: "Initech", email: "ada@initech.example", fullName: "Ada",
		password: "correct horse battery"}) { session { accessToken } userErrors { field message } } }`), "register", "session", "accessToken").(string)
	begun := post(t, a, admin, `{ me { role } models { nodes { name } } deployments { nodes { isProduction } } alarmRules { nodes { name isActive } } roles { totalCount } }`)
	serving := map[any]bool{}
	for i := range 2 {
		serving[at(begun, "models", "nodes", i, "name")] = at(begun, "deployments", "nodes", i, "isProduction") == true
	}
	if at(begun, "me", "role") != "ADMIN" || !serving["fault_classifier"] || !serving["failure_predictor"] ||
		at(begun, "alarmRules", "nodes", 0, "isActive") != true || at(begun, "roles", "totalCount") != 4.0 {
		t.Fatalf("the tenant begins with %v", begun)
	}
	post(t, a, admin, `mutation { inviteUser(input: {email: "olga@initech.example", role: OPERATOR}) { invite { id } userErrors { message } } }`)
	token := regexp.MustCompile(`#token=([A-Za-z0-9_-]{43})`).FindStringSubmatch(letters.Wait(t, 0).Body)
	if token == nil {
		t.Fatal("no link in the letter")
	}
	joined := post(t, a, "", fmt.Sprintf(`mutation { acceptInvite(input: {token: "%s", fullName: "Olga", password: "battery staple horse"})
		{ session { accessToken refreshToken viewer { role user { id } } } userErrors { field message } } }`, token[1]))
	olga := at(joined, "acceptInvite", "session")
	access, refresh := at(olga, "accessToken").(string), at(olga, "refreshToken").(string)
	if at(olga, "viewer", "role") != "OPERATOR" {
		t.Fatalf("joined %v", joined)
	}

	socket := subscribe(t, a, access)
	post(t, a, admin, fmt.Sprintf(`mutation { updateUser(input: {id: "%s", expectedVersion: %v, role: VIEWER}) { user { role } userErrors { field message } } }`,
		at(olga, "viewer", "user", "id"), version(t, a, admin, at(olga, "viewer", "user", "id"))))
	ends(t, socket, 4403)
	if code := refusal(t, a, access, `{ me { role } }`); code != "UNAUTHENTICATED" {
		t.Errorf("the old token: %q", code)
	}
	again := at(post(t, a, "", fmt.Sprintf(`mutation { refreshToken(input: {refreshToken: "%s"}) { session { accessToken refreshToken viewer { role } } } }`, refresh)), "refreshToken", "session")
	if at(again, "viewer", "role") != "VIEWER" {
		t.Fatalf("back as %v", again)
	}
	access, refresh = at(again, "accessToken").(string), at(again, "refreshToken").(string)
	if code := refusal(t, a, access, `mutation { acknowledgeAlarm(input: {id: "01a20000-0000-8010-8000-000000000000"}) { userErrors { code } } }`); code != "FORBIDDEN" {
		t.Errorf("a viewer acknowledges: %q", code)
	}

	socket = subscribe(t, a, access)
	post(t, a, admin, fmt.Sprintf(`mutation { deactivateUser(input: {id: "%s"}) { user { isActive } userErrors { field message } } }`, at(olga, "viewer", "user", "id")))
	ends(t, socket, 4403)
	if code := refusal(t, a, "", fmt.Sprintf(`mutation { refreshToken(input: {refreshToken: "%s"}) { session { accessToken } } }`, refresh)); code != "UNAUTHENTICATED" {
		t.Errorf("the refresh token of a person locked out: %q", code)
	}

	// A change of the password ends every session but the one that it returns.
	changed := post(t, a, admin, `mutation { changePassword(input: {currentPassword: "correct horse battery", password: "another horse entirely"})
		{ session { accessToken } userErrors { field message } } }`)
	if code := refusal(t, a, admin, `{ me { role } }`); code != "UNAUTHENTICATED" {
		t.Errorf("the token from before the change: %q", code)
	}
	fresh, _ := at(changed, "changePassword", "session", "accessToken").(string)
	if code := refusal(t, a, fresh, `{ me { role } }`); fresh == "" || code != "" {
		t.Errorf("the token that came with the change: %q, %v", code, changed)
	}
}

func version(t testing.TB, a *app.App, token string, user any) any {
	t.Helper()
	return at(post(t, a, token, fmt.Sprintf(`{ node(id: "%s") { ... on User { version } } }`, user)), "node", "version")
}

// at follows a path of field names and indices.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// refusal returns the code of the first error.
func refusal(t testing.TB, a *app.App, token, query string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	q, err := http.NewRequestWithContext(t.Context(), "POST", a.URL()+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var out struct {
		Errors []struct{ Extensions struct{ Code string } }
	}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	if len(out.Errors) == 0 {
		return ""
	}
	return out.Errors[0].Extensions.Code
}

// subscribe opens a socket and waits until alarms are live on it.
func subscribe(t testing.TB, a *app.App, token string) *websocket.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, strings.Replace(a.URL(), "http", "ws", 1)+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() }) // ended by the server, mostly
	for _, m := range []map[string]any{
		{"type": "connection_init", "payload": map[string]string{"Authorization": "Bearer " + token}},
		{"type": "subscribe", "id": "1", "payload": map[string]string{"query": `subscription { alarms { seq } }`}},
		{"type": "ping"},
	} {
		if err := wsjson.Write(ctx, c, m); err != nil {
			t.Fatal(err)
		}
	}
	for {
		var m struct{ Type string }
		if err := wsjson.Read(ctx, c, &m); err != nil {
			t.Fatal(err)
		}
		switch m.Type {
		case "pong", "next":
			return c
		case "error":
			t.Fatal("the subscription was refused")
		}
	}
}

// ends waits until the server closes the socket, and checks its code.
func ends(t testing.TB, c *websocket.Conn, want websocket.StatusCode) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	for {
		if _, _, err := c.Read(ctx); err != nil {
			if got := websocket.CloseStatus(err); got != want {
				t.Errorf("the socket ends with %d (%v), want %d", got, err, want)
			}
			return
		}
	}
}
