package alarms

import (
	"foresight/internal/rules"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts what the package does. Its cardinality does not grow with tenants.
// A nil Metrics counts nothing.
type Metrics struct {
	evaluations prometheus.Counter
	transitions *prometheus.CounterVec
	latency     prometheus.Histogram
	subscribers prometheus.Gauge
	tooSlow     prometheus.Counter
}

// NewMetrics registers the metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		evaluations: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "foresight_rule_evaluations_total", Help: "Samples judged by alarm rules."}),
		transitions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "foresight_alarm_transitions_total", Help: "Changes of alarms, by the state that they led to."}, []string{"to"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "foresight_alarm_latency_seconds",
			Help:    "From the event time of a sample to the processing that raised an alarm by it.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}}),
		subscribers: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "foresight_alarm_feed_subscribers", Help: "Open subscriptions to alarms."}),
		tooSlow: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "foresight_alarm_feed_too_slow_total", Help: "Subscriptions to alarms that were ended because their reader fell behind."}),
	}
	r.MustRegister(m.evaluations, m.transitions, m.latency, m.subscribers, m.tooSlow)
	return m
}

func (m *Metrics) judged(j *judgement) {
	if m == nil {
		return
	}
	m.evaluations.Add(float64(j.samples))
	for _, t := range j.transitions {
		m.transitions.WithLabelValues(string(t.to)).Inc()
		if t.from == rules.None {
			m.latency.Observe(max(0, t.at.Sub(t.of.triggeredAt).Seconds()))
		}
	}
}

func (m *Metrics) acted(to rules.Status) {
	if m != nil {
		m.transitions.WithLabelValues(string(to)).Inc()
	}
}

func (m *Metrics) subscribed(n float64) {
	if m != nil {
		m.subscribers.Add(n)
	}
}

func (m *Metrics) slow() {
	if m != nil {
		m.tooSlow.Inc()
	}
}
