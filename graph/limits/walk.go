package limits

import (
	"encoding/json"
	"math"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"foresight/internal/fault"
)

// walker adds up one operation. It stops at the first limit that is passed: every
// field costs at least 1, so the work is bounded by MaxCost however fragments nest.
type walker struct {
	c       *Config
	vars    map[string]any
	cost    int // saturates at math.MaxInt32
	aliases int
	err     *gqlerror.Error
}

func (w *walker) root(op *ast.OperationDefinition) {
	if op.Operation == ast.Mutation {
		if n := w.countFields(op.SelectionSet, w.c.MaxRootFields+1); n > w.c.MaxRootFields {
			w.err = exceeded("error.graphql.rootFields", w.c.MaxRootFields, op.Position)
			return
		}
	}
	w.walk(op.SelectionSet, 1, 1, 1)
}

// countFields counts the fields of a selection, looking into fragments, up to limit.
func (w *walker) countFields(ss ast.SelectionSet, limit int) (n int) {
	for _, s := range ss {
		if n >= limit {
			return n
		}
		switch s := s.(type) {
		case *ast.Field:
			n++
		case *ast.InlineFragment:
			n += w.countFields(s.SelectionSet, limit-n)
		case *ast.FragmentSpread:
			if s.Definition != nil {
				n += w.countFields(s.Definition.SelectionSet, limit-n)
			}
		}
	}
	return n
}

// walk adds the selection set on `times` objects; page is the page size of the
// connection that the set belongs to, 1 elsewhere.
func (w *walker) walk(ss ast.SelectionSet, depth, times, page int) {
	for _, s := range ss {
		if w.err != nil || w.cost > w.c.MaxCost {
			return
		}
		switch s := s.(type) {
		case *ast.Field:
			if w.included(s.Directives) {
				w.field(s, depth, times, page)
			}
		case *ast.InlineFragment:
			if w.included(s.Directives) && w.noDefer(s.Directives, s.Position) {
				w.walk(s.SelectionSet, depth, times, page)
			}
		case *ast.FragmentSpread:
			if s.Definition != nil && w.included(s.Directives) && w.noDefer(s.Directives, s.Position) {
				w.walk(s.Definition.SelectionSet, depth, times, page)
			}
		}
	}
}

func (w *walker) field(f *ast.Field, depth, times, page int) {
	if f.Alias != f.Name {
		if w.aliases++; w.aliases > w.c.MaxAliases {
			w.err = exceeded("error.graphql.aliases", w.c.MaxAliases, f.Position)
			return
		}
	}
	if strings.HasPrefix(f.Name, "__") {
		// The validator bounds introspection; its nesting is no matter of the data's depth.
		w.walk(f.SelectionSet, 1, times, 1)
		w.add(times, 1)
		return
	}
	if depth > w.c.MaxDepth && !introspective(f) {
		w.err = exceeded("error.graphql.depth", w.c.MaxDepth, f.Position)
		return
	}
	coordinate := ""
	if f.ObjectDefinition != nil {
		coordinate = f.ObjectDefinition.Name + "." + f.Name
	}
	weight, ok := w.c.FieldCost[coordinate]
	if !ok {
		weight = 1
	}
	w.add(times, weight)
	size, childPage := w.size(f, coordinate, page)
	if w.err != nil {
		return
	}
	w.walk(f.SelectionSet, depth+1, product(times, size), childPage)
}

// size returns how many objects the field stands for, and the page size that
// edges and nodes below it multiply by.
func (w *walker) size(f *ast.Field, coordinate string, page int) (size, childPage int) {
	d := f.Definition
	if d == nil {
		return 1, 1
	}
	if d.Arguments.ForName("first") != nil {
		n := w.pageSize(f, coordinate)
		if isConnection(d.Type) {
			return 1, n
		}
		return n, 1
	}
	if d.Type.Elem == nil || len(f.SelectionSet) == 0 {
		return 1, 1
	}
	if (f.Name == "edges" || f.Name == "nodes") && f.ObjectDefinition != nil && strings.HasSuffix(f.ObjectDefinition.Name, "Connection") {
		return page, 1
	}
	if introspective(f) {
		return 1, 1
	}
	if n, ok := w.named(f); ok {
		return n, 1
	}
	if n, ok := w.c.ListSize[coordinate]; ok {
		return n, 1
	}
	return w.c.DefaultListSize, 1
}

// pageSize reads first and last, and refuses what is not 1-MaxPage, or up to what the
// field has in Longest.
func (w *walker) pageSize(f *ast.Field, coordinate string) int {
	longest, ok := w.c.Longest[coordinate]
	if !ok {
		longest = w.c.MaxPage
	}
	first, hasFirst := w.intArg(f, "first")
	last, hasLast := w.intArg(f, "last")
	bad := func(arg, key string) int {
		e := fault.Invalid(arg, key).With("Max", longest).With("Name", f.Name)
		w.err = refuse(e, f.Position)
		return 1
	}
	n, arg := first, "first"
	switch {
	case hasFirst && hasLast:
		return bad("last", "error.page.both")
	case hasLast:
		n, arg = last, "last"
	case !hasFirst && w.c.DefaultPage > 0:
		return w.c.DefaultPage
	case !hasFirst && isConnection(f.Definition.Type):
		return bad("first", "error.page.missing")
	case !hasFirst:
		return longest // what such a list returns at most
	}
	if n < 1 || n > longest {
		return bad(arg, "error.page.size")
	}
	return n
}

func (w *walker) intArg(f *ast.Field, name string) (int, bool) {
	a := f.Arguments.ForName(name)
	if a == nil {
		return 0, false
	}
	v, err := a.Value.Value(w.vars)
	if err != nil || v == nil {
		return 0, false
	}
	switch v := v.(type) {
	case int64:
		return clamp(v), true
	case int:
		return clamp(int64(v)), true
	case float64:
		return clamp(int64(v)), true
	case json.Number:
		n, err := v.Int64()
		if err != nil {
			return -1, true
		}
		return clamp(n), true
	}
	return -1, true
}

// named returns the length of a list argument of the field: nodes(ids: [...]).
func (w *walker) named(f *ast.Field) (int, bool) {
	for _, a := range f.Arguments {
		d := f.Definition.Arguments.ForName(a.Name)
		if d == nil || d.Type.Elem == nil || a.Name != "ids" {
			continue
		}
		if v, err := a.Value.Value(w.vars); err == nil {
			if l, ok := v.([]any); ok {
				if len(l) > w.c.MaxPage {
					w.err = refuse(fault.Invalid(a.Name, "error.page.size").With("Max", w.c.MaxPage).With("Name", f.Name), f.Position)
				}
				return len(l), true
			}
		}
		return 1, true // a single value stands for a list of one
	}
	return 0, false
}

// noDefer refuses @defer: no transport here sends the rest of such a response.
func (w *walker) noDefer(ds ast.DirectiveList, at *ast.Position) bool {
	if ds.ForName("defer") == nil {
		return true
	}
	w.err = refuse(fault.New(fault.BadInput, "error.graphql.defer"), at)
	return false
}

func (w *walker) included(ds ast.DirectiveList) bool {
	is := func(name string) (bool, bool) {
		d := ds.ForName(name)
		if d == nil {
			return false, false
		}
		a := d.Arguments.ForName("if")
		if a == nil {
			return false, false
		}
		v, err := a.Value.Value(w.vars)
		b, ok := v.(bool)
		return b, ok && err == nil
	}
	if b, ok := is("skip"); ok && b {
		return false
	}
	if b, ok := is("include"); ok && !b {
		return false
	}
	return true
}

func (w *walker) add(times, weight int) {
	w.cost = min(w.cost+product(times, weight), math.MaxInt32)
}

func product(a, b int) int {
	if a > 0 && b > math.MaxInt32/a {
		return math.MaxInt32
	}
	return a * b
}

func clamp(n int64) int { return int(max(math.MinInt32, min(n, math.MaxInt32))) }

func isConnection(t *ast.Type) bool { return strings.HasSuffix(t.Name(), "Connection") }

func introspective(f *ast.Field) bool {
	return f.ObjectDefinition != nil && strings.HasPrefix(f.ObjectDefinition.Name, "__")
}
