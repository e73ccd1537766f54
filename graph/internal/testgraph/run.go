package testgraph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
)

// Run executes one operation as a transport does and returns its first response.
func Run(ctx context.Context, exec graphql.GraphExecutor, query string, variables map[string]any) *graphql.Response {
	ctx = graphql.StartOperationTrace(ctx)
	oc, errs := exec.CreateOperationContext(ctx, &graphql.RawParams{Query: query, Variables: variables})
	ctx = graphql.WithOperationContext(ctx, oc)
	if errs != nil {
		return exec.DispatchError(ctx, errs)
	}
	next, ctx := exec.DispatchOperation(ctx, oc)
	return next(ctx)
}
