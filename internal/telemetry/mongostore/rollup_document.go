package mongostore

import (
	"fmt"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"foresight/internal/telemetry"
)

// appendRollup appends the document of a rollup. parameters holds an aggregate for
// each parameter that has values: the 24 channels and the others, all by name.
func appendRollup(b []byte, key []byte, r *telemetry.Rollup) ([]byte, error) {
	at, b := bsoncore.AppendDocumentStart(b)
	b = bsoncore.AppendBinaryElement(b, fieldID, 0, key)
	b = appendKey(b, &r.Key)
	b = bsoncore.AppendDateTimeElement(b, fieldStart, r.Start.UnixMilli())
	b = bsoncore.AppendInt32Element(b, fieldLane, int32(r.Lane))
	b = bsoncore.AppendInt64Element(b, fieldLastSeq, int64(r.LastSeq))
	b = bsoncore.AppendInt64Element(b, fieldReadings, int64(r.Readings))
	params, b := bsoncore.AppendDocumentElementStart(b, fieldParams)
	for c := range r.Channels {
		if r.Channels[c].Count > 0 {
			b = appendAggregate(b, telemetry.Channel(c).String(), &r.Channels[c])
		}
	}
	for i := range r.Values {
		v := &r.Values[i]
		if _, channel := telemetry.ChannelByName(v.Name); channel || !storable(v.Name, true) {
			return nil, fmt.Errorf("%w: value %q", errRefused, v.Name)
		}
		b = appendAggregate(b, v.Name, &v.Aggregate)
	}
	return end(end(b, params), at), nil
}

func appendAggregate(b []byte, name string, a *telemetry.Aggregate) []byte {
	at, b := bsoncore.AppendDocumentElementStart(b, name)
	b = bsoncore.AppendInt64Element(b, "count", int64(a.Count))
	b = bsoncore.AppendDoubleElement(b, "sum", a.Sum)
	b = bsoncore.AppendDoubleElement(b, "sum_squares", a.SumSquares)
	b = bsoncore.AppendDoubleElement(b, "min", a.Min)
	b = bsoncore.AppendDoubleElement(b, "max", a.Max)
	b = bsoncore.AppendDoubleElement(b, "last", a.Last)
	b = bsoncore.AppendInt32Element(b, "last_ms", a.LastMillis)
	return end(b, at)
}

// decodeRollup reads what appendRollup wrote. The capacity of out.Values is used again.
func decodeRollup(doc []byte, out *telemetry.Rollup) error {
	values := out.Values[:0]
	*out = telemetry.Rollup{}
	r := read(doc)
	for name, ok := r.next(); ok; name, ok = r.next() {
		if r.place(name, &out.Key) {
			continue
		}
		switch string(name) {
		case fieldStart:
			out.Start = r.time()
		case fieldLane:
			out.Lane = uint8(r.ranged(255))
		case fieldLastSeq:
			out.LastSeq = uint64(r.int64())
		case fieldReadings:
			out.Readings = r.uint32()
		case fieldParams:
			values = r.aggregates(&out.Channels, values)
		}
	}
	if len(values) > 0 {
		out.Values = values
	}
	return r.err()
}

func (r *reader) aggregates(channels *[telemetry.Channels]telemetry.Aggregate, values []telemetry.NamedAggregate) []telemetry.NamedAggregate {
	in := r.inner(bsoncore.TypeEmbeddedDocument)
	for name, ok := in.next(); ok; name, ok = in.next() {
		if c, channel := telemetry.ChannelByName(string(name)); channel {
			channels[c] = in.aggregate()
		} else {
			values = append(values, telemetry.NamedAggregate{Name: string(name), Aggregate: in.aggregate()})
		}
	}
	r.bad = r.bad || in.bad
	return values
}

func (r *reader) aggregate() (a telemetry.Aggregate) {
	in := r.inner(bsoncore.TypeEmbeddedDocument)
	for name, ok := in.next(); ok; name, ok = in.next() {
		switch string(name) {
		case "count":
			a.Count = in.uint32()
		case "sum":
			a.Sum = in.double()
		case "sum_squares":
			a.SumSquares = in.double()
		case "min":
			a.Min = in.double()
		case "max":
			a.Max = in.double()
		case "last":
			a.Last = in.double()
		case "last_ms":
			a.LastMillis = int32(in.ranged(1 << 30))
		}
	}
	r.bad = r.bad || in.bad
	return a
}
