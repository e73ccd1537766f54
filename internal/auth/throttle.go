package auth

import (
	"sync"
	"time"

	"foresight/internal/limit"
)

// The back-off after failed tries: the first free ones cost nothing, then the wait
// doubles from base to longest. Failures are forgotten after a while.
const (
	accountFree  = 5  // tries of one account
	remoteFree   = 30 // tries of one address, behind which may be an office
	lockBase     = 5 * time.Second
	lockLongest  = 15 * time.Minute
	forgetAfter  = time.Hour
	maxThrottled = 50_000 // entries in memory
)

// lockFor returns the wait after so many failures in a row.
func lockFor(failures, free int) time.Duration {
	if failures < free {
		return 0
	}
	d := lockBase
	for range failures - free {
		if d *= 2; d >= lockLongest {
			return lockLongest
		}
	}
	return d
}

// throttle counts failures by key in bounded memory. Known and unknown accounts
// are treated alike, so that a lock says nothing about existence.
type throttle struct {
	mu  sync.Mutex
	now func() time.Time
	m   map[string]tries
}

type tries struct {
	failures int
	last     time.Time
	until    time.Time
}

// wait returns how long the key is locked.
func (t *throttle) wait(key string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return max(0, t.m[key].until.Sub(t.now()))
}

// fail counts a failure and returns the wait that follows it.
func (t *throttle) fail(key string, free int) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	e, known := t.m[key]
	if known && now.Sub(e.last) > forgetAfter {
		e = tries{}
	}
	if !known && len(t.m) >= maxThrottled {
		t.shrink(now)
	}
	e.failures++
	e.last = now
	d := lockFor(e.failures, free)
	e.until = now.Add(d)
	if t.m == nil {
		t.m = map[string]tries{}
	}
	t.m[key] = e
	return d
}

func (t *throttle) clear(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.m, key)
}

// shrink drops what is not locked, and when all is, a tenth of it.
func (t *throttle) shrink(now time.Time) {
	for k, e := range t.m {
		if now.After(e.until) {
			delete(t.m, k)
		}
	}
	for k := range t.m {
		if len(t.m) < maxThrottled*9/10 {
			return
		}
		delete(t.m, k)
	}
}

// remoteKey is the key of a client's address.
func remoteKey(remote string) string { return "remote:" + limit.Client(remote) }
