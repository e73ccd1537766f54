// Package otlp sends spans to a collector by OTLP over HTTP.
package otlp

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"foresight/internal/obs/tracing"
)

// Options of an Exporter.
type Options struct {
	// Endpoint is the collector's address, http:// or https://; without a path, spans go
	// to /v1/traces.
	Endpoint string
	// Headers go with every request to it; they may hold its credential.
	Headers map[string]string
	// Ratio, 0 to 1, of what begins here is followed.
	Ratio float64
	// Process tells this process apart from others.
	Process string
	// Log hears of spans that could not be sent; slog.Default() when nil.
	Log *slog.Logger
}

// Exporter keeps spans in a bounded queue and sends them in batches; while the collector
// is gone, they are dropped. It is a lifecycle.Part.
type Exporter struct {
	o        Options
	provider *sdk.TracerProvider
	tracer   *tracing.Tracer
}

// New returns an exporter; nothing is sent before there are spans.
func New(ctx context.Context, o Options) (*Exporter, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("otlp: the endpoint is no http or https address")
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
	}
	client, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(u.String()), otlptracehttp.WithHeaders(o.Headers),
		otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	if err != nil {
		return nil, fmt.Errorf("otlp: %w", err)
	}
	e := &Exporter{o: o, provider: sdk.NewTracerProvider(
		sdk.WithBatcher(client),
		sdk.WithSampler(sdk.ParentBased(sdk.AlwaysSample())), // the Tracer has chosen before
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "foresight"), attribute.String("service.instance.id", o.Process))),
	)}
	e.tracer = tracing.New(e.provider, o.Ratio)
	// The library tells of failed batches by this way only, which is the process's own.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { o.Log.Warn("spans not sent", "part", "traces", "error", err) }))
	return e, nil
}

// Tracer begins spans that are sent.
func (e *Exporter) Tracer() *tracing.Tracer { return e.tracer }

// Name implements lifecycle.Part.
func (*Exporter) Name() string { return "traces" }

// Start implements lifecycle.Part.
func (*Exporter) Start(context.Context) error { return nil }

// Stop sends what is queued, as far as the context's time allows. A collector that is
// gone does not keep the process from stopping well.
func (e *Exporter) Stop(ctx context.Context) error {
	if err := e.provider.Shutdown(ctx); err != nil {
		e.o.Log.WarnContext(ctx, "last spans not sent", "part", "traces", "error", err)
	}
	return nil
}
