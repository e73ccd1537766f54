package hub

import "github.com/prometheus/client_golang/prometheus"

// metrics count by kind of event only: tenants are not bounded.
type metrics struct {
	published, received, dropped, gaps *prometheus.CounterVec
	subscribers                        *prometheus.GaugeVec
	refused                            prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "foresight", Subsystem: "hub", Name: name, Help: help}, []string{"kind"})
	}
	m := &metrics{
		published: counter("published_total", "Events sent by this process."),
		received:  counter("received_total", "Events received for topics that are watched here."),
		dropped:   counter("dropped_total", "Events that took another out of a subscriber's full buffer (alarm hints: merged)."),
		gaps:      counter("gaps_total", "Jumps in a publisher's numbering: events lost between processes."),
		subscribers: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "foresight", Subsystem: "hub", Name: "subscribers", Help: "Live subscribers."}, []string{"kind"}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "foresight", Subsystem: "hub", Name: "refused_total", Help: "Messages that were malformed or named another tenant than their subject."}),
	}
	if r != nil {
		r.MustRegister(m.published, m.received, m.dropped, m.gaps, m.subscribers, m.refused)
	}
	return m
}
