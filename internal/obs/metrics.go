package obs

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Namespace is the first word of every metric's name: foresight_…
const Namespace = "foresight"

// NewRegistry returns a registry of the process's own, with the collectors of the
// Go runtime and of the process. Packages register what they count on it; labels
// never hold what tenants make without bound (ids of assets, sensors, users).
func NewRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return r
}

// NewCounter returns a registered counter foresight_{subsystem}_{name} with labels.
func NewCounter(r prometheus.Registerer, subsystem, name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: Namespace, Subsystem: subsystem, Name: name, Help: help}, labels)
	register(r, c)
	return c
}

// NewGauge returns a registered gauge foresight_{subsystem}_{name} with labels.
func NewGauge(r prometheus.Registerer, subsystem, name, help string, labels ...string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: Namespace, Subsystem: subsystem, Name: name, Help: help}, labels)
	register(r, g)
	return g
}

// NewHistogram returns a registered histogram foresight_{subsystem}_{name} with labels;
// buckets are upper bounds, rising. It is Native as well.
func NewHistogram(r prometheus.Registerer, subsystem, name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(Native(prometheus.HistogramOpts{Namespace: Namespace, Subsystem: subsystem, Name: name, Help: help, Buckets: buckets}), labels)
	register(r, h)
	return h
}

// Native adds to the buckets of a histogram those of a native one: each a tenth wider
// than the one before, at most 160. Servers that ask for them get these, others the
// buckets of the options.
func Native(o prometheus.HistogramOpts) prometheus.HistogramOpts {
	o.NativeHistogramBucketFactor = 1.1
	o.NativeHistogramMaxBucketNumber = 160
	o.NativeHistogramMinResetDuration = time.Hour
	return o
}

// register takes a nil registerer for none, which tests use.
func register(r prometheus.Registerer, c prometheus.Collector) {
	if r != nil {
		r.MustRegister(c)
	}
}
