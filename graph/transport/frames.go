package transport

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"

	"foresight/internal/obs"
	"foresight/internal/obs/tracing"
)

// followedFrames bounds the frames of one item that have a span: thousands of clients may
// get it.
const followedFrames = 4

// Frames tells of live items that were written to clients, by whichever transport. A nil
// Frames tells nothing.
type Frames struct {
	tracer    *tracing.Tracer
	delay     *prometheus.HistogramVec
	coalesced prometheus.Counter
}

// NewFrames returns what the transports of a process have in common. Nil for the tracer:
// nothing is followed; for the registerer: no metrics.
func NewFrames(t *tracing.Tracer, r prometheus.Registerer) *Frames {
	return &Frames{tracer: t,
		delay: obs.NewHistogram(r, "graphql", "frame_delay_seconds",
			"From the arrival of a reading, or from what happened otherwise, to the first frame that tells of it, by kind: telemetry, prediction, alarm. Alarms count from the processing that changed them.",
			[]float64{.002, .005, .01, .02, .05, .1, .25, .5, 1, 2.5, 5, 10}, "kind"),
		coalesced: obs.NewCounter(r, "graphql", "frames_coalesced_total", "Items that were left out for a client too slow for them, which is told so.").WithLabelValues(),
	}
}

// The ways to a client, an attribute of the spans of frames.
var (
	bySocket = attribute.String("graphql.transport", "websocket")
	byStream = attribute.String("graphql.transport", "sse")
)

// written tells of frames that a write has taken; it began at the time given.
func (f *Frames) written(ctx context.Context, by attribute.KeyValue, fs []frame, begin time.Time) {
	if f == nil {
		return
	}
	var end time.Time
	for i := range fs {
		item := fs[i].item
		if item == nil || item.Kind == "" {
			continue
		}
		n := item.Written()
		if n > 0 && (n >= followedFrames || !item.Trace.Valid()) {
			continue
		}
		if end.IsZero() {
			end = time.Now()
		}
		if n == 0 && !item.At.IsZero() {
			f.delay.WithLabelValues(item.Kind).Observe(max(0, end.Sub(item.At).Seconds()))
		}
		f.tracer.Record(ctx, item.Trace, "frame", begin, end, by)
	}
}

// leftOut counts an item that made room for another in the outbox of a slow client.
func (f *Frames) leftOut() {
	if f != nil {
		f.coalesced.Inc()
	}
}
