package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/ingestion/admit"
)

// BridgeOptions of a Bridge. URL, ClientID, Topics, Credential and Admitter are required.
type BridgeOptions struct {
	URL                string // tcp://host:1883, ssl://host:8883, ws://…
	Username, Password string
	TLS                *tls.Config
	// ClientID names the session at the broker, in which it keeps what is not yet
	// acknowledged: fixed, and different for every process.
	ClientID string
	// Topics are the filters to subscribe to; `$share/foresight/+/+/sensors/+` spreads
	// the messages over several processes (mosquitto, EMQX; NATS has no such thing).
	Topics []string
	// Credential says for whom the broker speaks: one tenant, or AnyTenant.
	//
	// With AnyTenant the product believes the topics. The broker must then see to it
	// that a client can publish below `{tenant}/{site}/` only when it belongs to that
	// tenant and site: an ACL per client, and no anonymous access.
	Credential admit.Credential
	Admitter   *admit.Admitter
	Window     int // messages under way at once; 1024

	Metrics prometheus.Registerer
	Log     *slog.Logger
}

const (
	connectTimeout = 10 * time.Second
	bridgeKeep     = 30 * time.Second
	firstPause     = 200 * time.Millisecond
	longestPause   = 30 * time.Second
	quiesce        = 2000 // ms that the client gets at most to send its last acknowledgements
	subscribeFails = 0x80
)

// Bridge takes messages from an external broker into admission. The broker keeps a
// session for it; a message is acknowledged to the broker, in order, after the log
// has it. When the log does not confirm a message, the Bridge leaves and comes back:
// the broker then repeats all that was not acknowledged.
//
// The broker must not drop in the meantime: mosquitto needs max_queued_messages 0,
// max_inflight_messages above the window, and persistence. Retained messages are not
// taken: the broker would repeat them with every subscription. It is a
// lifecycle.Part, and is ready when Connected says so: Start does not wait for a
// broker that is away.
type Bridge struct {
	opt       BridgeOptions
	log       *slog.Logger
	connected atomic.Bool
	up        prometheus.Gauge
	retained  prometheus.Counter
	sessions  prometheus.Counter
	drops     prometheus.Gauge
	inspected sync.Once
	inspector sync.WaitGroup
	known     atomic.Bool   // the probe has ended
	leave     chan struct{} // closed: stop in good order
	leaving   sync.Once
	cancel    context.CancelFunc
	done      chan struct{}
}

// NewBridge returns a bridge that connects from Start on.
func NewBridge(o BridgeOptions) *Bridge {
	if o.Window <= 0 {
		o.Window = 1024
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	b := &Bridge{
		opt: o, log: o.Log.With("part", "mqtt bridge", "client_id", o.ClientID),
		leave: make(chan struct{}), done: make(chan struct{}),
		up: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "foresight_mqtt_bridge_connected", Help: "1 while the external broker's messages are taken.",
		}),
		retained: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "foresight_mqtt_bridge_retained_total", Help: "Retained messages of the external broker, which are not taken.",
		}),
		sessions: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "foresight_mqtt_bridge_connects_total", Help: "Attempts to connect to the external broker.",
		}),
	}
	b.drops = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "foresight_mqtt_bridge_broker_drops", Help: "1 when the external broker was found to drop messages of a session that is away.",
	})
	if o.Metrics != nil {
		o.Metrics.MustRegister(b.up, b.retained, b.sessions, b.drops)
	}
	return b
}

// Name of the part.
func (b *Bridge) Name() string { return "mqtt bridge" }

// Connected reports whether the subscription stands.
func (b *Bridge) Connected() bool { return b.connected.Load() }

// Inspected reports whether it is known as far as it can be if the broker drops messages
// of a session that is away. That is found out once, after the first connect.
func (b *Bridge) Inspected() bool { return b.known.Load() }

// Start begins to connect.
func (b *Bridge) Start(ctx context.Context) error {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	b.cancel = cancel
	go func() {
		defer close(b.done)
		b.run(run)
		cancel()
		b.inspector.Wait()
	}()
	return nil
}

// Stop takes no more messages, acknowledges those that the log confirms while ctx
// allows, and leaves. The broker keeps the rest.
func (b *Bridge) Stop(ctx context.Context) error {
	if b.cancel == nil {
		return nil
	}
	defer b.cancel()
	b.leaving.Do(func() { close(b.leave) })
	select {
	case <-b.done:
		return nil
	case <-ctx.Done():
		b.cancel()
		<-b.done
		return fmt.Errorf("mqtt: bridge: %w", ctx.Err())
	}
}

func (b *Bridge) run(ctx context.Context) {
	pause := firstPause
	for {
		began := time.Now()
		b.sessions.Inc()
		err := b.session(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		if time.Since(began) > longestPause {
			pause = firstPause
		}
		b.log.Warn("not connected to the external broker", "error", err, "again_in", pause)
		t := time.NewTimer(pause + rand.N(pause))
		select {
		case <-t.C:
		case <-b.leave:
			t.Stop()
			return
		case <-ctx.Done():
			t.Stop()
			return
		}
		pause = min(2*pause, longestPause)
	}
}

// session connects and takes messages until Stop, which is nil, or a failure. Every
// session has a client and a stream of its own, so that an acknowledgement can never
// go to another connection than its message came from.
func (b *Bridge) session(ctx context.Context) error {
	stream := admit.NewStream(ctx, b.opt.Admitter, b.opt.Window, acknowledgeAll, nil)
	defer func() { <-stream.Done() }()
	defer stream.Abort()

	var leaving atomic.Bool
	lost := make(chan error, 1)
	take := func(client paho.Client, m paho.Message) {
		if m.Retained() {
			b.retained.Inc()
			m.Ack()
			return
		}
		if leaving.Load() {
			return
		}
		// An error ends the session; the broker repeats what is not acknowledged.
		_ = stream.Submit(admit.Message{
			Credential: b.opt.Credential, Topic: m.Topic(), Payload: m.Payload(), ReceivedAt: time.Now(), OverQuota: admit.Defer,
			Repeated: m.Duplicate(), Reply: commander{client},
		}, m)
	}
	client := paho.NewClient(b.clientOptions(take, lost))
	defer client.Disconnect(quiesce)
	defer stream.Abort() // before Disconnect, which waits for take

	if err := await(ctx, client.Connect()); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if err := b.subscribe(ctx, client, take); err != nil {
		return err
	}
	b.log.Info("connected to the external broker", "topics", b.opt.Topics)
	b.connected.Store(true)
	b.up.Set(1)
	b.inspected.Do(func() { b.inspector.Go(func() { b.inspect(ctx) }) })
	defer func() {
		b.connected.Store(false)
		b.up.Set(0)
	}()
	select {
	case err := <-lost:
		return fmt.Errorf("connection lost: %w", err)
	case <-stream.Done():
		return fmt.Errorf("the log did not confirm: %w", stream.Err())
	case <-ctx.Done():
		return ctx.Err()
	case <-b.leave:
		leaving.Store(true)
		return stream.Close(ctx)
	}
}

func (b *Bridge) clientOptions(take paho.MessageHandler, lost chan<- error) *paho.ClientOptions {
	o := paho.NewClientOptions().AddBroker(b.opt.URL).
		SetClientID(b.opt.ClientID).SetUsername(b.opt.Username).SetPassword(b.opt.Password).
		SetProtocolVersion(4).
		SetCleanSession(false).
		SetAutoAckDisabled(true).
		SetOrderMatters(true).
		// What the broker repeats can come before the subscription is answered.
		SetDefaultPublishHandler(take).
		SetAutoReconnect(false).SetConnectRetry(false).
		SetConnectTimeout(connectTimeout).SetWriteTimeout(connectTimeout).
		SetKeepAlive(bridgeKeep).SetPingTimeout(connectTimeout).
		SetConnectionLostHandler(func(_ paho.Client, err error) {
			select {
			case lost <- err:
			default:
			}
		})
	if b.opt.TLS != nil {
		o.SetTLSConfig(b.opt.TLS)
	}
	return o
}

// subscribe fails also when the broker refuses a filter, which is no error to paho.
func (b *Bridge) subscribe(ctx context.Context, client paho.Client, take paho.MessageHandler) error {
	filters := make(map[string]byte, len(b.opt.Topics))
	for _, t := range b.opt.Topics {
		filters[t] = 1
	}
	token := client.SubscribeMultiple(filters, take)
	if err := await(ctx, token); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	answer, ok := token.(*paho.SubscribeToken)
	if !ok {
		return errors.New("subscribe: no answer")
	}
	for filter, granted := range answer.Result() {
		if granted == subscribeFails {
			return fmt.Errorf("subscribe: the broker refuses %s", filter)
		}
	}
	return nil
}

func await(ctx context.Context, t paho.Token) error {
	timeout := time.NewTimer(connectTimeout)
	defer timeout.Stop()
	select {
	case <-t.Done():
		return t.Error()
	case <-timeout.C:
		return errors.New("no answer")
	case <-ctx.Done():
		return ctx.Err()
	}
}

func acknowledgeAll(results []admit.Result[paho.Message]) error {
	for _, r := range results {
		if r.Err != nil {
			return r.Err
		}
		r.Tag.Ack()
	}
	return nil
}

// commander sends commands by way of the broker. What is lost is asked for again.
type commander struct{ client paho.Client }

// Command implements admit.Commander.
func (c commander) Command(topic string, payload []byte) error {
	if !c.client.IsConnectionOpen() {
		return paho.ErrNotConnected
	}
	c.client.Publish(topic, 0, false, payload)
	return nil
}
