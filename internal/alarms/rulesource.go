package alarms

import (
	"context"
	"log/slog"
	"maps"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/rules"
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

// RuleSource keeps the active rules of every tenant in memory: loaded at the start,
// for the tenant that a change notice names, and all at intervals. When a load
// fails, the former rules stay and it is tried again. It is a lifecycle.Part, and
// safe for concurrent use.
type RuleSource struct {
	pool     *pgxpool.Pool
	follower *postgres.Follower
	current  atomic.Pointer[map[id.UUID]*rules.Set]
}

// NewRuleSource returns a source without rules until Start.
func NewRuleSource(o SourceOptions) *RuleSource {
	s := &RuleSource{pool: o.Pool}
	s.follower = postgres.NewFollower(postgres.FollowOptions{
		Name: "rules", Tables: []string{"alarm_rules", "tenants"},
		Load: s.load, Listen: o.Listen, Refresh: o.Refresh, Log: o.Log,
	})
	s.current.Store(&map[id.UUID]*rules.Set{})
	return s
}

// Set returns the active rules of the tenant, nil (an empty set) when it has none.
func (s *RuleSource) Set(tenant id.UUID) *rules.Set { return (*s.current.Load())[tenant] }

// Name of the part.
func (s *RuleSource) Name() string { return "rules" }

// Start loads everything once, and then keeps it current until Stop.
func (s *RuleSource) Start(ctx context.Context) error { return s.follower.Start(ctx) }

// Stop ends the goroutines; the last rules stay readable.
func (s *RuleSource) Stop(ctx context.Context) error { return s.follower.Stop(ctx) }

// load reads the rules of the tenants, of all when only is nil, and puts them in place.
func (s *RuleSource) load(ctx context.Context, only []id.UUID) error {
	found, err := readRules(ctx, s.pool, only)
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
