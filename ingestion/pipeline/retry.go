package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"foresight/internal/bus"
	"foresight/internal/fault"
)

// Pauses after failures double from the first to the longest.
const (
	firstPause   = 50 * time.Millisecond
	longestPause = 5 * time.Second
)

// pause waits, and returns the reason when ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// retry calls f until it succeeds or reading ends.
func (p *partition) retry(reading context.Context, kind string, f func() error) error {
	for wait := firstPause; ; wait = min(2*wait, longestPause) {
		if reading.Err() != nil {
			return context.Cause(reading)
		}
		err := f()
		if err == nil {
			return nil
		}
		if reading.Err() != nil {
			return context.Cause(reading)
		}
		p.complain(kind, err, wait)
		if err := pause(reading, wait); err != nil {
			return err
		}
	}
}

func (p *partition) complain(kind string, err error, wait time.Duration) {
	p.w.metrics.errors.WithLabelValues(kind).Inc()
	p.log.Warn("will try again", "what", kind, "error", err, "pause", wait)
}

// handle processes entries until they are committed. While the surroundings fail it
// waits. When the entries are to blame it halves them to find the one, which goes to
// the dead letters after MaxTries.
func (p *partition) handle(ctx, reading context.Context, entries []bus.Entry) error {
	tries := 0
	for wait := firstPause; ; wait = min(2*wait, longestPause) {
		err := p.attempt(ctx, entries)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errFenced):
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
		if poisonous(err) {
			if len(entries) > 1 {
				p.log.Warn("batch fails, searching for the entry", "entries", len(entries), "error", err)
				p.w.metrics.errors.WithLabelValues("split").Inc()
				half := len(entries) / 2
				if err := p.handle(ctx, reading, entries[:half]); err != nil {
					return err
				}
				return p.handle(ctx, reading, entries[half:])
			}
			if tries++; tries >= p.w.opt.MaxTries {
				return p.bury(ctx, reading, entries[0], err)
			}
		}
		p.complain("batch", err, wait)
		if err := pause(reading, wait); err != nil {
			return err
		}
	}
}

// attempt processes entries once, in one of the worker's slots.
func (p *partition) attempt(ctx context.Context, entries []bus.Entry) (err error) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, v, debug.Stack())
		}
		if err != nil {
			p.windows.clear()
			p.rollups.clear()
		}
	}()
	return p.process(ctx, entries)
}

// errPanic is a panic while a batch was processed.
var errPanic = errors.New("pipeline: panic")

// poisonous reports whether the entries are to blame: the store refuses them, they
// violate what the database holds, or the code fails on them. Anything else may pass
// by itself, and is never a reason to give up a message.
func poisonous(err error) bool {
	if errors.Is(err, errPanic) || fault.Is(err, fault.BadInput) {
		return true
	}
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code[:2] == "22" || pg.Code[:2] == "23")
}
