package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"foresight/internal/bus"
)

// partition is the work on one partition under one lease.
type partition struct {
	w       *Worker
	lease   lease
	stream  string // identity of the log that is read
	log     *slog.Logger
	windows *windows
	rollups *rollups
	seen    *seen
	guard   *guard

	slots   chan struct{}                                        // one element per batch at work
	process func(ctx context.Context, entries []bus.Entry) error // takes entries through all stages once
	pass    func(ctx context.Context, sequence uint64) error     // lets the checkpoint pass an entry
	lags    bool                                                 // as told to the worker's priority
	rate    float64                                              // of entries, per second
	counted time.Time                                            // when it was counted last

	halt chan error // the first says why to stop: nil to hand over
	done chan struct{}
	err  error // why it ended; read after done
}

// idleWait is how long one call waits for entries; between calls the partition
// attends to silence and to being stopped.
const idleWait = time.Second

func (w *Worker) newPartition(x lease, stream string) *partition {
	p := &partition{
		w: w, lease: x, stream: stream,
		log:     w.log.With("partition", x.number, "epoch", x.epoch),
		windows: newWindows(w.parts.Store, w.opt.Lookback, w.opt.MaxWindows),
		rollups: newRollups(w.parts.Store, w.opt.MaxWindows),
		guard:   newGuard(w.parts.Model, w.opt.Now, w.metrics),
		slots:   w.slots,
		halt:    make(chan error, 1), done: make(chan struct{}),
	}
	p.process, p.pass = p.processLive, p.passLive
	return p
}

// stop asks the partition to finish its batch and hand over; fence tells it that it
// has another owner; fail that it cannot go on.
func (p *partition) stop()  { p.fail(nil) }
func (p *partition) fence() { p.fail(errFenced) }

func (p *partition) fail(why error) {
	select {
	case p.halt <- why:
	default: // it is told already
	}
}

// run works until it is stopped or fenced. The context ends a batch at work as well.
func (p *partition) run(ctx context.Context) {
	defer close(p.done)
	reading, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case why := <-p.halt:
			if why == nil {
				why = errStopped
			}
			cancel(why)
		case <-reading.Done():
		}
	}()
	beside := p.startBeside(ctx, reading)
	err := p.work(ctx, reading)
	p.w.priority.lag(&p.lags, false)
	if cause := context.Cause(reading); err != nil && cause != nil && ctx.Err() == nil {
		err = cause
	}
	cancel(nil)
	<-ended
	beside.Wait()
	p.end(ctx, err)
}

var errStopped = errors.New("pipeline: stopped")

func (p *partition) end(ctx context.Context, err error) {
	p.err = err
	p.w.metrics.forget(p.lease.number)
	switch {
	case errors.Is(err, errFenced):
		p.w.metrics.errors.WithLabelValues("fenced").Inc()
		p.w.metrics.leases.WithLabelValues("lost").Inc()
		p.log.Info("partition lost to another worker")
		return
	case errors.Is(err, errStream):
		p.w.metrics.errors.WithLabelValues("stream").Inc()
		p.log.Error("partition stopped, a person must decide", "error", err, "checkpoint", p.lease.sequence, "counts in", p.lease.stream, "log", p.stream)
		return
	}
	if !errors.Is(err, errStopped) && ctx.Err() == nil {
		p.w.metrics.errors.WithLabelValues("partition").Inc()
		p.log.Error("partition given up", "error", err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := p.w.leases.release(ctx, p.lease); err != nil {
		p.log.Warn("lease not released, it expires", "error", err)
	}
	p.w.metrics.leases.WithLabelValues("released").Inc()
}

// work reads and processes batches until reading or ctx ends, or for good.
func (p *partition) work(ctx, reading context.Context) (err error) {
	if p.lease.stream != "" && p.lease.stream != p.stream {
		return errStream
	}
	var info bus.Info
	if err := p.retry(reading, "log", func() error {
		info, err = p.w.parts.Log.Info(reading)
		return err
	}); err != nil {
		return err
	}
	if info.LastSeq < p.lease.sequence {
		return errStream
	}
	r, err := p.w.parts.Log.Read(p.lease.number, p.lease.sequence+1)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		if err := r.Close(ctx); err != nil {
			p.log.Debug("reader not closed, the server forgets it", "error", err)
		}
	}()
	if err := p.retry(reading, "seen", func() error {
		p.seen, err = loadSeen(reading, p.w.parts.Pool, p.lease.number)
		return err
	}); err != nil {
		return err
	}
	p.seen.judged = p.w.opt.Now().Add(p.w.opt.SilenceGrace - p.w.opt.SilenceEvery)
	newest := p.w.opt.Now()
	for {
		entries, err := p.next(reading, r)
		if err != nil {
			return err
		}
		if n := len(entries); n > 0 {
			p.count(n, p.w.opt.Now())
			if err := p.handle(ctx, reading, entries); err != nil {
				return err
			}
			newest = entries[n-1].Time
		}
		p.w.metrics.lag(p.lease.number, r.Pending(), p.w.opt.Now().Sub(newest))
		p.w.priority.lag(&p.lags, r.Pending() > 0)
		if r.Pending() == 0 {
			if err := p.attendSilence(ctx); err != nil {
				return err
			}
		}
	}
}

// A partition in which so many entries come each second gathers them for longer: a batch
// then has several of a sensor, whose state, newest reading and rollup are written once.
const (
	busyRate = 256
	busyPace = 250 * time.Millisecond
)

// pace is the time between two beats of the partition. Its rate is that of the last
// batches, each counting half of the one behind it.
func (p *partition) pace(now time.Time) time.Duration {
	if p.rate < busyRate || now.Sub(p.counted) > 2*busyPace {
		return p.w.opt.Pace
	}
	return max(p.w.opt.Pace, busyPace)
}

// count takes a batch into the rate.
func (p *partition) count(entries int, now time.Time) {
	since := max(now.Sub(p.counted), time.Millisecond)
	p.rate, p.counted = (p.rate+float64(entries)/since.Seconds())/2, now
}

// untilBeat is the time to the next multiple of the pace: partitions begin their batches
// at the same time, and so have them written together.
func untilBeat(now time.Time, pace time.Duration) time.Duration {
	return now.Truncate(pace).Add(pace).Sub(now)
}

// next reads entries, none after a while; a log that is gone is waited for. Unless
// there is a full batch already, it waits for the beat.
func (p *partition) next(reading context.Context, r *bus.Reader) (entries []bus.Entry, err error) {
	err = p.retry(reading, "log", func() error {
		entries, err = r.Next(reading, p.w.opt.MaxBatch, min(idleWait, p.w.opt.SilenceEvery))
		return err
	})
	if n := len(entries); err != nil || n == 0 || n == p.w.opt.MaxBatch {
		return entries, err
	}
	now := p.w.opt.Now()
	if err := pause(reading, untilBeat(now, p.pace(now))); err != nil {
		return nil, err
	}
	return append(entries, r.Arrived(p.w.opt.MaxBatch-len(entries))...), nil
}
