package limits

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"foresight/internal/fault"
)

// Introspection answers `__schema` and `__type` where Allowed says so, and is
// FORBIDDEN elsewhere; `__typename` is always answered. Without the extension
// gqlgen answers no introspection at all.
type Introspection struct {
	// Allowed is asked for every operation that introspects; nil allows none.
	Allowed func(context.Context) bool
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationContextMutator
} = Introspection{}

// ExtensionName names the extension among the others of a server.
func (Introspection) ExtensionName() string { return "Introspection" }

// Validate has nothing to check.
func (Introspection) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext opens introspection for the operation or refuses it.
func (i Introspection) MutateOperationContext(ctx context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	at := introspects(oc.Operation.SelectionSet, map[string]bool{})
	if at == nil {
		return nil
	}
	if i.Allowed == nil || !i.Allowed(ctx) {
		return refuse(fault.New(fault.Forbidden, "error.graphql.introspection"), at)
	}
	oc.DisableIntrospection = false
	return nil
}

// introspects returns where the root selection asks for the schema.
func introspects(ss ast.SelectionSet, seen map[string]bool) *ast.Position {
	for _, s := range ss {
		var inner ast.SelectionSet
		switch s := s.(type) {
		case *ast.Field:
			if s.Name == "__schema" || s.Name == "__type" {
				return s.Position
			}
		case *ast.InlineFragment:
			inner = s.SelectionSet
		case *ast.FragmentSpread:
			if s.Definition != nil && !seen[s.Name] {
				seen[s.Name] = true
				inner = s.Definition.SelectionSet
			}
		}
		if p := introspects(inner, seen); p != nil {
			return p
		}
	}
	return nil
}
