package pipeline

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what operators see of the pipeline.
type metrics struct {
	stages      *prometheus.HistogramVec // seconds by stage
	batch       prometheus.Histogram     // entries
	delay       prometheus.Histogram     // seconds from arrival to commit
	readings    *prometheus.CounterVec   // by outcome
	predictions prometheus.Counter
	model       *prometheus.CounterVec // calls by outcome
	errors      *prometheus.CounterVec // by kind
	behind      *prometheus.GaugeVec   // entries by partition
	held        prometheus.Gauge
}

// newMetrics registers them; without a registerer they count for nobody.
func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "foresight_pipeline_stage_seconds", Help: "Time of one batch in a stage.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 3, 10),
		}, []string{"stage"}),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "foresight_pipeline_batch_entries", Help: "Log entries of a committed batch.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 11),
		}),
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "foresight_pipeline_delay_seconds", Help: "Time from the arrival of a reading to its commit.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2, 16),
		}),
		readings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "foresight_pipeline_readings_total", Help: "Log entries by outcome: stored, late, repeated, rejected.",
		}, []string{"outcome"}),
		predictions: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "foresight_pipeline_predictions_total", Help: "Predictions stored.",
		}),
		model: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "foresight_pipeline_model_calls_total", Help: "Full windows by what the model said: ok, failed, unavailable, no_time, panic, breaker_open.",
		}, []string{"outcome"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "foresight_pipeline_errors_total", Help: "Failures by kind: batch, split, log, seen, bury, silence, lease, purge, publish, fenced, stream, partition.",
		}, []string{"kind"}),
		behind: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "foresight_pipeline_behind_entries", Help: "Log entries that wait, by partition held.",
		}, []string{"partition"}),
		held: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "foresight_pipeline_partitions_held", Help: "Partitions that this worker holds.",
		}),
	}
	if r != nil {
		r.MustRegister(m.stages, m.batch, m.delay, m.readings, m.predictions, m.model, m.errors, m.behind, m.held)
	}
	return m
}

func (m *metrics) lag(partition int, pending uint64) {
	m.behind.WithLabelValues(strconv.Itoa(partition)).Set(float64(pending))
}

func (m *metrics) forget(partition int) { m.behind.DeleteLabelValues(strconv.Itoa(partition)) }

// committed counts a batch.
func (m *metrics) committed(b *batch, entries int, now time.Time) {
	var stored, late, repeated float64
	for i := range b.raws {
		switch {
		case !b.own[i]:
			repeated++
			continue
		case b.raws[i].Late:
			late++
		default:
			stored++
		}
		m.delay.Observe(now.Sub(b.raws[i].ReceivedAt).Seconds())
	}
	m.batch.Observe(float64(entries))
	m.readings.WithLabelValues("stored").Add(stored)
	m.readings.WithLabelValues("late").Add(late)
	m.readings.WithLabelValues("repeated").Add(repeated)
	m.predictions.Add(float64(len(b.predictions)))
}

// stopwatch times the stages of one batch.
type stopwatch struct {
	m    *metrics
	last time.Time
}

func (m *metrics) clock() stopwatch { return stopwatch{m, time.Now()} }

func (s *stopwatch) lap(stage string) {
	now := time.Now()
	s.m.stages.WithLabelValues(stage).Observe(now.Sub(s.last).Seconds())
	s.last = now
}
