package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"

	"foresight/internal/fault"
	"foresight/internal/obs"
)

// Work is how a sort of job is done.
type Work[T Args] struct {
	// Do does it, acting for the actor of the arguments. It may be called again after
	// an error, a timeout or the death of the process. Long work is done in pieces:
	// ErrMore has it called again at once, however often, and lets others go before.
	Do func(ctx context.Context, args T) error
	// GaveUp is told of the error after which there is no further attempt. May be nil.
	GaveUp func(ctx context.Context, args T, err error)
}

// Handle registers a sort of job before the runner starts. Registering one twice panics.
func Handle[T Args](r *Runner, w Work[T]) { river.AddWorker(r.workers, &worker[T]{runner: r, work: w}) }

type worker[T Args] struct {
	river.WorkerDefaults[T]
	runner *Runner
	work   Work[T]
}

// ErrHopeless, which errors of Do may wrap, says that another attempt is of no use.
var ErrHopeless = errors.New("jobs: hopeless")

// ErrMore says that a piece of the work is done, and more is to do.
var ErrMore = errors.New("jobs: more to do")

// gaveUpWithin bounds GaveUp, whose job may have run out of time.
const gaveUpWithin = 10 * time.Second

// Work implements river.Worker.
func (w *worker[T]) Work(ctx context.Context, j *river.Job[T]) error {
	behalf := j.Args.For()
	ctx = behalf.act(ctx)
	m, log := w.runner.metrics, w.runner.opt.Log.With("job", j.Kind, "tenant", behalf.TenantID, "request_id", behalf.RequestID)
	m.running.Inc()
	defer m.running.Dec()
	begin := time.Now()
	err := w.work.Do(ctx, j.Args)
	outcome := "done"
	if errors.Is(err, ErrMore) {
		outcome, err = "more", river.JobSnooze(0)
	} else if err != nil {
		outcome = "retried"
		if hopeless(err) {
			err = river.JobCancel(err)
			outcome = "failed"
		} else if j.Attempt >= j.MaxAttempts {
			outcome = "failed"
		}
		log.WarnContext(ctx, "job failed", "attempt", j.Attempt, "outcome", outcome, "error", err)
		if outcome == "failed" && w.work.GaveUp != nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), gaveUpWithin)
			defer cancel()
			w.work.GaveUp(ctx, j.Args, err)
		}
	}
	m.finished.WithLabelValues(j.Kind, outcome).Inc()
	m.seconds.WithLabelValues(j.Kind).Observe(time.Since(begin).Seconds())
	return err
}

// Timeout implements river.Worker.
func (w *worker[T]) Timeout(j *river.Job[T]) time.Duration {
	if j.Queue == lengthy {
		return w.runner.opt.LengthyTimeout
	}
	return w.WorkerDefaults.Timeout(j)
}

// waits are the times between attempts.
var waits = []time.Duration{2 * time.Second, 10 * time.Second}

// NextRetry implements river.Worker.
func (*worker[T]) NextRetry(j *river.Job[T]) time.Time {
	w := waits
	if j.Queue == outward {
		w = outwardWaits
	}
	return time.Now().Add(w[min(j.Attempt, len(w))-1])
}

// hopeless errors are the same at every attempt.
func hopeless(err error) bool {
	if errors.Is(err, ErrHopeless) {
		return true
	}
	switch fault.KindOf(err) {
	case fault.Internal, fault.Unavailable, fault.RateLimited:
		return false
	}
	return true
}

type metrics struct {
	running  prometheus.Gauge
	finished *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	return &metrics{
		running:  obs.NewGauge(r, "jobs", "running", "Jobs that this process works now.").WithLabelValues(),
		finished: obs.NewCounter(r, "jobs", "attempts_total", "Attempts at jobs by outcome: done, more (a piece is done), retried (to be tried again), failed (for good).", "job", "outcome"),
		seconds:  obs.NewHistogram(r, "jobs", "seconds", "Duration of an attempt.", []float64{.01, .05, .25, 1, 5, 15, 60, 300}, "job"),
	}
}
