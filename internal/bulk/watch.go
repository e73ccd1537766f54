package bulk

import (
	"context"
	"time"

	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// lookEvery bounds how long a watcher waits for news that got lost.
const lookEvery = 5 * time.Second

// Watched is a job as it stands, with the first one marked.
type Watched[J Job] struct {
	Job      J
	Snapshot bool
}

// WatchImport gives an import as it stands, then whenever it gets on, and ends with the
// import. The channel is closed when that or the context ends.
func (s *Service) WatchImport(ctx context.Context, which id.UUID) (<-chan *Watched[*Import], error) {
	return watch(ctx, s, which, s.Import)
}

// WatchExport is WatchImport for an export.
func (s *Service) WatchExport(ctx context.Context, which id.UUID) (<-chan *Watched[*Export], error) {
	return watch(ctx, s, which, s.Export)
}

// watch follows a job. The hub is asked first, so that nothing falls between the first
// look and the news; what gets lost is found by looking again.
func watch[J Job](ctx context.Context, s *Service, which id.UUID, look func(context.Context, id.UUID) (J, error)) (<-chan *Watched[J], error) {
	ctx, cancel := context.WithCancel(ctx)
	news, err := s.Events.Subscribe(ctx, event.Filter{Tenant: tenancy.Must(ctx).TenantID, Kind: event.Job})
	if err != nil {
		cancel()
		return nil, err
	}
	j, err := look(ctx, which)
	if err != nil {
		cancel()
		return nil, err
	}
	out := make(chan *Watched[J])
	go func() {
		defer cancel()
		defer close(out)
		again := time.NewTicker(lookEvery)
		defer again.Stop()
		for first := true; ; first = false {
			select {
			case out <- &Watched[J]{j, first}:
			case <-ctx.Done():
				return
			}
			if j.Base().Ended() {
				return
			}
			if !await(ctx, news, again.C, which) {
				return
			}
			next, err := look(ctx, which)
			if err != nil {
				if ctx.Err() == nil {
					s.Log.WarnContext(ctx, "a watched job is gone", "job", which, "error", err)
				}
				return
			}
			j = next
		}
	}()
	return out, nil
}

// await returns at news of the job, or when it is time to look again; false when it is
// over.
func await(ctx context.Context, news <-chan event.Item, again <-chan time.Time, which id.UUID) bool {
	for {
		select {
		case i, ok := <-news:
			if !ok {
				return false
			}
			if p := i.Event.Job; i.Gap || p != nil && p.ID == which {
				return true
			}
		case <-again:
			return true
		case <-ctx.Done():
			return false
		}
	}
}
