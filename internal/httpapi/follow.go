package httpapi

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"foresight/internal/obs"
	"foresight/internal/obs/tracing"
)

// follow puts the trace that the client names into the context, and begins a span when
// the request is to be followed; the function ends it with the answer's status. Probes
// and connections, which outlive their request, have none.
func (a *API) follow(ctx context.Context, r *http.Request) (context.Context, func(status int)) {
	t := a.c.Tracer
	ctx = t.FromClient(ctx, r.Header)
	at := route(r)
	if at == "/healthz" || at == "/readyz" || at == "/metrics" || r.Header.Get("Upgrade") != "" || !t.Follows(ctx) {
		return ctx, func(int) {}
	}
	ctx, span := t.Start(ctx, method(r)+" "+at, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("http.request.method", method(r)), attribute.String("http.route", at), attribute.String(tracing.Request, obs.RequestID(ctx))))
	return ctx, func(status int) {
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			tracing.Fail(span, http.StatusText(status))
		}
		span.End()
	}
}
