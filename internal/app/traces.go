package app

import (
	"context"
	"fmt"

	"foresight/internal/obs/otlp"
)

// startTraces begins to follow messages and requests, where a collector is named.
func (a *App) startTraces(ctx context.Context) error {
	t := a.cfg.Trace
	if t.Endpoint == "" {
		return nil
	}
	e, err := otlp.New(ctx, otlp.Options{Endpoint: t.Endpoint, Headers: t.Headers, Ratio: t.Ratio, Process: a.name, Log: a.log})
	if err != nil {
		return fmt.Errorf("FORESIGHT_TRACE_ENDPOINT: %w", err)
	}
	a.tracer = e.Tracer()
	return a.start(ctx, e)
}
