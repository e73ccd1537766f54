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
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/ingestion/decode"
	"foresight/ingestion/decode/sparkplug"
	"foresight/ingestion/registry"
	"foresight/internal/id"
	"foresight/internal/obs/tracing"
	"foresight/internal/telemetry"
)

// Credential says for whom a sender may speak. The zero value may speak for nobody.
type Credential struct {
	Tenant id.UUID
	// Sites limits it to sites of the tenant; nil means all of them.
	Sites []id.UUID
	// Gateway is whose the credential is; nil when it is no gateway's.
	Gateway id.UUID
	// AnyTenant is for a broker that has authenticated its clients itself: the topic
	// names the tenant, and Tenant and Sites are not looked at.
	AnyTenant bool
}

// covers reports whether the credential may speak for a site of its tenant.
func (c Credential) covers(site id.UUID) bool {
	return c.AnyTenant || c.Sites == nil || slices.Contains(c.Sites, site)
}

// Message is what a sender submits. Nothing of it is kept after Admit returned.
type Message struct {
	Credential Credential
	Topic      string
	Payload    []byte
	ReceivedAt time.Time // zero: now
	// OverQuota says what becomes of it when its tenant is over its quota.
	OverQuota OverQuota
	// Historical: it was not measured now, and goes to the log of history.
	Historical bool
	// Repeated: the sender marks it as sent before.
	Repeated bool
	// Reply takes commands to the sender; nil: it can be told nothing.
	Reply Commander
}

// Presence keeps which gateways are there.
type Presence interface {
	// Came is told of a gateway that has come, and returns what is to be called when it
	// has gone.
	Came(tenant, site, gateway id.UUID, address string) (gone func())
}

// Options of an Admitter. Snapshot, Log, Partition and DeadLetters are required.
type Options struct {
	Snapshot func() *registry.Snapshot
	Log      Log
	// History takes what is not present any more, behind the live readings; nil: Log does,
	// and what is older than the sensor's newest is late there.
	History Log
	// Deferred takes the messages over quota of shared connections; nil: the
	// connection waits, and with it all that use it. A Deferral must drain it.
	Deferred Log
	// DeferredMost is how many messages of one tenant may wait there; those beyond it
	// are rejected. 1,000,000 when zero.
	DeferredMost uint64
	// Partition of n, bus.Partition.
	Partition   func(tenant, sensor id.UUID, n int) int
	DeadLetters DeadLetters
	// Presence is told of Sparkplug nodes that have no connection of their own; it may
	// be nil.
	Presence Presence
	Limits   decode.Limits   // decode.DefaultLimits() when zero
	Tracer   *tracing.Tracer // nil: nothing is followed
	Metrics  prometheus.Registerer
	Now      func() time.Time // time.Now when nil
}

const defaultDeferredMost = 1_000_000

// Admitter is safe for concurrent use.
type Admitter struct {
	opt        Options
	throughput *prometheus.CounterVec
	counts     *Counters
	quotas     quotas
	nodes      *nodes
	work       sync.Pool // *scratch
	bufs       sync.Pool // *[]byte
}

// scratch is what one call of Admit works with.
type scratch struct {
	decoder *decode.Decoder
	payload decode.Payload
	raw     telemetry.Raw
	trail   *trail
}

// New returns an Admitter.
func New(o Options) *Admitter {
	if o.Limits == (decode.Limits{}) {
		o.Limits = decode.DefaultLimits()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.DeferredMost == 0 {
		o.DeferredMost = defaultDeferredMost
	}
	a := &Admitter{opt: o, counts: newCounters(o.Metrics), throughput: newThroughput(o.Metrics), nodes: newNodes(o.Metrics)}
	a.work.New = func() any { return &scratch{decoder: decode.NewDecoder(o.Limits)} }
	a.bufs.New = func() any { b := make([]byte, 0, 2048); return &b }
	return a
}

// Counters returns the counts of what was admitted and rejected.
func (a *Admitter) Counters() *Counters { return a.counts }

// Admit begins the admission of a message. The Ticket is either rejected already or
// on its way to the log; Wait must be called on it exactly once. It blocks as the
// package says, and not longer than ctx.
func (a *Admitter) Admit(ctx context.Context, m Message) Ticket { return a.admit(ctx, m, 0) }

// admit admits a message before which ahead others of its sender were told that there is
// no room.
func (a *Admitter) admit(ctx context.Context, m Message, ahead int) Ticket {
	if m.ReceivedAt.IsZero() {
		m.ReceivedAt = a.opt.Now()
	}
	if sparkplug.Is(m.Topic) {
		return a.admitNode(ctx, m)
	}
	s := a.work.Get().(*scratch)
	followed := a.follow(ctx)
	s.trail = followed
	defer func() {
		s.raw.Topic, s.raw.Payload, s.raw.Trace, s.trail = "", nil, tracing.Ref{}, nil
		a.work.Put(s)
	}()

	tenant, sensor, rejection := a.examine(m, s)
	if rejection != nil {
		followed.failed(string(rejection.Reason))
		return a.reject(m, tenant, rejection)
	}
	log, rejection, err := a.spend(ctx, tenant, sensor, m, ahead)
	switch {
	case rejection != nil:
		followed.failed(string(rejection.Reason))
		return a.reject(m, tenant, rejection)
	case err != nil:
		followed.failed("quota")
		return Ticket{err: err}
	}
	followed.lap("quota")
	buf := a.bufs.Get().(*[]byte)
	*buf = telemetry.AppendEnvelope((*buf)[:0], &s.raw)
	partition := a.opt.Partition(sensor.Tenant, sensor.Key.Sensor, log.Partitions())
	pending, err := log.AppendAsync(ctx, partition, sensor.Tenant, sensor.Key.Sensor, *buf)
	if err != nil {
		a.bufs.Put(buf)
		followed.failed(string(decode.LogFull))
		return a.unconfirmed(tenant, err)
	}
	return Ticket{Key: sensor.Key, IngestID: s.raw.IngestID, Timestamp: s.raw.Timestamp, admitter: a, tenant: tenant, pending: pending, buf: buf, trail: followed, sort: sensor.AssetType}
}

// spend draws a message on the tenant's quota, and returns the log that it goes to.
func (a *Admitter) spend(ctx context.Context, t *registry.Tenant, s *registry.Sensor, m Message, ahead int) (Log, *decode.Rejection, error) {
	log := a.opt.Log
	if m.Historical && a.opt.History != nil {
		log = a.opt.History
	}
	if t.Rate <= 0 {
		return log, nil, nil
	}
	b := a.quotas.bucket(t)
	switch {
	case m.OverQuota == Tell:
		err := b.tell(ahead)
		if err != nil {
			a.counts.overQuota(t, told)
		}
		return log, nil, err
	case m.OverQuota == Defer && a.opt.Deferred != nil:
		aside, rejection := b.defers(s.Key.Sensor, a.opt.DeferredMost)
		if !aside {
			return log, rejection, nil
		}
		a.counts.overQuota(t, deferred)
		return deferredLog{a.opt.Deferred, b}, nil, nil
	}
	waited, err := b.wait(ctx, func() (*registry.Tenant, bool) { return a.opt.Snapshot().Tenant(t.ID) })
	if waited {
		a.counts.overQuota(t, slowed)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("admit: wait for the quota: %w", err)
	}
	return log, nil, nil
}

// examine fills s.raw, or says why the message is rejected. The tenant is the one
// that the dead letter belongs to, nil when there is none.
func (a *Admitter) examine(m Message, s *scratch) (*registry.Tenant, *registry.Sensor, *decode.Rejection) {
	where, tenant, rejection := resolve(a.opt.Snapshot(), m)
	s.trail.lap("resolve")
	if rejection != nil {
		return tenant, nil, rejection
	}
	rejection = s.decoder.Decode(m.Payload, tenant.Catalogue, m.ReceivedAt, tenant.Retention, &s.payload)
	s.trail.lap("decode")
	if rejection != nil {
		return tenant, nil, rejection
	}
	sensor, rejection := where.sensor(tenant, m.Credential, s.payload.SensorCode)
	if rejection != nil {
		return tenant, nil, rejection
	}
	s.trail.found(sensor.Key)
	r := &s.raw
	r.Key, r.Trace = sensor.Key, s.trail.ref()
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
	if tenant != nil {
		letter.Tenant = tenant.ID
	}
	a.counts.rejected(tenant, r.Reason)
	a.opt.DeadLetters.Put(letter)
	return Ticket{Rejection: r}
}

func (a *Admitter) unconfirmed(tenant *registry.Tenant, err error) Ticket {
	a.counts.rejected(tenant, decode.LogFull)
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
	trail    *trail
	sort     string // of the asset
	err      error
	parts    []Ticket // of a message with several readings; then nothing else but Rejection is set
}

// Ready reports whether Wait would return at once.
func (t *Ticket) Ready() bool {
	for i := range t.parts {
		if !t.parts[i].Ready() {
			return false
		}
	}
	return t.pending == nil || t.pending.Ready()
}

// Wait returns the sequence in the log, of the last reading when a message has several;
// 0 for a rejected message. With an error the log may not have the message: it must not
// be acknowledged.
func (t *Ticket) Wait(ctx context.Context) (uint64, error) {
	if len(t.parts) > 0 {
		return t.waitAll(ctx)
	}
	if t.pending == nil {
		return 0, t.err
	}
	p := t.pending
	t.pending, t.err = nil, ErrWaited
	seq, err := p.Wait(ctx)
	if err != nil {
		// The append may still be under way: its buffer is not used again.
		t.admitter.counts.rejected(t.tenant, decode.LogFull)
		t.trail.failed(string(decode.LogFull))
		return 0, err
	}
	t.trail.appended(seq)
	t.admitter.bufs.Put(t.buf)
	t.admitter.counts.accepted(t.tenant)
	if t.sort != "" { // not one of history
		t.admitter.throughput.WithLabelValues(t.sort).Inc()
	}
	return seq, nil
}

// waitAll waits for every part, also after one has failed: each is counted.
func (t *Ticket) waitAll(ctx context.Context) (last uint64, failed error) {
	for i := range t.parts {
		seq, err := t.parts[i].Wait(ctx)
		if failed == nil {
			failed = err
		}
		last = max(last, seq)
	}
	if failed != nil {
		return 0, failed
	}
	return last, nil
}
