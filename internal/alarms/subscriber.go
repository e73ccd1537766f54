package alarms

import (
	"context"
	"slices"

	"foresight/internal/id"
	"foresight/internal/rules"
)

// subscriber is one subscription. It reads for itself until it has caught up with
// its tenant's follower, and is served by it from then on.
type subscriber struct {
	watch   Watch
	minRank int
	c       chan Change // to the reader, unbuffered
	queue   chan Change // from the follower, bounded
	pos     uint64      // everything up to here it had before the follower served it

	gone chan struct{} // closed by the follower when it gave the subscriber up
	err  error         // set before gone is closed, or before c is
}

// wants reports whether the alarm is one of those watched.
func (s *subscriber) wants(e *Event) bool {
	sc := &s.watch.Scope
	return e.Severity.Rank() >= s.minRank &&
		(sc.Sites == nil || slices.Contains(sc.Sites, e.SiteID)) &&
		(sc.Site == id.Nil || sc.Site == e.SiteID) &&
		(sc.Asset == id.Nil || sc.Asset == e.AssetID) &&
		(sc.Sensor == id.Nil || sc.Sensor == deref(e.SensorID))
}

// severities lists those from the minimum on.
func (s *subscriber) severities() []string {
	var out []string
	for _, v := range rules.Severities() {
		if v.Rank() >= s.minRank {
			out = append(out, string(v))
		}
	}
	return out
}

// serve runs a subscription until its end, and closes its channel.
func (fo *follower) serve(ctx context.Context, s *subscriber) {
	defer close(s.c)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(fo.run, func() { cancel(ErrStopped) })()

	select {
	case <-fo.ready:
	case <-ctx.Done():
		s.err = context.Cause(ctx)
		return
	}
	if err := fo.catchUp(ctx, s); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		s.err = err
		return
	}
	for {
		select {
		case <-s.gone:
			return // s.err says why
		case <-ctx.Done():
			fo.drop(s, context.Cause(ctx))
			return
		case c := <-s.queue:
			if !s.pass(ctx, c) {
				fo.drop(s, context.Cause(ctx))
				return
			}
		}
	}
}

// pass hands one change to the reader, unless the subscription ends first.
func (s *subscriber) pass(ctx context.Context, c Change) bool {
	select {
	case s.c <- c:
		return true
	case <-s.gone:
	case <-ctx.Done():
	}
	return false
}

// drop takes a subscriber away from the follower, for the reason, unless the
// follower gave it up for another just before.
func (fo *follower) drop(s *subscriber, reason error) {
	fo.mu.Lock()
	defer fo.mu.Unlock()
	delete(fo.live, s)
	if s.err == nil {
		s.err = reason
	}
}

// catchUp gives the beginning and then what happened meanwhile, until the subscriber
// stands where the follower does and can be served by it: the change from the one
// to the other is made under the follower's lock, so nothing falls between.
func (fo *follower) catchUp(ctx context.Context, s *subscriber) error {
	if err := fo.start(ctx, s); err != nil {
		return err
	}
	for {
		fo.mu.Lock()
		if fo.pos <= s.pos {
			fo.live[s] = struct{}{}
			fo.mu.Unlock()
			return nil
		}
		fo.mu.Unlock()
		changes, err := readTransitions(ctx, fo.feed.opt.Pool, fo.tenant, s.pos, transitionsPage)
		if err != nil {
			return err
		}
		for _, c := range changes {
			if s.wants(c.Event) {
				if err := s.give(ctx, c); err != nil {
					return err
				}
			}
			s.pos = c.Seq
		}
	}
}

// start gives the active alarms, unless the subscription resumes at a seq behind
// which everything is still there.
func (fo *follower) start(ctx context.Context, s *subscriber) error {
	if s.watch.After != nil {
		whole, err := resumable(ctx, fo.feed.opt.Pool, fo.tenant, *s.watch.After)
		if err != nil {
			return err
		}
		if whole {
			s.pos = *s.watch.After
			return nil
		}
	}
	seq, active, err := readActive(ctx, fo.feed.opt.Pool, fo.tenant, s)
	if err != nil {
		return err
	}
	s.pos = seq
	if s.watch.After != nil {
		if err := s.give(ctx, Change{Seq: seq, Resync: true}); err != nil {
			return err
		}
	}
	for _, e := range active {
		if err := s.give(ctx, Change{Event: e, Seq: seq, Snapshot: true}); err != nil {
			return err
		}
	}
	return nil
}

// give waits for the reader: what it has not caught up with is in the database.
func (s *subscriber) give(ctx context.Context, c Change) error {
	select {
	case s.c <- c:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
