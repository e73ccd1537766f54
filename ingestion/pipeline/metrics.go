package pipeline

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/obs"
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
	oldest      *prometheus.GaugeVec   // seconds by partition
	fill        prometheus.Histogram   // readings of a window
	rejected    *prometheus.CounterVec // by reason
	leases      *prometheus.CounterVec // by change
	held        prometheus.Gauge
	history     *prometheus.CounterVec // of the backfill log, by outcome
	historyLeft *prometheus.GaugeVec   // entries of the backfill log by partition
}

// newMetrics registers them; without a registerer they count for nobody.
func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		stages: prometheus.NewHistogramVec(obs.Native(prometheus.HistogramOpts{
			Name: "foresight_pipeline_stage_seconds", Help: "Time of one batch in a stage: decode, windows, readings, predict, predictions, rollups, commit, publish.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 3, 10),
		}), []string{"stage"}),
		batch: prometheus.NewHistogram(obs.Native(prometheus.HistogramOpts{
			Name: "foresight_pipeline_batch_entries", Help: "Log entries of a committed batch.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 11),
		})),
		delay: prometheus.NewHistogram(obs.Native(prometheus.HistogramOpts{
			Name: "foresight_pipeline_delay_seconds", Help: "Time from the arrival of a reading to its commit.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2, 16),
		})),
		fill: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "foresight_pipeline_window_fill_readings", Help: "Readings in a sensor's window after one that moved it; a window of 14 is full, and judged.",
			Buckets: []float64{1, 2, 4, 7, 10, 13, 14},
		}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "foresight_pipeline_rejected_total", Help: "Log entries that went to the dead letters, by reason: bad_envelope, processing_failed.",
		}, []string{"reason"}),
		leases: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "foresight_pipeline_lease_changes_total", Help: "Partitions by what became of them: taken, released (handed over, or given up after an error), lost (another worker took it).",
		}, []string{"change"}),
		oldest: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "foresight_pipeline_behind_seconds", Help: "Age of the newest entry that is processed while others wait, by partition held; 0 when none waits.",
		}, []string{"partition"}),
		readings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "foresight_pipeline_readings_total", Help: "Log entries by outcome: stored, late, repeated, rejected.",
		}, []string{"outcome"}),
		predictions: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "foresight_pipeline_predictions_total", Help: "Predictions stored.",
		}),
		model: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "foresight_pipeline_model_calls_total", Help: "Full windows by what the model said: ok, failed, unavailable, no_time, panic, breaker_open; and what one that is tried beside it said: shadow, shadow_failed.",
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
	m.history = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "foresight_backfill_readings_total", Help: "Readings of the backfill log by outcome: stored, repeated (it was there already).",
	}, []string{"outcome"})
	m.historyLeft = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "foresight_backfill_behind_entries", Help: "Entries of the backfill log that wait, by partition held.",
	}, []string{"partition"})
	if r != nil {
		r.MustRegister(m.history, m.historyLeft, m.stages, m.batch, m.delay, m.readings, m.predictions, m.model, m.errors, m.behind, m.held,
			m.fill, m.rejected, m.leases, m.oldest)
	}
	return m
}

// lag tells of a partition whose newest processed entry has the age.
func (m *metrics) lag(partition int, pending uint64, age time.Duration) {
	if pending == 0 {
		age = 0
	}
	number := strconv.Itoa(partition)
	m.behind.WithLabelValues(number).Set(float64(pending))
	m.oldest.WithLabelValues(number).Set(max(0, age.Seconds()))
}

func (m *metrics) forget(partition int) {
	m.behind.DeleteLabelValues(strconv.Itoa(partition))
	m.oldest.DeleteLabelValues(strconv.Itoa(partition))
	m.historyLeft.DeleteLabelValues(strconv.Itoa(partition))
}

func (m *metrics) backfillBehind(partition int, pending uint64) {
	m.historyLeft.WithLabelValues(strconv.Itoa(partition)).Set(float64(pending))
}

// backfilled counts a batch of history.
func (m *metrics) backfilled(b *batch) {
	stored := 0
	for _, own := range b.own {
		if own {
			stored++
		}
	}
	m.history.WithLabelValues("stored").Add(float64(stored))
	m.history.WithLabelValues("repeated").Add(float64(len(b.own) - stored))
}

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
	m     *metrics
	last  time.Time
	trail *trail // told of the stages as well
}

func (m *metrics) clock() stopwatch { return stopwatch{m: m, last: time.Now()} }

func (s *stopwatch) lap(stage string) {
	now := time.Now()
	s.m.stages.WithLabelValues(stage).Observe(now.Sub(s.last).Seconds())
	s.trail.stage(stage, s.last, now)
	s.last = now
}
