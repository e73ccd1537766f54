package auth

import (
	"sync"
	"time"

	"foresight/internal/id"
)

// Revocation ends sessions before their tokens expire: one session, or all of a
// person or client (whose rights have changed).
type Revocation struct {
	Session id.UUID `json:"session,omitzero"`
	Actor   id.UUID `json:"actor,omitzero"`
	At      time.Time
}

// revocations knows what was revoked within the lifetime of an access token, and
// tells open connections. It is safe for concurrent use.
type revocations struct {
	mu       sync.Mutex
	now      func() time.Time
	keep     time.Duration         // lifetime of an access token
	revoked  map[id.UUID]time.Time // session or actor -> when
	watchers map[id.UUID]map[*watcher]struct{}
	swept    time.Time
}

type watcher struct {
	once sync.Once
	c    chan struct{}
}

func (r *revocations) apply(v Revocation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweep()
	for _, k := range []id.UUID{v.Session, v.Actor} {
		if k == id.Nil {
			continue
		}
		if r.revoked == nil {
			r.revoked = map[id.UUID]time.Time{}
		}
		r.revoked[k] = v.At
		for w := range r.watchers[k] {
			w.once.Do(func() { close(w.c) })
		}
	}
}

// hit reports whether the grant was issued before a revocation of its session or actor.
func (r *revocations) hit(g *Grant) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.hitLocked(g)
}

func (r *revocations) hitLocked(g *Grant) bool {
	if _, ok := r.revoked[g.SessionID]; ok && g.SessionID != id.Nil {
		return true // a session that was ended never comes back
	}
	at, ok := r.revoked[g.Actor.ID]
	return ok && !g.IssuedAt.After(at)
}

func (r *revocations) watch(g *Grant) (<-chan struct{}, func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := &watcher{c: make(chan struct{})}
	if r.hitLocked(g) {
		w.once.Do(func() { close(w.c) })
	}
	keys := []id.UUID{g.Actor.ID, g.SessionID}
	for _, k := range keys {
		if k == id.Nil {
			continue
		}
		if r.watchers == nil {
			r.watchers = map[id.UUID]map[*watcher]struct{}{}
		}
		if r.watchers[k] == nil {
			r.watchers[k] = map[*watcher]struct{}{}
		}
		r.watchers[k][w] = struct{}{}
	}
	return w.c, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, k := range keys {
			if delete(r.watchers[k], w); len(r.watchers[k]) == 0 {
				delete(r.watchers, k)
			}
		}
	}
}

// sweep forgets what no valid token can name any more.
func (r *revocations) sweep() {
	now := r.now()
	if now.Sub(r.swept) < time.Minute {
		return
	}
	r.swept = now
	for k, at := range r.revoked {
		if now.Sub(at) > r.keep+leeway+time.Minute {
			delete(r.revoked, k)
		}
	}
}
