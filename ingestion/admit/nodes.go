package admit

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"foresight/ingestion/decode"
	"foresight/ingestion/decode/sparkplug"
	"foresight/ingestion/registry"
	"foresight/internal/id"
)

const (
	// maxNodeMetrics bounds the metrics that are remembered of the nodes of one tenant.
	maxNodeMetrics = 200_000
	// A node that does not answer is asked again after pauses that double.
	firstAsk = 5 * time.Second
	lastAsk  = 5 * time.Minute
	// After a restart every node is asked: not all at once.
	asksPerSecond = 50
	sweepNodes    = 256
)

// nodes are the Sparkplug nodes of all tenants. There is one for a gateway at most, so
// that the registry bounds their number. A process that starts knows none: the first
// message of a node makes it ask for the births.
type nodes struct {
	mu      sync.Mutex
	of      map[id.UUID]*node // by gateway
	metrics map[id.UUID]int   // remembered, by tenant
	asks    *rate.Limiter

	born    prometheus.Gauge
	rebirth prometheus.Counter
}

// node is one gateway's. Its messages come one after the other by one connection; the
// lock is for a former connection that is still ending.
type node struct {
	tenant  id.UUID
	mu      sync.Mutex
	session sparkplug.Session
	gone    func() // tells the presence; nil when it was not told that it came
	asked   time.Time
	pause   time.Duration
}

func newNodes(reg prometheus.Registerer) *nodes {
	n := &nodes{
		of: map[id.UUID]*node{}, metrics: map[id.UUID]int{}, asks: rate.NewLimiter(asksPerSecond, asksPerSecond),
		born: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "foresight_sparkplug_nodes", Help: "Sparkplug nodes whose birth is known.",
		}),
		rebirth: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "foresight_sparkplug_rebirths_requested_total", Help: "Commands to Sparkplug nodes to send their births again.",
		}),
	}
	if reg != nil {
		reg.MustRegister(n.born, n.rebirth)
	}
	return n
}

func (n *nodes) node(g *registry.Gateway, s func() *registry.Snapshot) *node {
	n.mu.Lock()
	defer n.mu.Unlock()
	of, ok := n.of[g.ID]
	if !ok {
		if len(n.of) > 0 && len(n.of)%sweepNodes == 0 {
			n.sweep(s())
		}
		of = &node{tenant: g.Tenant}
		n.of[g.ID] = of
	}
	return of
}

// sweep forgets the nodes whose gateways are no more. The lock is held; a node that is
// just being used is left for the next time.
func (n *nodes) sweep(s *registry.Snapshot) {
	there := s.Gateways()
	for gateway, of := range n.of {
		if _, ok := there[gateway]; ok || !of.mu.TryLock() {
			continue
		}
		if of.gone != nil {
			of.gone()
		}
		if of.session.Born() {
			n.born.Dec()
		}
		n.remember(of.tenant, -of.session.Size())
		of.session, of.gone = sparkplug.Session{}, nil
		of.mu.Unlock()
		delete(n.of, gateway)
	}
}

// take follows a message of a gateway's node, and asks for the births if they are
// needed.
func (n *nodes) take(m Message, topic sparkplug.Topic, g *registry.Gateway, p *sparkplug.Payload, o Options) sparkplug.Outcome {
	of := n.node(g, o.Snapshot)
	of.mu.Lock()
	defer of.mu.Unlock()
	if birth := topic.Kind == sparkplug.NodeBirth || topic.Kind == sparkplug.DeviceBirth; birth && !n.room(g.Tenant, len(p.GetMetrics())) {
		return sparkplug.Outcome{Rejection: no(decode.BadSparkplug, "the nodes of the tenant have more than %d metrics", maxNodeMetrics)}
	}
	before, was := of.session.Size(), of.session.Born()
	out := of.session.Take(topic, p, m.Repeated)
	n.mu.Lock()
	n.remember(g.Tenant, of.session.Size()-before)
	n.mu.Unlock()
	switch is := of.session.Born(); {
	case is && !was:
		n.born.Inc()
	case was && !is:
		n.born.Dec()
	}
	switch {
	case out.Born:
		of.pause = 0
		// A connection of its own tells better whether a gateway is there.
		if m.Credential.Gateway != g.ID && o.Presence != nil && of.gone == nil {
			of.gone = o.Presence.Came(g.Tenant, g.Site, g.ID, "")
		}
	case out.Died && of.gone != nil:
		of.gone()
		of.gone = nil
	}
	if out.Rebirth {
		n.ask(of, m, topic)
	}
	return out
}

// room reports whether the tenant's nodes may have so many metrics more.
func (n *nodes) room(tenant id.UUID, more int) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.metrics[tenant]+more <= maxNodeMetrics
}

// remember counts metrics; the lock is held.
func (n *nodes) remember(tenant id.UUID, more int) {
	if n.metrics[tenant] += more; n.metrics[tenant] <= 0 {
		delete(n.metrics, tenant)
	}
}

// ask sends the command for a rebirth, unless the node was asked a short time ago.
func (n *nodes) ask(of *node, m Message, topic sparkplug.Topic) {
	if m.Reply == nil || m.ReceivedAt.Sub(of.asked) < of.pause || !n.asks.AllowN(m.ReceivedAt, 1) {
		return
	}
	payload, err := sparkplug.Rebirth(m.ReceivedAt.UnixMilli())
	if err != nil || m.Reply.Command(topic.Command(), payload) != nil {
		return // the next message asks again
	}
	n.rebirth.Inc()
	of.asked, of.pause = m.ReceivedAt, min(max(2*of.pause, firstAsk), lastAsk)
}
