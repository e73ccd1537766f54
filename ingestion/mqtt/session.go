package mqtt

import (
	"encoding/binary"
	"maps"
	"net"
	"sync/atomic"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"foresight/ingestion/admit"
	"foresight/ingestion/decode"
	"foresight/ingestion/registry"
	"foresight/internal/id"
)

// session is one connection that has logged in.
type session struct {
	broker     *Broker
	client     *mochi.Client
	gateway    *registry.Gateway
	credential admit.Credential
	stream     *admit.Stream[tag]
	acks       []byte               // what deliver writes at once
	gone       func()               // tells the presence that the connection has ended
	will       atomic.Pointer[will] // none when it left none, or has left in good order
	commands   atomic.Bool          // the client has subscribed to its commands

	// Under the broker's lock; with both the session is forgotten.
	left  bool // the connection is gone
	ended bool // the stream has ended
}

// tag is what an acknowledgement needs of its message.
type tag struct {
	id  uint16
	qos byte
}

// Reason codes of MQTT 5 that the session sends.
const (
	reasonSuccess        = 0x00
	reasonNotAuthorized  = 0x87
	reasonUnavailable    = 0x88
	reasonShuttingDown   = 0x8b
	reasonTopicInvalid   = 0x90
	reasonReceiveMaximum = 0x93
	reasonPayloadInvalid = 0x99
)

// greeting is what is known of a client before its session begins.
type greeting struct {
	gateway *registry.Gateway // nil until it has logged in
	will    *will
}

// greet keeps what a client has said, until its session begins. Those whose connection
// ended before are swept out when there are many.
func (b *Broker) greet(cl *mochi.Client, change func(*greeting)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.greetings) >= manyGreetings {
		maps.DeleteFunc(b.greetings, func(c *mochi.Client, _ greeting) bool { return c.Closed() })
	}
	g := b.greetings[cl]
	change(&g)
	b.greetings[cl] = g
}

const manyGreetings = 256

// admit lets a client in as the gateway, unless the tenant has all its connections. Those
// whose session has not begun yet have a place, too: a client is told that it is in before.
func (b *Broker) admit(cl *mochi.Client, g *registry.Gateway) bool {
	in := false
	b.greet(cl, func(said *greeting) {
		n := b.perTenant[g.Tenant]
		for other, known := range b.greetings {
			if known.gateway != nil && known.gateway.Tenant == g.Tenant && !other.Closed() {
				n++
			}
		}
		if in = n < b.opt.MaxPerTenant; in {
			said.gateway = g
		}
	})
	return in
}

// greeted returns what the client said, the gateway as it was at the log-in.
func (b *Broker) greeted(cl *mochi.Client) greeting {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.greetings[cl]
}

// begin opens the session of a client.
func (b *Broker) begin(cl *mochi.Client, g *registry.Gateway, w *will) *session {
	s := &session{
		broker: b, client: cl, gateway: g,
		credential: admit.Credential{Tenant: g.Tenant, Sites: []id.UUID{g.Site}, Gateway: g.ID},
		gone:       func() {},
	}
	s.will.Store(w)
	if b.opt.Presence != nil {
		address, _, err := net.SplitHostPort(cl.Net.Remote)
		if err != nil {
			address = ""
		}
		s.gone = b.opt.Presence.Came(g.Tenant, g.Site, g.ID, address)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s.stream = admit.NewStream(b.ctx, b.opt.Admitter, b.opt.Window, s.deliver, func() { b.part(s, &s.ended) })
	b.sessions[cl] = s
	b.perTenant[g.Tenant]++
	delete(b.greetings, cl)
	b.metrics.connections.Inc()
	return s
}

func (b *Broker) session(cl *mochi.Client) *session {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sessions[cl]
}

// leave is called once, when the connection is gone. What is under way goes on.
func (b *Broker) leave(s *session) {
	if w := s.will.Load(); w != nil && !b.stopping.Load() {
		_ = s.stream.Submit(admit.Message{Credential: s.credential, Topic: w.topic, Payload: w.payload}, tag{})
	}
	s.stream.Finish()
	s.gone()
	b.mu.Lock()
	if b.perTenant[s.gateway.Tenant]--; b.perTenant[s.gateway.Tenant] == 0 {
		delete(b.perTenant, s.gateway.Tenant)
	}
	b.mu.Unlock()
	b.metrics.connections.Dec()
	b.part(s, &s.left)
}

// part notes that one side of the session is over, and forgets it with the second.
func (b *Broker) part(s *session, side *bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	*side = true
	if s.left && s.ended {
		delete(b.sessions, s.client)
	}
}

// deliver acknowledges what the log has confirmed, in one write. It never fails: when
// the connection is gone, the rest is waited for all the same, so that it is counted.
func (s *session) deliver(results []admit.Result[tag]) error {
	s.acks = s.acks[:0]
	failed := false
	for i := range results {
		r := &results[i]
		if r.Err != nil {
			s.broker.log.Warn("the log did not confirm, client disconnected", "username", s.gateway.Username,
				"remote", s.client.Net.Remote, "error", r.Err)
			failed = true
			break
		}
		s.acks = s.acknowledge(s.acks, r.Tag, reasonOf(r.Rejection))
	}
	if len(s.acks) > 0 && !s.client.Closed() {
		if err := s.write(s.acks); err != nil {
			s.client.Stop(err)
		}
	}
	if failed {
		s.broker.failed()
		s.disconnect(reasonUnavailable)
	}
	return nil
}

// acknowledge appends PUBACK or PUBREC. The engine answers the PUBREL that follows a
// PUBREC, for which it must find the packet id among those in flight.
func (s *session) acknowledge(dst []byte, t tag, reason byte) []byte {
	switch t.qos {
	case 1:
		return appendAck(dst, packets.Puback, t.id, reason, s.v5())
	case 2:
		if reason == reasonSuccess || !s.v5() {
			s.client.State.Inflight.Set(packets.Packet{
				FixedHeader: packets.FixedHeader{Type: packets.Pubrec}, PacketID: t.id, Created: time.Now().Unix(),
			})
		}
		return appendAck(dst, packets.Pubrec, t.id, reason, s.v5())
	}
	return dst
}

// appendAck appends an acknowledgement packet; MQTT 3 knows no reasons.
func appendAck(dst []byte, kind byte, packetID uint16, reason byte, v5 bool) []byte {
	if !v5 || reason == reasonSuccess {
		dst = append(dst, kind<<4, 2)
		return binary.BigEndian.AppendUint16(dst, packetID)
	}
	dst = append(dst, kind<<4, 3)
	return append(binary.BigEndian.AppendUint16(dst, packetID), reason)
}

// reasonOf maps a rejection to a reason code of MQTT 5 (section 3.4.2.1).
func reasonOf(r *decode.Rejection) byte {
	if r == nil {
		return reasonSuccess
	}
	switch r.Reason {
	case decode.WrongTenant, decode.WrongSite, decode.InactiveTenant:
		return reasonNotAuthorized
	case decode.BadTopic, decode.UnknownSensor, decode.InactiveSensor, decode.SensorMismatch:
		return reasonTopicInvalid
	}
	return reasonPayloadInvalid
}

func (s *session) v5() bool { return s.client.Properties.ProtocolVersion == 5 }

// write sends bytes under the lock that the engine's own packets are written under.
func (s *session) write(b []byte) error {
	s.client.Lock()
	defer s.client.Unlock()
	_ = s.client.Net.Conn.SetWriteDeadline(time.Now().Add(s.broker.opt.WriteTimeout))
	_, err := s.client.Net.Conn.Write(b)
	return err
}

// disconnect ends the connection. A client of MQTT 5 is told why; MQTT 3 has no such
// packet from the server.
func (s *session) disconnect(reason byte) {
	if s.v5() && !s.client.Closed() {
		_ = s.write([]byte{packets.Disconnect << 4, 2, reason, 0})
	}
	s.client.Stop(packets.Code{Code: reason, Reason: "disconnected by the product"})
}
