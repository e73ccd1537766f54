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
	seen    *seen
	guard   *guard

	halt chan error // the first says why to stop: nil to hand over
	done chan struct{}
	err  error // why it ended; read after done
}

// idleWait is how long one call waits for entries; between calls the partition
// attends to silence and to being stopped.
const idleWait = time.Second

func (w *Worker) newPartition(x lease, stream string) *partition {
	return &partition{
		w: w, lease: x, stream: stream,
		log:     w.log.With("partition", x.number, "epoch", x.epoch),
		windows: newWindows(w.parts.Store, w.opt.Lookback, w.opt.MaxWindows),
		guard:   newGuard(w.parts.Model, w.opt.Now, w.metrics),
		halt:    make(chan error, 1), done: make(chan struct{}),
	}
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
	err := p.work(ctx, reading)
	if cause := context.Cause(reading); err != nil && cause != nil && ctx.Err() == nil {
		err = cause
	}
	cancel(nil)
	<-ended
	p.end(ctx, err)
}

var errStopped = errors.New("pipeline: stopped")

func (p *partition) end(ctx context.Context, err error) {
	p.err = err
	p.w.metrics.forget(p.lease.number)
	switch {
	case errors.Is(err, errFenced):
		p.w.metrics.errors.WithLabelValues("fenced").Inc()
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
	for {
		begin := p.w.opt.Now()
		entries, err := p.next(reading, r)
		if err != nil {
			return err
		}
		if len(entries) > 0 {
			if err := p.handle(ctx, reading, entries); err != nil {
				return err
			}
		}
		p.w.metrics.lag(p.lease.number, r.Pending())
		if r.Pending() > 0 || len(entries) == p.w.opt.MaxBatch {
			continue
		}
		if err := p.attendSilence(ctx); err != nil {
			return err
		}
		if err := pause(reading, p.w.opt.Pace-p.w.opt.Now().Sub(begin)); err != nil {
			return err
		}
	}
}

// next reads entries, none after a while; a log that is gone is waited for.
func (p *partition) next(reading context.Context, r *bus.Reader) (entries []bus.Entry, err error) {
	err = p.retry(reading, "log", func() error {
		entries, err = r.Next(reading, p.w.opt.MaxBatch, min(idleWait, p.w.opt.SilenceEvery))
		return err
	})
	return entries, err
}
