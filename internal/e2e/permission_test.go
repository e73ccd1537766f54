package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"foresight/graph/resolver"
	"foresight/internal/tenancy"
)

// ofTheTenant are operations that make, as the test asks for them, what concerns the
// whole tenant: a caller limited to sites may not, though it holds the permission.
var ofTheTenant = []string{"Mutation.createSite", "Mutation.createParameter", "Mutation.createAlarmRule"}

// ofOperators are operations for those who operate the installation, which is nobody
// here: holding the permission does not suffice.
var ofOperators = []string{"Query.tenants", "Mutation.createTenant", "Mutation.deactivateTenant"}

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
			if c.actor != nil {
				s = i.dial(t, c.token)
			} else if code := i.initWith(t, c.token); code != 4403 {
				t.Errorf("the WebSocket ends with %d, want 4403", code)
			}
			for n, o := range ops {
				want := c.verdict(table[o.name()], types[o.field.Type.Name()])
				if o.name() == "Mutation.refreshToken" {
					want = "UNAUTHENTICATED" // open to all, but the token to refresh is no good
				}
				if want == "" && slices.Contains(ofOperators, o.name()) {
					want = "FORBIDDEN"
				}
				got, status := i.verdict(t, c, s, fmt.Sprint(n), o)
				asked++
				if got == "" {
					allowed++
				}
				if got == "FORBIDDEN" && want == "" && c.sited && slices.Contains(ofTheTenant, o.name()) {
					continue // what is asked would concern other sites as well
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
	case c.actor == nil:
		return "UNAUTHENTICATED"
	case !c.holds(operation, result):
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
	s.init(t, token)
	return int(s.closed(t))
}
