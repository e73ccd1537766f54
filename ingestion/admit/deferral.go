package admit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/ingestion/registry"
	"foresight/internal/bus"
	"foresight/internal/id"
)

// DeferralOptions are the options of a Deferral. Pool, From and Admitter are required.
type DeferralOptions struct {
	Pool     *pgxpool.Pool // for the lock by which one process drains
	From     *bus.Log      // the deferred log
	Admitter *Admitter     // whose quotas and log are used

	Interval time.Duration // between looks at the deferred log; 500 ms when zero
	AtOnce   int           // tenants that are drained at once, in turns; 256 when zero

	Metrics prometheus.Registerer
	Log     *slog.Logger
}

// deferralLock is the advisory lock of who drains.
const deferralLock = 0x666f7265_64656672 // "foredefr"

const (
	drainBatch = 256 // at most what the quota has in a second
	drainWait  = 50 * time.Millisecond
	drainTurn  = 10 * time.Second // after it another tenant may be drained instead
)

// Deferral brings what was deferred into the log, each tenant's at the pace of its
// quota and in its order, and tells the Admitter who is behind. Every process that
// defers runs one; one of them drains, whoever holds the lock.
//
// A record is removed from the deferred log when the log has it. A process that dies in
// between leaves it to be appended once more, with the ingest id that it has: as
// harmless as any repeat. It is a lifecycle.Part.
type Deferral struct {
	opt     DeferralOptions
	log     *slog.Logger
	waiting prometheus.Gauge
	drained prometheus.Counter
	held    atomic.Bool // the lock

	mu       sync.Mutex
	draining map[id.UUID]bool

	cancel context.CancelFunc
	done   sync.WaitGroup
}

// NewDeferral returns a Deferral that works from Start on.
func NewDeferral(o DeferralOptions) *Deferral {
	if o.Interval <= 0 {
		o.Interval = 500 * time.Millisecond
	}
	if o.AtOnce <= 0 {
		o.AtOnce = 256
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	d := &Deferral{
		opt: o, log: o.Log.With("part", "deferred readings"), draining: map[id.UUID]bool{},
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "foresight_ingest_deferred_waiting", Help: "Messages over quota that wait in the deferred log, of all tenants and processes.",
		}),
		drained: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "foresight_ingest_deferred_drained_total", Help: "Messages that this process brought from the deferred log into the log.",
		}),
	}
	if o.Metrics != nil {
		o.Metrics.MustRegister(d.waiting, d.drained)
	}
	return d
}

// Name of the part.
func (d *Deferral) Name() string { return "deferred readings" }

// Start begins to look and to drain.
func (d *Deferral) Start(ctx context.Context) error {
	ctx, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	d.done.Go(func() { d.run(ctx) })
	return nil
}

// Stop ends what is under way; another process goes on.
func (d *Deferral) Stop(ctx context.Context) error {
	if d.cancel == nil {
		return nil
	}
	d.cancel()
	ended := make(chan struct{})
	go func() { defer close(ended); d.done.Wait() }()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("admit: deferred readings: %w", ctx.Err())
	}
}

// run looks, and drains while it has the lock.
func (d *Deferral) run(ctx context.Context) {
	lock := lock{pool: d.opt.Pool}
	defer func() { _ = lock.drop(context.WithoutCancel(ctx)) }()
	every := time.NewTicker(d.opt.Interval)
	defer every.Stop()
	for {
		waiting, err := d.look(ctx)
		held := false
		if err == nil {
			held, err = lock.hold(ctx)
		}
		if err != nil && ctx.Err() == nil {
			d.log.WarnContext(ctx, "deferred readings wait", "error", err)
		}
		if d.held.Store(held); held {
			d.drainAll(ctx, waiting)
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
	}
}

// look counts what waits, and tells the quotas.
func (d *Deferral) look(ctx context.Context) (bus.Backlog, error) {
	q := &d.opt.Admitter.quotas
	before := map[*bucket]glance{}
	q.buckets.Range(func(_, v any) bool {
		b := v.(*bucket)
		before[b] = b.glance()
		return true
	})
	waiting, err := d.opt.From.Backlog(ctx)
	if err != nil {
		return nil, err
	}
	var total uint64
	for tenant, sensors := range waiting {
		for _, n := range sensors {
			total += n
		}
		if t, ok := d.opt.Admitter.opt.Snapshot().Tenant(tenant); ok {
			q.bucket(t) // it may be behind by what others have deferred
		}
	}
	d.waiting.Set(float64(total))
	q.buckets.Range(func(k, v any) bool {
		b := v.(*bucket)
		b.look(waiting[k.(id.UUID)], before[b])
		return true
	})
	return waiting, nil
}

// drainAll begins with tenants that nobody drains, as many as may be at once.
func (d *Deferral) drainAll(ctx context.Context, waiting bus.Backlog) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for tenant := range waiting {
		if d.draining[tenant] || len(d.draining) >= d.opt.AtOnce {
			continue
		}
		d.draining[tenant] = true
		d.done.Go(func() {
			defer func() {
				d.mu.Lock()
				defer d.mu.Unlock()
				delete(d.draining, tenant)
			}()
			if err := d.drain(ctx, tenant); err != nil && ctx.Err() == nil {
				d.log.WarnContext(ctx, "deferred readings wait", "tenant_id", tenant.String(), "error", err)
			}
		})
	}
}

// drain brings over what waits of a tenant, until nothing does or its turn is over.
func (d *Deferral) drain(ctx context.Context, tenant id.UUID) (err error) {
	from := d.opt.From.ReadTenant(tenant, 1)
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		err = errors.Join(err, from.Close(closing))
	}()
	for begin := time.Now(); d.held.Load() && time.Since(begin) < drainTurn; {
		entries, err := from.Next(ctx, d.batch(tenant), drainWait)
		if err != nil || len(entries) == 0 {
			return err
		}
		if err := d.forward(ctx, tenant, entries); err != nil {
			return err
		}
	}
	return nil
}

// batch is how many records are brought over at once: few when the quota is small, as
// they are removed together.
func (d *Deferral) batch(tenant id.UUID) int {
	t, ok := d.opt.Admitter.opt.Snapshot().Tenant(tenant)
	if !ok || t.Rate <= 0 {
		return drainBatch
	}
	return int(min(max(t.Rate, 1), drainBatch))
}

// forward appends the entries in their order, and removes them when the log has
// confirmed all.
func (d *Deferral) forward(ctx context.Context, tenant id.UUID, entries []bus.Entry) error {
	a := d.opt.Admitter
	var pending []Pending
	var failed error
	for _, e := range entries {
		_, _, sensor, err := bus.ParseSubject(e.Subject)
		if err == nil {
			err = d.pace(ctx, tenant)
		}
		var p Pending
		if err == nil {
			p, err = a.opt.Log.AppendAsync(ctx, a.opt.Partition(tenant, sensor, a.opt.Log.Partitions()), tenant, sensor, e.Data)
		}
		if failed = err; failed != nil {
			break
		}
		pending = append(pending, p)
	}
	done := uint64(0)
	for i, p := range pending {
		if _, err := p.Wait(ctx); err != nil {
			failed = err
			break
		}
		done = entries[i].Seq + 1
		d.drained.Inc()
	}
	if done > 0 {
		failed = errors.Join(failed, d.opt.From.RemoveTenant(ctx, tenant, done))
	}
	return failed
}

// pace draws on the tenant's quota; one that is not known any more has none.
func (d *Deferral) pace(ctx context.Context, tenant id.UUID) error {
	present := func() (*registry.Tenant, bool) { return d.opt.Admitter.opt.Snapshot().Tenant(tenant) }
	t, ok := present()
	if !ok || t.Rate <= 0 {
		return nil
	}
	_, err := d.opt.Admitter.quotas.bucket(t).wait(ctx, present)
	return err
}
