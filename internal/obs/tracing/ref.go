// Package tracing follows single messages and requests through the product. It decides
// which of them are followed, carries that over borders (the log, the hub, HTTP), and
// begins spans of OpenTelemetry, of which it uses the API alone: where they go is decided
// by internal/obs/otlp.
//
// What is not followed costs a comparison: no span is begun, nothing is allocated and
// nothing is carried.
package tracing

import (
	"context"

	"go.opentelemetry.io/otel/trace"
)

// Ref names a span of a trace that is followed; the zero value names none. It is
// comparable.
type Ref struct {
	Trace trace.TraceID
	Span  trace.SpanID
}

// RefBytes is the size of AppendRef's form.
const RefBytes = 16 + 8

// RefOf returns the context's span, if it is followed.
func RefOf(ctx context.Context) Ref { return refOf(trace.SpanContextFromContext(ctx)) }

// RefOfSpan returns the span, if it is followed.
func RefOfSpan(s trace.Span) Ref { return refOf(s.SpanContext()) }

func refOf(c trace.SpanContext) Ref {
	if !c.IsSampled() || !c.IsValid() {
		return Ref{}
	}
	return Ref{c.TraceID(), c.SpanID()}
}

// Valid reports whether the Ref names a span.
func (r Ref) Valid() bool { return r.Trace.IsValid() && r.Span.IsValid() }

// Within returns a context whose span is the one named, begun elsewhere. A Ref that is
// not valid leaves the context as it is.
func (r Ref) Within(ctx context.Context) context.Context {
	if !r.Valid() {
		return ctx
	}
	return trace.ContextWithSpanContext(ctx, r.SpanContext())
}

// SpanContext is the span as one begun elsewhere.
func (r Ref) SpanContext() trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: r.Trace, SpanID: r.Span, TraceFlags: trace.FlagsSampled, Remote: true})
}

// AppendRef appends the RefBytes bytes of a Ref: the trace, then the span.
func AppendRef(b []byte, r Ref) []byte { return append(append(b, r.Trace[:]...), r.Span[:]...) }

// ReadRef reads what AppendRef wrote; fewer bytes, and ids of zeros, are no Ref.
func ReadRef(b []byte) (r Ref, ok bool) {
	if len(b) != RefBytes {
		return Ref{}, false
	}
	copy(r.Trace[:], b)
	copy(r.Span[:], b[len(r.Trace):])
	if !r.Valid() {
		return Ref{}, false
	}
	return r, true
}

// TraceID returns the context's trace in hexadecimal, "" outside of one. A trace that a
// client named is one also when it is not followed here.
func TraceID(ctx context.Context) string {
	c := trace.SpanContextFromContext(ctx)
	if !c.HasTraceID() {
		return ""
	}
	return c.TraceID().String()
}
