package admit_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"foresight/ingestion/admit"
	"foresight/internal/id"
	"foresight/internal/obs/tracing"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
)

// instantLog confirms at once, and keeps the newest record.
type instantLog struct{ newest []byte }

func (l *instantLog) Partitions() int { return 1 }

func (l *instantLog) AppendAsync(_ context.Context, _ int, _, _ id.UUID, data []byte) (admit.Pending, error) {
	l.newest = append(l.newest[:0], data...)
	return confirmed{}, nil
}

type confirmed struct{}

func (confirmed) Ready() bool                          { return true }
func (confirmed) Wait(context.Context) (uint64, error) { return 7, nil }

// followed returns the admission of one message of the rig's first tenant under a tracer
// of the ratio; a negative one is none.
func followed(t testing.TB, ratio float64) (one func(context.Context), spans *tracetest.InMemoryExporter, log *instantLog) {
	log, spans = &instantLog{}, tracetest.NewInMemoryExporter()
	r := newRig(t, setup{log: func(admit.Log) admit.Log { return log }, options: func(_ *rig, o *admit.Options) {
		if ratio < 0 {
			return
		}
		p := sdk.NewTracerProvider(sdk.WithSyncer(spans))
		t.Cleanup(func() { _ = p.Shutdown(context.WithoutCancel(t.Context())) })
		o.Tracer = tracing.New(p, ratio)
	}})
	m := admit.Message{Credential: admit.Credential{Tenant: r.a.TenantID}, Topic: "sensors/" + testkit.SensorCodes[0], Payload: []byte(`{"flow": 12.5}`)}
	return func(ctx context.Context) {
		ticket := r.admitter.Admit(ctx, m)
		if seq, err := ticket.Wait(ctx); err != nil || seq != 7 {
			t.Fatal(seq, err, ticket.Rejection)
		}
	}, spans, log
}

// The record of a message that is followed names the span of its admission.
func TestFollowedMessagesNameTheirSpan(t *testing.T) {
	one, spans, log := followed(t, 1)
	one(t.Context())
	var raw telemetry.Raw
	if err := telemetry.DecodeEnvelope(log.newest, &raw); err != nil || !raw.Trace.Valid() {
		t.Fatalf("%v: %v", raw.Trace, err)
	}
	var names []string
	for _, s := range spans.GetSpans() {
		names = append(names, s.Name)
		if s.Name == "publish" {
			if s.SpanContext.SpanID() != raw.Trace.Span {
				t.Errorf("the record names %s, not %s", raw.Trace.Span, s.SpanContext.SpanID())
			}
		} else if s.Parent.SpanID() != raw.Trace.Span {
			t.Errorf("%s is not in publish", s.Name)
		}
	}
	if want := "[resolve decode quota append publish]"; fmt.Sprint(names) != want {
		t.Errorf("spans %v, want %s", names, want)
	}
}

// What is not followed costs no allocation and no byte of the log.
func TestNotFollowedCostsNothing(t *testing.T) {
	var allocs [2]float64
	var size [2]int
	for i, ratio := range []float64{-1, 1e-12} {
		one, spans, log := followed(t, ratio)
		one(t.Context())
		// What else runs in the process allocates, too: the least of some counts is its own.
		allocs[i] = math.Inf(1)
		for range 5 {
			allocs[i] = min(allocs[i], testing.AllocsPerRun(1000, func() { one(t.Context()) }))
		}
		size[i] = len(log.newest)
		if n := len(spans.GetSpans()); n > 0 {
			t.Errorf("ratio %g: %d spans", ratio, n)
		}
	}
	if testkit.Race { // pools drop what they hold now and then
		allocs[1] = min(allocs[0], allocs[1])
	}
	if allocs[1] > allocs[0] || size[1] != size[0] {
		t.Errorf("with a tracer %g allocations and %d bytes, without %g and %d", allocs[1], size[1], allocs[0], size[0])
	}
}

func BenchmarkAdmitFollowed(b *testing.B) {
	for _, c := range []struct {
		name  string
		ratio float64
	}{{"off", -1}, {"few", 1e-12}, {"all", 1}} {
		b.Run(c.name, func(b *testing.B) {
			one, spans, _ := followed(b, c.ratio)
			b.ReportAllocs()
			b.ResetTimer()
			for n := range b.N {
				one(b.Context())
				if n%1000 == 0 {
					spans.Reset()
				}
			}
		})
	}
}
