package admit

import (
	"context"
	"sync/atomic"
	"time"

	"foresight/ingestion/decode"
	"foresight/internal/id"
)

// aside is what a bucket knows of its tenant's messages in the deferred log; under the
// bucket's lock. While the tenant is behind, all its messages of shared connections go
// there; when nearly nothing waits any more, only those of sensors of which something
// does, so that none overtakes an earlier one of its sensor.
type aside struct {
	behind  bool
	known   uint64 // waiting at the last look
	since   uint64 // deferred by this process since then
	sensors map[id.UUID]*follower
}

// follower is a sensor of which something may wait.
type follower struct {
	deferred uint64     // by this process
	entering int        // of them, not yet on their way to the deferred log
	last     *following // the newest that is; nil when others have deferred
}

// settled reports whether all that this process has deferred is in the deferred log, and
// so in a count that is asked for now.
func (f *follower) settled() bool { return f.entering == 0 && (f.last == nil || f.last.ended()) }

// following is a message on its way to the deferred log. Nobody need wait for it.
type following struct {
	Pending
	waited atomic.Bool
}

func (f *following) Wait(ctx context.Context) (uint64, error) {
	defer f.waited.Store(true)
	return f.Pending.Wait(ctx)
}

func (f *following) ended() bool { return f.waited.Load() || f.Ready() }

// near is the time in which a backlog is drained that does not count as one.
const near = 100 * time.Millisecond

// defers decides where a message of a shared connection goes: into the log (it has then
// been spent), or aside, and then entered must be called. When more than most wait
// already, it is refused.
func (b *bucket) defers(sensor id.UUID, most uint64) (bool, *decode.Rejection) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := &b.aside
	f := a.sensors[sensor]
	if f == nil && !a.behind && b.limiter.Allow() {
		return false, nil
	}
	if waiting := a.known + a.since; waiting >= most {
		return false, no(decode.OverQuota, "%d messages over the quota wait already", waiting)
	}
	if f == nil {
		a.behind = true
		f = a.follow(sensor)
	}
	a.since++
	f.deferred++
	f.entering++
	return true, nil
}

func (a *aside) follow(sensor id.UUID) *follower {
	if a.sensors == nil {
		a.sensors = map[id.UUID]*follower{}
	}
	f, ok := a.sensors[sensor]
	if !ok {
		f = &follower{}
		a.sensors[sensor] = f
	}
	return f
}

// entered says that a message that was deferred is on its way; nil: it could not be.
func (b *bucket) entered(sensor id.UUID, p *following) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.aside.sensors[sensor] // there while something is entering
	f.entering--
	if p != nil {
		f.last = p
	}
}

// deferredLog tells the bucket of what is appended to the deferred log.
type deferredLog struct {
	Log
	bucket *bucket
}

func (l deferredLog) AppendAsync(ctx context.Context, partition int, tenant, sensor id.UUID, data []byte) (Pending, error) {
	p, err := l.Log.AppendAsync(ctx, partition, tenant, sensor, data)
	if err != nil {
		l.bucket.entered(sensor, nil)
		return nil, err
	}
	f := &following{Pending: p}
	l.bucket.entered(sensor, f)
	return f, nil
}

// glance is what was deferred before the deferred log was asked what waits in it.
type glance struct {
	since   uint64
	settled map[id.UUID]uint64 // by sensor, where a count of what waits has all of it
}

func (b *bucket) glance() glance {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := glance{since: b.aside.since}
	for sensor, f := range b.aside.sensors {
		if f.settled() {
			if g.settled == nil {
				g.settled = make(map[id.UUID]uint64, len(b.aside.sensors))
			}
			g.settled[sensor] = f.deferred
		}
	}
	return g
}

// look takes over how many messages of each sensor wait in the deferred log, which was
// asked after before.
func (b *bucket) look(waiting map[id.UUID]uint64, before glance) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := &b.aside
	a.known = 0
	for sensor, n := range waiting {
		a.known += n
		a.follow(sensor) // it may be others that have deferred
	}
	a.since -= min(before.since, a.since)
	a.behind = float64(a.known+a.since) > float64(b.limiter.Limit())*near.Seconds()
	for sensor, deferred := range before.settled {
		if f, ok := a.sensors[sensor]; ok && waiting[sensor] == 0 && f.deferred == deferred {
			delete(a.sensors, sensor)
		}
	}
}
