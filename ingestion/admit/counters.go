package admit

import (
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/ingestion/decode"
	"foresight/ingestion/registry"
	"foresight/internal/id"
)

// maxTenants bounds the tenants that are label values of the metrics; those beyond it
// are exported together.
const (
	maxTenants   = 1000
	otherTenants = "(other)"
	noTenant     = "(none)" // messages that belong to no known tenant
)

// outcome is what was counted of a message: accepted, a reason of decode, or what was
// done about one over quota. The table ingestion_counts holds it.
type outcome = string

const (
	accepted outcome = "accepted"
	slowed   outcome = "slowed"   // accepted, after its sender had to wait
	deferred outcome = "deferred" // accepted, by way of the deferred log
	told     outcome = "told"     // not taken
)

// outcomes lists all of them.
var outcomes = func() []outcome {
	out := []outcome{accepted, slowed, deferred, told}
	for _, r := range decode.Reasons() {
		out = append(out, outcome(r))
	}
	return out
}()

// Counters count messages per tenant. They are safe for concurrent use, and begin at
// zero with the process. The number of tenants bounds their memory.
type Counters struct {
	mu      sync.RWMutex
	tenants map[id.UUID]*tenantCounters
	codes   map[string]*tenantCounters // by the code at the first message

	messages *prometheus.CounterVec
	rejects  *prometheus.CounterVec
	over     *prometheus.CounterVec
}

type tenantCounters struct {
	id    id.UUID
	label string
	of    map[outcome]*counter // all outcomes; never changed
}

type counter struct {
	n        atomic.Uint64
	exported prometheus.Counter // made with the first count, so that zeros are not exported
	once     sync.Once
	written  uint64 // by the Tally, which alone uses it
}

func newCounters(reg prometheus.Registerer) *Counters {
	c := &Counters{
		tenants: map[id.UUID]*tenantCounters{}, codes: map[string]*tenantCounters{},
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "foresight_ingest_messages_total", Help: "Messages that the log has confirmed, by tenant.",
		}, []string{"tenant"}),
		rejects: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "foresight_ingest_rejected_total", Help: "Messages that were not admitted, by tenant and reason. log_full: not acknowledged, the sender repeats it.",
		}, []string{"tenant", "reason"}),
		over: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "foresight_ingest_over_quota_total", Help: "Messages over the tenant's quota: slowed (the sender waited), deferred (to the deferred log), told (not taken, to be sent again).",
		}, []string{"tenant", "how"}),
	}
	if reg != nil {
		reg.MustRegister(c.messages, c.rejects, c.over)
	}
	return c
}

// Accepted returns how many messages of the tenant the log has confirmed.
func (c *Counters) Accepted(tenantCode string) uint64 { return c.count(tenantCode, accepted) }

// Rejected returns how many messages were rejected for the reason; the tenant code
// "" stands for messages that belong to no known tenant.
func (c *Counters) Rejected(tenantCode string, r decode.Reason) uint64 {
	return c.count(tenantCode, outcome(r))
}

// Slowed returns how many messages of the tenant had to wait for its quota.
func (c *Counters) Slowed(tenantCode string) uint64 { return c.count(tenantCode, slowed) }

// Deferred returns how many messages of the tenant went to the deferred log.
func (c *Counters) Deferred(tenantCode string) uint64 { return c.count(tenantCode, deferred) }

// Told returns how many messages of the tenant were not taken, as it was over its quota.
func (c *Counters) Told(tenantCode string) uint64 { return c.count(tenantCode, told) }

func (c *Counters) count(tenantCode string, o outcome) uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	t, ok := c.codes[tenantCode]
	if !ok {
		return 0
	}
	n, ok := t.of[o]
	if !ok {
		return 0
	}
	return n.n.Load()
}

func (c *Counters) accepted(t *registry.Tenant) {
	of := c.of(t)
	of.of[accepted].add(func() prometheus.Counter { return c.messages.WithLabelValues(of.label) })
}

func (c *Counters) overQuota(t *registry.Tenant, how outcome) {
	of := c.of(t)
	of.of[how].add(func() prometheus.Counter { return c.over.WithLabelValues(of.label, how) })
}

// rejected counts for no tenant when t is nil.
func (c *Counters) rejected(t *registry.Tenant, r decode.Reason) {
	of := c.of(t)
	of.of[outcome(r)].add(func() prometheus.Counter { return c.rejects.WithLabelValues(of.label, string(r)) })
}

func (n *counter) add(export func() prometheus.Counter) {
	n.once.Do(func() { n.exported = export() })
	n.n.Add(1)
	n.exported.Inc()
}

func (c *Counters) of(t *registry.Tenant) *tenantCounters {
	var tenant id.UUID
	if t != nil {
		tenant = t.ID
	}
	c.mu.RLock()
	of, ok := c.tenants[tenant]
	c.mu.RUnlock()
	if ok {
		return of
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if of, ok := c.tenants[tenant]; ok {
		return of
	}
	of = &tenantCounters{id: tenant, label: noTenant, of: make(map[outcome]*counter, len(outcomes))}
	code := ""
	if t != nil {
		code, of.label = t.Code, t.Code
		if len(c.tenants) >= maxTenants {
			of.label = otherTenants
		}
	}
	for _, o := range outcomes {
		of.of[o] = &counter{}
	}
	c.tenants[tenant], c.codes[code] = of, of
	return of
}

// all returns the counters of every tenant that has some.
func (c *Counters) all() []*tenantCounters {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make([]*tenantCounters, 0, len(c.tenants))
	for _, t := range c.tenants {
		out = append(out, t)
	}
	return out
}
