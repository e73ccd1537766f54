package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"go.opentelemetry.io/otel/attribute"

	"foresight/graph/gqlerr"
	"foresight/internal/obs"
	"foresight/internal/obs/tracing"
	"foresight/internal/tenancy"
)

// longestName bounds what is told of the name of an operation, which is the client's.
const longestName = 64

// follow makes a span of the execution of a query or mutation within a request that is
// followed. It tells sort and name of the operation, never its text or variables.
func follow(t *tracing.Tracer) graphql.ResponseMiddleware {
	return func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		if t == nil || !graphql.HasOperationContext(ctx) {
			return next(ctx)
		}
		oc := graphql.GetOperationContext(ctx)
		if oc.Operation == nil || oc.Operation.Operation == ast.Subscription || !tracing.RefOf(ctx).Valid() {
			return next(ctx)
		}
		name := oc.Operation.Name
		ctx, span := t.Within(ctx, "graphql "+string(oc.Operation.Operation),
			attribute.String("graphql.operation.type", string(oc.Operation.Operation)),
			attribute.String("graphql.operation.name", name[:min(len(name), longestName)]))
		defer span.End()
		if a := tenancy.From(ctx); a != nil {
			span.SetAttributes(attribute.String(tracing.Tenant, a.TenantID.String()))
		}
		resp := next(ctx)
		if resp != nil && len(resp.Errors) > 0 {
			tracing.Fail(span, codeOf(resp.Errors[0]))
		}
		return resp
	}
}

// counted counts the errors that are presented, by their code.
func counted(present graphql.ErrorPresenterFunc, r prometheus.Registerer) graphql.ErrorPresenterFunc {
	errors := obs.NewCounter(r, "graphql", "errors_total", "Errors in answers of the graph, by code; userErrors of mutations are none.", "code")
	return func(ctx context.Context, err error) *gqlerror.Error {
		e := present(ctx, err)
		errors.WithLabelValues(codeOf(e)).Inc()
		return e
	}
}

func codeOf(e *gqlerror.Error) string {
	code, _ := e.Extensions[gqlerr.Code].(string)
	return code
}
