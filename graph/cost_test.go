package graph

import (
	"maps"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"foresight/graph/schema"
)

// What has a cost or a length of its own is in the schema.
func TestCostsAreOfTheSchema(t *testing.T) {
	s, err := gqlparser.LoadSchema(&ast.Source{Name: "schema", Input: schema.SDL()})
	if err != nil {
		t.Fatal(err)
	}
	for what, table := range map[string]map[string]int{"fieldCost": fieldCost, "listSize": listSize, "longest": longest} {
		for coordinate := range maps.Keys(table) {
			on, name, _ := strings.Cut(coordinate, ".")
			f := (*ast.FieldDefinition)(nil)
			if d := s.Types[on]; d != nil {
				f = d.Fields.ForName(name)
			}
			switch {
			case f == nil:
				t.Errorf("%s: %s is not in the schema", what, coordinate)
			case what == "listSize" && f.Type.Elem == nil, what == "longest" && f.Arguments.ForName("first") == nil:
				t.Errorf("%s: %s is no such list", what, coordinate)
			}
		}
	}
}
