// Package registry keeps in memory what admission and the workers must know of every
// tenant without asking the database: sensors by code, id and own topic, gateways by
// MQTT user name, the catalogue of parameters, retention and quota.
//
// Readers take a Snapshot, which is immutable, from an atomic pointer: they neither
// wait nor allocate. A postgres.Follower loads: the tenant that a change notice names,
// and everything at intervals and whenever notices may have been missed.
package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/id"
	"foresight/internal/postgres"
)

// Options of a Registry.
type Options struct {
	// Pool reads tenants, sites, gateways, assets, sensors and parameters of all tenants.
	Pool *pgxpool.Pool
	// Listen delivers change notices until ctx ends: postgres.Listen on the channel
	// postgres.ChangeChannel. Nil: there are none, and only Refresh keeps up.
	Listen func(ctx context.Context, deliver func(payload string)) error
	// Refresh is the interval of full loads; 60 s when zero.
	Refresh time.Duration
	// Limits of tenants.
	Limits Limits
	// Metrics and Log; nil: none, slog.Default().
	Metrics prometheus.Registerer
	Log     *slog.Logger
}

// Registry is safe for concurrent use. It is a lifecycle.Part.
type Registry struct {
	opt      Options
	log      *slog.Logger
	follower *postgres.Follower
	current  atomic.Pointer[Snapshot]
	loaded   atomic.Int64 // Unix nanoseconds of the last full load
	metrics  metrics

	mu       sync.Mutex
	watchers []chan struct{} // each of capacity 1
}

// New returns a registry that knows nothing until Start.
func New(o Options) *Registry {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	r := &Registry{opt: o, log: o.Log.With("part", "registry")}
	r.follower = postgres.NewFollower(postgres.FollowOptions{
		Name: "registry", Tables: []string{"tenants", "parameters", "gateways", "sites", "assets", "sensors"},
		Load: r.load, Listen: o.Listen, Refresh: o.Refresh, Log: o.Log,
	})
	r.current.Store(newSnapshot(nil))
	r.metrics = newMetrics(o.Metrics, r)
	return r
}

// Snapshot returns the present state; it is never nil.
func (r *Registry) Snapshot() *Snapshot { return r.current.Load() }

// Changes returns a channel that has an element whenever the snapshot may be another
// than at the last look. Several changes may be one element.
func (r *Registry) Changes() <-chan struct{} {
	c := make(chan struct{}, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watchers = append(r.watchers, c)
	return c
}

// put makes a snapshot the present one.
func (r *Registry) put(s *Snapshot) {
	r.current.Store(s)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.watchers {
		select {
		case c <- struct{}{}:
		default: // it has not looked since the last one
		}
	}
}

// PasswordHash returns the PHC string of a gateway's password, "" when it has none or
// is not active. It asks the database: the worker's role can read one hash by its
// exact user name, and no list of them.
func (r *Registry) PasswordHash(ctx context.Context, g *Gateway) (string, error) {
	var hash string
	err := r.opt.Pool.QueryRow(ctx, "SELECT password_hash FROM lookup_gateway($1) WHERE id = $2", g.Username, g.ID).Scan(&hash)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("registry: look up a gateway: %w", err)
	}
	return hash, nil
}

// Age returns how old the last full load is.
func (r *Registry) Age() time.Duration { return time.Since(time.Unix(0, r.loaded.Load())) }

// Name of the part.
func (r *Registry) Name() string { return "registry" }

// Start loads everything once, and then keeps it current until Stop.
func (r *Registry) Start(ctx context.Context) error { return r.follower.Start(ctx) }

// Stop ends the goroutines. The last snapshot stays readable.
func (r *Registry) Stop(ctx context.Context) error { return r.follower.Stop(ctx) }

// Refresh asks for a full load soon; it does not wait for it.
func (r *Registry) Refresh() { r.follower.Refresh() }

// load puts the tenants in place as they now are, all when the slice is nil.
func (r *Registry) load(ctx context.Context, tenants []id.UUID) error {
	if tenants == nil {
		return r.loadAll(ctx)
	}
	for _, t := range tenants {
		if err := r.loadOne(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

func (r *Registry) loadAll(ctx context.Context) error {
	begin := time.Now()
	tenants, err := load(ctx, r.opt.Pool, r.opt.Limits, id.Nil)
	r.metrics.observe("all", begin, err)
	if err != nil {
		return err
	}
	s := newSnapshot(tenants)
	r.put(s)
	r.loaded.Store(begin.UnixNano())
	r.log.Debug("loaded", "tenants", s.Tenants(), "sensors", s.Sensors(), "took", time.Since(begin))
	return nil
}

func (r *Registry) loadOne(ctx context.Context, tenant id.UUID) error {
	begin := time.Now()
	tenants, err := load(ctx, r.opt.Pool, r.opt.Limits, tenant)
	r.metrics.observe("tenant", begin, err)
	if err != nil {
		return fmt.Errorf("tenant %s: %w", tenant, err)
	}
	var t *Tenant
	if len(tenants) == 1 {
		t = tenants[0]
	}
	r.put(r.current.Load().with(tenant, t))
	r.log.Debug("loaded a tenant", "tenant", tenant, "found", t != nil, "took", time.Since(begin))
	return nil
}
