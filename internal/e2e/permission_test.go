package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/vektah/gqlparser/v2/ast"

	"foresight/graph/resolver"
	"foresight/internal/tenancy"
)

// caller is a credential and what the table lets it do.
type caller struct {
	name  string
	token string
	may   tenancy.Set // nil: it is nobody
	bad   bool        // the credential is not good
}

func (i *instance) callers(t testing.TB) []caller {
	t.Helper()
	var out []caller
	for _, r := range []tenancy.Role{tenancy.Viewer, tenancy.Operator, tenancy.Engineer, tenancy.Admin} {
		out = append(out, caller{name: string(r), token: i.login(t, alpha, string(r)), may: tenancy.RoleScopes(r)})
	}
	out = append(out, caller{name: "partner", token: i.partner(t, alpha), may: tenancy.RoleScopes(tenancy.Engineer)})
	for _, scope := range []tenancy.Permission{tenancy.AlarmsRead, tenancy.PlantRead, tenancy.PlantWrite, tenancy.TelemetryRead} {
		out = append(out, caller{name: "partner with " + string(scope), token: i.partner(t, alpha, string(scope)), may: tenancy.NewSet(scope)})
	}
	good := i.login(t, alpha, "admin")
	parts := strings.Split(good, ".")
	return append(out,
		caller{name: "anonymous"},
		caller{name: "expired", token: i.expired(t, good), bad: true},
		caller{name: "garbage", token: "no.token.at-all", bad: true},
		caller{name: "unsigned", token: parts[0] + "." + parts[1] + ".", bad: true},
		caller{name: "body of another", token: parts[0] + "." + strings.Split(i.login(t, beta, "admin"), ".")[1] + "." + parts[2], bad: true},
	)
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
	for _, c := range []string{"iat", "nbf", "exp"} {
		claims[c] = claims[c].(float64) - 3600
	}
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
	for _, c := range []string{"iat", "nbf", "exp"} {
		claims[c] = claims[c].(float64) + 3600
	}
	again, err := old.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	if a := i.ask(t, request{token: again, query: `{ me { role } }`}); a.Status != http.StatusOK {
		t.Fatalf("a token signed by the test is not taken: %s", a.Body)
	}
	return s
}

// TestPermissions asks every operation with every credential. What is named in the
// inputs exists nowhere, so that nothing changes.
func TestPermissions(t *testing.T) {
	i := quiet.get(t)
	ops := i.operations(t)
	table, types, _ := resolver.Tables()
	if have := slices.Sorted(maps.Keys(table)); !slices.Equal(have, names(ops)) {
		t.Fatalf("the table has %v, the schema %v", have, names(ops))
	}
	callers := i.callers(t)
	asked, allowed := 0, 0
	for _, c := range callers {
		t.Run(c.name, func(t *testing.T) {
			var s *socket
			if c.may != nil {
				s = i.dial(t, c.token)
			} else if code := i.initWith(t, c.token); code != 4403 {
				t.Errorf("the WebSocket ends with %d, want 4403", code)
			}
			for n, o := range ops {
				want := c.verdict(table[o.name()], types[o.field.Type.Name()])
				if o.name() == "Mutation.refreshToken" {
					want = "UNAUTHENTICATED" // open to all, but the token to refresh is no good
				}
				got, status := i.verdict(t, c, s, fmt.Sprint(n), o)
				asked++
				if got == "" {
					allowed++
				}
				if got != want {
					t.Errorf("%s (%s %s): %q, want %q", o.name(), table[o.name()], types[o.field.Type.Name()], got, want)
				}
				if c.bad && status != 0 && status != http.StatusUnauthorized {
					t.Errorf("%s: status %d, want 401", o.name(), status)
				}
			}
		})
	}
	figure("permissions: %d operations x %d credentials, %d asked, %d allowed as the table says", len(ops), len(callers), asked, allowed)
}

// verdict is what the table says: the code of the refusal, "" for none.
func (c caller) verdict(operation, result tenancy.Permission) string {
	switch {
	case c.bad:
		return "UNAUTHENTICATED"
	case operation == "": // public
		return ""
	case c.may == nil:
		return "UNAUTHENTICATED"
	case operation != "*" && !c.may.Has(operation), result != "" && !c.may.Has(result):
		return "FORBIDDEN"
	}
	return ""
}

// verdict is what the product says: UNAUTHENTICATED, FORBIDDEN, or "" for anything
// else, and the status of HTTP (0 over a WebSocket).
func (i *instance) verdict(t testing.TB, c caller, s *socket, id string, o operation) (string, int) {
	t.Helper()
	probe := map[string]any{}
	if o.kind == ast.Subscription {
		probe["scope.sensorId"] = newID("Sensor") // unknown, so that there is always an answer
	}
	v, err := o.variables(probe, newID)
	if err != nil {
		t.Fatal(err)
	}
	var errors []graphError
	status := 0
	if o.kind == ast.Subscription && s != nil {
		f := i.firstAnswer(t, s, id, o.document(0), v)
		if f.Type == "error" {
			errors = decode[[]graphError](t, f.Payload)
		}
	} else {
		a := i.ask(t, request{token: c.token, language: "en", query: o.document(0), vars: v})
		errors, status = a.Errors, a.Status
	}
	for _, e := range errors {
		switch code := e.Code(); code {
		case "UNAUTHENTICATED", "FORBIDDEN":
			return code, status
		case "INTERNAL", "":
			t.Errorf("%s: %+v", o.name(), e)
		}
	}
	return "", status
}

// initWith returns the close code of a connection that begins with the token.
func (i *instance) initWith(t testing.TB, token string) int {
	t.Helper()
	s := i.dial(t, "")
	s.send(t, frame{Type: "connection_init", Payload: json.RawMessage(fmt.Sprintf(`{"authorization":%q}`, "Bearer "+token))})
	return int(s.closed(t))
}
