package storetest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// sensor returns a new sensor on a new asset of a new site of the tenant.
func sensor(tenant id.UUID) telemetry.Key {
	return telemetry.Key{Tenant: tenant, Site: id.New(id.Site), Asset: id.New(id.Asset), Sensor: id.New(id.Sensor)}
}

func newSensor() telemetry.Key { return sensor(id.New(id.Tenant)) }

// reading returns a document whose content follows from its key, time and number.
func reading(k telemetry.Key, at time.Time, seq uint64) telemetry.Raw {
	r := telemetry.Raw{
		Reading:    telemetry.Reading{Key: k, Timestamp: at, Channels: telemetry.NoChannels()},
		LogSeq:     seq,
		ReceivedAt: at.Add(1234567 * time.Microsecond),
		Topic:      fmt.Sprintf("t/s/sensors/%x", k.Sensor[12:]),
		Payload:    fmt.Appendf(nil, `{"seq":%d, "unknown": [1 , 2]}`, seq),
	}
	r.Channels[0], r.Channels[7], r.Channels[23] = float64(seq)/3, -math.Pi, 0.1
	r.Values = []telemetry.Value{{Name: "flow", Value: float64(seq) + 0.1}, {Name: "oil_pressure", Value: 1e-7}}
	r.IngestID = ingestID(k, at, seq)
	return r
}

func ingestID(k telemetry.Key, at time.Time, n uint64) (i telemetry.IngestID) {
	h := sha256.New()
	h.Write(k.Sensor[:])
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(at.UnixNano()))
	binary.BigEndian.PutUint64(b[8:], n)
	h.Write(b[:])
	copy(i[:], h.Sum(nil))
	return i
}

// prediction returns what a model may have said of the reading.
func prediction(r telemetry.Raw, role telemetry.Role, label string, p float64) telemetry.FaultPrediction {
	return telemetry.FaultPrediction{
		Key: r.Key, Timestamp: r.Timestamp, IngestID: r.IngestID,
		ID:    id.Derive(id.Prediction, r.Timestamp, r.Tenant[:], r.Sensor[:], r.IngestID[:], []byte(role)),
		Label: label, Probability: p,
		Top:       []telemetry.LabelProbability{{Label: label, Probability: p}, {Label: "sensor_fault", Probability: 1.0 / 3}},
		VersionID: id.New(id.MLModelVersion), VersionLabel: "fault_classifier:1.0.0", Role: role,
	}
}

func sameReading(a, b telemetry.Raw) error {
	if !a.Timestamp.Equal(b.Timestamp) || !a.ReceivedAt.Equal(b.ReceivedAt) {
		return fmt.Errorf("times %v and %v, want %v and %v", a.Timestamp, a.ReceivedAt, b.Timestamp, b.ReceivedAt)
	}
	if a.Timestamp.Location() != time.UTC {
		return fmt.Errorf("timestamp in %v, not in UTC", a.Timestamp.Location())
	}
	if a.Key != b.Key || a.IngestID != b.IngestID || a.LogSeq != b.LogSeq || a.Late != b.Late {
		return fmt.Errorf("%v %x seq %d late %v, want %v %x seq %d late %v",
			a.Key, a.IngestID, a.LogSeq, a.Late, b.Key, b.IngestID, b.LogSeq, b.Late)
	}
	for c := range a.Channels {
		if x, y := a.Channels[c], b.Channels[c]; math.Float64bits(x) != math.Float64bits(y) && !(math.IsNaN(x) && math.IsNaN(y)) {
			return fmt.Errorf("channel %s is %v, want %v", telemetry.Channel(c), x, y)
		}
	}
	if len(a.Values) != len(b.Values) {
		return fmt.Errorf("values %v, want %v", a.Values, b.Values)
	}
	for i := range a.Values {
		if a.Values[i] != b.Values[i] {
			return fmt.Errorf("values %v, want %v", a.Values, b.Values)
		}
	}
	return nil
}

func sameMessage(a, b telemetry.Raw) error {
	if a.Topic != b.Topic || string(a.Payload) != string(b.Payload) {
		return fmt.Errorf("message %q %q, want %q %q", a.Topic, a.Payload, b.Topic, b.Payload)
	}
	return nil
}

// seqs lists the log sequences, by which the tests name documents.
func seqs(docs []telemetry.Raw) []uint64 {
	out := make([]uint64, len(docs))
	for i := range docs {
		out[i] = docs[i].LogSeq
	}
	return out
}
