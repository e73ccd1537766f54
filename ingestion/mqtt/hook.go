package mqtt

import (
	"errors"
	"slices"
	"strings"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"foresight/ingestion/admit"
	"foresight/ingestion/decode/sparkplug"
	"foresight/ingestion/registry"
)

// hook is where the broker's protocol engine asks the product.
type hook struct {
	mochi.HookBase
	broker *Broker
}

func (h *hook) ID() string { return "foresight" }

func (h *hook) Provides(b byte) bool {
	switch b {
	case mochi.OnPacketRead, mochi.OnConnectAuthenticate, mochi.OnACLCheck, mochi.OnSubscribed,
		mochi.OnSessionEstablished, mochi.OnPublish, mochi.OnDisconnect:
		return true
	}
	return false
}

// OnPacketRead is where a packet can still be changed.
func (h *hook) OnPacketRead(cl *mochi.Client, pk packets.Packet) (packets.Packet, error) {
	switch pk.FixedHeader.Type {
	case packets.Connect:
		c := &pk.Connect
		// A client id names a connection of one credential: otherwise a gateway of
		// another tenant could take the connection over by using its id.
		if c.ClientIdentifier != "" {
			c.ClientIdentifier = string(c.Username) + "\x00" + c.ClientIdentifier
		}
		c.Clean = true
		if w := deathOf(c); w != nil {
			h.broker.greet(cl, func(g *greeting) { g.will = w })
		}
		c.WillFlag, c.WillRetain, c.WillQos, c.WillPayload, c.WillTopic = false, false, 0, nil, ""
	case packets.Disconnect:
		if s := h.broker.session(cl); s != nil && pk.ReasonCode != packets.CodeDisconnectWillMessage.Code {
			s.will.Store(nil)
		}
	case packets.Publish:
		// The engine passes over topics like $SYS in silence, and a sender of QoS 1
		// would wait for ever.
		if strings.HasPrefix(pk.TopicName, "$") {
			pk.TopicName = escape + pk.TopicName
		}
	}
	return pk, nil
}

func (h *hook) OnConnectAuthenticate(cl *mochi.Client, pk packets.Packet) bool {
	b := h.broker
	username := string(pk.Connect.Username)
	g, v := b.auth.check(b.ctx, b.opt.Snapshot(), username, string(pk.Connect.Password), cl.Net.Remote)
	if b.stopping.Load() {
		return false
	}
	if v == accepted && !b.admit(cl, g) {
		v = tooManyConn
	}
	b.metrics.logins.WithLabelValues(string(v)).Inc()
	if v == accepted {
		b.hold()
	} else {
		b.log.Info("log-in refused", "username", cut(username), "remote", cl.Net.Remote, "verdict", string(v))
	}
	return v == accepted
}

// OnACLCheck: nobody may subscribe, but a Sparkplug node to its commands. What may be published is for admission to say,
// which knows the sensors: a message on a foreign topic becomes a dead letter there,
// rather than the end of a connection and the same message again.
func (h *hook) OnACLCheck(cl *mochi.Client, filter string, write bool) bool {
	if write {
		return true
	}
	s := h.broker.session(cl)
	return s != nil && sparkplug.IsCommandFilter(filter, s.gateway.Code)
}

// OnSubscribed is told of what was granted, and what was not.
func (h *hook) OnSubscribed(cl *mochi.Client, _ packets.Packet, codes []byte) {
	s := h.broker.session(cl)
	if s != nil && slices.ContainsFunc(codes, func(code byte) bool { return code <= packets.CodeGrantedQos2.Code }) {
		s.commands.Store(true)
	}
}

func (h *hook) OnSessionEstablished(cl *mochi.Client, _ packets.Packet) {
	b := h.broker
	said := b.greeted(cl)
	if said.gateway == nil || b.stopping.Load() {
		cl.Stop(packets.ErrNotAuthorized)
		return
	}
	s := b.begin(cl, said.gateway, said.will)
	if !s.holds(b.opt.Snapshot()) { // it changed meanwhile
		s.disconnect(reasonNotAuthorized)
	}
}

// OnPublish takes a message into the session's stream. The acknowledgement is the
// session's business: the error tells the engine to do nothing more.
func (h *hook) OnPublish(cl *mochi.Client, pk packets.Packet) (packets.Packet, error) {
	b := h.broker
	s := b.session(cl)
	if s == nil || b.stopping.Load() {
		return pk, packets.ErrRejectPacket
	}
	if !s.holds(b.opt.Snapshot()) {
		b.log.Info("gateway changed, must log in again", "username", s.gateway.Username, "remote", cl.Net.Remote)
		s.disconnect(reasonNotAuthorized)
		return pk, packets.ErrRejectPacket
	}
	if pk.FixedHeader.Qos == 2 && cl.State.Inflight.Len() >= 4*b.opt.Window {
		s.disconnect(reasonReceiveMaximum) // PUBLISH upon PUBLISH without PUBREL
		return pk, packets.ErrRejectPacket
	}
	if err := s.stream.Submit(s.message(&pk), tag{id: pk.PacketID, qos: pk.FixedHeader.Qos}); err != nil {
		s.disconnect(reasonUnavailable)
	}
	return pk, packets.ErrRejectPacket
}

func (h *hook) OnDisconnect(cl *mochi.Client, err error, _ bool) {
	if code := (packets.Code{}); errors.As(err, &code) && code.Code >= packets.ErrUnspecifiedError.Code {
		h.broker.metrics.violations.Inc()
	}
	if s := h.broker.session(cl); s != nil {
		h.broker.leave(s)
	}
}

// escape goes before a topic that the engine would not let through. No client can
// send it: a topic with a zero byte is malformed.
const escape = "\x00"

func (s *session) message(pk *packets.Packet) admit.Message {
	return admit.Message{Credential: s.credential, Topic: strings.TrimPrefix(pk.TopicName, escape), Payload: pk.Payload, ReceivedAt: time.Now(),
		Repeated: pk.FixedHeader.Dup, Reply: s}
}

// holds reports whether the gateway is still, unchanged, what the session logged in as.
func (s *session) holds(now *registry.Snapshot) bool {
	g, ok := now.Gateway(s.gateway.Username)
	return ok && g.Active && *g == *s.gateway
}

func cut(s string) string {
	if len(s) > 100 {
		return s[:100] + "…"
	}
	return s
}
