package alarms

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/obs"
	"foresight/internal/rules"
)

// Metrics counts what the package does. Its cardinality does not grow with tenants.
// A nil Metrics counts nothing.
type Metrics struct {
	evaluations prometheus.Counter
	transitions *prometheus.CounterVec
	latency     prometheus.Histogram
	processing  prometheus.Histogram
	subscribers prometheus.Gauge
	tooSlow     prometheus.Counter
	handed      prometheus.Histogram
	failures    prometheus.Counter
}

// NewMetrics registers the metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		evaluations: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "foresight_rule_evaluations_total", Help: "Samples judged by alarm rules."}),
		transitions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "foresight_alarm_transitions_total", Help: "Changes of alarms, by the state that they led to."}, []string{"to"}),
		latency: prometheus.NewHistogram(obs.Native(prometheus.HistogramOpts{
			Name:    "foresight_alarm_latency_seconds",
			Help:    "From the event time of a sample to the processing that raised an alarm by it.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}})),
		processing: prometheus.NewHistogram(obs.Native(prometheus.HistogramOpts{
			Name:    "foresight_alarm_processing_seconds",
			Help:    "From the arrival of a reading to the processing that raised an alarm by it. What follows is the commit (foresight_pipeline_stage_seconds) and the frame (foresight_graphql_frame_delay_seconds).",
			Buckets: []float64{.002, .005, .01, .02, .05, .1, .25, .5, 1, 2.5, 5, 10, 60}})),
		subscribers: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "foresight_alarm_feed_subscribers", Help: "Open subscriptions to alarms."}),
		tooSlow: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "foresight_alarm_feed_too_slow_total", Help: "Subscriptions to alarms that were ended because their reader fell behind."}),
	}
	m.handed = prometheus.NewHistogram(obs.Native(prometheus.HistogramOpts{
		Name:    "foresight_alarm_feed_delay_seconds",
		Help:    "From the change of an alarm to its handing to the subscriptions of a process: what waits in the outbox, which is followed only while somebody subscribes.",
		Buckets: []float64{.002, .005, .01, .02, .05, .1, .25, .5, 1, 2.5, 5, 10, 60}}))
	m.failures = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "foresight_alarm_feed_failures_total", Help: "Changes of alarms that could not be read for subscriptions; each is tried again."})
	r.MustRegister(m.evaluations, m.transitions, m.latency, m.processing, m.subscribers, m.tooSlow, m.handed, m.failures)
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
			if !t.received.IsZero() {
				m.processing.Observe(max(0, t.at.Sub(t.received).Seconds()))
			}
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

// outbox is told of changes that a follower has handed on.
func (m *Metrics) outbox(changes []Change) {
	if m == nil {
		return
	}
	now := time.Now()
	for i := range changes {
		if t := changes[i].Transition; t != nil {
			m.handed.Observe(max(0, now.Sub(t.At).Seconds()))
		}
	}
}

func (m *Metrics) unread() {
	if m != nil {
		m.failures.Inc()
	}
}
