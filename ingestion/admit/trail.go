package admit

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"foresight/internal/obs/tracing"
	"foresight/internal/telemetry"
)

// trail is the span of one message that is followed, from its arrival to the
// confirmation by the log. Almost every message has none: all of a nil trail does nothing.
type trail struct {
	t    *tracing.Tracer
	ctx  context.Context
	span trace.Span
	last time.Time
}

// follow begins the span of a message when it is to be followed.
func (a *Admitter) follow(ctx context.Context) *trail {
	if !a.opt.Tracer.Follows(ctx) {
		return nil
	}
	now := time.Now()
	ctx, span := a.opt.Tracer.Start(ctx, "publish", trace.WithTimestamp(now), trace.WithSpanKind(trace.SpanKindProducer))
	return &trail{a.opt.Tracer, ctx, span, now}
}

// lap tells of a step that is over.
func (t *trail) lap(step string) {
	if t == nil {
		return
	}
	now := time.Now()
	t.t.Record(t.ctx, tracing.RefOfSpan(t.span), step, t.last, now)
	t.last = now
}

// ref goes with the message.
func (t *trail) ref() tracing.Ref {
	if t == nil {
		return tracing.Ref{}
	}
	return tracing.RefOfSpan(t.span)
}

// found tells whose message it is.
func (t *trail) found(k telemetry.Key) {
	if t != nil {
		t.span.SetAttributes(tracing.IDs(k.Tenant, k.Site, k.Asset, k.Sensor)...)
	}
}

// appended ends a message that the log has.
func (t *trail) appended(sequence uint64) {
	if t == nil {
		return
	}
	t.lap("append")
	t.span.SetAttributes(attribute.Int64("log_sequence", int64(sequence)))
	t.span.End()
}

// failed ends a message that was not taken, for a reason of decode.
func (t *trail) failed(reason string) {
	if t == nil {
		return
	}
	tracing.Fail(t.span, reason)
	t.span.End()
}

// once returns a context without the span of the given one: of messages that came
// together, the first goes on with the trace of their request.
func (a *Admitter) once(ctx context.Context) context.Context {
	if !tracing.RefOf(ctx).Valid() {
		return ctx
	}
	return trace.ContextWithSpanContext(ctx, trace.SpanContext{})
}
