package hub

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"foresight/internal/event"
	"foresight/internal/id"
)

// maxPublishers bounds what a watch remembers of publishers that came and went.
const maxPublishers = 256

// watch is one topic with its subscribers in this process.
type watch struct {
	topic   topic
	metrics *metrics
	log     *slog.Logger
	sub     *nats.Subscription

	syncing sync.Mutex
	synced  bool // the server knows of the subscription

	mu sync.Mutex
	// Subscribers by the narrowest id of their scope, id.Nil for the whole tenant:
	// an event is offered to those of its sensor, asset, site and tenant only.
	groups  map[id.UUID][]*subscriber
	count   int
	lastSeq map[uint64]uint64 // by publisher
}

func newWatch(t topic, m *metrics, log *slog.Logger) *watch {
	return &watch{topic: t, metrics: m, log: log, groups: map[id.UUID][]*subscriber{}, lastSeq: map[uint64]uint64{}}
}

// sync returns when the server knows of the subscription.
func (w *watch) sync(ctx context.Context, c *nats.Conn, within time.Duration) error {
	w.syncing.Lock()
	defer w.syncing.Unlock()
	if w.synced {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err := c.FlushWithContext(ctx)
	w.synced = err == nil
	return err
}

func (w *watch) add(s *subscriber) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.groups[s.group()] = append(w.groups[s.group()], s)
	w.count++
	w.metrics.subscribers.WithLabelValues(string(w.topic.kind)).Inc()
}

// remove closes the subscriber's channel and reports whether it was there.
func (w *watch) remove(s *subscriber) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	g := w.groups[s.group()]
	i := slices.Index(g, s)
	if i < 0 {
		return false
	}
	if g = slices.Delete(g, i, i+1); len(g) == 0 {
		delete(w.groups, s.group())
	} else {
		w.groups[s.group()] = g
	}
	w.end(s)
	return true
}

func (w *watch) size() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count
}

// close ends all subscribers and the subscription.
func (w *watch) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, g := range w.groups {
		for _, s := range g {
			w.end(s)
		}
		delete(w.groups, key)
	}
	if err := w.sub.Unsubscribe(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		return err
	}
	return nil
}

// end is called with the lock held, as is every send: nothing is sent to a closed channel.
func (w *watch) end(s *subscriber) {
	s.detach()
	close(s.items)
	w.count--
	w.metrics.subscribers.WithLabelValues(string(w.topic.kind)).Dec()
}

// receive is called by NATS for one message after the other.
func (w *watch) receive(m *nats.Msg) {
	e, from, err := decode(m.Data)
	if err != nil || e.Kind != w.topic.kind || e.Key.Tenant != w.topic.tenant {
		w.metrics.refused.Inc()
		w.log.Warn("hub: message refused", "subject", m.Subject, "bytes", len(m.Data), "error", err)
		return
	}
	w.metrics.received.WithLabelValues(string(e.Kind)).Inc()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost(from) {
		w.metrics.gaps.WithLabelValues(string(e.Kind)).Inc()
		for _, g := range w.groups {
			for _, s := range g {
				s.gap = true
			}
		}
	}
	w.fanOut(e)
}

// lost follows the publishers' numbers and reports a jump.
func (w *watch) lost(from origin) bool {
	last, known := w.lastSeq[from.publisher]
	if !known && len(w.lastSeq) >= maxPublishers {
		clear(w.lastSeq)
	}
	w.lastSeq[from.publisher] = from.seq
	return known && from.seq > last+1
}

// fanOut offers the event to every group that it may concern.
func (w *watch) fanOut(e event.Event) {
	dropped := 0
	keys := [...]id.UUID{id.Nil, e.Key.Site, e.Key.Asset, e.Key.Sensor}
	for i, key := range keys {
		if i > 0 && key == id.Nil {
			continue // an alarm of an asset has no sensor
		}
		for _, s := range w.groups[key] {
			if s.wants(e.Key) && !s.offer(e) {
				dropped++
			}
		}
	}
	if dropped > 0 {
		w.metrics.dropped.WithLabelValues(string(e.Kind)).Add(float64(dropped))
	}
}
