package schema_test

import (
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"foresight/graph/schema"
)

// Everything that a client can name says what it is.
func TestEverythingIsDescribed(t *testing.T) {
	s := load(t, schema.SDL())
	described := func(coordinate, text string) {
		if len(strings.TrimSpace(text)) < 3 {
			t.Errorf("%s has no description", coordinate)
		}
	}
	seen := 0
	for name, d := range s.Types {
		if d.BuiltIn {
			continue
		}
		seen++
		described(name, d.Description)
		for _, v := range d.EnumValues {
			described(name+"."+v.Name, v.Description)
		}
		for _, f := range d.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			described(name+"."+f.Name, f.Description)
			for _, a := range f.Arguments {
				described(name+"."+f.Name+"("+a.Name+":)", a.Description)
			}
		}
	}
	if seen < 80 {
		t.Errorf("only %d types were looked at", seen)
	}
}

// Conventions that clients build on.
func TestConventions(t *testing.T) {
	s := load(t, schema.SDL())
	for _, f := range s.Mutation.Fields {
		payload := s.Types[f.Type.Name()]
		in := f.Arguments.ForName("input")
		switch errs := payload.Fields.ForName("userErrors"); {
		case len(f.Arguments) != 1 || in == nil || !in.Type.NonNull || !strings.HasSuffix(in.Type.Name(), "Input"):
			t.Errorf("%s does not take one input", f.Name)
		case !f.Type.NonNull || !strings.HasSuffix(payload.Name, "Payload"):
			t.Errorf("%s does not return a payload", f.Name)
		case errs == nil || errs.Type.String() != "[UserError!]!":
			t.Errorf("%s has no userErrors", payload.Name)
		case len(payload.Fields) < 2:
			t.Errorf("%s says nothing of what changed", payload.Name)
		}
		if strings.HasPrefix(f.Name, "update") {
			if v := s.Types[in.Type.Name()].Fields.ForName("expectedVersion"); v == nil || v.Type.String() != "Int!" {
				t.Errorf("%s takes no expectedVersion", f.Name)
			}
		}
	}
	for _, d := range s.Types {
		if d.Kind == ast.Object && strings.HasSuffix(d.Name, "Connection") {
			item := strings.TrimSuffix(d.Name, "Connection")
			for field, want := range map[string]string{"edges": "[" + item + "Edge!]!", "nodes": "[" + item + "!]!", "pageInfo": "PageInfo!"} {
				if f := d.Fields.ForName(field); f == nil || f.Type.String() != want {
					t.Errorf("%s.%s is not %s", d.Name, field, want)
				}
			}
		}
		for _, f := range d.Fields {
			if strings.HasSuffix(f.Type.Name(), "Connection") && f.Arguments.ForName("first") == nil {
				t.Errorf("%s.%s has no page size", d.Name, f.Name)
			}
		}
	}
}
