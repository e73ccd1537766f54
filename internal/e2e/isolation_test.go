package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// The machines that the isolation tests feed in each tenant.
const (
	alphaFed = "pump-a02-s1"
	betaFed  = "pump-d02-s1"
)

// twoWorlds fills both tenants with everything that can be read, and reads it: each
// has readings, predictions, alarms, refused messages and a parameter of its own.
var twoWorlds = struct {
	sync.Once
	a, b *world
}{}

func bothWorlds(t testing.TB, i *instance, os []operation) (a, b *world) {
	t.Helper()
	twoWorlds.Do(func() {
		admins := map[string]caller{alpha: i.somebody(t, alpha, tenancy.Admin), beta: i.somebody(t, beta, tenancy.Admin)}
		for tenant, gateway := range map[string]string{alpha: "gw-north", beta: "gw-jubail"} {
			site, fed := "north-station", alphaFed
			if tenant == beta {
				site, fed = "jubail-plant", betaFed
			}
			admin := admins[tenant].token
			i.quieten(t, admin)
			id := get[struct{ Tenant struct{ ID string } }](t, i, admin, `{ tenant { id } }`, nil).Tenant.ID
			i.sql(t, `INSERT INTO parameters (id, tenant_id, name, unit) VALUES ($1, $2, $3, 'bar')`, newID("Parameter"), id, "own_"+strings.ReplaceAll(tenant, "-", "_"))
			d := i.device(t, tenant+"."+gateway)
			feed(t, d, tenant+"/"+site+"/sensors/"+fed, "cavitation", 20)
			publish(t, d, tenant+"/"+site+"/sensors/"+fed, []byte(`{"secret-of":"`+tenant+`"`))
			within(t, patience, "alarms, predictions and refused messages of "+tenant, func() bool {
				alarms, predictions, refused := i.seen(t, admin)
				return alarms > 0 && predictions >= 7 && refused > 0
			})
		}
		uploads := map[string]string{alpha: i.models(t, alpha), beta: i.models(t, beta)}
		i.judged(t, alpha, alphaFed)
		i.judged(t, beta, betaFed)
		twoWorlds.a = look(t, i, os, admins[alpha], alphaFed)
		twoWorlds.b = look(t, i, os, admins[beta], betaFed)
		for tenant, w := range map[string]*world{alpha: twoWorlds.a, beta: twoWorlds.b} {
			w.ids["Upload"] = []string{uploads[tenant]} // which no query shows
		}
	})
	if twoWorlds.b == nil {
		t.Fatal("the tenants could not be filled")
	}
	return twoWorlds.a, twoWorlds.b
}

// seen counts what feeding a machine makes, as far as the credential shows it.
func (i *instance) seen(t testing.TB, token string) (alarms, predictions, refused int) {
	t.Helper()
	type counts struct {
		AlarmEvents      struct{ Nodes []struct{ ID string } }
		Predictions      struct{ Nodes []struct{ ID string } }
		RejectedReadings []struct{ ID string }
	}
	c := get[counts](t, i, token, `{ alarmEvents(first: 1) { nodes { id } } predictions(first: 100) { nodes { id } } rejectedReadings { id } }`, nil)
	return len(c.AlarmEvents.Nodes), len(c.Predictions.Nodes), len(c.RejectedReadings)
}

// quieten turns off the rules that fire by the clock: nothing happens by itself then.
func (i *instance) quieten(t testing.TB, token string) {
	t.Helper()
	type rules struct {
		AlarmRules struct {
			Nodes []struct {
				ID, Parameter string
				Version       int
			}
		}
	}
	for _, r := range get[rules](t, i, token, `{ alarmRules(first: 100) { nodes { id parameter version } } }`, nil).AlarmRules.Nodes {
		if r.Parameter == "silence" {
			get[any](t, i, token, `mutation($in: UpdateAlarmRuleInput!) { updateAlarmRule(input: $in) { rule { id } } }`,
				vars{"in": vars{"id": r.ID, "expectedVersion": r.Version, "isActive": false}})
		}
	}
}

// newID returns an unknown id of the kind that the type's ids carry.
func newID(entity string) string {
	if entity == "" {
		entity = "Asset"
	}
	if other, is := kindOf[entity]; is {
		return id.New(other).String()
	}
	var named id.Kind
	for k := id.Kind(1); k.String() != ""; k++ {
		switch name := k.String(); {
		case strings.EqualFold(name, entity):
			return id.New(k).String()
		case strings.HasSuffix(name, entity), strings.HasSuffix(entity, name): // MLModel is Model, Prediction FaultPrediction
			named = k
		}
	}
	if named == 0 {
		panic("which kind have ids of " + entity + "? teach it to the test")
	}
	return id.New(named).String()
}

// kindOf are the types of the graph whose ids are of a kind with another name.
var kindOf = map[string]id.Kind{"AuditEntry": id.AuditLog, "RoleAssignment": id.UserRole, "Session": id.RefreshToken, "AssetModelBinding": id.AssetModelVersion}

// unknown returns an id of the same kind as another one, that nothing has.
func unknown(t testing.TB, like string) string {
	t.Helper()
	u, err := id.Parse(like)
	if err != nil {
		t.Fatal(err)
	}
	if kind, ok := id.KindOf(u); ok {
		return id.New(kind).String()
	}
	return uuid.NewString() // of what is no row of its own
}

// passing is what differs from request to request.
var passing = regexp.MustCompile(`"requestId":"[^"]*"|"cost":\{[^}]*\}`)

// without is an answer without that, and without what was asked for.
func without(body []byte, asked string) string {
	return passing.ReplaceAllString(strings.ReplaceAll(string(body), asked, "<asked>"), `"passing":""`)
}

// probe is one place of an operation with something of the other tenant there, and
// with something of the same form that nobody has.
type probe struct {
	operation
	slot
	theirs, nobodys string
	meant           bool // what is named is of the type that the place is for
}

// probes are made from the schema: a new operation is probed by existing. They name
// what b knows and a does not, and texts that only things of b's have.
func probes(t testing.TB, os []operation, a, b *world, texts ...string) []probe {
	t.Helper()
	newest := func(of map[string][]string) (types, out []string) {
		for _, typ := range slices.Sorted(maps.Keys(of)) {
			for _, v := range slices.Backward(of[typ]) {
				if !a.texts[v] {
					types, out = append(types, typ), append(out, v)
					break
				}
			}
		}
		return types, out
	}
	types, ids := newest(b.ids)
	_, codes := newest(b.codes)
	var out []probe
	for _, o := range os {
		slots, err := o.slots()
		if err != nil {
			t.Error(err)
			continue
		}
		if len(slots) == 0 {
			out = append(out, probe{operation: o, meant: true})
		}
		for _, s := range slots {
			switch s.kind {
			case anID:
				for n, theirs := range ids {
					out = append(out, probe{o, s, theirs, unknown(t, theirs), s.entity == "" || s.entity == types[n]})
				}
			case aCode:
				if o.kind == ast.Mutation && s.path != "input.tenantCode" {
					continue // a code of one's own may be any: see controls
				}
				if needs[o.name()] == "" {
					// Asked without a credential: tenants are named there, and guessing is throttled.
					for _, code := range b.codes["Tenant"] {
						if !a.texts[code] {
							out = append(out, probe{o, s, code, "zzz-" + code, true})
						}
					}
					continue
				}
				for _, code := range codes {
					out = append(out, probe{o, s, code, "zzz-" + code, true})
				}
			case aCursor:
				out = append(out, probe{o, s, b.cursors[0], "", true}, probe{o, s, b.cursors[len(b.cursors)-1], "", true})
			case freeText:
				for _, text := range texts {
					out = append(out, probe{o, s, text, "zzz " + text, true})
				}
			}
		}
	}
	return out
}

func (p probe) String() string {
	return fmt.Sprintf("%s %s = %s", p.name(), p.path, p.theirs)
}

// No credential of one tenant sees, finds or changes anything of another, whatever
// it names where: what another tenant has is as unknown as what nobody has.
func TestIsolation(t *testing.T) {
	i := quiet.get(t)
	os := i.operations(t)
	a, b := bothWorlds(t, i, os)
	for _, entity := range []string{"Tenant", "User", "Site", "Gateway", "Asset", "Sensor", "Parameter", "AlarmRule", "AlarmEvent",
		"FaultPrediction", "Model", "ModelVersion", "Deployment", "RejectedReading", "TrainingRun", "Feedback", "FaultType", "DriftReport", "DriftCheck",
		"RetrainingProposal", "AssetModelBinding", "DeploymentRequest", "DeploymentDecision", "FailurePrediction", "ScoringJob"} {
		if len(b.ids[entity]) == 0 || len(a.ids[entity]) == 0 {
			t.Fatalf("the tenants have no %s to probe with", entity)
		}
	}
	if len(b.ids["Upload"]) == 0 {
		t.Fatal("the other tenant has no upload to probe with")
	}
	theirTenant := b.own("Tenant")
	i.settled(t)
	before := i.sums(t, theirTenant)
	leaks := i.confined(t, os, a, b, []string{"Process pump D02", "jubail", "FLOWSERVE"},
		i.somebody(t, alpha, tenancy.Admin), i.somebody(t, alpha, tenancy.Viewer),
		caller{name: "partner", token: i.partner(t, alpha), actor: allowed(tenancy.RoleScopes(tenancy.Engineer))},
		i.key(t, alpha, "key with everything", nil, true, tenancy.RoleScopes(tenancy.Admin)),
		i.sited(t, "engineer-of-north", tenancy.Engineer, grant{site: "north-station"}))
	for table, sum := range i.sums(t, theirTenant) {
		if sum != before[table] {
			leaks++
			t.Errorf("%s of the other tenant has changed: %s, before %s", table, sum, before[table])
		}
	}
	figure("isolation of tenants: %d leaks", leaks)
	i.controls(t, os, a, i.login(t, alpha, "admin"))
}

// confined tries every probe as every caller, all of them within a, and returns how
// much of b was found.
func (i *instance) confined(t *testing.T, os []operation, a, b *world, texts []string, callers ...caller) int64 {
	t.Helper()
	secrets := b.secrets(a)
	ps := probes(t, os, a, b, texts...)
	var leaks, asked, answered atomic.Int64
	t.Run("as", func(t *testing.T) {
		for first, c := range callers {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				s := i.dial(t, c.token)
				for n, p := range ps {
					if first > 0 && (needs[p.name()] == "" || !p.meant) {
						continue // the same for all who ask; one names everything everywhere
					}
					asked.Add(1)
					found, reached := i.tryProbe(t, s, fmt.Sprint(n), c, p, a, secrets)
					if found != "" {
						leaks.Add(1)
						t.Errorf("%s: %s", p, found)
					}
					if reached {
						answered.Add(1)
					}
				}
			})
		}
	})
	figure("isolation: %d operations x %d credentials, %d probes (%d past the permissions) with %d secrets looked for, %d found",
		len(os), len(callers), asked.Load(), answered.Load(), len(secrets), leaks.Load())
	return leaks.Load()
}

// tryProbe returns what is wrong with the answer, "" when nothing is, and whether the
// caller's permissions let the probe reach the operation.
func (i *instance) tryProbe(t testing.TB, s *socket, n string, c caller, p probe, a *world, secrets []string) (wrong string, reached bool) {
	reached = p.open(c)
	bodies := [2]string{}
	for k, value := range [2]string{p.theirs, p.nobodys} {
		fill := map[string]any{}
		if p.path != "" && value != "" {
			fill[p.path] = value
		}
		v, err := p.variables(fill, a.own)
		if err != nil {
			return err.Error(), reached
		}
		var body []byte
		if p.kind() == ast.Subscription {
			f := i.firstAnswer(t, s, fmt.Sprintf("%s-%d", n, k), p.document(2, c.may()...), v)
			if body = f.Payload; p.slot.kind == anID && f.Type != "error" {
				return "the subscription was accepted: " + string(body), reached
			}
		} else {
			body = i.ask(t, request{token: c.token, language: "en", query: p.document(2, c.may()...), vars: v}).Body
		}
		if p.path != "" && strings.Contains(string(body), `"RATE_LIMITED"`) {
			return fmt.Sprintf("not answered: %s", body), reached
		}
		if p.kind() != ast.Mutation && reached && needs[p.name()] != "*" && strings.Contains(string(body), "FORBIDDEN") {
			return fmt.Sprintf("the probe does not reach the operation: %s", body), reached
		}
		if found := leak(secrets, passing.ReplaceAll(body, []byte(`"passing":""`)), p.theirs); found != "" && value != "" {
			return fmt.Sprintf("%q is in the answer %s", found, body), reached
		}
		bodies[k] = without(body, value)
	}
	if p.nobodys != "" && bodies[0] != bodies[1] {
		return fmt.Sprintf("differs from what nobody has:\n%s\n%s", bodies[0], bodies[1]), reached
	}
	return "", reached
}

func (p probe) kind() ast.Operation { return p.operation.kind }

// firstAnswer subscribes and returns the first frame of the operation, a refusal or
// an item.
func (i *instance) firstAnswer(t testing.TB, s *socket, id, query string, v vars) frame {
	t.Helper()
	s.subscribe(t, id, query, v)
	f := s.await(t, "an answer to "+query, func(f frame) bool { return f.ID == id })
	if f.Type == "next" {
		s.send(t, frame{ID: id, Type: "complete"})
	}
	return f
}

// irrevocable are mutations that would take from the tenant what later tests need, or
// end the sessions of those who ask by changing what they may.
var irrevocable = regexp.MustCompile(`^(delete|remove|deactivate|revoke|withdraw|assign|issue)`)

// fields lists the fields of an operation's inputs.
func fields(o operation) (out []string) {
	for _, a := range o.field.Arguments {
		for _, f := range o.schema.Types[a.Type.Name()].Fields {
			out = append(out, f.Name)
		}
	}
	return out
}

// controls show that the probes mean something: with an id of the tenant's own in
// the same place nothing is unknown. It changes the tenant and comes last.
func (i *instance) controls(t *testing.T, os []operation, a *world, token string) {
	s := i.dial(t, token)
	n := 0
	os = slices.Clone(os)
	slices.SortStableFunc(os, func(x, y operation) int { // what changes something comes last
		return strings.Compare(strings.ReplaceAll(string(y.kind), "mutation", ""), strings.ReplaceAll(string(x.kind), "mutation", ""))
	})
	for _, o := range os {
		slots, err := o.slots()
		if err != nil {
			t.Error(err)
		}
		for _, at := range slots {
			if at.kind != anID {
				continue
			}
			entity := at.entity
			if entity == "" {
				entity = "Asset"
			}
			if len(a.ids[entity]) == 0 || o.field.Name == "addMembership" || // of somebody who is at home elsewhere
				entity == "Upload" && o.field.Name != "uploadModelVersion" || // of a model
				irrevocable.MatchString(o.field.Name) && !slices.Contains(fields(o), "expectedVersion") {
				continue
			}
			// An old version: the row is found, and stays as it is.
			v, err := o.variables(map[string]any{at.path: a.own(entity), "input.expectedVersion": 1 << 30}, a.own)
			if err != nil {
				t.Error(err)
				continue
			}
			n++
			var body json.RawMessage
			if o.kind == ast.Subscription {
				body = i.firstAnswer(t, s, fmt.Sprintf("control-%d", n), o.document(1), v).Payload
			} else {
				body = i.ask(t, request{token: token, language: "en", query: o.document(1), vars: v}).Body
			}
			if strings.Contains(string(body), "NOT_FOUND") || o.field.Name == "node" && strings.Contains(string(body), `"node":null`) {
				t.Errorf("%s %s does not find what is the tenant's own: %s", o.name(), at.path, body)
			}
		}
	}
	// A code that another tenant has is free, and says nothing of the other.
	type created struct{ CreateAsset struct{ UserErrors []any } }
	if c := get[created](t, i, token, `mutation($in: CreateAssetInput!) { createAsset(input: $in) { userErrors { code } } }`,
		vars{"in": vars{"siteId": a.own("Site"), "code": "pump-d02", "name": "Pump", "type": "PUMP"}}); len(c.CreateAsset.UserErrors) > 0 {
		t.Errorf("a code of the other tenant is not free: %v", c)
	}
	figure("isolation: %d controls with own ids", n)
}
