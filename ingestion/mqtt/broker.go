// Package mqtt brings messages from MQTT to admission: through the embedded broker,
// to which gateways connect with credentials of their own, and from an external
// broker, of which the Bridge is a client.
//
// # Guarantees of the embedded broker
//
// A PUBACK (QoS 1) or PUBREC (QoS 2) is written only after the log has confirmed the
// message, and in the order in which the messages came, as MQTT asks. Many messages
// of a client are under way at once; when the window is full, or the tenant over its
// quota, the broker stops reading from the connection, so the sender is slowed by
// TCP; one whose keep-alive runs out before its turn comes, comes again with what was
// not acknowledged. When the log does not confirm a message, the client is disconnected: that
// message and all behind it are unacknowledged, and it sends them again, in order.
//
// A message that can never be admitted is kept as a dead letter and acknowledged; a
// client of MQTT 5 is told by the reason code.
//
// QoS 0 is taken without a promise. QoS 2 is taken as far as the acknowledgement goes;
// what makes a message exactly-once is not the handshake but its ingest id, which
// also holds across reconnects, so no session outlives its connection. There is no
// fan-out: nothing is retained, and a client can subscribe to nothing but the commands
// of the Sparkplug node that it is. Of wills, only the death of that node is taken.
package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/ingestion/admit"
	"foresight/ingestion/registry"
	"foresight/internal/id"
)

// Options of a Broker. Addr, Admitter, Snapshot, PasswordHash and
// Verify are required; zero limits
// stand for the defaults given.
type Options struct {
	Addr     string      // host:port to listen on; port 0 takes a free one
	TLS      *tls.Config // nil: plain TCP
	Admitter *admit.Admitter
	Snapshot func() *registry.Snapshot
	// PasswordHash gives a gateway's PHC string, "" when it has none.
	PasswordHash func(context.Context, *registry.Gateway) (string, error)
	// Verify checks a password against a PHC string; it may be slow.
	Verify func(hash, password string) bool
	// Changes has an element when the snapshot may be another: connections of gateways
	// that are no more what they logged in as are then ended. Nil: they are ended when
	// they next publish.
	Changes <-chan struct{}
	// Presence is told of gateways that come and go; it may be nil.
	Presence Presence

	Window            int           // messages of one client under way at once; 256
	MaxPacket         int           // bytes; larger ones end the connection; 256 KiB
	MaxConnections    int           // of all tenants, those that have not logged in counted; 20000
	MaxPerTenant      int           // connections of one tenant; 5000
	HandshakeTimeout  time.Duration // until CONNECT has come; 10 s
	WriteTimeout      time.Duration // of acknowledgements; 10 s
	LookupTimeout     time.Duration // until there is a place to hash a password in, and the hash is found; 5 s
	VerifiedFor       time.Duration // how long a verified password is remembered; 5 min
	FailedTriesBurst  int           // wrong passwords that one client (limit.Client) may try at once; 10
	FailedTriesRefill time.Duration // after which it may try one more; 5 s

	Metrics prometheus.Registerer
	Log     *slog.Logger
}

// Presence keeps which gateways are connected.
type Presence interface {
	// Came is told of a connection that has logged in from the address. Its end is told
	// by the function that it returns, called once.
	Came(tenant, site, gateway id.UUID, address string) (gone func())
}

func (o Options) withDefaults() Options {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	during := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&o.Window, 256)
	def(&o.MaxPacket, 256<<10)
	def(&o.MaxConnections, 20000)
	def(&o.MaxPerTenant, 5000)
	def(&o.FailedTriesBurst, 10)
	during(&o.HandshakeTimeout, 10*time.Second)
	during(&o.WriteTimeout, 10*time.Second)
	during(&o.LookupTimeout, 5*time.Second)
	during(&o.VerifiedFor, 5*time.Minute)
	during(&o.FailedTriesRefill, 5*time.Second)
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// Broker is the embedded broker. It is a lifecycle.Part.
type Broker struct {
	opt      Options
	log      *slog.Logger
	auth     *authenticator
	metrics  metrics
	server   *mochi.Server
	listener *listener
	stopping atomic.Bool
	failedAt atomic.Int64    // when the log last did not confirm, Unix ns
	ctx      context.Context // of the sessions
	cancel   context.CancelFunc
	watching sync.WaitGroup

	mu        sync.Mutex
	sessions  map[*mochi.Client]*session // also those whose connection is gone and whose appends are not
	perTenant map[id.UUID]int            // open connections
	greetings map[*mochi.Client]greeting // those without a session yet, and some that are gone
}

// NewBroker returns a broker that listens from Start on.
func NewBroker(o Options) *Broker {
	o = o.withDefaults()
	return &Broker{
		opt: o, log: o.Log.With("part", "mqtt"), auth: newAuthenticator(o), metrics: newMetrics(o.Metrics),
		sessions: map[*mochi.Client]*session{}, perTenant: map[id.UUID]int{},
		greetings: map[*mochi.Client]greeting{},
	}
}

// Name of the part.
func (b *Broker) Name() string { return "mqtt broker" }

// Addr returns the address that the broker listens on, after Start.
func (b *Broker) Addr() net.Addr { return b.listener.Addr() }

// Connections returns the number of clients that are logged in.
func (b *Broker) Connections() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, k := range b.perTenant {
		n += k
	}
	return n
}

// Start listens. An address that is taken is said so, with the setting to change.
func (b *Broker) Start(ctx context.Context) error {
	tcp, err := new(net.ListenConfig).Listen(ctx, "tcp", b.opt.Addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("mqtt: address %s is already in use by another program: stop it or set FORESIGHT_MQTT_ADDR to a free address, such as :1884: %w", b.opt.Addr, err)
	}
	if err != nil {
		return fmt.Errorf("mqtt: cannot listen on %s (FORESIGHT_MQTT_ADDR): %w", b.opt.Addr, err)
	}
	b.listener = newListener(tcp, b.opt.MaxConnections, b.opt.HandshakeTimeout, b.metrics.refused)
	b.ctx, b.cancel = context.WithCancel(context.WithoutCancel(ctx))

	b.server = mochi.New(&mochi.Options{
		Capabilities: &mochi.Capabilities{
			MaximumClients:             math.MaxInt64, // the listener counts
			MaximumClientWritesPending: 8,             // nothing is fanned out; the queue is allocated per client
			MaximumPacketSize:          uint32(b.opt.MaxPacket),
			ReceiveMaximum:             uint16(min(b.opt.Window, math.MaxUint16)),
			MaximumInflight:            uint16(min(b.opt.Window, math.MaxUint16)),
			MinimumProtocolVersion:     3,
			MaximumQos:                 2,
			// Left at zero, which turns off: sessions beyond the connection, topic
			// aliases (they would reach the hooks unresolved), retained messages,
			// shared subscriptions, wildcards, subscription ids.
		},
		Logger: quiet(b.log),
		// The $SYS topics, which nobody can read, cost a stop of the world each time.
		SysTopicResendInterval: int64(24 * time.Hour / time.Second),
	})
	if err := b.server.AddHook(&hook{broker: b}, nil); err != nil {
		return errors.Join(fmt.Errorf("mqtt: %w", err), tcp.Close())
	}
	var outer net.Listener = b.listener
	if b.opt.TLS != nil {
		outer = tls.NewListener(b.listener, b.opt.TLS)
	}
	if err := b.server.AddListener(listeners.NewNet("mqtt", outer)); err != nil {
		return errors.Join(fmt.Errorf("mqtt: %w", err), tcp.Close())
	}
	if err := b.server.Serve(); err != nil {
		return errors.Join(fmt.Errorf("mqtt: %w", err), tcp.Close())
	}
	if b.opt.Changes != nil {
		b.watching.Go(b.watch)
	}
	b.log.Info("listening", "address", b.Addr().String(), "tls", b.opt.TLS != nil)
	return nil
}

// Stop takes no more connections and messages, waits until what is under way is
// confirmed and acknowledged, for as long as ctx allows, and disconnects everybody.
func (b *Broker) Stop(ctx context.Context) error {
	if b.server == nil || !b.stopping.CompareAndSwap(false, true) {
		return nil
	}
	_ = b.listener.Close()
	var (
		wg   sync.WaitGroup
		once sync.Once
		late error
	)
	for _, s := range b.open() {
		wg.Go(func() {
			if err := s.stream.Close(ctx); err != nil {
				once.Do(func() { late = fmt.Errorf("mqtt: messages were under way: %w", err) })
			}
			s.disconnect(reasonShuttingDown)
		})
	}
	wg.Wait()
	b.cancel()
	b.watching.Wait()
	b.listener.closeConns() // those that have not logged in
	return errors.Join(late, b.server.Close())
}

func (b *Broker) open() []*session {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]*session, 0, len(b.sessions))
	for _, s := range b.sessions {
		out = append(out, s)
	}
	return out
}

// watch ends the connections of gateways that have changed: whose password is another
// one, that were moved, switched off or deleted.
func (b *Broker) watch() {
	for {
		select {
		case <-b.ctx.Done():
			return
		case <-b.opt.Changes:
		}
		now := b.opt.Snapshot()
		for _, s := range b.open() {
			if !s.holds(now) {
				b.log.Info("gateway has changed, client disconnected", "username", s.gateway.Username, "remote", s.client.Net.Remote)
				s.disconnect(reasonNotAuthorized)
			}
		}
	}
}
