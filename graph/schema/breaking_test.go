package schema_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"foresight/graph/schema"
)

// released is the schema that clients were last promised. A release copies the
// schema there:
//
//	UPDATE_RELEASED=1 go test ./graph/schema/
const released = "testdata/released.graphql"

// changelog is where a breaking change must be named by its coordinate.
var changelog = filepath.Join("..", "..", "CHANGELOG-schema.md")

func load(t testing.TB, sdl string) *ast.Schema {
	t.Helper()
	s, err := gqlparser.LoadSchema(&ast.Source{Name: "schema", Input: sdl})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBreakingChangesAreAnnounced(t *testing.T) {
	if os.Getenv("UPDATE_RELEASED") != "" {
		if err := os.WriteFile(released, []byte(schema.SDL()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old, err := os.ReadFile(released)
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(changelog)
	if err != nil {
		t.Fatal(err)
	}
	unreleased, _, _ := strings.Cut(string(log), "\n## Released")
	for _, b := range breaking(load(t, string(old)), load(t, schema.SDL())) {
		if !strings.Contains(unreleased, "`"+b.coordinate+"`") {
			t.Errorf("%s %s: clients break. Deprecate it first, or name `%s` in CHANGELOG-schema.md.", b.coordinate, b.what, b.coordinate)
		}
	}
}

// change is a change that some client's operation does not survive.
type change struct{ coordinate, what string }

// breaking compares two schemas, the older first.
func breaking(old, now *ast.Schema) (out []change) {
	add := func(coordinate, format string, args ...any) {
		out = append(out, change{coordinate, fmt.Sprintf(format, args...)})
	}
	for name, o := range old.Types {
		n := now.Types[name]
		switch {
		case o.BuiltIn:
			continue
		case n == nil:
			add(name, "is gone")
			continue
		case n.Kind != o.Kind:
			add(name, "was %s and is %s", o.Kind, n.Kind)
			continue
		}
		for _, i := range o.Interfaces {
			if !slices.Contains(n.Interfaces, i) {
				add(name, "is no %s any longer", i)
			}
		}
		for _, v := range o.EnumValues {
			if n.EnumValues.ForName(v.Name) == nil {
				add(name+"."+v.Name, "is gone")
			}
		}
		for _, m := range o.Types {
			if !slices.Contains(n.Types, m) {
				add(name, "holds no %s any longer", m)
			}
		}
		for _, f := range o.Fields {
			at := name + "." + f.Name
			g := n.Fields.ForName(f.Name)
			switch {
			case strings.HasPrefix(f.Name, "__"):
				continue
			case g == nil:
				add(at, "is gone")
				continue
			case o.Kind == ast.InputObject && !accepts(g.Type, f.Type), o.Kind != ast.InputObject && !accepts(f.Type, g.Type):
				add(at, "was %s and is %s", f.Type, g.Type)
			case o.Kind == ast.InputObject && f.DefaultValue.String() != g.DefaultValue.String():
				add(at, "had the default %s and has %s", f.DefaultValue, g.DefaultValue)
			}
			for _, a := range f.Arguments {
				b := g.Arguments.ForName(a.Name)
				switch {
				case b == nil:
					add(at+"("+a.Name+":)", "is gone")
				case !accepts(b.Type, a.Type):
					add(at+"("+a.Name+":)", "was %s and is %s", a.Type, b.Type)
				case a.DefaultValue.String() != b.DefaultValue.String():
					add(at+"("+a.Name+":)", "had the default %s and has %s", a.DefaultValue, b.DefaultValue)
				}
			}
			for _, b := range g.Arguments {
				if f.Arguments.ForName(b.Name) == nil && b.Type.NonNull && b.DefaultValue == nil {
					add(at+"("+b.Name+":)", "is new and required")
				}
			}
		}
		if o.Kind == ast.InputObject {
			for _, g := range n.Fields {
				if o.Fields.ForName(g.Name) == nil && g.Type.NonNull && g.DefaultValue == nil {
					add(name+"."+g.Name, "is new and required")
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b change) int { return strings.Compare(a.coordinate+a.what, b.coordinate+b.what) })
	return out
}

// accepts reports whether whoever takes a wide type copes with every value of the
// narrow one.
func accepts(wide, narrow *ast.Type) bool {
	if wide.NonNull && !narrow.NonNull {
		return false
	}
	if wide.Elem != nil || narrow.Elem != nil {
		return wide.Elem != nil && narrow.Elem != nil && accepts(wide.Elem, narrow.Elem)
	}
	return wide.NamedType == narrow.NamedType
}

func TestBreakingSeesWhatBreaks(t *testing.T) {
	const base = `interface Node { id: ID! } enum E { A B } input In { a: Int b: Int! = 1 }
		type T implements Node { id: ID! name: String list(first: Int = 5): [Int!]! } union U = T
		type Query { t(in: In, e: E): T u: U }`
	for name, c := range map[string]struct{ from, to, want string }{
		"nothing":                        {"", "", ""},
		"a new field":                    {"name: String", "name: String more: Int", ""},
		"a new enum value":               {"A B", "A B C", ""},
		"a new optional argument":        {"e: E", "e: E f: Int", ""},
		"a new optional input field":     {"a: Int", "a: Int c: Int", ""},
		"an output that is never null":   {"name: String", "name: String!", ""},
		"an input that may be left out":  {"b: Int! = 1", "b: Int = 1", ""},
		"a field gone":                   {"name: String", "", "T.name is gone"},
		"an enum value gone":             {"A B", "A", "E.B is gone"},
		"an argument gone":               {", e: E", "", "Query.t(e:) is gone"},
		"an input field gone":            {"a: Int", "", "In.a is gone"},
		"an interface gone":              {"T implements Node", "T", "T is no Node any longer"},
		"another type":                   {"name: String", "name: Int", "T.name was String and is Int"},
		"an output that may be null":     {"[Int!]!", "[Int]!", "T.list was [Int!]! and is [Int]!"},
		"an input that is required":      {"a: Int", "a: Int!", "In.a was Int and is Int!"},
		"an argument that is required":   {"in: In,", "in: In!,", "Query.t(in:) was In and is In!"},
		"a new required argument":        {"e: E", "e: E f: Int!", "Query.t(f:) is new and required"},
		"a new required input field":     {"a: Int", "a: Int c: Int!", "In.c is new and required"},
		"another default of an argument": {"= 5", "= 6", "T.list(first:) had the default 5 and has 6"},
		"another default of an input":    {"= 1", "= 2", "In.b had the default 1 and has 2"},
		"another kind":                   {"union U = T", "type U { a: Int }", "U was UNION and is OBJECT"},
		"a type gone":                    {"union U = T", "", "Query.u was U and is Int; U is gone"},
	} {
		changed := strings.Replace(base, c.from, c.to, 1)
		if name == "a type gone" {
			changed = strings.Replace(changed, "u: U", "u: Int", 1)
		}
		var got []string
		for _, b := range breaking(load(t, base), load(t, changed)) {
			got = append(got, b.coordinate+" "+b.what)
		}
		if s := strings.Join(got, "; "); s != c.want {
			t.Errorf("%s: %q, want %q", name, s, c.want)
		}
	}
}
