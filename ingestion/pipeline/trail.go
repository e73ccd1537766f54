package pipeline

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"foresight/internal/id"
	"foresight/internal/obs/tracing"
)

// mostFollowed bounds the messages of one batch that have spans of their own.
const mostFollowed = 32

// trail is what is told of a batch with messages that are followed: a span of the batch,
// and one of each of them within its own trace, linked with each other, with the stages
// within both. Almost every batch has none; a nil trail tells nothing.
type trail struct {
	t        *tracing.Tracer
	b        *batch
	ctx      context.Context
	whole    trace.Span
	messages []followed
	done     bool // it was committed
}

type followed struct {
	raw  int // its place in the batch
	span trace.Span
}

// follow begins the spans. From here on the readings name theirs.
func (p *partition) follow(ctx context.Context, b *batch, entries int, begin time.Time) *trail {
	t := p.w.parts.Tracer
	if t == nil {
		return nil
	}
	var links []trace.Link
	var at []int
	for i := range b.raws {
		if r := &b.raws[i]; r.Trace.Valid() && len(at) < mostFollowed {
			links, at = append(links, trace.Link{SpanContext: r.Trace.SpanContext()}), append(at, i)
		}
	}
	if len(at) == 0 {
		return nil
	}
	tr := &trail{t: t, b: b, ctx: ctx, messages: make([]followed, len(at))}
	_, tr.whole = t.Start(ctx, "batch", trace.WithNewRoot(), trace.WithTimestamp(begin), trace.WithLinks(links...), trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(attribute.Int("partition", p.lease.number), attribute.Int("entries", entries)))
	back := trace.Link{SpanContext: tr.whole.SpanContext()}
	for n, i := range at {
		r := &b.raws[i]
		_, s := t.Start(r.Trace.Within(ctx), "process", trace.WithTimestamp(begin), trace.WithLinks(back), trace.WithSpanKind(trace.SpanKindConsumer),
			trace.WithAttributes(tracing.IDs(r.Tenant, r.Site, r.Asset, r.Sensor)...),
			trace.WithAttributes(attribute.Int("partition", p.lease.number), attribute.Int64("log_sequence", int64(r.LogSeq))))
		r.Trace = tracing.RefOfSpan(s)
		tr.messages[n] = followed{i, s}
	}
	return tr
}

// stage tells of one that is over.
func (tr *trail) stage(name string, begin, end time.Time) {
	if tr == nil {
		return
	}
	tr.t.Record(tr.ctx, tracing.RefOfSpan(tr.whole), name, begin, end)
	for _, m := range tr.messages {
		tr.t.Record(tr.ctx, tracing.RefOfSpan(m.span), name, begin, end)
	}
	tr.done = tr.done || name == "commit"
}

// end ends the spans, when the batch is over either way.
func (tr *trail) end() {
	if tr == nil {
		return
	}
	for _, m := range tr.messages {
		if version := tr.version(m.raw); version != id.Nil {
			m.span.SetAttributes(attribute.String(tracing.ModelVersion, version.String()))
		}
		tr.over(m.span)
	}
	tr.over(tr.whole)
}

func (tr *trail) over(s trace.Span) {
	if !tr.done {
		tracing.Fail(s, "not committed")
	}
	s.End()
}

// version is the model's that judged the reading, Nil when none did.
func (tr *trail) version(raw int) id.UUID {
	if raw >= len(tr.b.predicted) || tr.b.predicted[raw] < 0 {
		return id.Nil
	}
	return tr.b.predictions[tr.b.predicted[raw]].VersionID
}
