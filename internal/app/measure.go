package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/telemetry"
)

// Telemetry returns the store of readings and predictions of a process that has started.
func (a *App) Telemetry() telemetry.Store { return a.store() }

// DatabasePID returns the process id of the private PostgreSQL, 0 when there is none.
func (a *App) DatabasePID() int {
	if a.db.server == nil {
		return 0
	}
	return a.db.server.PID()
}

// MetricsURL is where the process tells its metrics.
func (a *App) MetricsURL() string { return a.URL() + "/metrics" }

// Registry describes the metrics.
func (a *App) Registry() prometheus.Collector { return a.metrics }
