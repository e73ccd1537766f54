package tracing_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"foresight/internal/obs/tracing"
)

// recorded returns a tracer of the ratio and what it has ended.
func recorded(t testing.TB, ratio float64) (*tracing.Tracer, *tracetest.InMemoryExporter) {
	out := tracetest.NewInMemoryExporter()
	p := sdk.NewTracerProvider(sdk.WithSyncer(out), sdk.WithSampler(sdk.ParentBased(sdk.AlwaysSample())))
	t.Cleanup(func() { _ = p.Shutdown(context.WithoutCancel(t.Context())) })
	return tracing.New(p, ratio), out
}

func TestRefsGoOverBorders(t *testing.T) {
	tr, out := recorded(t, 1)
	_, s := tr.Start(t.Context(), "publish")
	ref := tracing.RefOfSpan(s)
	s.End()
	b := tracing.AppendRef([]byte("x"), ref)
	if len(b) != 1+tracing.RefBytes {
		t.Fatalf("%d bytes", len(b))
	}
	back, ok := tracing.ReadRef(b[1:])
	if !ok || back != ref {
		t.Fatalf("%v, want %v", back, ref)
	}
	begin := time.Now()
	if r := tr.Record(t.Context(), back, "store", begin, begin.Add(time.Second)); r.Trace != ref.Trace || r.Span == ref.Span {
		t.Errorf("recorded as %v", r)
	}
	spans := out.GetSpans()
	if len(spans) != 2 || spans[1].Parent.SpanID() != ref.Span || spans[1].EndTime.Sub(spans[1].StartTime) != time.Second {
		t.Errorf("%+v", spans)
	}
	for _, bad := range [][]byte{nil, b[2:], make([]byte, tracing.RefBytes)} {
		if r, ok := tracing.ReadRef(bad); ok || r.Valid() {
			t.Errorf("%d bytes are taken for %v", len(bad), r)
		}
	}
}

func TestWhatIsFollowed(t *testing.T) {
	all, _ := recorded(t, 1)
	none, _ := recorded(t, 0)
	ctx, s := all.Start(t.Context(), "x")
	defer s.End()
	unsampled := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}}))
	for _, c := range []struct {
		name string
		t    *tracing.Tracer
		ctx  context.Context
		want bool
	}{
		{"off", nil, ctx, false},
		{"all, in nothing", all, t.Context(), true},
		{"none, in nothing", none, t.Context(), false},
		{"none, within what is followed", none, ctx, true},
		{"all, within what is not followed", all, unsampled, false},
	} {
		if got := c.t.Follows(c.ctx); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	half, _ := recorded(t, 0.5)
	n := 0
	for range 10_000 {
		if half.Follows(t.Context()) {
			n++
		}
	}
	if n < 4500 || n > 5500 {
		t.Errorf("half of 10,000 are %d", n)
	}
}

// A client names the trace, and cannot have more followed than is granted.
func TestClientsAreBelievedWithinBounds(t *testing.T) {
	tr, _ := recorded(t, 0)
	h := http.Header{"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}
	followed := 0
	for range 1000 {
		ctx := tr.FromClient(t.Context(), h)
		if got := tracing.TraceID(ctx); got != "0af7651916cd43dd8448eb211c80319c" {
			t.Fatalf("trace %q", got)
		}
		if tr.Follows(ctx) {
			followed++
		}
	}
	if followed < 20 || followed > 500 {
		t.Errorf("%d of 1,000 are followed", followed)
	}
	var off *tracing.Tracer
	if ctx := off.FromClient(t.Context(), h); tracing.RefOf(ctx).Valid() || tracing.TraceID(ctx) == "" {
		t.Error("off: the trace is followed, or not named")
	}
	for _, bad := range []string{"", "00-x", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"} {
		if got := tracing.TraceID(tr.FromClient(t.Context(), http.Header{"Traceparent": {bad}})); got != "" {
			t.Errorf("%q names %s", bad, got)
		}
	}
}

func BenchmarkNotFollowed(b *testing.B) {
	few, _ := recorded(b, 1e-9)
	for name, tr := range map[string]*tracing.Tracer{"off": nil, "few": few} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if tr.Follows(b.Context()) {
					b.Fatal("followed")
				}
				tr.Record(b.Context(), tracing.Ref{}, "x", time.Time{}, time.Time{})
			}
		})
	}
}
