package simulate

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// PublisherConfig says what to publish where. Zero fields take the defaults.
type PublisherConfig struct {
	Broker   string // URL, `tcp://127.0.0.1:1883` or `ssl://…`
	TLS      *tls.Config
	ClientID string
	Username string // the gateway's credential
	Password string
	Assets   []Asset
	Rate     float64 // readings per second of each asset, 0.2
	Format   Format  // Flat
	// Window is the number of messages that may wait for their acknowledgement; when
	// they do, the publisher waits, too. 256.
	Window int
	// Now is the clock, time.Now.
	Now func() time.Time
}

// Asset is one simulated machine with the topic of its sensor.
type Asset struct {
	Tenant, Site, Sensor string // codes, for the topic {tenant}/{site}/sensors/{sensor}
	Seed                 uint64 // 0: from the codes, so that a machine stays itself over restarts
	Profile              Profile
	Fault                string  // code; empty: normal
	Severity             float64 // of the fault, 0-1
	// Growth, when not nil, lets the fault grow instead.
	Growth *Degradation
}

func (a *Asset) topic() string { return a.Tenant + "/" + a.Site + "/sensors/" + a.Sensor }

func (a *Asset) seed() uint64 {
	if a.Seed != 0 {
		return a.Seed
	}
	h := fnv.New64a()
	h.Write([]byte(a.topic()))
	return h.Sum64()
}

// Stats counts messages since the start. Published-Acknowledged-Failed wait for
// their acknowledgement.
type Stats struct {
	Published    uint64 // handed to the client
	Acknowledged uint64 // PUBACK received: the broker has it
	Failed       uint64 // given up
	Reconnects   uint64
	Connected    bool
}

// Publisher publishes the readings of simulated machines over MQTT with QoS 1, as
// one gateway. It is a lifecycle.Part. After a lost connection it connects again by
// itself; readings taken meanwhile are sent later, up to the window, beyond which
// machines are not measured.
type Publisher struct {
	config PublisherConfig
	log    *slog.Logger
	client mqtt.Client
	slots  chan struct{} // one per message that waits for its acknowledgement

	mu       sync.Mutex // guards the machines
	machines map[string]*Machine
	order    []string // topics

	stop    context.CancelFunc
	running sync.WaitGroup

	published, acknowledged, failed, connects atomic.Uint64
}

// connectTimeout bounds one attempt to connect, writeTimeout one packet to a broker
// that does not read, disconnectQuiesce the farewell.
const (
	connectTimeout    = 10 * time.Second
	writeTimeout      = 5 * time.Second
	disconnectQuiesce = 250 * time.Millisecond
)

// NewPublisher makes the machines; it does not connect yet.
func NewPublisher(c PublisherConfig, log *slog.Logger) (*Publisher, error) {
	if c.Broker == "" || c.ClientID == "" {
		return nil, errors.New("simulate: broker and client id are required")
	}
	if c.Rate == 0 {
		c.Rate = 0.2
	}
	if c.Rate < 0 || c.Rate > 1000 {
		return nil, fmt.Errorf("simulate: rate %v per second, 0 to 1000", c.Rate)
	}
	if c.Format == "" {
		c.Format = Flat
	}
	if c.Format != Flat && c.Format != Nested {
		return nil, fmt.Errorf("simulate: unknown format %q", c.Format)
	}
	if c.Window <= 0 {
		c.Window = 256
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	p := &Publisher{config: c, log: log, machines: map[string]*Machine{}, slots: make(chan struct{}, c.Window)}
	for i := range c.Assets {
		a := &c.Assets[i]
		topic := a.topic()
		if _, twice := p.machines[topic]; twice {
			return nil, fmt.Errorf("simulate: two assets publish to %s", topic)
		}
		m := NewMachine(a.seed(), a.Profile)
		p.machines[topic] = m
		p.order = append(p.order, topic)
		if a.Fault == "" {
			continue
		}
		err := m.SetFault(a.Fault, a.Severity)
		if err == nil && a.Growth != nil {
			err = m.Degrade(a.Fault, *a.Growth)
		}
		if err != nil {
			return nil, fmt.Errorf("asset %s: %w", topic, err)
		}
		m.Settle()
	}
	p.client = mqtt.NewClient(p.options())
	return p, nil
}

// Name implements lifecycle.Part.
func (p *Publisher) Name() string { return "simulator" }

// Start connects and begins to publish. A refused credential or an unreachable
// broker is an error.
func (p *Publisher) Start(ctx context.Context) error {
	token := p.client.Connect()
	select {
	case <-token.Done():
	case <-ctx.Done():
		p.client.Disconnect(0)
		return ctx.Err()
	}
	if err := token.Error(); err != nil {
		return fmt.Errorf("simulate: connect to %s: %w", p.config.Broker, err)
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	p.stop = stop
	p.running.Go(func() { p.run(run) })
	return nil
}

func (p *Publisher) options() *mqtt.ClientOptions {
	o := mqtt.NewClientOptions().AddBroker(p.config.Broker).SetClientID(p.config.ClientID).
		SetUsername(p.config.Username).SetPassword(p.config.Password).
		SetCleanSession(false). // what waits for its PUBACK is sent again after a reconnect
		SetAutoReconnect(true).SetConnectRetry(false).SetMaxReconnectInterval(5 * time.Second).
		SetConnectTimeout(connectTimeout).SetWriteTimeout(writeTimeout).SetKeepAlive(20 * time.Second).SetOrderMatters(false)
	if p.config.TLS != nil {
		o.SetTLSConfig(p.config.TLS)
	}
	o.SetOnConnectHandler(func(mqtt.Client) { p.connects.Add(1) })
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) {
		p.log.Warn("simulator lost the broker", "broker", p.config.Broker, "error", err)
	})
	return o
}

// Stop ends the publishing and disconnects.
func (p *Publisher) Stop(ctx context.Context) error {
	p.stop()
	done := make(chan struct{})
	go func() { p.running.Wait(); close(done) }()
	var err error
	select {
	case <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.client.Disconnect(uint(disconnectQuiesce.Milliseconds()))
	<-done // the end of the connection ends every wait for an acknowledgement
	return err
}

// Stats returns the counters.
func (p *Publisher) Stats() Stats {
	s := Stats{Published: p.published.Load(), Acknowledged: p.acknowledged.Load(), Failed: p.failed.Load()}
	if n := p.connects.Load(); n > 0 {
		s.Reconnects = n - 1
	}
	s.Connected = p.client.IsConnectionOpen()
	return s
}

// SetFault changes the fault of the machine behind the topic while it runs.
func (p *Publisher) SetFault(topic, code string, severity float64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, ok := p.machines[topic]
	if !ok {
		return fmt.Errorf("simulate: no asset publishes to %s", topic)
	}
	return m.SetFault(code, severity)
}

// run measures the machines in turn, spread evenly over the period.
func (p *Publisher) run(ctx context.Context) {
	if len(p.order) == 0 {
		return
	}
	step := time.Duration(float64(time.Second) / (p.config.Rate * float64(len(p.order))))
	// Many machines: one tick for several of them, not a tick each.
	batch := 1
	for step < 5*time.Millisecond && batch < len(p.order) {
		batch, step = 2*batch, 2*step
	}
	tick := time.NewTicker(max(step, time.Microsecond))
	defer tick.Stop()
	for next := 0; ; {
		for range batch {
			if !p.publish(ctx, p.order[next%len(p.order)]) {
				return
			}
			next++
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// publish measures one machine and sends the reading; false when ctx has ended.
func (p *Publisher) publish(ctx context.Context, topic string) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	p.mu.Lock()
	s := p.machines[topic].Next(truncate(p.config.Now()))
	p.mu.Unlock()
	payload, err := s.Payload(p.config.Format)
	if err != nil { // Format was checked: numbers are finite
		p.failed.Add(1)
		<-p.slots
		p.log.Error("simulator cannot encode a reading", "topic", topic, "error", err)
		return true
	}
	p.published.Add(1)
	token := p.client.Publish(topic, 1, false, payload)
	p.running.Go(func() {
		defer func() { <-p.slots }()
		select {
		case <-token.Done():
		case <-ctx.Done():
			select { // it may have come at the same time
			case <-token.Done():
			default:
				p.failed.Add(1)
				return
			}
		}
		if err := token.Error(); err != nil {
			p.failed.Add(1)
			p.log.Debug("reading not acknowledged", "topic", topic, "error", err)
			return
		}
		p.acknowledged.Add(1)
	})
	return true
}
