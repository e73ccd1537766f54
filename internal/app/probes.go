package app

import (
	"context"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"foresight/internal/httpapi"
)

// startProbes serves health and metrics alone, for a process without the API: what
// runs it asks every process the same questions.
func (a *App) startProbes(ctx context.Context) error {
	watch, err := a.watchVitals(ctx)
	if err != nil {
		return err
	}
	door := httpapi.New(httpapi.Config{Metrics: promhttp.HandlerFor(a.metrics, promhttp.HandlerOpts{}), Vitals: watch,
		Log: a.log, Registerer: a.metrics})
	s := httpapi.NewServer(a.cfg.HTTPAddr, door, a.log)
	if err := a.start(ctx, s); err != nil {
		return err
	}
	a.Addr = s.Addr().String()
	return nil
}
