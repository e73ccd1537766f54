// Package registry keeps in memory what admission and the workers must know of every
// tenant without asking the database: sensors by code, id and own topic, gateways by
// MQTT user name, the catalogue of parameters, retention and quota.
//
// Readers take a Snapshot, which is immutable, from an atomic pointer: they neither
// wait nor allocate. One goroutine loads: the tenant that a change notice names, and
// everything at intervals and whenever notices may have been missed. When a load
// fails, the former snapshot stays and the load is tried again.
package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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

const (
	defaultRefresh = time.Minute
	loadTimeout    = 30 * time.Second
	retryAfter     = time.Second
	noticeQueue    = 1024 // distinct notices that wait; beyond it everything is loaded
)

// Registry is safe for concurrent use. It is a lifecycle.Part.
type Registry struct {
	opt     Options
	log     *slog.Logger
	current atomic.Pointer[Snapshot]
	loaded  atomic.Int64 // Unix nanoseconds of the last full load
	notices chan string
	missed  chan struct{} // capacity 1: load everything
	metrics metrics
	cancel  context.CancelFunc
	done    []chan struct{}
}

// New returns a registry that knows nothing until Start.
func New(o Options) *Registry {
	if o.Refresh <= 0 {
		o.Refresh = defaultRefresh
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	r := &Registry{
		opt: o, log: o.Log.With("part", "registry"),
		notices: make(chan string, noticeQueue), missed: make(chan struct{}, 1),
	}
	r.current.Store(newSnapshot(nil))
	r.metrics = newMetrics(o.Metrics, r)
	return r
}

// Snapshot returns the present state; it is never nil.
func (r *Registry) Snapshot() *Snapshot { return r.current.Load() }

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
func (r *Registry) Start(ctx context.Context) error {
	if err := r.loadAll(ctx); err != nil {
		return err
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.cancel = cancel
	r.goes(func() { r.follow(run) })
	if r.opt.Listen != nil {
		r.goes(func() { r.listen(run) })
	}
	return nil
}

// Stop ends the goroutines. The last snapshot stays readable.
func (r *Registry) Stop(ctx context.Context) error {
	if r.cancel == nil {
		return nil
	}
	r.cancel()
	for _, d := range r.done {
		select {
		case <-d:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (r *Registry) goes(f func()) {
	done := make(chan struct{})
	r.done = append(r.done, done)
	go func() { defer close(done); f() }()
}

// listen hands notices to follow; it never blocks the listener.
func (r *Registry) listen(ctx context.Context) {
	for ctx.Err() == nil {
		err := r.opt.Listen(ctx, func(payload string) {
			if payload != "" {
				select {
				case r.notices <- payload:
					return
				default: // too many
				}
			}
			r.Refresh()
		})
		if ctx.Err() != nil {
			return
		}
		r.log.Warn("change notices ended, will listen again", "error", err)
		pause(ctx, retryAfter)
		r.Refresh()
	}
}

// Refresh asks for a full load soon; it does not wait for it.
func (r *Registry) Refresh() {
	select {
	case r.missed <- struct{}{}:
	default:
	}
}

// follow is the goroutine that loads.
func (r *Registry) follow(ctx context.Context) {
	tick := time.NewTicker(r.opt.Refresh)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			err = r.loadAll(ctx)
		case <-r.missed:
			err = r.loadAll(ctx)
		case payload := <-r.notices:
			err = r.loadNoticed(ctx, payload)
		}
		if err != nil && ctx.Err() == nil {
			r.log.Warn("load failed, the former state stays", "error", err, "age", r.Age())
			pause(ctx, retryAfter)
			r.Refresh()
		}
	}
}

var followed = map[string]bool{
	"tenants": true, "parameters": true, "gateways": true, "sites": true, "assets": true, "sensors": true,
}

// loadNoticed loads the tenants of this notice and of all that wait behind it.
func (r *Registry) loadNoticed(ctx context.Context, payload string) error {
	tenants := map[id.UUID]bool{}
	for waiting := true; waiting; {
		change, err := postgres.ParseChange(payload)
		if err != nil {
			r.log.Warn("change notice of unknown form", "error", err)
			return r.loadAll(ctx)
		}
		if followed[change.Table] {
			if change.Tenant == id.Nil { // of all; notices that are left cost a second load, no more
				return r.loadAll(ctx)
			}
			tenants[change.Tenant] = true
		}
		select {
		case payload = <-r.notices:
		default:
			waiting = false
		}
	}
	for tenant := range tenants {
		if err := r.loadOne(ctx, tenant); err != nil {
			return err
		}
	}
	return nil
}

func (r *Registry) loadAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	begin := time.Now()
	tenants, err := load(ctx, r.opt.Pool, r.opt.Limits, id.Nil)
	r.metrics.observe("all", begin, err)
	if err != nil {
		return err
	}
	s := newSnapshot(tenants)
	r.current.Store(s)
	r.loaded.Store(begin.UnixNano())
	r.log.Debug("loaded", "tenants", s.Tenants(), "sensors", s.Sensors(), "took", time.Since(begin))
	return nil
}

func (r *Registry) loadOne(ctx context.Context, tenant id.UUID) error {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
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
	r.current.Store(r.current.Load().with(tenant, t))
	r.log.Debug("loaded a tenant", "tenant", tenant, "found", t != nil, "took", time.Since(begin))
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
