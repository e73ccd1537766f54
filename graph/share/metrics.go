package share

import (
	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/obs"
)

// metrics do not grow with tenants.
type metrics struct {
	groups, subscribers         prometheus.Gauge
	encoded, offered, snapshots prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	return &metrics{
		groups:      obs.NewGauge(r, "graphql", "shared_subscriptions", "Subscriptions that run for all who ask for the same.").WithLabelValues(),
		subscribers: obs.NewGauge(r, "graphql", "shared_subscribers", "Subscribers of shared subscriptions.").WithLabelValues(),
		encoded:     obs.NewCounter(r, "graphql", "shared_encoded_total", "Items of shared subscriptions that were resolved and encoded.").WithLabelValues(),
		offered:     obs.NewCounter(r, "graphql", "shared_offered_total", "Items of shared subscriptions that were offered to subscribers.").WithLabelValues(),
		snapshots:   obs.NewCounter(r, "graphql", "shared_snapshots_total", "Snapshots that were read for subscribers that joined.").WithLabelValues(),
	}
}
