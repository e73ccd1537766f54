// Package lifecycle is the one contract by which parts of the process start and
// stop, so that the order is visible in one place and testable.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Part is something that runs. Start returns when the part is ready (not when it
// ends); the context bounds the start only. Stop returns when the part has ended
// and is safe to call once after a successful Start.
type Part interface {
	Name() string
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
}

// Funcs makes a Part of two functions; either may be nil.
func Funcs(name string, start, stop func(context.Context) error) Part {
	return funcs{name, start, stop}
}

type funcs struct {
	name        string
	start, stop func(context.Context) error
}

func (f funcs) Name() string { return f.name }

func (f funcs) Start(ctx context.Context) error {
	if f.start == nil {
		return nil
	}
	return f.start(ctx)
}

func (f funcs) Stop(ctx context.Context) error {
	if f.stop == nil {
		return nil
	}
	return f.stop(ctx)
}

// Group starts parts in order and stops the started ones in reverse. It is used
// by one goroutine.
type Group struct {
	Log     *slog.Logger
	OnStart func(name string, took time.Duration) // told of every started part; may be nil
	started []Part
}

// Start starts one part and remembers it for Stop.
func (g *Group) Start(ctx context.Context, p Part) error {
	begin := time.Now()
	if err := p.Start(ctx); err != nil {
		return fmt.Errorf("start %s: %w", p.Name(), err)
	}
	g.started = append(g.started, p)
	if g.OnStart != nil {
		g.OnStart(p.Name(), time.Since(begin))
	}
	return nil
}

// Stop stops all started parts, the last first, and returns every error. A part
// that fails to stop does not keep the others running.
func (g *Group) Stop(ctx context.Context) error {
	var errs []error
	for i := len(g.started) - 1; i >= 0; i-- {
		p := g.started[i]
		begin := time.Now()
		err := p.Stop(ctx)
		if err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", p.Name(), err))
		}
		if g.Log != nil {
			g.Log.Debug("stopped", "part", p.Name(), "took", time.Since(begin), "error", err)
		}
	}
	g.started = nil
	return errors.Join(errs...)
}
