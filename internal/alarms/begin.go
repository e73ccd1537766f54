package alarms

import (
	"context"

	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Begin gives what a subscription of the actor begins with: all watched alarms that are
// active, or, with Watch.After, the changes behind it, as long as all of them are still
// there. It returns the seq up to which that tells everything. Of a listener that was
// opened before, changes up to that seq are known: nothing falls between.
//
// It ends early with the error of give.
func (f *Feed) Begin(ctx context.Context, w Watch, give func(Change) error) (upTo uint64, err error) {
	l, err := newListener(ctx, w)
	if err != nil {
		return 0, err
	}
	tenant := tenancy.Must(ctx).TenantID
	if w.After != nil {
		whole, err := resumable(ctx, f.opt.Pool, tenant, *w.After)
		if err != nil {
			return 0, err
		}
		if whole {
			return f.since(ctx, tenant, l, *w.After, give)
		}
	}
	seq, active, err := readActive(ctx, f.opt.Pool, tenant, l)
	if err != nil {
		return 0, err
	}
	if w.After != nil {
		if err := give(Change{Seq: seq, Resync: true}); err != nil {
			return 0, err
		}
	}
	for _, e := range active {
		if err := give(Change{Event: e, Seq: seq, Snapshot: true}); err != nil {
			return 0, err
		}
	}
	return seq, nil
}

// since gives the watched changes behind a seq, page by page.
func (f *Feed) since(ctx context.Context, tenant id.UUID, l *Listener, after uint64, give func(Change) error) (upTo uint64, err error) {
	for {
		changes, err := readTransitions(ctx, f.opt.Pool, tenant, after, transitionsPage)
		if err != nil {
			return 0, err
		}
		for _, c := range changes {
			if l.wants(c.Event) {
				if err := give(c); err != nil {
					return 0, err
				}
			}
			after = c.Seq
		}
		if len(changes) < transitionsPage {
			return after, nil
		}
	}
}
