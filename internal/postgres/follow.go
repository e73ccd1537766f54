package postgres

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"foresight/internal/id"
)

// FollowOptions of a Follower.
type FollowOptions struct {
	// Name of the part, in logs.
	Name string
	// Tables whose changes ask for a load.
	Tables []string
	// Load reads the tenants' part of what is kept, or all of it when tenants is nil,
	// and puts it in place. Calls come one at a time.
	Load func(ctx context.Context, tenants []id.UUID) error
	// Listen delivers change notices until ctx ends: Listen on ChangeChannel. It
	// delivers "" whenever notices may have been missed. Nil: there are none, and only
	// Refresh keeps up.
	Listen func(ctx context.Context, deliver func(payload string)) error
	// Refresh is the interval of full loads; 60 s when zero.
	Refresh time.Duration
	Log     *slog.Logger // nil: slog.Default()
}

const (
	defaultRefresh   = time.Minute
	loadTimeout      = 30 * time.Second
	firstReload      = time.Second
	lastReload       = 30 * time.Second
	manyTenants      = 256 // more of them are loaded with everything
	listenAgainAfter = time.Second
)

// Follower keeps what a process holds in memory as the database has it. It loads
// everything at the start, at intervals and whenever notices may have been missed,
// and a tenant when a notice names it. Notices that come during a load are answered
// by one further load. What could not be loaded is tried again, after one second at
// first and 30 s at most; until then the former state stays. Follower is a
// lifecycle.Part, and safe for concurrent use.
type Follower struct {
	opt FollowOptions
	log *slog.Logger

	mu      sync.Mutex
	tenants map[id.UUID]struct{} // to load
	all     bool                 // load everything
	wake    chan struct{}        // capacity 1

	cancel context.CancelFunc
	done   sync.WaitGroup
}

// NewFollower returns a follower that loads from Start on.
func NewFollower(o FollowOptions) *Follower {
	if o.Refresh <= 0 {
		o.Refresh = defaultRefresh
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Follower{
		opt: o, log: o.Log.With("part", o.Name),
		tenants: map[id.UUID]struct{}{}, wake: make(chan struct{}, 1),
	}
}

// Name of the part.
func (f *Follower) Name() string { return f.opt.Name }

// Start loads everything once, and then keeps it current until Stop.
func (f *Follower) Start(ctx context.Context) error {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if f.opt.Listen != nil {
		// Before the load: what changes after it is noticed.
		f.done.Go(func() { f.listen(run) })
	}
	if err := f.load(ctx, nil); err != nil {
		cancel()
		f.done.Wait()
		return err
	}
	f.cancel = cancel
	f.done.Go(func() { f.follow(run) })
	return nil
}

// Stop ends loading and listening.
func (f *Follower) Stop(context.Context) error {
	if f.cancel != nil {
		f.cancel()
		f.done.Wait()
	}
	return nil
}

// Refresh asks for a full load soon; it does not wait for it.
func (f *Follower) Refresh() { f.want(id.Nil) }

func (f *Follower) listen(ctx context.Context) {
	for {
		err := f.opt.Listen(ctx, f.notice)
		if ctx.Err() != nil {
			return
		}
		f.log.WarnContext(ctx, "change notices ended, listening again", "error", err)
		if !pause(ctx, listenAgainAfter) {
			return
		}
	}
}

// notice takes a change notice without waiting.
func (f *Follower) notice(payload string) {
	c, err := ParseChange(payload)
	switch {
	case err != nil: // some were missed, or it is of a later version
		f.Refresh()
	case slices.Contains(f.opt.Tables, c.Table):
		f.want(c.Tenant)
	}
}

// want asks for a tenant to be loaded, or everything with the nil id.
func (f *Follower) want(tenants ...id.UUID) {
	f.mu.Lock()
	for _, t := range tenants {
		if t == id.Nil {
			f.all = true
		} else {
			f.tenants[t] = struct{}{}
		}
	}
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// take returns what to load, nil for everything; false when there is nothing.
func (f *Follower) take() (tenants []id.UUID, some bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	some = f.all || len(f.tenants) > 0
	if !f.all && len(f.tenants) <= manyTenants {
		for t := range f.tenants {
			tenants = append(tenants, t)
		}
	}
	f.all = false
	clear(f.tenants)
	return tenants, some
}

// follow is the goroutine that loads.
func (f *Follower) follow(ctx context.Context) {
	refresh := time.NewTicker(f.opt.Refresh)
	defer refresh.Stop()
	for retry := firstReload; ; {
		select {
		case <-ctx.Done():
			return
		case <-refresh.C:
			f.Refresh()
		case <-f.wake:
		}
		tenants, some := f.take()
		if !some {
			continue
		}
		err := f.load(ctx, tenants)
		if err == nil {
			retry = firstReload
			continue
		}
		if ctx.Err() != nil {
			return
		}
		f.log.WarnContext(ctx, "load failed, the former state stays", "error", err, "retry_in", retry)
		if tenants == nil {
			f.Refresh()
		} else {
			f.want(tenants...)
		}
		if !pause(ctx, retry) {
			return
		}
		retry = min(2*retry, lastReload)
	}
}

func (f *Follower) load(ctx context.Context, tenants []id.UUID) error {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	return f.opt.Load(ctx, tenants)
}

// pause waits; false when ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
