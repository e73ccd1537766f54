// Package presence keeps which gateways are connected, in the table gateway_states,
// and tells of those that come and go.
//
// Many coming at once are written in one batch. A connection that lives is heard of at
// every heartbeat. A process that dies leaves its gateways behind as connected: any
// process takes back those that were not heard of for three heartbeats. A gateway that
// comes to another process while the former connection is still being taken for alive
// stays online when that one ends.
package presence

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/event"
	"foresight/internal/id"
)

// Options of a Recorder. Pool is required.
type Options struct {
	Pool      *pgxpool.Pool   // of the role foresight_worker
	Events    event.Publisher // is told of changes; may be nil
	Heartbeat time.Duration   // 30 s when zero
	Log       *slog.Logger    // nil: slog.Default()
}

const (
	defaultHeartbeat = 30 * time.Second
	staleAfter       = 3                      // heartbeats
	gather           = 100 * time.Millisecond // changes that come within it are one batch
	writeTimeout     = 10 * time.Second
	retryAfter       = 2 * time.Second
)

// Recorder writes who is connected. It is a lifecycle.Part, and safe for concurrent
// use.
type Recorder struct {
	opt  Options
	log  *slog.Logger
	wake chan struct{} // capacity 1

	mu   sync.Mutex
	live map[*connection]struct{}
	of   map[id.UUID]int // live connections by gateway
	gone []*connection   // not written yet

	cancel context.CancelFunc
	done   sync.WaitGroup
}

// connection is one of a gateway; all but written is fixed.
type connection struct {
	tenant, site, gateway id.UUID
	address               string
	since                 time.Time
	ended                 time.Time // zero while it lives
	written               bool      // that it came; under the recorder's lock
}

// New returns a recorder that writes from Start on.
func New(o Options) *Recorder {
	if o.Heartbeat <= 0 {
		o.Heartbeat = defaultHeartbeat
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Recorder{opt: o, log: o.Log.With("part", "presence"), wake: make(chan struct{}, 1), live: map[*connection]struct{}{}, of: map[id.UUID]int{}}
}

// Name of the part.
func (r *Recorder) Name() string { return "presence" }

// Start begins to write.
func (r *Recorder) Start(ctx context.Context) error {
	ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	r.done.Go(func() { r.run(ctx) })
	return nil
}

// Stop writes what is not written yet, for as long as ctx allows. Gateways that are
// still connected stay so for the others.
func (r *Recorder) Stop(ctx context.Context) error {
	if r.cancel == nil {
		return nil
	}
	r.cancel()
	r.done.Wait()
	return r.flush(ctx, false)
}

// Came is told of a connection that has logged in from the address, and returns what
// is to be told of its end. Neither waits for the database.
func (r *Recorder) Came(tenant, site, gateway id.UUID, address string) (gone func()) {
	c := &connection{tenant: tenant, site: site, gateway: gateway, address: address, since: now()}
	r.mu.Lock()
	r.live[c] = struct{}{}
	r.of[gateway]++
	r.mu.Unlock()
	r.signal()
	return sync.OnceFunc(func() {
		r.mu.Lock()
		r.end(c)
		r.mu.Unlock()
		r.signal()
	})
}

// end notes that a connection is gone. Others of the gateway are written anew: its row
// may speak of the one that went. The lock is held.
func (r *Recorder) end(c *connection) {
	delete(r.live, c)
	c.ended = now()
	r.gone = append(r.gone, c)
	if r.of[c.gateway]--; r.of[c.gateway] == 0 {
		delete(r.of, c.gateway)
		return
	}
	for other := range r.live {
		if other.gateway == c.gateway {
			other.written = false
		}
	}
}

// now is the time at the precision that PostgreSQL keeps: it is compared there.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func (r *Recorder) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *Recorder) run(ctx context.Context) {
	beat := time.NewTicker(r.opt.Heartbeat)
	defer beat.Stop()
	for {
		alive := false
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			alive = true
		case <-r.wake:
			if !pause(ctx, gather) {
				return
			}
		}
		begin := now() // what is written from here on has been heard of, however long it takes
		err := r.flush(ctx, alive)
		if alive && err == nil {
			err = r.takeBack(ctx, begin)
		}
		if err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "not written, tried again", "error", err)
			if !pause(ctx, retryAfter) {
				return
			}
			r.signal()
		}
	}
}

// flush writes who went and who came, and with alive also who is there.
func (r *Recorder) flush(ctx context.Context, alive bool) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	came, gone := r.take(alive)
	if len(came)+len(gone) == 0 {
		return nil
	}
	changes, err := r.write(ctx, came, gone)
	r.mu.Lock()
	if err != nil { // of both sorts it is told again
		r.gone = append(gone, r.gone...)
	} else {
		for _, c := range came {
			c.written = true
		}
	}
	r.mu.Unlock()
	r.tell(ctx, changes)
	return err
}

// take returns what is to be written, tenants and gateways in the order of their ids:
// who locks many rows locks them in one order.
func (r *Recorder) take(alive bool) (came, gone []*connection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.live {
		if alive || !c.written {
			came = append(came, c)
		}
	}
	gone, r.gone = r.gone, nil
	order := func(a, b *connection) int {
		if n := bytes.Compare(a.tenant[:], b.tenant[:]); n != 0 {
			return n
		}
		if n := bytes.Compare(a.gateway[:], b.gateway[:]); n != 0 {
			return n
		}
		return a.since.Compare(b.since)
	}
	slices.SortFunc(came, order)
	slices.SortFunc(gone, order)
	return newest(came), gone
}

// newest keeps the last connection of each gateway: a row is written once.
func newest(sorted []*connection) []*connection {
	out := sorted[:0]
	for i, c := range sorted {
		if i+1 == len(sorted) || sorted[i+1].gateway != c.gateway {
			out = append(out, c)
		}
	}
	return out
}

func (r *Recorder) tell(ctx context.Context, changes []event.Event) {
	if r.opt.Events == nil || len(changes) == 0 {
		return
	}
	if err := r.opt.Events.Publish(ctx, changes...); err != nil {
		r.log.WarnContext(ctx, "changes are not told", "error", err)
	}
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
