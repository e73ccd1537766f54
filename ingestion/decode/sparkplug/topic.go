// Package sparkplug reads Sparkplug B 3.0.0 (Eclipse Foundation, 2022): topics,
// payloads, and what must be remembered of an edge node between its birth and its
// death, as its later messages name metrics by number only. It knows no database and no
// broker, and trusts nothing that it reads.
package sparkplug

import (
	"fmt"
	"strings"

	"foresight/ingestion/decode"
)

// Kind is the kind of a message, the third level of its topic.
type Kind string

// The kinds. State, NodeCommand and DeviceCommand are what hosts send.
const (
	NodeBirth     Kind = "NBIRTH"
	NodeData      Kind = "NDATA"
	NodeDeath     Kind = "NDEATH"
	DeviceBirth   Kind = "DBIRTH"
	DeviceData    Kind = "DDATA"
	DeviceDeath   Kind = "DDEATH"
	NodeCommand   Kind = "NCMD"
	DeviceCommand Kind = "DCMD"
	State         Kind = "STATE"
)

const (
	namespace = "spBv1.0"
	maxTopic  = 512
)

// Topic names an edge node, and a device of it unless Device is "". The parts share
// memory with the topic they were read from.
type Topic struct {
	Group  string
	Kind   Kind
	Node   string
	Device string
}

// Is reports whether a topic is one of Sparkplug.
func Is(topic string) bool { return strings.HasPrefix(topic, namespace+"/") }

// ParseTopic reads
//
//	spBv1.0/{group}/{kind}/{node}
//	spBv1.0/{group}/{kind}/{node}/{device}
//	spBv1.0/STATE/{host}
//
// where the names are not empty; anything else is decode.BadTopic. It does not allocate
// unless it rejects.
func ParseTopic(topic string) (Topic, *decode.Rejection) {
	var level [5]string
	n := 0
	for rest, more := topic, len(topic) <= maxTopic; more; n++ {
		if n == len(level) {
			return Topic{}, badTopic(topic)
		}
		level[n], rest, more = strings.Cut(rest, "/")
	}
	if n < 3 || level[0] != namespace {
		return Topic{}, badTopic(topic)
	}
	if n == 3 && Kind(level[1]) == State {
		return Topic{Kind: State}, nil
	}
	t := Topic{Group: level[1], Kind: Kind(level[2]), Node: level[3], Device: level[4]}
	want := 4
	switch t.Kind {
	case NodeBirth, NodeData, NodeDeath, NodeCommand:
	case DeviceBirth, DeviceData, DeviceDeath, DeviceCommand:
		want = 5
	default:
		return Topic{}, badTopic(topic)
	}
	if n != want || t.Group == "" || t.Node == "" || (want == 5) != (t.Device != "") {
		return Topic{}, badTopic(topic)
	}
	return t, nil
}

// ByHost reports whether the message is one that hosts send, not nodes.
func (t Topic) ByHost() bool {
	return t.Kind == NodeCommand || t.Kind == DeviceCommand || t.Kind == State
}

// Data is the topic of the data of the same node or device.
func (t Topic) Data() string {
	if t.Device == "" {
		return strings.Join([]string{namespace, t.Group, string(NodeData), t.Node}, "/")
	}
	return strings.Join([]string{namespace, t.Group, string(DeviceData), t.Node, t.Device}, "/")
}

// Command is the topic of commands to the node.
func (t Topic) Command() string {
	return strings.Join([]string{namespace, t.Group, string(NodeCommand), t.Node}, "/")
}

// IsCommandFilter reports whether a subscription is to the commands of the node or its
// devices, in one group or in any, and to nothing else.
func IsCommandFilter(filter, node string) bool {
	level := strings.Split(filter, "/")
	if len(level) < 4 || len(level) > 5 || level[0] != namespace || level[1] == "" || level[1] == "#" || level[3] != node {
		return false
	}
	switch Kind(level[2]) {
	case NodeCommand:
		return len(level) == 4 || level[4] == "#"
	case DeviceCommand:
		return len(level) == 5 && level[4] != ""
	}
	return false
}

func badTopic(topic string) *decode.Rejection {
	return reject(decode.BadTopic, "%.64q is no topic of Sparkplug B", topic)
}

func reject(r decode.Reason, format string, args ...any) *decode.Rejection {
	return &decode.Rejection{Reason: r, Detail: fmt.Sprintf(format, args...)}
}
