package auth

import (
	"sync"
	"time"

	"foresight/internal/id"
)

const (
	useInterval = time.Minute // between two notes of one key's use
	maxUses     = 50_000      // keys remembered: about 4 MB
)

// uses remembers when the use of a key was noted last. It is safe for concurrent use.
type uses struct {
	mu    sync.Mutex
	noted map[id.UUID]time.Time
}

// due reports whether a use is to be noted now, to one caller a minute.
func (u *uses) due(key id.UUID, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if now.Sub(u.noted[key]) < useInterval {
		return false
	}
	if len(u.noted) >= maxUses {
		clear(u.noted) // each is noted once more, early
	}
	if u.noted == nil {
		u.noted = map[id.UUID]time.Time{}
	}
	u.noted[key] = now
	return true
}
