package mqtt

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/mochi-mqtt/server/v2/packets"

	"foresight/ingestion/decode/sparkplug"
)

// will is the death of a Sparkplug node, as its connection left it with the broker.
type will struct {
	topic   string
	payload []byte
}

// deathOf returns the will of a CONNECT if it is the death of a node: it is taken as any
// message of the connection, and so only for what the connection may speak for. Other
// wills have nobody to go to.
func deathOf(c *packets.ConnectParams) *will {
	topic, rejection := sparkplug.ParseTopic(c.WillTopic)
	if !c.WillFlag || rejection != nil || topic.Kind != sparkplug.NodeDeath {
		return nil
	}
	return &will{strings.Clone(c.WillTopic), slices.Clone(c.WillPayload)}
}

var errNoCommands = errors.New("mqtt: the client takes no commands")

// Command implements admit.Commander: it writes a message of QoS 0 to this connection
// alone. Topics of the embedded broker are those of all tenants; a fan-out by topic would
// reach a node of the same name of another one.
func (s *session) Command(topic string, payload []byte) error {
	if !s.commands.Load() || s.client.Closed() {
		return errNoCommands
	}
	pk := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish}, ProtocolVersion: s.client.Properties.ProtocolVersion,
		TopicName: topic, Payload: payload,
	}
	var b bytes.Buffer
	if err := pk.PublishEncode(&b); err != nil {
		return err
	}
	return s.write(b.Bytes())
}
