package landing

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	files, rows, bytes, unreadable prometheus.Counter
	errors                         *prometheus.CounterVec
	behind                         *prometheus.GaugeVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "foresight_landing_" + name, Help: help})
	}
	m := &metrics{
		files:      counter("files_total", "Files written to the landing zone; one that is written again counts again."),
		rows:       counter("messages_total", "Messages that the landing zone has for good."),
		bytes:      counter("bytes_total", "Bytes of the files written."),
		unreadable: counter("unreadable_total", "Log entries that are no message."),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "foresight_landing_errors_total", Help: "Failures, each tried again: read (the log), write (the storage).",
		}, []string{"kind"}),
		behind: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "foresight_landing_behind_entries", Help: "Log entries that are not landed, by partition held. The log is kept for them.",
		}, []string{"partition"}),
	}
	if r != nil {
		r.MustRegister(m.files, m.rows, m.bytes, m.unreadable, m.errors, m.behind)
	}
	return m
}

func (m *metrics) lag(partition int, entries uint64) {
	m.behind.WithLabelValues(strconv.Itoa(partition)).Set(float64(entries))
}

func (m *metrics) forget(partition int) { m.behind.DeleteLabelValues(strconv.Itoa(partition)) }

func (m *metrics) landed(b *batch) {
	m.rows.Add(float64(b.entries - b.unreadable))
	m.unreadable.Add(float64(b.unreadable))
}
