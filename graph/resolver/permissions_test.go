package resolver

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"foresight/graph/schema"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

func sdl(t testing.TB) *ast.Schema {
	t.Helper()
	s, err := gqlparser.LoadSchema(&ast.Source{Name: "schema", Input: schema.SDL()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOperationsAreThoseOfTheSchema(t *testing.T) {
	s := sdl(t)
	left := maps.Clone(operations)
	for _, root := range []*ast.Definition{s.Query, s.Mutation, s.Subscription} {
		for _, f := range root.Fields {
			name := root.Name + "." + f.Name
			p, ok := left[name]
			switch {
			case strings.HasPrefix(f.Name, "__"):
			case !ok:
				t.Errorf("%s has no permission: nobody can ask for it", name)
			case p != public && p != anyone && !tenancy.Known(p):
				t.Errorf("%s needs %s, which nobody can have", name, p)
			case root == s.Mutation && strings.HasSuffix(string(p), ":read") && !keepNothing[name]:
				t.Errorf("%s changes things and needs only %s", name, p)
			}
			delete(left, name)
		}
	}
	for name := range left {
		t.Errorf("%s is not in the schema", name)
	}
}

// keepNothing are mutations that only answer.
var keepNothing = map[string]bool{"Mutation.predictFault": true, "Mutation.predictFailure": true}

// free are object types that anybody who got as far as to reach them may read:
// shapes of pages and payloads, and parts that only a gated type leads to.
var free = map[string]bool{
	"AuditChange": true, "WebhookDelivery": true, "RateLimit": true, "RateLimitBudget": true, "SystemStatus": true, "SystemPart": true,
	"PageInfo": true, "UserError": true, "Viewer": true, "UserSettings": true, "QuietHours": true, "FaultAction": true, "TenantSettings": true, "Session": true, "Tenant": true, "User": true, // fields of User have their own gate
	"SeverityCount": true, "Parameter": true, "RejectedReading": true,
	"ActiveSession": true, "TenantAccess": true, "SitePermission": true, // one's own, or judged by the service
	"ReadingValue": true, "IngestResult": true, "AssetHealth": true, "FaultProbability": true, "FeatureContribution": true, "FailureProbability": true, "DailyFeature": true, "AlarmTransition": true, "Metric": true,
}

// An object type is gated, or it is known why not.
func TestTypesAreGated(t *testing.T) {
	s := sdl(t)
	for name, d := range s.Types {
		if d.Kind != ast.Object || d.BuiltIn || d == s.Query || d == s.Mutation || d == s.Subscription {
			continue
		}
		shape := strings.HasSuffix(name, "Connection") || strings.HasSuffix(name, "Edge") || strings.HasSuffix(name, "Payload") || strings.HasSuffix(name, "Item")
		if _, gated := types[name]; !gated && !free[name] && !shape {
			t.Errorf("%s can be reached through edges without a permission: add it to types, or say in this test why not", name)
		}
		if _, gated := types[name]; gated && free[name] {
			t.Errorf("%s is gated and free", name)
		}
	}
	for name := range types {
		if s.Types[name] == nil {
			t.Errorf("%s is not in the schema", name)
		}
	}
	for name := range fields {
		on, f, _ := strings.Cut(name, ".")
		if s.Types[on] == nil || s.Types[on].Fields.ForName(f) == nil {
			t.Errorf("%s is not in the schema", name)
		}
	}
}

func TestGate(t *testing.T) {
	s := sdl(t)
	for name, c := range map[string]struct {
		query string
		holds []tenancy.Permission
		want  fault.Kind // "" passes
	}{
		"enough":                         {`{ assets { nodes { code } } }`, []tenancy.Permission{tenancy.PlantRead}, ""},
		"an edge needs more":             {`{ assets { nodes { latestPrediction { code } } } }`, []tenancy.Permission{tenancy.PlantRead}, fault.Forbidden},
		"through a fragment":             {`{ assets { nodes { ...p } } } fragment p on Asset { latestPrediction { code } }`, []tenancy.Permission{tenancy.PlantRead}, fault.Forbidden},
		"through an inline fragment":     {`{ node(id: "x") { ... on AlarmEvent { asset { code } } } }`, []tenancy.Permission{tenancy.AlarmsRead}, fault.Forbidden},
		"under another name":             {`{ mine: assets { nodes { x: activeAlarmCount } } }`, []tenancy.Permission{tenancy.PlantRead}, fault.Forbidden},
		"a second field":                 {`{ assets { nodes { id } } users { nodes { id } } }`, []tenancy.Permission{tenancy.PlantRead}, fault.Forbidden},
		"alarms of a site":               {`{ sites { nodes { activeAlarmCount } } }`, []tenancy.Permission{tenancy.PlantRead}, fault.Forbidden},
		"who acted is named":             {`{ alarmEvents { nodes { acknowledgedBy { id fullName } } } }`, []tenancy.Permission{tenancy.AlarmsRead}, ""},
		"not where to write to":          {`{ alarmEvents { nodes { acknowledgedBy { email } } } }`, []tenancy.Permission{tenancy.AlarmsRead}, fault.Forbidden},
		"one's own address":              {`{ me { user { email role } } }`, nil, ""},
		"one fragment on self and other": {`{ me { user { ...u } } alarmEvents { nodes { resolvedBy { ...u } } } } fragment u on User { email }`, []tenancy.Permission{tenancy.AlarmsRead}, fault.Forbidden},
		"the same the other way":         {`{ alarmEvents { nodes { resolvedBy { ...u } } } me { user { ...u } } } fragment u on User { email }`, []tenancy.Permission{tenancy.AlarmsRead}, fault.Forbidden},
		"the type's name is free":        {`{ __typename __schema { types { name } } me { __typename } }`, nil, ""},
		"a subscription":                 {`subscription { alarms { seq } }`, []tenancy.Permission{tenancy.TelemetryRead}, fault.Forbidden},
		"what it gives":                  {`subscription { alarms { alarm { asset { code } } } }`, []tenancy.Permission{tenancy.AlarmsRead}, fault.Forbidden},
		"a mutation":                     {`mutation { acknowledgeAlarm(input: {id: "x"}) { userErrors { code } } }`, []tenancy.Permission{tenancy.AlarmsRead}, fault.Forbidden},
	} {
		t.Run(name, func(t *testing.T) {
			doc, errs := gqlparser.LoadQueryWithRules(s, c.query, nil)
			if errs != nil {
				t.Fatal(errs)
			}
			ctx := tenancy.With(t.Context(), &tenancy.Actor{Kind: tenancy.Client, Scopes: tenancy.NewSet(c.holds...)})
			if got := gateOf(ctx, doc); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if got := gateOf(t.Context(), doc); got != fault.Unauthenticated && !strings.Contains(c.query, "{ me") && !strings.Contains(c.query, "__") {
				t.Errorf("nobody: %q", got)
			}
		})
	}
}

// What is held on a site alone lets the operation run there, and nothing else.
func TestGateNarrowsToSites(t *testing.T) {
	s := sdl(t)
	north, south := id.New(id.Site), id.New(id.Site)
	a := &tenancy.Actor{Kind: tenancy.Person}
	a.Hold(tenancy.Viewer, []tenancy.RoleGrant{{Permissions: tenancy.NewSet(tenancy.TelemetryWrite)},
		{Permissions: tenancy.NewSet(tenancy.RulesWrite), SiteID: north}, {Permissions: tenancy.NewSet(tenancy.AlarmsAct), SiteID: south}})
	ctx := tenancy.With(t.Context(), a)
	for _, c := range []struct {
		name, query string
		want        fault.Kind
		sites       []id.UUID
	}{
		{"what is held everywhere", `{ assets { nodes { id } } }`, "", nil},
		{"on one site", `mutation { deleteAlarmRule(input: {id: "x"}) { userErrors { code } } }`, "", []id.UUID{north}},
		{"on two sites that are not the same", `mutation { deleteAlarmRule(input: {id: "x"}) { userErrors { code } }
			acknowledgeAlarm(input: {id: "x"}) { userErrors { code } } }`, fault.Forbidden, nil},
		{"nowhere", `{ users { nodes { id } } }`, fault.Forbidden, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc, errs := gqlparser.LoadQueryWithRules(s, c.query, nil)
			if errs != nil {
				t.Fatal(errs)
			}
			oc := &graphql.OperationContext{Operation: doc.Operations[0]}
			err := Permissions{}.MutateOperationContext(ctx, oc)
			if got := fault.KindOf(err); err != nil && got != c.want || err == nil && c.want != "" {
				t.Fatalf("%v, want %q", err, c.want)
			}
			if err != nil {
				return
			}
			Permissions{}.InterceptOperation(graphql.WithOperationContext(ctx, oc), func(ctx context.Context) graphql.ResponseHandler {
				if got := tenancy.From(ctx).SiteIDs; !slices.Equal(got, c.sites) {
					t.Errorf("runs on %v, want %v", got, c.sites)
				}
				return nil
			})
		})
	}
}

func gateOf(ctx context.Context, doc *ast.QueryDocument) fault.Kind {
	if err := (Permissions{}).MutateOperationContext(ctx, &graphql.OperationContext{Operation: doc.Operations[0]}); err != nil {
		return fault.KindOf(err)
	}
	return ""
}
