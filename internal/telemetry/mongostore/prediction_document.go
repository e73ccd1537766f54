package mongostore

import (
	"fmt"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"foresight/internal/telemetry"
)

// appendPrediction appends the document of predictions. telemetry_raw_id is the _id of
// the reading; its order is that of time and ingest id, as cursors have it.
func appendPrediction(b []byte, key []byte, p *telemetry.FaultPrediction) ([]byte, error) {
	if !storable(p.Label, false) || !storable(p.VersionLabel, false) || !storable(string(p.Role), false) || !finite(p.Probability) {
		return nil, fmt.Errorf("%w: prediction %q by %q", errRefused, p.Label, p.VersionLabel)
	}
	raw := rawKey(p.Tenant, p.Timestamp, p.IngestID)
	at, b := bsoncore.AppendDocumentStart(b)
	b = bsoncore.AppendBinaryElement(b, fieldID, 0, key)
	b = appendKey(b, &p.Key)
	b = bsoncore.AppendDateTimeElement(b, fieldTime, p.Timestamp.UnixMilli())
	b = bsoncore.AppendBinaryElement(b, fieldRaw, 0, raw[:])
	b = bsoncore.AppendStringElement(b, fieldLabel, p.Label)
	if p.Label != telemetry.Normal {
		b = bsoncore.AppendBooleanElement(b, fieldAbnormal, true)
	}
	b = bsoncore.AppendDoubleElement(b, fieldProb, p.Probability)
	b, err := appendTop(b, p.Top)
	if err != nil {
		return nil, err
	}
	b = appendUUID(b, fieldVersion, p.VersionID)
	b = bsoncore.AppendStringElement(b, fieldVersionAs, p.VersionLabel)
	b = bsoncore.AppendStringElement(b, fieldRole, string(p.Role))
	b = bsoncore.AppendBooleanElement(b, fieldOOD, p.OutOfDistribution)
	return end(b, at), nil
}

func appendTop(b []byte, top []telemetry.LabelProbability) ([]byte, error) {
	if len(top) == 0 {
		return b, nil
	}
	list, b := bsoncore.AppendArrayElementStart(b, fieldTop)
	for i := range top {
		if !storable(top[i].Label, false) || !finite(top[i].Probability) {
			return nil, fmt.Errorf("%w: class %q", errRefused, top[i].Label)
		}
		at, c := bsoncore.AppendDocumentElementStart(b, strconv.Itoa(i))
		c = bsoncore.AppendStringElement(c, "label", top[i].Label)
		c = bsoncore.AppendDoubleElement(c, "probability", top[i].Probability)
		b = end(c, at)
	}
	return end(b, list), nil
}

// decodePrediction reads what appendPrediction wrote.
func decodePrediction(doc []byte, p *telemetry.FaultPrediction) error {
	r := read(doc)
	for name, ok := r.next(); ok; name, ok = r.next() {
		if r.place(name, &p.Key) {
			continue
		}
		switch string(name) {
		case fieldID:
			copy(p.ID[:], r.binary(predictionKeySize)[16:])
		case fieldTime:
			p.Timestamp = r.time()
		case fieldRaw:
			copy(p.IngestID[:], r.binary(rawKeySize)[24:])
		case fieldLabel:
			p.Label = r.text()
		case fieldProb:
			p.Probability = r.double()
		case fieldTop:
			p.Top = r.top()
		case fieldVersion:
			p.VersionID = r.uuid()
		case fieldVersionAs:
			p.VersionLabel = r.text()
		case fieldRole:
			p.Role = telemetry.Role(r.text())
		case fieldOOD:
			p.OutOfDistribution = r.bool()
		}
	}
	return r.err()
}

func (r *reader) top() []telemetry.LabelProbability {
	list := r.inner(bsoncore.TypeArray)
	var out []telemetry.LabelProbability
	for _, ok := list.next(); ok; _, ok = list.next() {
		in := list.inner(bsoncore.TypeEmbeddedDocument)
		var c telemetry.LabelProbability
		for name, ok := in.next(); ok; name, ok = in.next() {
			switch string(name) {
			case "label":
				c.Label = in.text()
			case "probability":
				c.Probability = in.double()
			}
		}
		list.bad = list.bad || in.bad
		out = append(out, c)
	}
	r.bad = r.bad || list.bad
	return out
}
