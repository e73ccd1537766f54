package e2e

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"foresight/graph/resolver"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// operation is a query, mutation or subscription of the schema.
type operation struct {
	kind   ast.Operation
	field  *ast.FieldDefinition
	schema *ast.Schema
	may    []tenancy.Permission // of fields
}

// The tables of the product: what operations, objects and single fields need.
var needs, ofTypes, special = resolver.Tables()

// open reports whether the caller may ask the operation.
func (o operation) open(c caller) bool {
	more := besides[o.name()]
	return c.actor != nil && c.holds(needs[o.name()], ofTypes[o.field.Type.Name()]) && (more == nil || more(c))
}

// name as the table of permissions has it, `Query.sites`.
func (o operation) name() string {
	k := string(o.kind)
	return strings.ToUpper(k[:1]) + k[1:] + "." + o.field.Name
}

// operations reads the schema that the instance publishes, after checking that it is
// the one that introspection shows.
func (i *instance) operations(t testing.TB) []operation {
	t.Helper()
	p, err := web.Get(i.url + "/schema.graphql")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Body.Close()
	sdl, err := io.ReadAll(p.Body)
	if err != nil || p.StatusCode != http.StatusOK {
		t.Fatalf("/schema.graphql: %d %v", p.StatusCode, err)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: string(sdl)})
	if err != nil {
		t.Fatal(err)
	}
	var out []operation
	for kind, d := range map[ast.Operation]*ast.Definition{ast.Query: schema.Query, ast.Mutation: schema.Mutation, ast.Subscription: schema.Subscription} {
		for _, f := range d.Fields {
			if !strings.HasPrefix(f.Name, "__") {
				out = append(out, operation{kind: kind, field: f, schema: schema})
			}
		}
	}
	slices.SortFunc(out, func(a, b operation) int { return strings.Compare(a.name(), b.name()) })
	published := names(out)
	if shown := i.introspected(t); !slices.Equal(shown, published) {
		t.Fatalf("introspection shows %v, /schema.graphql %v", shown, published)
	}
	return out
}

func names(os []operation) []string {
	var out []string
	for _, o := range os {
		out = append(out, o.name())
	}
	return out
}

func (i *instance) introspected(t testing.TB) []string {
	t.Helper()
	type root struct{ Fields []struct{ Name string } }
	p := get[struct {
		Schema struct{ QueryType, MutationType, SubscriptionType root } `json:"__schema"`
	}](t, i, i.login(t, alpha, "admin"), `{ __schema { queryType { fields { name } } mutationType { fields { name } } subscriptionType { fields { name } } } }`, nil)
	var out []string
	for kind, r := range map[string]root{"Query": p.Schema.QueryType, "Mutation": p.Schema.MutationType, "Subscription": p.Schema.SubscriptionType} {
		for _, f := range r.Fields {
			out = append(out, kind+"."+f.Name)
		}
	}
	slices.Sort(out)
	return out
}

// document asks for the operation with all its arguments as variables. levels is how
// deep objects are selected; 0 selects nothing but the type's name. What the tables say
// to need more than the operation is left out unless the caller may.
func (o operation) document(levels int, may ...tenancy.Permission) string {
	o.may = may
	var declared, given []string
	for _, a := range o.field.Arguments {
		variable := "$" + a.Name + ": " + a.Type.String()
		if a.DefaultValue != nil {
			variable += " = " + a.DefaultValue.String()
		}
		declared = append(declared, variable)
		given = append(given, a.Name+": $"+a.Name)
	}
	head, args := "", ""
	if len(declared) > 0 {
		head, args = "("+strings.Join(declared, ", ")+")", "("+strings.Join(given, ", ")+")"
	}
	selected := ""
	if d := o.schema.Types[o.field.Type.Name()]; d.IsCompositeType() {
		selected = " { __typename }"
		if levels > 0 {
			selected = " " + o.selection(d, levels, nil)
		}
	}
	return fmt.Sprintf("%s%s { %s%s%s }", o.kind, head, o.field.Name, args, selected)
}

// selection takes every field of a type; a type within itself is not entered again.
// Connections cost no level: they stand for what they list.
func (o operation) selection(d *ast.Definition, levels int, path []string) string {
	if d.Kind == ast.Interface || d.Kind == ast.Union {
		return o.fragments(d, levels, path)
	}
	fields := []string{"__typename"}
	path = append(slices.Clone(path), d.Name)
	for _, f := range d.Fields {
		if s := o.selected(d, f, levels, path); s != "" {
			fields = append(fields, s)
		}
	}
	return "{ " + strings.Join(fields, " ") + " }"
}

func (o operation) selected(on *ast.Definition, f *ast.FieldDefinition, levels int, path []string) string {
	of := o.schema.Types[f.Type.Name()]
	switch {
	case strings.HasPrefix(f.Name, "__"):
		return ""
	case special[on.Name+"."+f.Name] != "" && !slices.Contains(o.may, special[on.Name+"."+f.Name]):
		return ""
	case len(o.may) > 0 && ofTypes[of.Name] != "" && !slices.Contains(o.may, ofTypes[of.Name]):
		return ""
	case !of.IsCompositeType():
		return f.Name
	case f.Name == "edges" && strings.HasSuffix(on.Name, "Connection"):
		return "edges { cursor }"
	}
	if !strings.HasSuffix(on.Name, "Connection") && !strings.HasSuffix(on.Name, "Payload") && !strings.HasSuffix(on.Name, "Item") {
		levels--
	}
	if levels < 0 || slices.Contains(path, of.Name) {
		return ""
	}
	return f.Name + " " + o.selection(of, levels, path)
}

// fragments selects each possible type. Two types may have a field of one name and
// different types, which GraphQL does not allow in one answer: those are renamed.
func (o operation) fragments(d *ast.Definition, levels int, path []string) string {
	types := map[string]map[string]bool{}
	possible := slices.DeleteFunc(slices.Clone(o.schema.GetPossibleTypes(d)), func(p *ast.Definition) bool {
		return len(o.may) > 0 && ofTypes[p.Name] != "" && !slices.Contains(o.may, ofTypes[p.Name])
	})
	for _, p := range possible {
		for _, f := range p.Fields {
			if types[f.Name] == nil {
				types[f.Name] = map[string]bool{}
			}
			types[f.Name][f.Type.String()] = true
		}
	}
	out := "{ __typename"
	for _, p := range possible {
		out += " ... on " + p.Name + " {"
		for _, f := range p.Fields {
			s := o.selected(p, f, levels, append(slices.Clone(path), p.Name))
			if s != "" && len(types[f.Name]) > 1 {
				s = p.Name + "_" + s + " "
				s = strings.Replace(s, p.Name+"_"+f.Name, p.Name+"_"+f.Name+": "+f.Name, 1)
			}
			out += " " + s
		}
		out += " }"
	}
	return out + " }"
}

// slot is a place of an operation's input where something of another tenant can be
// named.
type slot struct {
	path string // `filter.siteId`
	kind slotKind
	// entity is the type that an id here should name, "" for any.
	entity string
}

type slotKind string

const (
	anID     slotKind = "id"
	aCode    slotKind = "code"
	aCursor  slotKind = "cursor"
	freeText slotKind = "text"
)

// slots lists the places; an error means that the tests do not know how to name
// something there.
func (o operation) slots() ([]slot, error) {
	var out []slot
	var walk func(path string, name string, t *ast.Type) error
	walk = func(path, name string, t *ast.Type) error {
		d := o.schema.Types[t.Name()]
		switch {
		case d.Kind == ast.InputObject:
			for _, f := range d.Fields {
				if err := walk(path+"."+f.Name, f.Name, f.Type); err != nil {
					return err
				}
			}
		case t.Name() == "UUID":
			e, err := o.entity(name)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", o.name(), path, err)
			}
			out = append(out, slot{path, anID, e})
		case name == "code" || name == "tenantCode":
			out = append(out, slot{path, aCode, ""})
		case name == "after" && t.Name() == "String", name == "before":
			out = append(out, slot{path, aCursor, ""})
		case name == "search":
			out = append(out, slot{path, freeText, ""})
		}
		return nil
	}
	for _, a := range o.field.Arguments {
		if err := walk(a.Name, a.Name, a.Type); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// entity returns the type that an input of the name means: `ruleId` an AlarmRule,
// `id` what the operation is about.
func (o operation) entity(name string) (string, error) {
	nodes := map[string]bool{}
	for _, p := range o.schema.GetPossibleTypes(o.schema.Types["Node"]) {
		nodes[p.Name] = true
	}
	switch name {
	case "id":
		if o.field.Type.Name() == "Node" {
			return "", nil
		}
		if nodes[o.field.Type.Name()] {
			return o.field.Type.Name(), nil
		}
		for _, f := range o.schema.Types[o.field.Type.Name()].Fields {
			if nodes[f.Type.Name()] {
				return f.Type.Name(), nil
			}
		}
		return about(o.field.Name, nodes)
	case "uploadId":
		return "Upload", nil
	case "ids":
		return ofIDs[o.field.Name], nil
	case "entityId", "actorId":
		return "", nil
	case "parentId", "rootId":
		return "Asset", nil
	case "candidateId", "baselineId", "baseVersionId":
		return "ModelVersion", nil
	case "expectedDeploymentId":
		return "Deployment", nil
	}
	if base, ok := strings.CutSuffix(strings.TrimSuffix(name, "s"), "Id"); ok { // or `sensorIds`
		base = string(unicode.ToUpper(rune(base[0]))) + base[1:]
		if nodes[base] {
			return base, nil
		}
		for _, n := range slices.Sorted(maps.Keys(nodes)) {
			if strings.HasSuffix(n, base) {
				return n, nil
			}
		}
	}
	return "", fmt.Errorf("which entity does an id of this name mean? teach it to the test")
}

// ofIDs are the types of the lists of ids that are of one type.
var ofIDs = map[string]string{"compareVersions": "ModelVersion"}

// named lists the types of the ids without which the operation cannot be asked.
func (o operation) named() (out []string) {
	for _, a := range o.field.Arguments {
		if a.Type.Name() == "UUID" && a.Type.NonNull && a.DefaultValue == nil {
			entity, err := o.entity(a.Name)
			if err != nil {
				panic(err)
			}
			out = append(out, entity)
		}
	}
	return out
}

// aboutWhat are the operations whose id is of a type that their name does not say.
var aboutWhat = map[string]string{"explainPrediction": "FaultPrediction", "deleteRole": "AccessRole", "unassignRole": "RoleAssignment", "revokeSession": "Session", "setFaultActions": "FaultAction"}

// about returns the type that the id of an operation names: deleteWebhook is about a
// Webhook.
func about(operation string, types map[string]bool) (found string, err error) {
	if typ, ok := aboutWhat[operation]; ok {
		return typ, nil
	}
	for typ := range types {
		if len(typ) > len(found) && strings.HasSuffix(strings.ToLower(operation), strings.ToLower(typ)) {
			found = typ
		}
	}
	if found == "" {
		return "", errors.New("which entity does the id of this operation mean? teach it to the test")
	}
	return found, nil
}

// harmless are places that are filled with something unknown when nothing is probed
// there, since leaving them out would end the test's own sessions.
var harmless = map[string]map[string]any{"Mutation.revokeAllSessions": {"input.userId": newID("User")}}

// variables fills the input: the probed places as given, what is required besides
// with something acceptable, where own(entity) names something of the caller's.
func (o operation) variables(probe map[string]any, own func(entity string) string) (vars, error) {
	out := vars{}
	if safe := maps.Clone(harmless[o.name()]); safe != nil {
		maps.Copy(safe, probe)
		probe = safe
	}
	for _, a := range o.field.Arguments {
		v, there, err := o.input(a.Name, a.Name, a.Type, a.DefaultValue != nil, probe, own)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.name(), err)
		}
		if there {
			out[a.Name] = v
		}
	}
	_, first := out["first"]
	if a := o.field.Arguments.ForName("first"); a != nil && !first {
		out["first"] = 20
	}
	return out, nil
}

func (o operation) input(path, name string, t *ast.Type, hasDefault bool, probe map[string]any, own func(string) string) (any, bool, error) {
	wrap := func(v any) any {
		switch {
		case t.Elem == nil:
			return v
		case path == "ids" && ofIDs[o.field.Name] != "": // several of one type: beside one of the caller's own
			return []any{own(ofIDs[o.field.Name]), v}
		}
		return []any{v}
	}
	if v, ok := probe[path]; ok {
		return wrap(v), true, nil
	}
	required := t.NonNull && !hasDefault
	d := o.schema.Types[t.Name()]
	if d.Kind == ast.InputObject {
		object, err := o.object(path, d, probe, own)
		return wrap(object), required || len(object) > 0 && touched(path, probe), err
	}
	if !required {
		return nil, false, nil
	}
	switch {
	case d.Kind == ast.Enum:
		return wrap(d.EnumValues[0].Name), true, nil
	case t.Name() == "UUID":
		e, err := o.entity(name)
		if err != nil {
			return nil, false, err
		}
		v := own(e)
		if v == "" { // the caller has none
			v = newID(e)
		}
		return wrap(v), true, nil
	}
	v, ok := map[string]any{"Int": 1, "Long": 1, "Float": 1e5, "Boolean": false, "Time": stamp(time.Now())}[t.Name()]
	if name == "from" && t.Name() == "Time" { // to a time that is now
		v = stamp(time.Now().Add(-24 * time.Hour))
	}
	if t.Name() == "String" || t.Name() == "ID" {
		v, ok = "probe", true
		if special, is := requiredText[name]; is {
			v = special()
		}
	}
	if !ok {
		return nil, false, fmt.Errorf("%s: what is a good %s? teach it to the test", path, t.Name())
	}
	return wrap(v), true, nil
}

func (o operation) object(path string, d *ast.Definition, probe map[string]any, own func(string) string) (vars, error) {
	out := vars{}
	for _, f := range d.Fields {
		v, there, err := o.input(path+"."+f.Name, f.Name, f.Type, f.DefaultValue != nil, probe, own)
		if err != nil {
			return nil, err
		}
		if there {
			out[f.Name] = v
		}
	}
	return out, nil
}

func touched(path string, probe map[string]any) bool {
	for p := range probe {
		if strings.HasPrefix(p, path+".") {
			return true
		}
	}
	return false
}

// requiredText are good values of texts that must be given.
var requiredText = map[string]func() string{
	"parameter":  func() string { return "vibration_rms" },
	"parameters": func() string { return "vibration_rms" },
	"code":       func() string { return "probe-" + id.New(id.Asset).String() },
	"email":      func() string { return id.New(id.User).String() + "@nowhere.example" },
}
