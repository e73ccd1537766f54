package admit

import (
	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/obs"
)

// newThroughput counts what the log has confirmed by the sort of the machine, of which
// there are a few.
func newThroughput(r prometheus.Registerer) *prometheus.CounterVec {
	return obs.NewCounter(r, "ingest", "readings_total", "Readings that the log has confirmed, by the type of their asset.", "asset_type")
}
