package mongostore

import (
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"foresight/internal/telemetry"
)

// appendReading appends the document of telemetry_raw. channels is an array of the 24
// machine channels in channel order, a missing one as null, and absent when all are
// missing; values holds the process parameters by name.
func appendReading(b []byte, key []byte, r *telemetry.Raw) ([]byte, error) {
	if !storable(r.Topic, false) {
		return nil, fmt.Errorf("%w: a topic that is no UTF-8", errRefused)
	}
	at, b := bsoncore.AppendDocumentStart(b)
	b = bsoncore.AppendBinaryElement(b, fieldID, 0, key)
	b = appendKey(b, &r.Key)
	b = bsoncore.AppendDateTimeElement(b, fieldTime, r.Timestamp.UnixMilli())
	b = bsoncore.AppendBinaryElement(b, fieldIngest, 0, r.IngestID[:])
	b = bsoncore.AppendInt64Element(b, fieldLogSeq, int64(r.LogSeq))
	b = bsoncore.AppendDateTimeElement(b, fieldReceived, r.ReceivedAt.UnixMilli())
	if us := r.ReceivedAt.Nanosecond() / 1000 % 1000; us != 0 {
		b = bsoncore.AppendInt32Element(b, fieldMicros, int32(us))
	}
	b = bsoncore.AppendBooleanElement(b, fieldLate, r.Late)
	b, err := appendChannels(b, &r.Channels)
	if err != nil {
		return nil, err
	}
	if b, err = appendValues(b, r.Values); err != nil {
		return nil, err
	}
	b = bsoncore.AppendStringElement(b, fieldTopic, r.Topic)
	b = bsoncore.AppendBinaryElement(b, fieldPayload, 0, r.Payload)
	return end(b, at), nil
}

func appendChannels(b []byte, ch *[telemetry.Channels]float64) ([]byte, error) {
	begin, any := len(b), false
	at, b := bsoncore.AppendArrayElementStart(b, fieldChannels)
	for c, v := range ch {
		switch {
		case finite(v):
			b = bsoncore.AppendDoubleElement(b, indexes[c], v)
			any = true
		case v != v: // NaN: missing
			b = bsoncore.AppendNullElement(b, indexes[c])
		default:
			return nil, fmt.Errorf("%w: %s is not finite", errRefused, telemetry.Channel(c))
		}
	}
	if !any {
		return b[:begin], nil
	}
	return end(b, at), nil
}

func appendValues(b []byte, values []telemetry.Value) ([]byte, error) {
	if len(values) == 0 {
		return b, nil
	}
	at, b := bsoncore.AppendDocumentElementStart(b, fieldValues)
	for i := range values {
		v := &values[i]
		if !storable(v.Name, true) || !finite(v.Value) {
			return nil, fmt.Errorf("%w: value %q", errRefused, v.Name)
		}
		b = bsoncore.AppendDoubleElement(b, v.Name, v.Value)
	}
	return end(b, at), nil
}

// decodeReading reads what appendReading wrote, of which topic and payload may be left
// out. Nothing of the document is kept.
func decodeReading(doc []byte, out *telemetry.Raw) error {
	out.Channels = telemetry.NoChannels()
	r := read(doc)
	var micros time.Duration
	for name, ok := r.next(); ok; name, ok = r.next() {
		if r.place(name, &out.Key) {
			continue
		}
		switch string(name) {
		case fieldTime:
			out.Timestamp = r.time()
		case fieldIngest:
			copy(out.IngestID[:], r.binary(len(out.IngestID)))
		case fieldLogSeq:
			out.LogSeq = uint64(r.int64())
		case fieldReceived:
			out.ReceivedAt = r.time()
		case fieldMicros:
			micros = time.Duration(r.ranged(999)) * time.Microsecond
		case fieldLate:
			out.Late = r.bool()
		case fieldChannels:
			r.channels(&out.Channels)
		case fieldValues:
			out.Values = r.values()
		case fieldTopic:
			out.Topic = r.text()
		case fieldPayload:
			out.Payload = slices.Clone(r.binary(-1))
		}
	}
	out.ReceivedAt = out.ReceivedAt.Add(micros)
	return r.err()
}

func (r *reader) channels(ch *[telemetry.Channels]float64) {
	in := r.inner(bsoncore.TypeArray)
	n := 0
	for _, ok := in.next(); ok && n < len(ch); _, ok = in.next() {
		if in.value.Type != bsoncore.TypeNull {
			ch[n] = in.double()
		}
		n++
	}
	r.bad = r.bad || in.bad || n != len(ch) || len(in.rest) > 0
}

func (r *reader) values() []telemetry.Value {
	in := r.inner(bsoncore.TypeEmbeddedDocument)
	var out []telemetry.Value
	for name, ok := in.next(); ok; name, ok = in.next() {
		out = append(out, telemetry.Value{Name: string(name), Value: in.double()})
	}
	r.bad = r.bad || in.bad
	return out
}
