package alarms

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/rules"

	"github.com/jackc/pgx/v5/pgxpool"
)

// SourceOptions of a RuleSource.
type SourceOptions struct {
	// Pool reads the rules of all tenants, as foresight_worker.
	Pool *pgxpool.Pool
	// Listen delivers change notices, the payloads of the channel foresight_changes,
	// until ctx ends. It mends its own connection and delivers "" whenever notices
	// may have been missed. Nil: there are none, and only Refresh keeps up.
	Listen func(ctx context.Context, deliver func(payload string)) error
	// Refresh is the interval of full loads; 60 s when zero.
	Refresh time.Duration
	Log     *slog.Logger // nil: slog.Default()
}

const (
	defaultRefresh = time.Minute
	loadTimeout    = 30 * time.Second
	retryAfter     = time.Second
)

// RuleSource keeps the active rules of every tenant in memory: loaded at the start,
// for the tenant that a change notice names, and all at intervals. When a load
// fails, the former rules stay and it is tried again. It is a lifecycle.Part, and
// safe for concurrent use.
type RuleSource struct {
	opt     SourceOptions
	log     *slog.Logger
	current atomic.Pointer[map[id.UUID]*rules.Set]

	mu      sync.Mutex
	tenants map[id.UUID]bool // to load
	all     bool             // load everything
	wake    chan struct{}    // capacity 1

	cancel context.CancelFunc
	done   sync.WaitGroup
}

// NewRuleSource returns a source without rules until Start.
func NewRuleSource(o SourceOptions) *RuleSource {
	if o.Refresh <= 0 {
		o.Refresh = defaultRefresh
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	s := &RuleSource{opt: o, log: o.Log.With("part", "rules"), tenants: map[id.UUID]bool{}, wake: make(chan struct{}, 1)}
	s.current.Store(&map[id.UUID]*rules.Set{})
	return s
}

// Set returns the active rules of the tenant, nil (an empty set) when it has none.
func (s *RuleSource) Set(tenant id.UUID) *rules.Set { return (*s.current.Load())[tenant] }

// Name of the part.
func (s *RuleSource) Name() string { return "rules" }

// Start loads everything once, and then keeps it current until Stop.
func (s *RuleSource) Start(ctx context.Context) error {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if s.opt.Listen != nil {
		// Before the load: what changes after it is noticed.
		s.done.Go(func() {
			if err := s.opt.Listen(run, s.notice); err != nil && run.Err() == nil {
				s.log.Error("no more change notices, rules follow the refresh only", "error", err)
			}
		})
	}
	if err := s.load(ctx, nil); err != nil {
		cancel()
		s.done.Wait()
		return err
	}
	s.cancel = cancel
	s.done.Go(func() { s.follow(run) })
	return nil
}

// Stop ends the goroutines; the last rules stay readable.
func (s *RuleSource) Stop(context.Context) error {
	if s.cancel != nil {
		s.cancel()
		s.done.Wait()
	}
	return nil
}

// notice takes a change notice without waiting.
func (s *RuleSource) notice(payload string) {
	c, err := postgres.ParseChange(payload)
	switch {
	case err != nil: // some were missed
		s.want(id.Nil)
	case c.Table == "alarm_rules" || c.Table == "tenants":
		s.want(c.Tenant)
	}
}

// want asks for a tenant's rules to be loaded, or all with the nil id.
func (s *RuleSource) want(tenant id.UUID) {
	s.mu.Lock()
	if tenant == id.Nil {
		s.all = true
	} else {
		s.tenants[tenant] = true
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// take returns what to load: a nil slice for everything.
func (s *RuleSource) take() []id.UUID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []id.UUID
	if !s.all {
		out = make([]id.UUID, 0, len(s.tenants))
		for t := range s.tenants {
			out = append(out, t)
		}
	}
	s.all = false
	clear(s.tenants)
	return out
}

func (s *RuleSource) follow(ctx context.Context) {
	refresh := time.NewTicker(s.opt.Refresh)
	defer refresh.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-refresh.C:
			s.want(id.Nil)
			continue
		case <-s.wake:
		}
		only := s.take()
		if err := s.load(ctx, only); err != nil && ctx.Err() == nil {
			s.log.Warn("rules could not be loaded, trying again", "error", err)
			s.again(only)
			select {
			case <-ctx.Done():
				return
			case <-time.After(retryAfter):
			}
		}
	}
}

func (s *RuleSource) again(only []id.UUID) {
	if only == nil {
		s.want(id.Nil)
	}
	for _, t := range only {
		s.want(t)
	}
}

// load reads the rules of the tenants, of all when only is nil, and puts them in place.
func (s *RuleSource) load(ctx context.Context, only []id.UUID) error {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	found, err := readRules(ctx, s.opt.Pool, only)
	if err != nil {
		return err
	}
	next := map[id.UUID]*rules.Set{}
	if only != nil {
		next = maps.Clone(*s.current.Load())
		for _, t := range only {
			delete(next, t)
		}
	}
	for t, of := range found {
		next[t] = rules.NewSet(of)
	}
	s.current.Store(&next)
	return nil
}
