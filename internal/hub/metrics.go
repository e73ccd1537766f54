package hub

import (
	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/obs"
)

// metrics count by kind of event only: tenants are not bounded.
type metrics struct {
	published, received, dropped, gaps *prometheus.CounterVec
	subscribers                        *prometheus.GaugeVec
	refused                            prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	return &metrics{
		published:   obs.NewCounter(r, "hub", "published_total", "Events sent by this process.", "kind"),
		received:    obs.NewCounter(r, "hub", "received_total", "Events received for topics that are watched here.", "kind"),
		dropped:     obs.NewCounter(r, "hub", "dropped_total", "Events that took another out of a subscriber's full buffer (alarm hints: merged).", "kind"),
		gaps:        obs.NewCounter(r, "hub", "gaps_total", "Jumps in a publisher's numbering: events lost between processes.", "kind"),
		subscribers: obs.NewGauge(r, "hub", "subscribers", "Live subscribers.", "kind"),
		refused:     obs.NewCounter(r, "hub", "refused_total", "Messages that were malformed or named another tenant than their subject.").WithLabelValues(),
	}
}
