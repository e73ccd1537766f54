package drift

import (
	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/obs"
)

// metrics count what came of checks. Their cardinality does not grow with tenants.
type metrics struct {
	reports   *prometheus.CounterVec
	proposals *prometheus.CounterVec
	sampled   prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	return &metrics{
		reports:   obs.NewCounter(r, "drift", "reports_total", "Reports on drift by verdict: stable, moderate, severe, unknown (too little to tell from).", "verdict"),
		proposals: obs.NewCounter(r, "drift", "proposals_total", "Proposals to train a model anew, by what became of them: open (made), accepted, dismissed.", "status"),
		sampled:   obs.NewCounter(r, "drift", "sampled_total", "Predictions whose features were looked at.").WithLabelValues(),
	}
}
