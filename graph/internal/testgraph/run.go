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

// Prepare parses and validates an operation without running it.
func Prepare(ctx context.Context, exec graphql.GraphExecutor, query string) *graphql.OperationContext {
	oc, errs := exec.CreateOperationContext(graphql.StartOperationTrace(ctx), &graphql.RawParams{Query: query})
	if errs != nil {
		panic(errs)
	}
	return oc
}
