package alarms

import (
	"context"
	"sync"
	"time"

	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/obs/tracing"
)

const (
	transitionsPage = 500
	readTimeout     = 10 * time.Second
	readAgain       = 2 * time.Second // after an error, however rarely it looks otherwise
)

// follower reads the transitions of one tenant from where they were when it began,
// and hands them to the listeners.
type follower struct {
	feed   *Feed
	tenant id.UUID
	users  int             // guarded by feed.mu
	run    context.Context // acts as the system within the tenant
	cancel context.CancelFunc
	ready  chan struct{} // closed when pos is known

	traces map[uint64]tracing.Ref // by seq, until the next look; of the loop alone

	mu   sync.Mutex
	pos  uint64 // everything up to here was handed out
	live map[*Listener]struct{}
}

// loop runs until the last listener leaves or the process stops.
func (fo *follower) loop() {
	log := fo.feed.log.With("tenant_id", fo.tenant)
	hints, err := fo.feed.opt.Hub.Subscribe(fo.run, event.Filter{Tenant: fo.tenant, Kind: event.Alarm})
	if err != nil && fo.run.Err() == nil {
		log.Warn("no alarm hints, looking at intervals only", "error", err)
	}
	poll := time.NewTicker(fo.feed.opt.Poll)
	defer poll.Stop()
	for started := false; ; {
		var err error
		if !started {
			if err = fo.begin(); err == nil {
				started = true
			}
		} else {
			err = fo.advance()
		}
		var again <-chan time.Time
		if err != nil && fo.run.Err() == nil {
			fo.feed.opt.Metrics.unread()
			log.Warn("alarm transitions could not be read, trying again", "error", err)
			again = time.After(readAgain)
		}
		select {
		case <-fo.run.Done():
			return
		case <-poll.C:
		case <-again:
		case i, ok := <-hints:
			if !ok {
				hints = nil // the hub has stopped; the interval remains
			}
			fo.follow(i)
			fo.drain(hints)
		}
	}
}

// follow notes that a transition came of a message that is followed.
func (fo *follower) follow(i event.Item) {
	if !i.Event.Trace.Valid() || i.Event.Alarm == nil {
		return
	}
	if fo.traces == nil {
		fo.traces = map[uint64]tracing.Ref{}
	}
	fo.traces[i.Event.Alarm.Seq] = i.Event.Trace
}

// drain forgets the hints that one look answers.
func (fo *follower) drain(hints <-chan event.Item) {
	for range cap(hints) {
		select {
		case i, ok := <-hints:
			if !ok {
				return
			}
			fo.follow(i)
		default:
			return
		}
	}
}

func (fo *follower) begin() error {
	ctx, cancel := context.WithTimeout(fo.run, readTimeout)
	defer cancel()
	seq, err := newestSeq(ctx, fo.feed.opt.Pool, fo.tenant)
	if err != nil {
		return err
	}
	fo.mu.Lock()
	fo.pos = seq
	fo.mu.Unlock()
	close(fo.ready)
	return nil
}

// advance reads what is new and hands it to the listeners.
func (fo *follower) advance() error {
	for {
		ctx, cancel := context.WithTimeout(fo.run, readTimeout)
		fo.mu.Lock()
		pos := fo.pos
		fo.mu.Unlock()
		changes, err := readTransitions(ctx, fo.feed.opt.Pool, fo.tenant, pos, transitionsPage)
		cancel()
		if err != nil {
			return err
		}
		for i := range changes {
			changes[i].Trace = fo.traces[changes[i].Seq]
		}
		fo.hand(changes)
		fo.feed.opt.Metrics.outbox(changes)
		if len(changes) < transitionsPage {
			clear(fo.traces)
			return nil
		}
	}
}

func (fo *follower) hand(changes []Change) {
	if len(changes) == 0 {
		return
	}
	fo.mu.Lock()
	defer fo.mu.Unlock()
	for l := range fo.live {
		for _, c := range changes {
			if c.Seq <= l.pos || !l.wants(c.Event) {
				continue
			}
			select {
			case l.queue <- c:
				continue
			default:
			}
			// Never skipped: the reader is told that it must come back.
			fo.feed.opt.Metrics.slow()
			delete(fo.live, l)
			close(l.gone)
			break
		}
	}
	fo.pos = changes[len(changes)-1].Seq
}
