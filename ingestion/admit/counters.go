package admit

import (
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/ingestion/decode"
)

// maxTenants bounds the tenants that are counted each for themselves, here and as
// label values; the others are counted together.
const (
	maxTenants   = 1000
	otherTenants = "(other)"
	noTenant     = "(none)" // messages that belong to no known tenant
)

// Counters count messages per tenant. They are safe for concurrent use, and begin at
// zero with the process.
type Counters struct {
	mu      sync.RWMutex
	tenants map[string]*tenantCounters

	messages  *prometheus.CounterVec
	rejects   *prometheus.CounterVec
	deferrals *prometheus.CounterVec
}

type tenantCounters struct {
	name                string
	messages, deferrals prometheus.Counter
	accepted, deferred  atomic.Uint64
	reasons             map[decode.Reason]*reasonCounter // all reasons; never changed
}

type reasonCounter struct {
	n        atomic.Uint64
	exported prometheus.Counter // made with the first count, so that zeros are not exported
	once     sync.Once
}

func newCounters(reg prometheus.Registerer) *Counters {
	c := &Counters{
		tenants: map[string]*tenantCounters{},
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "foresight_ingest_messages_total", Help: "Messages that the log has confirmed, by tenant.",
		}, []string{"tenant"}),
		rejects: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "foresight_ingest_rejected_total", Help: "Messages that were not admitted, by tenant and reason. log_full: not acknowledged, the sender repeats it.",
		}, []string{"tenant", "reason"}),
		deferrals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "foresight_ingest_deferred_total", Help: "Messages over quota that went to the deferred log, by tenant.",
		}, []string{"tenant"}),
	}
	if reg != nil {
		reg.MustRegister(c.messages, c.rejects, c.deferrals)
	}
	return c
}

// Accepted returns how many messages of the tenant the log has confirmed.
func (c *Counters) Accepted(tenantCode string) uint64 { return c.of(tenantCode).accepted.Load() }

// Rejected returns how many messages were rejected for the reason; the tenant code
// "" stands for messages that belong to no known tenant.
func (c *Counters) Rejected(tenantCode string, r decode.Reason) uint64 {
	if n, ok := c.of(tenantCode).reasons[r]; ok {
		return n.n.Load()
	}
	return 0
}

// Deferred returns how many messages of the tenant went to the deferred log.
func (c *Counters) Deferred(tenantCode string) uint64 { return c.of(tenantCode).deferred.Load() }

func (c *Counters) accepted(tenantCode string) {
	t := c.of(tenantCode)
	t.accepted.Add(1)
	t.messages.Inc()
}

func (c *Counters) deferred(tenantCode string) {
	t := c.of(tenantCode)
	t.deferred.Add(1)
	t.deferrals.Inc()
}

func (c *Counters) rejected(tenantCode string, r decode.Reason) {
	t := c.of(tenantCode)
	n := t.reasons[r]
	n.once.Do(func() { n.exported = c.rejects.WithLabelValues(t.name, string(r)) })
	n.n.Add(1)
	n.exported.Inc()
}

func (c *Counters) of(tenantCode string) *tenantCounters {
	name := tenantCode
	if name == "" {
		name = noTenant
	}
	c.mu.RLock()
	t, ok := c.tenants[name]
	full := len(c.tenants) >= maxTenants
	c.mu.RUnlock()
	if ok {
		return t
	}
	if full {
		name = otherTenants
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if t, ok := c.tenants[name]; ok {
		return t
	}
	t = &tenantCounters{
		name:     name,
		messages: c.messages.WithLabelValues(name), deferrals: c.deferrals.WithLabelValues(name),
		reasons: make(map[decode.Reason]*reasonCounter),
	}
	for _, r := range decode.Reasons() {
		t.reasons[r] = &reasonCounter{}
	}
	c.tenants[name] = t
	return t
}
