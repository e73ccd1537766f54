// Package hub carries events between processes and to many subscribers within one.
//
// Publishing is fire and forget over core NATS subjects
//
//	hub.{tenant}.{kind}.{site}.{asset}.{sensor}
//
// A process holds one NATS subscription for each pair of tenant and kind that
// anybody in it watches; a message is decoded once and handed to all subscribers
// whose filter it passes, without a goroutine per subscriber and without ever
// waiting for one.
//
// # What a slow subscriber sees
//
// Each has a bounded buffer. When it is full, the oldest telemetry or prediction
// is dropped and the newest comes with Gap set. Alarm hints are merged: of two
// that do not fit, the one with the larger sequence stays, so the largest is never
// lost. What gets lost between processes is noticed by the publishers' numbering
// and told by Gap on the next event, too.
//
// # Isolation
//
// A subscriber names its tenant, and the subscription to NATS is by that tenant; a
// message whose content names another tenant or kind than its subject is thrown
// away. Events given to subscribers are shared: treat them as read-only.
package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// ErrClosed is returned after Close.
var ErrClosed = errors.New("hub: closed")

// Options says how much is kept for slow subscribers.
type Options struct {
	// Buffer is the number of telemetry or prediction events kept per subscriber; 256.
	Buffer int
	// SyncTimeout is how long Subscribe waits until the server knows of it; 2 s.
	SyncTimeout time.Duration
	// Registerer takes the metrics; nil: none.
	Registerer prometheus.Registerer
	// Log receives what cannot be decoded; slog.Default() when nil.
	Log *slog.Logger
}

// alarmBuffer is small: hints are merged.
const alarmBuffer = 16

// Hub implements event.Publisher and event.Subscriber. It is safe for concurrent use.
type Hub struct {
	conn    *nats.Conn
	opt     Options
	metrics *metrics
	out     publisher

	mu      sync.Mutex
	closed  bool
	watches map[topic]*watch
}

var (
	_ event.Publisher  = (*Hub)(nil)
	_ event.Subscriber = (*Hub)(nil)
)

// topic is what one NATS subscription is about.
type topic struct {
	tenant id.UUID
	kind   event.Kind
}

// check refuses what would make a subject that means something else.
func (t topic) check() error {
	if t.tenant == id.Nil {
		return telemetry.ErrNoTenant
	}
	if kindCode(t.kind) == 0 {
		return fmt.Errorf("hub: unknown kind of event %q", t.kind)
	}
	return nil
}

// subject is the filter of the whole topic.
func (t topic) subject() string { return "hub." + t.tenant.String() + "." + string(t.kind) + ".>" }

// New returns a hub on the connection, which stays the caller's.
func New(conn *nats.Conn, o Options) *Hub {
	if o.Buffer == 0 {
		o.Buffer = 256
	}
	if o.SyncTimeout == 0 {
		o.SyncTimeout = nats.DefaultTimeout
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Hub{conn: conn, opt: o, metrics: newMetrics(o.Registerer), out: newPublisher(), watches: map[topic]*watch{}}
}

// Subscribe implements event.Subscriber. When it returns, every event that any
// process publishes from then on is seen.
func (h *Hub) Subscribe(ctx context.Context, f event.Filter) (<-chan event.Item, error) {
	t := topic{f.Tenant, f.Kind}
	if err := t.check(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("hub: subscribe: %w", err)
	}
	s := h.newSubscriber(f)
	w, err := h.join(ctx, t, s)
	if err != nil {
		return nil, fmt.Errorf("hub: subscribe: %w", err)
	}
	if err := w.sync(ctx, h.conn, h.opt.SyncTimeout); err != nil {
		h.leave(t, s)
		return nil, fmt.Errorf("hub: subscribe: %w", err)
	}
	return s.items, nil
}

// Close ends all subscriptions; their channels are closed.
func (h *Hub) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	var errs []error
	for t, w := range h.watches {
		errs = append(errs, w.close())
		delete(h.watches, t)
	}
	return errors.Join(errs...)
}

// join adds the subscriber to the watch of its topic and makes the watch when it
// is the first.
func (h *Hub) join(ctx context.Context, t topic, s *subscriber) (*watch, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	w, ok := h.watches[t]
	if !ok {
		w = newWatch(t, h.metrics, h.opt.Log)
		var err error
		if w.sub, err = h.conn.Subscribe(t.subject(), w.receive); err != nil {
			return nil, err
		}
		h.watches[t] = w
	}
	s.detach = context.AfterFunc(ctx, func() { h.leave(t, s) }) // waits for the lock
	w.add(s)
	return w, nil
}

// leave removes the subscriber and, after the last, the watch. It does nothing for
// one that is gone already.
func (h *Hub) leave(t topic, s *subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w, ok := h.watches[t]
	if !ok || !w.remove(s) || w.size() > 0 {
		return
	}
	delete(h.watches, t)
	if err := w.close(); err != nil {
		h.opt.Log.Warn("hub: unsubscribe", "subject", t.subject(), "error", err)
	}
}
