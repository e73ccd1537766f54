package share

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// View is what the result of an operation depends on beside the operation: tenant,
// rights and language, not the person.
type View struct {
	Key string // the same for all who see the same, different otherwise
	// Dress puts all of it into a context that knows nothing of who asked.
	Dress func(context.Context) context.Context
}

// Fields are the fields of Subscription that are shared. For each are named the
// arguments that concern nothing but the beginning, such as the place to resume at:
// subscribers that differ in them alone share what is live.
type Fields map[string][]string

// request is an operation as far as sharing is concerned.
type request struct {
	field graphql.CollectedField
	own   bool   // it begins like no other
	key   string // the same for all that are the same but for their beginning
}

// request returns what the operation asks for, false when it is not shared.
func (f Fields) request(oc *graphql.OperationContext, v View) (request, bool) {
	if oc.Operation == nil || oc.Operation.Operation != ast.Subscription {
		return request{}, false
	}
	fields := graphql.CollectFields(oc, oc.Operation.SelectionSet, []string{"Subscription"})
	if len(fields) != 1 {
		return request{}, false
	}
	r := request{field: fields[0]}
	beginning, shared := f[r.field.Name]
	if !shared {
		return request{}, false
	}
	args := r.field.ArgumentMap(oc.Variables)
	r.own = slices.ContainsFunc(beginning, func(name string) bool { return args[name] != nil })
	variables := maps.Clone(oc.Variables)
	for name := range beginningOnly(oc, r.field, beginning) {
		delete(variables, name)
	}
	b, err := json.Marshal(variables) // in the order of names
	if err != nil {
		return request{}, false
	}
	r.key = strings.Join([]string{v.Key, oc.OperationName, oc.RawQuery, string(b)}, "\x00")
	return r, true
}

// beginningOnly returns the variables that are used in those arguments of the field
// and nowhere else.
func beginningOnly(oc *graphql.OperationContext, field graphql.CollectedField, arguments []string) map[string]bool {
	u := uses{of: map[string]bool{}, elsewhere: map[string]bool{}, seen: map[string]bool{}}
	for _, a := range field.Arguments {
		if slices.Contains(arguments, a.Name) {
			u.value(a.Value, u.of)
		}
	}
	u.skip = field.Field
	u.skipped = arguments
	u.selections(oc.Operation.SelectionSet)
	for name := range u.elsewhere {
		delete(u.of, name)
	}
	return u.of
}

// uses walks an operation for the variables that it uses.
type uses struct {
	of, elsewhere map[string]bool
	skip          *ast.Field // whose arguments skipped are no use elsewhere
	skipped       []string
	seen          map[string]bool // fragments
}

func (u *uses) value(v *ast.Value, into map[string]bool) {
	if v == nil {
		return
	}
	if v.Kind == ast.Variable {
		into[v.Raw] = true
	}
	for _, c := range v.Children {
		u.value(c.Value, into)
	}
}

func (u *uses) directives(list ast.DirectiveList) {
	for _, d := range list {
		for _, a := range d.Arguments {
			u.value(a.Value, u.elsewhere)
		}
	}
}

func (u *uses) selections(set ast.SelectionSet) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			for _, a := range s.Arguments {
				if s != u.skip || !slices.Contains(u.skipped, a.Name) {
					u.value(a.Value, u.elsewhere)
				}
			}
			u.directives(s.Directives)
			u.selections(s.SelectionSet)
		case *ast.InlineFragment:
			u.directives(s.Directives)
			u.selections(s.SelectionSet)
		case *ast.FragmentSpread:
			u.directives(s.Directives)
			if s.Definition != nil && !u.seen[s.Name] {
				u.seen[s.Name] = true
				u.selections(s.Definition.SelectionSet)
			}
		}
	}
}
