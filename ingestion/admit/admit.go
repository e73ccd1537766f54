// Package admit is the one gate through which readings enter: it finds the sensor a
// message speaks of, checks that the sender may speak for it, decodes the values,
// gives the message its id and appends it to the log. A message is accepted, and may
// be acknowledged to its sender, only once the log has it.
//
// # Order and back-pressure
//
// Messages that one sender submits one after the other stand in the log in that
// order. Admit blocks while the tenant is over its quota and while the log has too
// many unconfirmed appends; a log that is full or gone makes Wait fail, and then the
// sender must get no acknowledgement. A message that can never be admitted is a
// Rejection: it becomes a dead letter, is counted, and is acknowledged, as its sender
// would otherwise repeat it for ever.
package admit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/ingestion/decode"
	"foresight/ingestion/registry"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// Credential says for whom a sender may speak. The zero value may speak for nobody.
type Credential struct {
	Tenant id.UUID
	// Sites limits it to sites of the tenant; nil means all of them.
	Sites []id.UUID
	// AnyTenant is for a broker that has authenticated its clients itself: the topic
	// names the tenant, and Tenant and Sites are not looked at.
	AnyTenant bool
}

// Message is what a sender submits. Nothing of it is kept after Admit returned.
type Message struct {
	Credential Credential
	Topic      string
	Payload    []byte
	ReceivedAt time.Time // zero: now
	// Defer sends a message over quota to the deferred log rather than making the
	// sender wait: for connections that many tenants share.
	Defer bool
}

// Options of an Admitter. Snapshot, Log, Partition and DeadLetters are required.
type Options struct {
	Snapshot func() *registry.Snapshot
	Log      Log
	// Deferred takes the messages over quota of shared connections; nil: the
	// connection waits, and with it all that use it.
	Deferred Log
	// Partition of n, bus.Partition.
	Partition   func(tenant, sensor id.UUID, n int) int
	DeadLetters DeadLetters
	Limits      decode.Limits // decode.DefaultLimits() when zero
	Metrics     prometheus.Registerer
	Now         func() time.Time // time.Now when nil
}

// Admitter is safe for concurrent use.
type Admitter struct {
	opt    Options
	counts *Counters
	quotas quotas
	work   sync.Pool // *scratch
	bufs   sync.Pool // *[]byte
}

// scratch is what one call of Admit works with.
type scratch struct {
	decoder *decode.Decoder
	payload decode.Payload
	raw     telemetry.Raw
}

// New returns an Admitter.
func New(o Options) *Admitter {
	if o.Limits == (decode.Limits{}) {
		o.Limits = decode.DefaultLimits()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	a := &Admitter{opt: o, counts: newCounters(o.Metrics)}
	a.work.New = func() any { return &scratch{decoder: decode.NewDecoder(o.Limits)} }
	a.bufs.New = func() any { b := make([]byte, 0, 2048); return &b }
	return a
}

// Counters returns the counts of what was admitted and rejected.
func (a *Admitter) Counters() *Counters { return a.counts }

// Admit begins the admission of a message. The Ticket is either rejected already or
// on its way to the log; Wait must be called on it exactly once. It blocks as the
// package says, and not longer than ctx.
func (a *Admitter) Admit(ctx context.Context, m Message) Ticket {
	if m.ReceivedAt.IsZero() {
		m.ReceivedAt = a.opt.Now()
	}
	s := a.work.Get().(*scratch)
	defer func() {
		s.raw.Topic, s.raw.Payload = "", nil
		a.work.Put(s)
	}()

	tenant, sensor, rejection := a.examine(m, s)
	if rejection != nil {
		return a.reject(m, tenant, rejection)
	}
	log := a.opt.Log
	deferrable := m.Defer && a.opt.Deferred != nil
	if over, err := a.quotas.take(ctx, tenant, deferrable); err != nil {
		return a.unconfirmed(tenant, fmt.Errorf("admit: wait for the quota: %w", err))
	} else if over && deferrable {
		log = a.opt.Deferred
		a.counts.deferred(tenant.Code)
	}
	buf := a.bufs.Get().(*[]byte)
	*buf = telemetry.AppendEnvelope((*buf)[:0], &s.raw)
	partition := a.opt.Partition(sensor.Tenant, sensor.Key.Sensor, log.Partitions())
	pending, err := log.AppendAsync(ctx, partition, sensor.Tenant, sensor.Key.Sensor, *buf)
	if err != nil {
		a.bufs.Put(buf)
		return a.unconfirmed(tenant, err)
	}
	return Ticket{Key: sensor.Key, IngestID: s.raw.IngestID, Timestamp: s.raw.Timestamp, admitter: a, tenant: tenant, pending: pending, buf: buf}
}

// examine fills s.raw, or says why the message is rejected. The tenant is the one
// that the dead letter belongs to, nil when there is none.
func (a *Admitter) examine(m Message, s *scratch) (*registry.Tenant, *registry.Sensor, *decode.Rejection) {
	where, tenant, rejection := resolve(a.opt.Snapshot(), m)
	if rejection != nil {
		return tenant, nil, rejection
	}
	rejection = s.decoder.Decode(m.Payload, tenant.Catalogue, m.ReceivedAt, tenant.Retention, &s.payload)
	if rejection != nil {
		return tenant, nil, rejection
	}
	sensor, rejection := where.sensor(tenant, m.Credential, s.payload.SensorCode)
	if rejection != nil {
		return tenant, nil, rejection
	}
	r := &s.raw
	r.Key = sensor.Key
	r.Timestamp, r.Channels, r.Values = s.payload.Timestamp, s.payload.Channels, s.payload.Values
	if r.Timestamp.IsZero() {
		r.Timestamp = m.ReceivedAt.UTC().Truncate(time.Millisecond)
	}
	r.ReceivedAt, r.Topic, r.Payload = m.ReceivedAt, m.Topic, m.Payload
	r.IngestID = ingestID(sensor.Key, &s.payload, m.Payload)
	return tenant, sensor, nil
}

func (a *Admitter) reject(m Message, tenant *registry.Tenant, r *decode.Rejection) Ticket {
	letter := DeadLetter{Reason: r.Reason, Detail: r.Detail, Topic: m.Topic, Payload: m.Payload, At: m.ReceivedAt}
	code := ""
	if tenant != nil {
		letter.Tenant, code = tenant.ID, tenant.Code
	}
	a.counts.rejected(code, r.Reason)
	a.opt.DeadLetters.Put(letter)
	return Ticket{Rejection: r}
}

func (a *Admitter) unconfirmed(tenant *registry.Tenant, err error) Ticket {
	a.counts.rejected(tenant.Code, decode.LogFull)
	return Ticket{err: err}
}

// ErrWaited is returned by a second Wait on a Ticket.
var ErrWaited = errors.New("admit: waited for twice")

// Ticket is a message under admission. A Rejection is final, and the message is to be
// acknowledged; the other fields are then zero.
type Ticket struct {
	Rejection *decode.Rejection
	Key       telemetry.Key
	IngestID  telemetry.IngestID
	Timestamp time.Time // event time

	admitter *Admitter
	tenant   *registry.Tenant
	pending  Pending
	buf      *[]byte
	err      error
}

// Ready reports whether Wait would return at once.
func (t *Ticket) Ready() bool { return t.pending == nil || t.pending.Ready() }

// Wait returns the sequence in the log; 0 for a rejected message. With an error the
// log may not have the message: it must not be acknowledged.
func (t *Ticket) Wait(ctx context.Context) (uint64, error) {
	if t.pending == nil {
		return 0, t.err
	}
	p := t.pending
	t.pending, t.err = nil, ErrWaited
	seq, err := p.Wait(ctx)
	if err != nil {
		// The append may still be under way: its buffer is not used again.
		t.admitter.counts.rejected(t.tenant.Code, decode.LogFull)
		return 0, err
	}
	t.admitter.bufs.Put(t.buf)
	t.admitter.counts.accepted(t.tenant.Code)
	return seq, nil
}
