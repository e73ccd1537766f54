package alarms

import (
	"context"
	"slices"
	"sync"

	"foresight/internal/id"
	"foresight/internal/rules"
	"foresight/internal/tenancy"
)

// Listener is told every change of the alarms that it watches, from when it was opened.
type Listener struct {
	watch   Watch
	minRank int
	fo      *follower
	queue   chan Change // from the follower, bounded
	pos     uint64      // everything up to here was handed out before it listened

	gone  chan struct{} // closed by the follower when it gave the listener up
	close sync.Once
}

// newListener watches for the actor of the context.
func newListener(ctx context.Context, w Watch) (*Listener, error) {
	if err := tenancy.Require(ctx, tenancy.AlarmsRead); err != nil {
		return nil, err
	}
	w.Scope.Sites = siteLimit(tenancy.Must(ctx))
	return &Listener{watch: w, minRank: w.MinSeverity.Rank()}, nil
}

// Listen opens a listener for the actor of the context. It returns when no change that
// is committed from then on is missed. Close the listener.
func (f *Feed) Listen(ctx context.Context, w Watch) (*Listener, error) {
	l, err := newListener(ctx, w)
	if err != nil {
		return nil, err
	}
	l.queue, l.gone = make(chan Change, f.opt.Buffer), make(chan struct{})
	if l.fo, err = f.join(tenancy.Must(ctx).TenantID); err != nil {
		return nil, err
	}
	f.opt.Metrics.subscribed(1)
	select {
	case <-l.fo.ready:
	case <-ctx.Done():
		l.Close()
		return nil, context.Cause(ctx)
	case <-l.fo.run.Done():
		l.Close()
		return nil, ErrStopped
	}
	l.fo.mu.Lock()
	l.pos = l.fo.pos
	l.fo.live[l] = struct{}{}
	l.fo.mu.Unlock()
	return l, nil
}

// Next waits for the next change. The error is the context's, ErrTooSlow or ErrStopped;
// there is nothing more behind the last two.
func (l *Listener) Next(ctx context.Context) (Change, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.gone:
		return Change{}, ErrTooSlow
	case <-l.fo.run.Done():
		return Change{}, ErrStopped
	case <-ctx.Done():
		return Change{}, context.Cause(ctx)
	}
}

// Close ends the listener. It may be called more than once.
func (l *Listener) Close() {
	l.close.Do(func() {
		l.fo.mu.Lock()
		delete(l.fo.live, l)
		l.fo.mu.Unlock()
		l.fo.feed.opt.Metrics.subscribed(-1)
		l.fo.feed.leave(l.fo)
	})
}

// wants reports whether the alarm is one of those watched.
func (l *Listener) wants(e *Event) bool {
	sc := &l.watch.Scope
	return e.Severity.Rank() >= l.minRank &&
		(sc.Sites == nil || slices.Contains(sc.Sites, e.SiteID)) &&
		(sc.Site == id.Nil || sc.Site == e.SiteID) &&
		(sc.Asset == id.Nil || sc.Asset == e.AssetID) &&
		(sc.Sensor == id.Nil || sc.Sensor == deref(e.SensorID))
}

// severities lists those from the minimum on.
func (l *Listener) severities() []string {
	var out []string
	for _, v := range rules.Severities() {
		if v.Rank() >= l.minRank {
			out = append(out, string(v))
		}
	}
	return out
}
