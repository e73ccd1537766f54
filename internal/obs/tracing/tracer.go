package tracing

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"golang.org/x/time/rate"
)

// Scope is the name under which spans are begun.
const Scope = "foresight"

// Clients that ask by the sampled flag of their traceparent are followed at most so
// often, in traces per second of this process; beyond that, by the ratio as all others.
const (
	askedPerSecond = 10
	askedAtOnce    = 20
)

// Tracer begins spans. A nil Tracer begins none. It is safe for concurrent use.
type Tracer struct {
	tracer trace.Tracer
	ratio  float64
	asked  *rate.Limiter
}

// New returns a Tracer that follows the ratio, 0 to 1, of what begins here. The provider
// must keep every span that is begun.
func New(p trace.TracerProvider, ratio float64) *Tracer {
	return &Tracer{tracer: p.Tracer(Scope), ratio: ratio, asked: rate.NewLimiter(askedPerSecond, askedAtOnce)}
}

// chosen draws whether something new is followed.
func (t *Tracer) chosen() bool { return t.ratio > 0 && (t.ratio >= 1 || rand.Float64() < t.ratio) }

// Follows draws whether something that happens in the context is followed: all that
// belongs to a span that is, and the ratio of what belongs to none.
func (t *Tracer) Follows(ctx context.Context) bool {
	if t == nil {
		return false
	}
	c := trace.SpanContextFromContext(ctx)
	return c.IsSampled() || !c.IsValid() && t.chosen()
}

// Start begins a span within the context's, or the first one of a trace. Ask Follows
// before, where something may begin.
func (t *Tracer) Start(ctx context.Context, name string, o ...trace.SpanStartOption) (context.Context, trace.Span) {
	return t.tracer.Start(ctx, name, o...)
}

// Within begins a span when the context is in one that is followed, else one that does
// nothing.
func (t *Tracer) Within(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, trace.Span) {
	if t == nil || !trace.SpanContextFromContext(ctx).IsSampled() {
		return ctx, noop.Span{}
	}
	return t.tracer.Start(ctx, name, trace.WithAttributes(attributes...))
}

// Record makes a span of what is over. It returns the Ref of parent when there is nothing
// to record.
func (t *Tracer) Record(ctx context.Context, parent Ref, name string, begin, end time.Time, attributes ...attribute.KeyValue) Ref {
	if t == nil || !parent.Valid() {
		return parent
	}
	_, s := t.tracer.Start(parent.Within(ctx), name, trace.WithTimestamp(begin), trace.WithAttributes(attributes...))
	s.End(trace.WithTimestamp(end))
	return RefOfSpan(s)
}

var w3c propagation.TraceContext

// FromClient returns the context with the trace that the traceparent of a request names.
// Whether it is followed is the client's wish as far as that is granted.
func (t *Tracer) FromClient(ctx context.Context, h http.Header) context.Context {
	if len(h.Get("traceparent")) == 0 {
		return ctx
	}
	ctx = w3c.Extract(ctx, propagation.HeaderCarrier(h))
	c := trace.SpanContextFromContext(ctx)
	if c.IsSampled() && (t == nil || !t.asked.Allow() && !t.chosen()) {
		ctx = trace.ContextWithRemoteSpanContext(ctx, c.WithTraceFlags(c.TraceFlags()&^trace.FlagsSampled))
	}
	return ctx
}

// Fail marks a span as failed by a kind of error, a word of a fixed set: texts of errors
// may hold what tenants sent.
func Fail(s trace.Span, kind string) { s.SetStatus(codes.Error, kind) }
