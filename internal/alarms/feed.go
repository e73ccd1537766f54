package alarms

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/obs/tracing"
	"foresight/internal/rules"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// The reasons why a listener is told no more.
var (
	// ErrTooSlow: the reader fell behind by more than the buffer. Nothing was left
	// out before that; it may begin again after the last seq that it has seen.
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

	Trace tracing.Ref // of the message that caused a transition, when that is followed
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
	Buffer  int              // changes that a listener may fall behind; 256 when zero
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

// Start lets listeners in.
func (f *Feed) Start(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.run, f.stop = context.WithCancel(context.WithoutCancel(ctx))
	return nil
}

// Stop ends all listeners with ErrStopped.
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

// join counts another user of the tenant's follower, which it starts when there is none.
func (f *Feed) join(tenant id.UUID) (*follower, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.run == nil {
		return nil, ErrStopped
	}
	fo := f.followers[tenant]
	if fo == nil {
		fo = f.follow(tenant)
	}
	fo.users++
	return fo, nil
}

// follow starts the follower of a tenant; f.mu is held.
func (f *Feed) follow(tenant id.UUID) *follower {
	ctx, cancel := context.WithCancel(f.run)
	fo := &follower{
		feed: f, tenant: tenant, cancel: cancel,
		run: tenancy.AsSystem(ctx, tenant), ready: make(chan struct{}), live: map[*Listener]struct{}{},
	}
	f.followers[tenant] = fo
	f.done.Go(fo.loop)
	return fo
}

// leave ends the follower with its last listener.
func (f *Feed) leave(fo *follower) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fo.users--; fo.users == 0 {
		fo.cancel()
		delete(f.followers, fo.tenant)
	}
}
