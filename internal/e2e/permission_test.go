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

// besides is what operations ask for besides a permission: without it they are
// refused in the same way.
var besides = map[string]func(caller) bool{
	// As the test asks for them they concern the whole tenant.
	"Mutation.createSite":      func(c caller) bool { return !c.sited },
	"Mutation.createParameter": func(c caller) bool { return !c.sited },
	"Mutation.createAlarmRule": func(c caller) bool { return !c.sited },
	// Models are the whole tenant's.
	"Mutation.checkDrift":         func(c caller) bool { return !c.sited },
	"Mutation.acceptRetraining":   func(c caller) bool { return !c.sited },
	"Mutation.dismissRetraining":  func(c caller) bool { return !c.sited },
	"Mutation.setDriftPolicy":     func(c caller) bool { return !c.sited },
	"Mutation.createModel":        func(c caller) bool { return !c.sited },
	"Mutation.uploadModelVersion": func(c caller) bool { return !c.sited },
	"Mutation.archiveVersion":     func(c caller) bool { return !c.sited },
	"Mutation.deleteVersion":      func(c caller) bool { return !c.sited },
	"Mutation.createFaultType":    func(c caller) bool { return !c.sited },
	// So is what serves; a machine of one's sites can be bound.
	"Mutation.deployVersion":        func(c caller) bool { return !c.sited },
	"Mutation.setDeploymentPercent": func(c caller) bool { return !c.sited },
	"Mutation.endDeployment":        func(c caller) bool { return !c.sited },
	"Mutation.rollback":             func(c caller) bool { return !c.sited },
	"Mutation.requestDeployment":    func(c caller) bool { return !c.sited },
	"Mutation.approveDeployment":    func(c caller) bool { return !c.sited },
	"Mutation.rejectDeployment":     func(c caller) bool { return !c.sited },
	"Mutation.setDeploymentPolicy":  func(c caller) bool { return !c.sited },
	"Mutation.startTraining": func(c caller) bool {
		return !c.sited && c.holds(tenancy.ModelsWrite, tenancy.ModelsRead, tenancy.PlantRead, tenancy.TelemetryRead, tenancy.PredictionsRead)
	},
	"Mutation.cancelTraining":      func(c caller) bool { return !c.sited && c.holds(tenancy.ModelsRead) },
	"Mutation.setTrainingSchedule": func(c caller) bool { return !c.sited },
	// It tells of predictions, too.
	"Query.versionStats": func(c caller) bool { return c.holds(tenancy.ModelsRead, tenancy.PredictionsRead) },
	// As the test asks for it, it is about the sessions of another person.
	"Mutation.revokeAllSessions": func(c caller) bool { return c.holds(tenancy.UsersWrite) },
	// They are for those who run the installation.
	"Mutation.createTenant":     func(caller) bool { return false },
	"Mutation.deactivateTenant": func(caller) bool { return false },
	"Query.tenants":             func(caller) bool { return false },
	// It judges readings by rules, and compares alarms.
	"Mutation.startBacktest": func(c caller) bool {
		return c.holds(tenancy.RulesWrite, tenancy.RulesRead, tenancy.PlantRead, tenancy.TelemetryRead, tenancy.AlarmsRead)
	},
	"Mutation.cancelBacktest":   func(c caller) bool { return c.holds(tenancy.RulesRead) },
	"Query.backtestAlarms":      func(c caller) bool { return c.holds(tenancy.RulesRead) },
	"Query.backtestPredictions": func(c caller) bool { return c.holds(tenancy.RulesRead) },
	// Its permission is that of what is exported.
	"Mutation.export": func(c caller) bool { return c.holds(tenancy.PlantRead) },
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
			if c.actor != nil {
				s = i.dial(t, c.token)
			} else if code := i.initWith(t, c.token); code != 4403 {
				t.Errorf("the WebSocket ends with %d, want 4403", code)
			}
			for n, o := range ops {
				want := c.verdict(table[o.name()], types[o.field.Type.Name()])
				if more := besides[o.name()]; want == "" && more != nil && !more(c) {
					want = "FORBIDDEN"
				}
				if o.name() == "Mutation.refreshToken" || o.name() == "Mutation.switchTenant" && c.actor != nil {
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
