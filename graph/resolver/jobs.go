package resolver

import (
	"context"
	"io"

	"foresight/graph/share"
	"foresight/internal/bulk"
	"foresight/internal/fault"
	"foresight/internal/id"
)

// watchJob follows a job for all who watch it: how it stands, then whenever it gets on;
// it ends with the job. The job is read by look, which refuses those who do not see it.
func watchJob[J bulk.Job](ctx context.Context, jobs *bulk.Service, which id.UUID, look func(context.Context, id.UUID) (J, error)) (<-chan *bulk.Watched[J], error) {
	return share.Serve(ctx, share.Stream[*bulk.Watched[J]]{
		Listen: func(ctx context.Context) (share.Next[*bulk.Watched[J]], error) {
			wait, err := jobs.News(ctx, which)
			over := false
			return func(ctx context.Context) (l share.Live[*bulk.Watched[J]], err error) {
				if over {
					return l, io.EOF
				}
				if err := wait(ctx); err != nil {
					return l, err
				}
				j, err := look(ctx, which)
				if fault.Is(err, fault.NotFound) { // deleted, or out of sight
					return l, io.EOF
				}
				if err != nil {
					return l, err
				}
				over = j.Base().Ended()
				return share.Live[*bulk.Watched[J]]{Value: &bulk.Watched[J]{Job: j}, Mark: j.Base()}, nil
			}, err
		},
		Begin: func(ctx context.Context) (b share.Beginning[*bulk.Watched[J]], err error) {
			j, err := look(ctx, which)
			if err != nil {
				return b, err
			}
			b.Items, b.Last = share.All([]*bulk.Watched[J]{{Job: j, Snapshot: true}}), j.Base().Ended()
			// What was read for the others meanwhile must not set this one back.
			b.Known = share.Known{For: bulk.LookEvery, Has: func(mark any) bool { return j.Base().AsFarAs(mark.(*bulk.Common)) }}
			return b, nil
		},
	})
}
