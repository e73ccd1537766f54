package hub

import (
	"slices"

	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// subscriber is one Subscribe call.
type subscriber struct {
	scope  telemetry.Scope
	items  chan event.Item // sent to and closed under the watch's lock
	gap    bool            // tell of a loss with the next event; under the watch's lock
	detach func() bool     // forgets the client's context; under the hub's lock
}

func (h *Hub) newSubscriber(f event.Filter) *subscriber {
	n := h.opt.Buffer
	if f.Kind == event.Alarm {
		n = alarmBuffer
	}
	s := &subscriber{scope: f.Scope, items: make(chan event.Item, n)}
	s.scope.Sites = slices.Clone(f.Scope.Sites) // nil stays nil: no limit
	return s
}

// group is the narrowest id of the scope.
func (s *subscriber) group() id.UUID {
	for _, key := range [...]id.UUID{s.scope.Sensor, s.scope.Asset, s.scope.Site} {
		if key != id.Nil {
			return key
		}
	}
	return id.Nil
}

// wants applies the whole filter below the tenant.
func (s *subscriber) wants(k telemetry.Key) bool {
	sc := &s.scope
	return (sc.Site == id.Nil || sc.Site == k.Site) &&
		(sc.Asset == id.Nil || sc.Asset == k.Asset) &&
		(sc.Sensor == id.Nil || sc.Sensor == k.Sensor) &&
		(sc.Sites == nil || slices.Contains(sc.Sites, k.Site))
}

// offer puts the event into the buffer and reports whether that took nothing out.
func (s *subscriber) offer(e event.Event) bool {
	item := event.Item{Event: e, Gap: s.gap}
	s.gap = false
	select {
	case s.items <- item:
		return true
	default:
	}
	// Full. The client may empty it meanwhile, but nobody else fills it, so the
	// second send always finds room.
	select {
	case oldest := <-s.items:
		if e.Kind == event.Alarm {
			item = newer(oldest, item)
		} else {
			item.Gap = true
		}
	default:
	}
	s.items <- item
	return false
}

// newer merges two hints: the larger sequence stands for both.
func newer(a, b event.Item) event.Item {
	gap := a.Gap || b.Gap
	if a.Event.Alarm.Seq > b.Event.Alarm.Seq {
		b = a
	}
	b.Gap = gap
	return b
}
