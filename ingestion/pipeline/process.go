package pipeline

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"foresight/internal/bus"
	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/obs"
	"foresight/internal/telemetry"
)

// batch is entries on their way through the stages. Nothing of it is kept by anybody
// after a failure; after the commit its readings and predictions belong to the events.
type batch struct {
	last        uint64          // sequence of the last entry
	raws        []telemetry.Raw // what could be decoded, in the log's order
	own         []bool          // by raw: this entry is the first write of the document
	predictions []telemetry.FaultPrediction
	predicted   []int // by raw: index in predictions of the one that counts, -1 for none
}

// processLive takes entries of the live log through all stages once.
func (p *partition) processLive(ctx context.Context, entries []bus.Entry) error {
	m := p.w.metrics
	b := &batch{last: entries[len(entries)-1].Seq}
	clock := m.clock()
	if err := p.decode(ctx, entries, b); err != nil {
		return err
	}
	clock.trail = p.follow(ctx, b, len(entries), clock.last)
	defer clock.trail.end()
	clock.lap("decode")
	if err := p.windows.load(ctx, b.raws, p.lease.sequence); err != nil {
		return err
	}
	p.windows.markLate(b.raws)
	clock.lap("windows")
	first, err := p.w.parts.Store.WriteReadings(ctx, b.raws)
	if err != nil {
		return err
	}
	b.own = make([]bool, len(b.raws))
	for i := range b.raws {
		b.own[i] = first[i] == b.raws[i].LogSeq
	}
	clock.lap("readings")
	rolledUp := p.rollUp(ctx, b) // meanwhile
	defer rolledUp()             // it must not outlast the batch
	p.predict(ctx, b)
	clock.lap("predict")
	err = p.w.parts.Store.WritePredictions(ctx, b.predictions)
	clock.lap("predictions")
	if err := errors.Join(err, rolledUp()); err != nil {
		return err
	}
	clock.lap("rollups")
	happened, late := b.events(p.w.opt.Now().UTC())
	hints, err := p.commit(ctx, b, happened)
	if err != nil {
		return err
	}
	clock.lap("commit")
	p.lease.sequence, p.lease.stream = b.last, p.stream
	p.windows.settle()
	p.rollups.settle()
	p.seen.note(b)
	m.committed(b, len(entries), p.w.opt.Now())
	p.publish(ctx, happened, late, hints)
	clock.lap("publish")
	return nil
}

// decode reads the envelopes; what is none goes to the dead letters.
func (p *partition) decode(ctx context.Context, entries []bus.Entry, b *batch) error {
	b.raws = make([]telemetry.Raw, 0, len(entries))
	for i := range entries {
		b.raws = b.raws[:len(b.raws)+1]
		r := &b.raws[len(b.raws)-1]
		err := telemetry.DecodeEnvelope(entries[i].Data, r)
		r.LogSeq = entries[i].Seq
		if err == nil && r.Tenant != id.Nil && r.Sensor != id.Nil {
			continue
		}
		b.raws = b.raws[:len(b.raws)-1]
		if err := p.reject(ctx, &entries[i], Rejected{Reason: ReasonEnvelope, Cause: err}); err != nil {
			return err
		}
	}
	return nil
}

func (p *partition) reject(ctx context.Context, e *bus.Entry, r Rejected) error {
	r.Partition, r.Seq, r.At, r.Data = p.lease.number, e.Seq, e.Time, e.Data
	if _, tenant, _, err := bus.ParseSubject(e.Subject); err == nil {
		r.Tenant = tenant
	}
	if err := p.w.parts.Dead.Reject(ctx, r); err != nil {
		return wrap("reject", err)
	}
	p.w.metrics.readings.WithLabelValues("rejected").Inc()
	p.w.metrics.rejected.WithLabelValues(r.Reason).Inc()
	p.log.WarnContext(obs.WithAbout(ctx, obs.About{Tenant: r.Tenant}), "entry rejected", "sequence", r.Seq, "reason", r.Reason, "error", r.Cause)
	return nil
}

// bury gives up an entry that fails alone: it goes to the dead letters, and the
// checkpoint passes it.
func (p *partition) bury(ctx, reading context.Context, e bus.Entry, cause error) error {
	r := Rejected{Reason: ReasonPoison, Cause: cause}
	var raw telemetry.Raw
	if telemetry.DecodeEnvelope(e.Data, &raw) == nil {
		raw.LogSeq = e.Seq
		r.Reading = &raw
	}
	return p.retry(reading, "bury", func() error {
		if err := p.reject(ctx, &e, r); err != nil {
			return err
		}
		return p.pass(ctx, e.Seq)
	})
}

// passLive lets the checkpoint pass an entry that was given up.
func (p *partition) passLive(ctx context.Context, sequence uint64) error {
	if _, err := p.commit(ctx, &batch{last: sequence}, nil); err != nil {
		return err
	}
	p.lease.sequence, p.lease.stream = sequence, p.stream
	return nil
}

// rollUp begins to write the rollups, beside what the caller does with the batch, of
// which it changes nothing. The function returned waits for the end.
func (p *partition) rollUp(ctx context.Context, b *batch) func() error {
	done := make(chan error, 1)
	go func() {
		var err error
		defer func() { done <- err }()
		defer recovered(&err)
		err = p.rollups.write(ctx, b)
	}()
	return sync.OnceValue(func() error { return <-done })
}

// predict moves the windows and asks the model about the full ones.
func (p *partition) predict(ctx context.Context, b *batch) {
	ctx, cancel := context.WithTimeout(ctx, p.w.opt.ModelTimeout)
	defer cancel()
	b.predicted = make([]int, len(b.raws))
	for i := range b.raws {
		b.predicted[i] = -1
		r := &b.raws[i]
		if !b.own[i] || r.Late {
			continue
		}
		w := p.windows.add(r)
		p.w.metrics.fill.Observe(float64(w.Len()))
		if p.w.parts.Model == nil || !w.Full() || !r.HasChannels() {
			continue
		}
		if prediction, ok := p.guard.predict(ctx, w, r); ok {
			b.predicted[i] = len(b.predictions)
			b.predictions = append(b.predictions, prediction)
			if tried, ok := p.guard.shadow(ctx, w, r); ok {
				b.predictions = append(b.predictions, tried)
			}
		}
	}
}

// events returns what rules judge, tenant by tenant in the order of their ids and
// within one in the order of the log, and apart the late readings, which are only
// published.
func (b *batch) events(now time.Time) (happened, late []event.Event) {
	happened = make([]event.Event, 0, len(b.raws)+len(b.predictions))
	for i := range b.raws {
		if !b.own[i] {
			continue
		}
		e := event.Event{Kind: event.Telemetry, Key: b.raws[i].Key, At: now, Trace: b.raws[i].Trace, Reading: &b.raws[i]}
		if b.raws[i].Late {
			late = append(late, e)
			continue
		}
		happened = append(happened, e)
		if n := b.predicted[i]; n >= 0 {
			happened = append(happened, event.Event{Kind: event.Prediction, Key: b.raws[i].Key, At: now, Trace: b.raws[i].Trace, Prediction: &b.predictions[n]})
		}
	}
	slices.SortStableFunc(happened, func(a, b event.Event) int { return bytes.Compare(a.Key.Tenant[:], b.Key.Tenant[:]) })
	return happened, late
}

// publish tells everybody. What is lost here is not lost to anybody who asks: the
// stores have it, and alarms are followed by their transitions.
func (p *partition) publish(ctx context.Context, lists ...[]event.Event) {
	for _, events := range lists {
		if len(events) == 0 {
			continue
		}
		for i := range events {
			if r := events[i].Reading; r != nil {
				r.Payload = nil // nobody who watches has a use for it
			}
		}
		if err := p.w.parts.Events.Publish(ctx, events...); err != nil && ctx.Err() == nil {
			p.w.metrics.errors.WithLabelValues("publish").Inc()
			p.log.Warn("events not published", "events", len(events), "error", err)
		}
	}
}
