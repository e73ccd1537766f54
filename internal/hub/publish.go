package hub

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"foresight/internal/event"
	"foresight/internal/id"
)

// publisher numbers what this process sends, per topic, so that receivers notice a loss.
type publisher struct {
	id uint64 // random: a restarted process is another publisher

	mu  sync.Mutex
	seq map[topic]uint64
	buf []byte
}

func newPublisher() publisher {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the process instead
	return publisher{id: binary.BigEndian.Uint64(b[:]), seq: map[topic]uint64{}}
}

// Publish implements event.Publisher. It returns when the messages are in the
// connection's buffer; Event.At is set to now when it is zero. An event without
// tenant or content is an error and does not keep the others back.
func (h *Hub) Publish(ctx context.Context, events ...event.Event) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("hub: publish: %w", err)
	}
	now := time.Now()
	var errs []error
	// Numbers are taken and sent under one lock: they are on the wire in order.
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	for _, e := range events {
		if e.At.IsZero() {
			e.At = now
		}
		msg, err := h.out.encode(e)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if err := h.conn.Publish(subject(&e), msg); err != nil {
			return errors.Join(append(errs, fmt.Errorf("hub: publish: %w", err))...)
		}
		h.metrics.published.WithLabelValues(string(e.Kind)).Inc()
	}
	return errors.Join(errs...)
}

// encode numbers the event. The result is valid until the next call.
func (p *publisher) encode(e event.Event) ([]byte, error) {
	t := topic{e.Key.Tenant, e.Kind}
	if err := t.check(); err != nil {
		return nil, err
	}
	msg, err := appendEvent(p.buf[:0], e, origin{p.id, p.seq[t] + 1})
	if err != nil {
		return nil, err
	}
	p.buf = msg
	p.seq[t]++
	return msg, nil
}

// subject returns `hub.{tenant}.{kind}.{site}.{asset}.{sensor}`; an absent id is the nil UUID.
func subject(e *event.Event) string {
	b := make([]byte, 0, 4+4*37+len(e.Kind)+1)
	b = append(b, "hub."...)
	b = appendID(b, e.Key.Tenant)
	b = append(b, '.')
	b = append(b, e.Kind...)
	for _, u := range [...]id.UUID{e.Key.Site, e.Key.Asset, e.Key.Sensor} {
		b = append(b, '.')
		b = appendID(b, u)
	}
	return string(b)
}

func appendID(b []byte, u id.UUID) []byte {
	text, _ := u.MarshalText() // never fails
	return append(b, text...)
}
