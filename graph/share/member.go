package share

import (
	"slices"
	"sync"
)

// member is a subscriber of a group.
type member struct {
	group *group
	sink  Sink
	place int // among the group's members; guarded by group.mu

	mu    sync.Mutex
	live  bool
	known *knowledge
	// While it is given its snapshot:
	kept    []*Item // items to be given afterwards
	missed  bool    // some of them made room for others
	refused bool    // there was no room, and none may be missed
	ended   *End
}

// take gives the member the item, at once or once it is live. It never waits.
func (m *member) take(i *Item) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case !m.live:
		m.keep(i)
	case !m.known.has(i.mark):
		m.sink.Offer(i, m.group.gap)
	}
}

// keep keeps the item back.
func (m *member) keep(i *Item) {
	if len(m.kept) >= m.group.groups.o.Kept {
		if m.group.gap == nil {
			m.refused = true
			return
		}
		m.missed = true
		older := max(0, slices.IndexFunc(m.kept, func(k *Item) bool { return k.About != nil && k.About == i.About }))
		m.kept = slices.Delete(m.kept, older, older+1)
	}
	m.kept = append(m.kept, i)
}

// begun is called behind the snapshot: the member is given what was kept back, but for
// what the snapshot holds, and takes items at once from then on.
func (m *member) begun(k *knowledge) {
	m.mu.Lock()
	m.live, m.known = true, k
	end := m.ended
	if m.refused {
		end = &End{Reason: TooSlow}
	} else {
		if m.missed {
			m.sink.Offer(m.group.gap, m.group.gap)
		}
		for _, i := range m.kept {
			if !k.has(i.mark) {
				m.sink.Offer(i, m.group.gap)
			}
		}
	}
	m.kept = nil
	m.mu.Unlock()
	if end != nil {
		m.sink.End(*end)
	}
}

// finish ends the member with its group.
func (m *member) finish(e End) {
	m.mu.Lock()
	live := m.live
	m.ended = &e
	m.mu.Unlock()
	if live {
		m.sink.End(e)
	}
}
