package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/bus"
	"foresight/internal/jobs"
	"foresight/internal/obs"
)

// gaugesEvery is how often what must be asked for is measured.
const gaugesEvery = 10 * time.Second

// gauges measures what no part counts by itself: how full the logs are, up to where they
// are purged, and how many jobs wait. A failure leaves the last values and is counted.
type gauges struct {
	a    *App
	logs map[string]*bus.Log

	bytes, limit, messages, first, last, inFlight *prometheus.GaugeVec
	jobs, jobsWait                                *prometheus.GaugeVec
	failures                                      prometheus.Counter

	stop context.CancelFunc
	done sync.WaitGroup
}

func newGauges(a *App) *gauges {
	logs := map[string]*bus.Log{"readings": a.bus.log}
	if a.ingest.deferred != nil {
		logs["deferred"] = a.ingest.deferred
	}
	if a.landing.backfill != nil {
		logs["backfill"] = a.landing.backfill
	}
	log := func(name, help string) *prometheus.GaugeVec { return obs.NewGauge(a.metrics, "log", name, help, "log") }
	return &gauges{a: a, logs: logs,
		bytes:    log("bytes", "Size of the log."),
		limit:    log("limit_bytes", "Size at which the log takes no more."),
		messages: log("messages", "Messages in the log."),
		first:    log("first_sequence", "Up to here the log is purged: the sequence of its first message."),
		last:     log("last_sequence", "Sequence of the log's newest message."),
		inFlight: log("appends_in_flight", "Appends of this process that the log has not confirmed."),
		jobs:     obs.NewGauge(a.metrics, "jobs", "queued", "Jobs of all processes by queue and state: available, scheduled, retryable, running.", "queue", "state"),
		jobsWait: obs.NewGauge(a.metrics, "jobs", "waiting_seconds", "How long the oldest job of a queue that is due has waited for a process that begins it; 0 when none waits.", "queue"),
		failures: obs.NewCounter(a.metrics, "gauges", "failures_total", "Measurements that failed; the last values stand.").WithLabelValues(),
	}
}

// Name implements lifecycle.Part.
func (*gauges) Name() string { return "gauges" }

// Start measures once, and then at intervals.
func (g *gauges) Start(ctx context.Context) error {
	g.measure(ctx)
	ctx, g.stop = context.WithCancel(context.WithoutCancel(ctx))
	g.done.Go(func() {
		tick := time.NewTicker(gaugesEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				g.measure(ctx)
			}
		}
	})
	return nil
}

// Stop implements lifecycle.Part.
func (g *gauges) Stop(context.Context) error {
	g.stop()
	g.done.Wait()
	return nil
}

func (g *gauges) measure(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, gaugesEvery/2)
	defer cancel()
	for name, l := range g.logs {
		if err := g.measureLog(ctx, name, l); err != nil {
			g.failed(ctx, "log "+name, err)
		}
	}
	if err := g.measureJobs(ctx); err != nil {
		g.failed(ctx, "jobs", err)
	}
}

func (g *gauges) failed(ctx context.Context, what string, err error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return // the process stops
	}
	g.failures.Inc()
	g.a.log.DebugContext(ctx, "not measured", "what", what, "error", err)
}

func (g *gauges) measureLog(ctx context.Context, name string, l *bus.Log) error {
	i, err := l.Info(ctx)
	if err != nil {
		return err
	}
	for v, n := range map[*prometheus.GaugeVec]float64{g.bytes: float64(i.Bytes), g.limit: float64(i.MaxBytes), g.messages: float64(i.Messages),
		g.first: float64(i.FirstSeq), g.last: float64(i.LastSeq), g.inFlight: float64(i.InFlight)} {
		v.WithLabelValues(name).Set(n)
	}
	return nil
}

// jobStates are those in which work is left.
var jobStates = []string{"available", "scheduled", "retryable", "running"}

func (g *gauges) measureJobs(ctx context.Context) error {
	rows, err := g.a.db.worker.Query(ctx, `SELECT q.queue, s.state, count(j.id),
			coalesce(max(extract(epoch FROM now() - j.scheduled_at)) FILTER (WHERE j.state <> 'running' AND j.scheduled_at <= now()), 0)::float8
		FROM unnest($1::text[]) AS q (queue) CROSS JOIN unnest($2::text[]) AS s (state)
			LEFT JOIN river.river_job j ON j.queue = q.queue AND j.state = s.state::river.river_job_state
		GROUP BY 1, 2`, jobs.Queues, jobStates)
	if err != nil {
		return err
	}
	waits := map[string]float64{}
	var queue, state string
	var n int64
	var wait float64
	_, err = pgx.ForEachRow(rows, []any{&queue, &state, &n, &wait}, func() error {
		g.jobs.WithLabelValues(queue, state).Set(float64(n))
		waits[queue] = max(waits[queue], wait)
		return nil
	})
	for queue, wait := range waits {
		g.jobsWait.WithLabelValues(queue).Set(wait)
	}
	return err
}
