package sparkplug

import (
	"errors"
	"io"
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"foresight/ingestion/decode"
	"foresight/ingestion/decode/sparkplug/spb"
)

// Bounds of a payload. Memory is spent after they are checked: an empty metric takes
// two bytes on the wire and a hundred here.
const (
	maxMetrics = 2000
	maxName    = 256 // bytes
	maxSeq     = 255
)

// Payload is the payload of a message from a node.
type Payload = spb.Payload

const metricsField = 2

// Decode reads a payload of at most limit bytes. Nothing of data is kept.
func Decode(data []byte, limit int) (*Payload, *decode.Rejection) {
	if len(data) > limit {
		return nil, reject(decode.PayloadTooLarge, "%d bytes, at most %d are taken", len(data), limit)
	}
	n, err := countMetrics(data)
	if err != nil {
		return nil, reject(decode.BadSparkplug, "the payload is no protobuf: %v", err)
	}
	if n > maxMetrics {
		return nil, reject(decode.BadSparkplug, "%d metrics, at most %d are taken", n, maxMetrics)
	}
	p := &Payload{}
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, p); err != nil {
		return nil, reject(decode.BadSparkplug, "the payload is no protobuf of Sparkplug B")
	}
	if p.Seq != nil && p.GetSeq() > maxSeq {
		return nil, reject(decode.BadSparkplug, "seq is %d, 0 to 255 are possible", p.GetSeq())
	}
	if p.GetTimestamp() > math.MaxInt64 {
		return nil, reject(decode.BadTimestamp, "the time of the message is beyond all times")
	}
	for _, m := range p.GetMetrics() {
		switch {
		case len(m.GetName()) > maxName || !utf8.ValidString(m.GetName()):
			return nil, reject(decode.BadSparkplug, "the name of a metric has %d bytes, at most %d of UTF-8 are taken", len(m.GetName()), maxName)
		case m.GetTimestamp() > math.MaxInt64:
			return nil, reject(decode.BadTimestamp, "the time of a metric is beyond all times")
		}
	}
	return p, nil
}

// countMetrics walks over the outermost fields.
func countMetrics(data []byte) (n int, err error) {
	for len(data) > 0 {
		number, _, size := protowire.ConsumeField(data)
		if size < 0 {
			return 0, wireError(size)
		}
		if number == metricsField {
			n++
		}
		data = data[size:]
	}
	return n, nil
}

func wireError(size int) error {
	if err := protowire.ParseError(size); errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it ends too early")
	}
	return errors.New("a field is malformed")
}

// rebirth is the metric by which a host asks a node for its births.
const rebirth = "Node Control/Rebirth"

// Rebirth returns the payload of a command that asks a node for its births, at a time
// in Unix milliseconds.
func Rebirth(at int64) ([]byte, error) {
	return proto.Marshal(&Payload{Timestamp: proto.Uint64(uint64(at)), Metrics: []*spb.Metric{{
		Name: proto.String(rebirth), Timestamp: proto.Uint64(uint64(at)), Datatype: proto.Uint32(typeBoolean),
		Value: &spb.Metric_BooleanValue{BooleanValue: true},
	}}})
}
