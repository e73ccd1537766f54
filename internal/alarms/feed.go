package alarms

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/rules"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"

	"github.com/jackc/pgx/v5/pgxpool"
)

// The reasons why a subscription ends by itself.
var (
	// ErrTooSlow: the reader fell behind by more than the buffer. Nothing was left
	// out before the end; it may resume after the last seq that it has seen.
	ErrTooSlow = errors.New("alarms: reader too slow")
	// ErrStopped: the process stops.
	ErrStopped = errors.New("alarms: feed stopped")
)

// Change is an item of a subscription.
type Change struct {
	// Event is the alarm as it was when the change was read, which is never before
	// the change; nil on a Resync.
	Event *Event
	Seq   uint64 // of the transition; of a snapshot item: of the snapshot
	// Transition is nil on snapshot items.
	Transition *Transition
	Snapshot   bool // part of the state at the beginning, not news
	Resync     bool // what was asked for is no longer there; the active alarms follow as snapshot items
}

// Watch chooses the alarms of a subscription.
type Watch struct {
	Scope       telemetry.Scope // Scope.Sites is filled in from the actor
	MinSeverity rules.Severity  // "" for all
	// After resumes behind a seq; nil begins with all active alarms.
	After *uint64
}

// FeedOptions of a Feed.
type FeedOptions struct {
	Pool    *pgxpool.Pool    // of requests: connections are in the tenant of the context's actor
	Hub     event.Subscriber // hints that there is something to read
	Poll    time.Duration    // how often to look without a hint; 2 s when zero
	Buffer  int              // changes that a reader may fall behind; 256 when zero
	Metrics *Metrics
	Log     *slog.Logger // nil: slog.Default()
}

// Feed gives every change of a tenant's alarms, in order, without gap or double. One
// goroutine per watched tenant follows the transitions in the database by seq, woken
// by hints of the hub and at intervals, and serves all subscriptions of the process.
// A lost hint delays a change and never loses it. Feed is a lifecycle.Part, and safe
// for concurrent use.
type Feed struct {
	opt FeedOptions
	log *slog.Logger

	mu        sync.Mutex
	run       context.Context // nil before Start and after Stop
	stop      context.CancelFunc
	followers map[id.UUID]*follower
	done      sync.WaitGroup
}

// NewFeed returns a feed that serves from Start on.
func NewFeed(o FeedOptions) *Feed {
	if o.Poll <= 0 {
		o.Poll = 2 * time.Second
	}
	if o.Buffer <= 0 {
		o.Buffer = 256
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Feed{opt: o, log: o.Log.With("part", "alarm feed"), followers: map[id.UUID]*follower{}}
}

// Name of the part.
func (f *Feed) Name() string { return "alarm feed" }

// Start lets subscriptions in.
func (f *Feed) Start(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.run, f.stop = context.WithCancel(context.WithoutCancel(ctx))
	return nil
}

// Stop ends all subscriptions with ErrStopped.
func (f *Feed) Stop(context.Context) error {
	f.mu.Lock()
	stop := f.stop
	f.run = nil
	f.mu.Unlock()
	if stop != nil {
		stop()
		f.done.Wait()
	}
	return nil
}

// Subscription is an open subscription. C gives the changes and is closed at the end.
type Subscription struct {
	C   <-chan Change
	sub *subscriber
}

// Err returns why C was closed: the context's error, ErrTooSlow, ErrStopped or a
// failure to read. It is valid once C is closed.
func (s *Subscription) Err() error { return s.sub.err }

// Subscribe opens a subscription for the actor of the context, until ctx ends.
func (f *Feed) Subscribe(ctx context.Context, w Watch) (*Subscription, error) {
	if err := tenancy.Require(ctx, tenancy.AlarmsRead); err != nil {
		return nil, err
	}
	actor := tenancy.Must(ctx)
	w.Scope.Sites = siteLimit(actor)
	sub := &subscriber{
		watch: w, minRank: w.MinSeverity.Rank(),
		c: make(chan Change), queue: make(chan Change, f.opt.Buffer), gone: make(chan struct{}),
	}

	f.mu.Lock()
	if f.run == nil {
		f.mu.Unlock()
		return nil, ErrStopped
	}
	fo := f.followers[actor.TenantID]
	if fo == nil {
		fo = f.follow(actor.TenantID)
	}
	fo.users++
	f.done.Go(func() {
		f.opt.Metrics.subscribed(1)
		defer f.opt.Metrics.subscribed(-1)
		fo.serve(ctx, sub)
		f.leave(fo)
	})
	f.mu.Unlock()
	return &Subscription{C: sub.c, sub: sub}, nil
}

// follow starts the follower of a tenant; f.mu is held.
func (f *Feed) follow(tenant id.UUID) *follower {
	ctx, cancel := context.WithCancel(f.run)
	fo := &follower{
		feed: f, tenant: tenant, cancel: cancel,
		run: tenancy.AsSystem(ctx, tenant), ready: make(chan struct{}), live: map[*subscriber]struct{}{},
	}
	f.followers[tenant] = fo
	f.done.Go(fo.loop)
	return fo
}

// leave ends the follower with its last subscription.
func (f *Feed) leave(fo *follower) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fo.users--; fo.users == 0 {
		fo.cancel()
		delete(f.followers, fo.tenant)
	}
}
