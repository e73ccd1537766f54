package loadtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// run is one measurement.
type run struct {
	opt   Options
	fleet *Fleet
	plan  schedule
	words *payloads
	first int // message that is measured first

	acked   []atomic.Bool // by message
	ackedN  atomic.Int64
	lastAck atomic.Int64 // Unix nanoseconds

	toAck, toFrame, toAlarm *histogram
}

// Run publishes for the fleet and returns what became of it. An error says that the
// measurement failed; what the product did wrong stands in the report.
func Run(ctx context.Context, f *Fleet, o Options) (*Report, error) {
	if err := o.check(len(f.Sensors)); err != nil {
		return nil, err
	}
	if err := f.place(); err != nil {
		return nil, err
	}
	words, err := newPayloads()
	if err != nil {
		return nil, err
	}
	r := &run{opt: o, fleet: f, words: words, first: o.WarmUp * len(f.Sensors), toAck: newHistogram(), toFrame: newHistogram(), toAlarm: newHistogram()}
	r.acked = make([]atomic.Bool, r.first+o.Messages)
	return r.measure(ctx)
}

// measure is the run from the connections to the report.
func (r *run) measure(ctx context.Context) (rep *Report, err error) {
	senders, err := r.connect(ctx)
	defer func() {
		for _, s := range senders {
			s.close()
		}
	}()
	if err != nil {
		return nil, err
	}
	var w *watcher
	if r.opt.Watch {
		if w, err = r.watch(ctx); err != nil {
			return nil, err
		}
		defer w.close()
	}
	// The plan begins a moment ahead, so that all connections are ready for it.
	if r.plan, err = newSchedule(time.Now().Add(settleDown), r.opt.Rate, len(r.fleet.Sensors), len(r.acked)); err != nil {
		return nil, err
	}
	m, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.publishAll(ctx, senders); err != nil {
		return nil, errors.Join(err, m.abandon())
	}
	rep, err = m.end(ctx)
	if err != nil {
		return nil, err
	}
	if w != nil {
		w.awaitAlarms(ctx, int64(r.raised()), r.opt.Patience)
		r.addFrames(rep, w)
	}
	if r.opt.Archive != nil {
		if rep.Verdict, err = r.verify(ctx, r.opt.Archive, r.opt.Verify); err != nil {
			return nil, err
		}
	}
	return rep, nil
}

const settleDown = 200 * time.Millisecond

func (r *run) connect(ctx context.Context) (senders []sender, err error) {
	t := target{broker: r.opt.Broker, username: r.fleet.Username, password: r.fleet.Password, tls: r.opt.TLS, window: r.opt.Window}
	for c := range r.opt.Connections {
		s, err := r.opt.Client.dial(ctx, t, fmt.Sprintf("loadtest-%d", c), r.acknowledged)
		if err != nil {
			return senders, err
		}
		senders = append(senders, s)
	}
	return senders, nil
}

func (r *run) acknowledged(i int) {
	now := time.Now()
	r.acked[i].Store(true)
	r.ackedN.Add(1)
	r.lastAck.Store(now.UnixNano()) // of several connections the last few are as good
	if r.counts(i) && r.plan.interval > 0 {
		r.toAck.record(now.Sub(r.plan.due(i)))
	}
}

// counts reports whether the message's latency is measured.
func (r *run) counts(i int) bool { return i >= r.first }

func (r *run) publishAll(ctx context.Context, senders []sender) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for c, s := range senders {
		wg.Go(func() {
			err := r.publish(ctx, c, s)
			if err == nil {
				settle, stop := context.WithTimeout(ctx, r.opt.Patience)
				defer stop()
				err = s.settle(settle)
			}
			if err != nil {
				cancel(err) // the others need not go on
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// A connection wakes up no more often than this, and sends what is due by then. At a
// low rate the grain is finer than what is measured; at a high one waking costs more.
const (
	fineGrain   = 500 * time.Microsecond
	coarseGrain = 2 * time.Millisecond
	highRate    = 4000
)

// publish sends the messages of the sensors that the connection has.
func (r *run) publish(ctx context.Context, connection int, s sender) error {
	grain := fineGrain
	if r.plan.interval == 0 || r.opt.Rate > highRate {
		grain = coarseGrain
	}
	n := r.plan.sensors
	for i := range r.plan.total {
		sensor := i % n
		if sensor%r.opt.Connections != connection {
			continue
		}
		if r.plan.interval > 0 {
			if ahead := time.Until(r.plan.due(i)); ahead > 0 {
				if err := s.flush(); err != nil {
					return err
				}
				if err := pause(ctx, max(ahead, grain)); err != nil {
					return err
				}
			}
		}
		payload := r.words.of(sensor, i/n, r.raises(sensor, i/n), r.plan.at(i))
		if err := s.publish(ctx, i, r.fleet.Sensors[sensor].topic, payload); err != nil {
			return err
		}
	}
	return nil
}

// raises reports whether a sensor's n-th message is to raise an alarm. Sensors take
// turns, so that alarms come evenly.
func (r *run) raises(sensor, n int) bool {
	return r.opt.RaiseEvery > 0 && (n+sensor)%r.opt.RaiseEvery == r.opt.RaiseEvery-1
}

// raisedBy returns the message by which a sensor raises its k-th alarm, from 0; -1 when
// there is none.
func (r *run) raisedBy(sensor, k int) int {
	if r.opt.RaiseEvery == 0 {
		return -1
	}
	n := (r.opt.RaiseEvery - 1 - sensor%r.opt.RaiseEvery) + k*r.opt.RaiseEvery
	i := n*r.plan.sensors + sensor
	if i >= r.plan.total {
		return -1
	}
	return i
}

// raised is how many messages raise alarms.
func (r *run) raised() (n int) {
	for i := range r.plan.total {
		if r.raises(i%r.plan.sensors, i/r.plan.sensors) {
			n++
		}
	}
	return n
}
