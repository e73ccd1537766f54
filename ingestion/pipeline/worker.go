// Package pipeline turns the log of admitted messages into stored readings,
// predictions and alarms.
//
// # Ownership
//
// A partition of the log has one owner at a time: a row of the table partitions with
// an epoch. Taking over raises the epoch, and every batch commits only while it holds
// the row under its own epoch, so that an owner that was paused and comes back
// changes nothing. Live workers share the partitions evenly.
//
// # A batch
//
// Entries are decoded and written to the telemetry store, which is idempotent and
// tells the log sequence of each document's first write. Only a reading whose stored
// sequence is its own goes on: a message that was sent, or read, twice repeats
// idempotent writes and nothing else. The reading moves its sensor's window; a full
// window is judged by the model. Then one PostgreSQL transaction holds the epoch
// check, what rules make of it, the sensors' states and the checkpoint; after its
// commit the events are published. Whatever fails before the commit is done again
// from the same entries, by the same owner or the next one, with the same result.
//
// History that is brought in again comes in a log of its own, when live readings leave
// time for it, and is late altogether.
//
// What several partitions write, or commit, at the same time is one write, or one
// transaction, for all of them; each partition's epoch counts for its own batch.
//
// A reading older than its sensor's newest is late: stored and published as such, but
// it moves no window, is not judged and raises no alarm.
//
// # Order and back-pressure
//
// A sensor's messages stand in one partition and are processed in the log's order,
// each batch after the one before. A worker holds at most one batch per partition in
// memory and waits, with growing pauses, while the store or the database is down: the
// checkpoint stands, and the log fills. An entry that fails alone, again and again,
// goes to the dead letters, and the partition goes on.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/bus"
	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/obs/tracing"
	"foresight/internal/telemetry"
)

// Options tune a worker; a zero field takes the value named.
type Options struct {
	Name     string        // for people; what makes it unique is added ("worker")
	MaxBatch int           // entries of a batch (500)
	Pace     time.Duration // batches that are not full begin at multiples of it; of 250 ms in a busy partition (10 ms)
	Parallel int           // batches at work at once (32: they wait for the database together most of the time)

	Lease     time.Duration // after which a silent owner loses its partitions (2 s)
	Heartbeat time.Duration // of renewing leases and sharing (a quarter of Lease)

	// Lookback bounds a window in time (telemetry.Lookback, 7 days).
	Lookback   time.Duration
	MaxWindows int // kept in memory per partition, 1.5 kB each (20,000)

	MaxTries     int           // of an entry that fails by itself (3)
	ModelTimeout time.Duration // for all model calls of a batch (2 s)

	SilenceEvery time.Duration // between two judgements of silence (5 s)
	// SilenceGrace is how long after taking a partition silence is first judged: after
	// a standstill the sensors must have time to be heard (30 s; negative: none).
	SilenceGrace time.Duration
	OfflineAfter time.Duration // a sensor that is silent for longer is offline (2 min)
	PurgeEvery   time.Duration // of the log (30 s)

	Now func() time.Time // time.Now
}

func (o Options) withDefaults() Options {
	set(&o.Name, "worker")
	set(&o.MaxBatch, 500)
	set(&o.Pace, 10*time.Millisecond)
	set(&o.Parallel, 32)
	set(&o.Lease, 2*time.Second)
	set(&o.Heartbeat, o.Lease/4)
	set(&o.Lookback, telemetry.Lookback)
	set(&o.MaxWindows, 20_000)
	set(&o.MaxTries, 3)
	set(&o.ModelTimeout, 2*time.Second)
	set(&o.SilenceEvery, 5*time.Second)
	set(&o.SilenceGrace, 30*time.Second)
	set(&o.OfflineAfter, 2*time.Minute)
	set(&o.PurgeEvery, 30*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Parts are what a worker works with. All are needed, but for Metrics and Logger, and
// for Model where nothing is to be predicted.
type Parts struct {
	// Pool connects as foresight_worker. A worker uses about a connection per processor
	// at once, and those of the store.
	Pool *pgxpool.Pool
	Log  *bus.Log
	// Backfill holds history that is brought in again, at most what live readings leave
	// time for; nil: there is none. It has as many partitions as Log.
	Backfill *bus.Log
	// Beside read Log as well.
	Beside  []Beside
	Store   telemetry.Store
	Model   Model
	Alarms  Alarms
	Dead    DeadLetters
	Events  event.Publisher
	Tracer  *tracing.Tracer // nil: nothing is followed
	Metrics prometheus.Registerer
	Logger  *slog.Logger
}

// Worker processes its share of the log's partitions. It is a lifecycle.Part.
type Worker struct {
	opt      Options
	parts    Parts
	log      *slog.Logger
	metrics  *metrics
	leases   *leases
	slots    chan struct{}   // one element per batch at work
	priority *priority       // of live readings before history
	plain    telemetry.Store // not shared with live readings, which would wait for history
	commits  *gather[*committing]

	stop context.CancelFunc // ends the loops; batches at work are finished
	kill context.CancelFunc // ends batches as well
	done chan struct{}
}

// New returns a worker that is not started yet.
func New(p Parts, o Options) *Worker {
	o = o.withDefaults()
	if p.Logger == nil {
		p.Logger = slog.Default()
	}
	name := fmt.Sprintf("%s/%x", o.Name, id.New(id.Tenant)) // any fresh id
	plain := p.Store
	p.Store = writeTogether(p.Store, o.MaxBatch)
	w := &Worker{
		opt: o, plain: plain, parts: p, log: p.Logger.With("part", "pipeline"),
		metrics:  newMetrics(p.Metrics),
		leases:   &leases{pool: p.Pool, worker: name, term: o.Lease},
		slots:    make(chan struct{}, o.Parallel),
		priority: newPriority(),
		done:     make(chan struct{}),
	}
	w.commits = newGather(atOnce(), commonBatches*o.MaxBatch, w.commitAll)
	w.commits.linger = linger
	return w
}

// Name implements lifecycle.Part.
func (w *Worker) Name() string { return "pipeline" }

// Start registers the worker, takes what partitions are free and returns.
func (w *Worker) Start(ctx context.Context) error {
	if b := w.parts.Backfill; b != nil && b.Partitions() != w.parts.Log.Partitions() {
		return bus.ErrPartitions
	}
	stream, err := w.parts.Log.Identity(ctx)
	if err != nil {
		return err
	}
	if err := w.leases.prepare(ctx, w.parts.Log.Partitions()); err != nil {
		return err
	}
	work, kill := context.WithCancel(context.WithoutCancel(ctx))
	run, stop := context.WithCancel(work)
	w.stop, w.kill = stop, kill
	b := &balance{w: w, work: work, stream: stream, held: map[int]*partition{}}
	if err := b.share(ctx); err != nil { // for as long as the caller allows: no lease is at stake
		kill()
		b.wait()
		return err
	}
	go func() {
		defer close(w.done)
		b.run(run)
	}()
	return nil
}

// Stop finishes the batches at work, hands the partitions over and returns. When ctx
// ends first, the batches are abandoned: the next owner does them again.
func (w *Worker) Stop(ctx context.Context) error {
	w.stop()
	defer w.kill()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		w.kill()
		<-w.done
		return fmt.Errorf("pipeline: abandoned a batch: %w", ctx.Err())
	}
}

// errFenced says that the partition has another owner now, or that this one's epoch
// is over.
var errFenced = errors.New("pipeline: another worker owns the partition")

// errStream says that the log is not the one in which the checkpoint counts, or has
// lost entries since: going on would skip messages without anybody's knowing. It is for
// a person to decide; to accept the log as it is, set sequence to 0 and stream to ”
// in the table partitions and start the worker again (what is in the store already is
// found to be repeated).
var errStream = errors.New("pipeline: the log is not the one of the checkpoint")
