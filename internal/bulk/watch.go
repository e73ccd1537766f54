package bulk

import (
	"context"
	"io"
	"slices"
	"time"

	"foresight/ent/enum"
	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// LookEvery bounds how long a watcher waits for news that got lost.
const LookEvery = 5 * time.Second

// Watched is a job as it stands, with the first one marked.
type Watched[J Job] struct {
	Job      J
	Snapshot bool
}

// News listens for news of a job until the context ends. The function waits until the
// job may have got on, at most LookEvery; io.EOF: the process stops. Nothing that
// happens after News has returned is missed. Whether the actor sees the job is not asked.
func (s *Service) News(ctx context.Context, which id.UUID) (wait func(context.Context) error, err error) {
	news, err := s.Events.Subscribe(ctx, event.Filter{Tenant: tenancy.Must(ctx).TenantID, Kind: event.Job})
	if err != nil {
		return nil, err
	}
	again := time.NewTicker(LookEvery)
	context.AfterFunc(ctx, again.Stop)
	return func(ctx context.Context) error {
		for {
			select {
			case i, ok := <-news:
				if !ok {
					return io.EOF
				}
				if p := i.Event.Job; i.Gap || p != nil && p.ID == which {
					return nil
				}
			case <-again.C:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}, nil
}

// AsFarAs reports whether the job, as it was when c was read, had come at least as far
// as when other was read. An attempt that is made again begins anew.
func (c *Common) AsFarAs(other *Common) bool {
	if d := c.stage() - other.stage(); d != 0 {
		return d > 0
	}
	return c.Done >= other.Done
}

var stages = []Phase{Reading, Checking, Training, Writing}

// stage is a number that grows from the queue to the end.
func (c *Common) stage() int {
	switch {
	case c.Ended():
		return 2 + len(stages)
	case c.Status == enum.JobQueued:
		return 0
	case c.Phase == nil:
		return 1
	}
	return 2 + slices.Index(stages, *c.Phase)
}
