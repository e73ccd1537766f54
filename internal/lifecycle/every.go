package lifecycle

import (
	"context"
	"log/slog"
	"time"
)

// Every makes a Part that does something at once when it is started, and then again and
// again at the interval. Start does not wait for the first time. An error is logged as a
// warning, and the next time comes all the same; a time that takes longer than the
// interval delays the next, and is never doubled. Stop ends the context of what is being
// done and waits for it; log may be nil.
func Every(name string, interval time.Duration, log *slog.Logger, do func(context.Context) error) Part {
	if log == nil {
		log = slog.Default()
	}
	return &every{name: name, interval: interval, log: log.With("part", name), do: do, done: make(chan struct{})}
}

type every struct {
	name     string
	interval time.Duration
	log      *slog.Logger
	do       func(context.Context) error
	stop     context.CancelFunc
	done     chan struct{}
}

func (e *every) Name() string { return e.name }

func (e *every) Start(ctx context.Context) error {
	ctx, e.stop = context.WithCancel(context.WithoutCancel(ctx))
	go e.run(ctx)
	return nil
}

func (e *every) Stop(ctx context.Context) error {
	e.stop()
	select {
	case <-e.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *every) run(ctx context.Context) {
	defer close(e.done)
	tick := time.NewTicker(e.interval)
	defer tick.Stop()
	for {
		if err := e.do(ctx); err != nil && ctx.Err() == nil {
			e.log.WarnContext(ctx, "will be tried again", "after", e.interval, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
