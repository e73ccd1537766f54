package registry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/obs"
)

type metrics struct {
	loads *prometheus.HistogramVec
	fails *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, r *Registry) metrics {
	m := metrics{
		loads: prometheus.NewHistogramVec(obs.Native(prometheus.HistogramOpts{
			Name: "foresight_registry_load_seconds", Help: "Time of a load of the registry, by extent.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}), []string{"extent"}),
		fails: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "foresight_registry_load_failures_total", Help: "Loads that failed, by extent.",
		}, []string{"extent"}),
	}
	if reg != nil {
		reg.MustRegister(m.loads, m.fails,
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "foresight_registry_sensors", Help: "Sensors known to admission.",
			}, func() float64 { return float64(r.Snapshot().Sensors()) }),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "foresight_registry_age_seconds", Help: "Time since the last full load.",
			}, func() float64 { return r.Age().Seconds() }))
	}
	return m
}

func (m metrics) observe(extent string, begin time.Time, err error) {
	if err != nil {
		m.fails.WithLabelValues(extent).Inc()
		return
	}
	m.loads.WithLabelValues(extent).Observe(time.Since(begin).Seconds())
}
