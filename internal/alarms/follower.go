package alarms

import (
	"context"
	"sync"
	"time"

	"foresight/internal/event"
	"foresight/internal/id"
)

const (
	transitionsPage = 500
	readTimeout     = 10 * time.Second
)

// follower reads the transitions of one tenant from where they were when it began,
// and hands them to the subscribers that have caught up.
type follower struct {
	feed   *Feed
	tenant id.UUID
	users  int             // guarded by feed.mu
	run    context.Context // acts as the system within the tenant
	cancel context.CancelFunc
	ready  chan struct{} // closed when pos is known

	mu   sync.Mutex
	pos  uint64 // everything up to here was handed out
	live map[*subscriber]struct{}
}

// loop runs until the last subscriber leaves or the process stops.
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
		if err != nil && fo.run.Err() == nil {
			log.Warn("alarm transitions could not be read, trying again", "error", err)
		}
		select {
		case <-fo.run.Done():
			return
		case <-poll.C:
		case _, ok := <-hints:
			if !ok {
				hints = nil // the hub has stopped; the interval remains
			}
			drain(hints)
		}
	}
}

// drain forgets the hints that one look answers.
func drain(hints <-chan event.Item) {
	for range cap(hints) {
		select {
		case _, ok := <-hints:
			if !ok {
				return
			}
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

// advance reads what is new and hands it to the live subscribers.
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
		fo.hand(changes)
		if len(changes) < transitionsPage {
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
	for s := range fo.live {
		for _, c := range changes {
			if c.Seq <= s.pos || !s.wants(c.Event) {
				continue
			}
			select {
			case s.queue <- c:
				continue
			default:
			}
			// Never skipped: the reader is told that it must come back.
			fo.feed.opt.Metrics.slow()
			delete(fo.live, s)
			s.err = ErrTooSlow
			close(s.gone)
			break
		}
	}
	fo.pos = changes[len(changes)-1].Seq
}
