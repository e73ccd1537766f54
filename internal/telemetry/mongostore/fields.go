package mongostore

import (
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// Documents are encoded and decoded by hand: a reading has 24 numbers, and reflection
// costs several times what the rest of a write does (BenchmarkEncode).

// Names of fields. They are those of the relational model.
const (
	fieldID        = "_id"
	fieldTenant    = "tenant_id"
	fieldSite      = "site_id"
	fieldAsset     = "asset_id"
	fieldSensor    = "sensor_id"
	fieldTime      = "timestamp_utc"
	fieldLogSeq    = "log_seq"
	fieldIngest    = "ingest_id"
	fieldReceived  = "received_at"
	fieldMicros    = "received_us" // microseconds beyond the millisecond of received_at; absent when 0
	fieldLate      = "late"
	fieldChannels  = "channels"
	fieldValues    = "values"
	fieldTopic     = "mqtt_topic"
	fieldPayload   = "payload_original"
	fieldRaw       = "telemetry_raw_id"
	fieldLabel     = "prediction_label"
	fieldAbnormal  = "abnormal" // true; absent for predictions of `normal`, which partial indexes leave out
	fieldProb      = "probability"
	fieldTop       = "top_predictions"
	fieldVersion   = "model_version_id"
	fieldVersionAs = "model_version_label"
	fieldRole      = "role"
	fieldOOD       = "out_of_distribution"
	fieldStart     = "bucket_start"
	fieldLane      = "lane"
	fieldLastSeq   = "last_seq"
	fieldReadings  = "readings"
	fieldParams    = "parameters"
	fieldSeen      = "seen_at"
)

func appendUUID(b []byte, name string, u id.UUID) []byte {
	return bsoncore.AppendBinaryElement(b, name, bson.TypeBinaryUUID, u[:])
}

func appendKey(b []byte, k *telemetry.Key) []byte {
	b = appendUUID(b, fieldTenant, k.Tenant)
	b = appendUUID(b, fieldSite, k.Site)
	b = appendUUID(b, fieldAsset, k.Asset)
	return appendUUID(b, fieldSensor, k.Sensor)
}

// end closes the document that began at the place. (It is what AppendDocumentEnd does,
// without an error that cannot be.)
func end(b []byte, at int32) []byte {
	b = append(b, 0)
	return bsoncore.UpdateLength(b, at, int32(len(b))-at)
}

// storable reports whether MongoDB can hold the text as a string or, when name is set,
// as the name of a field.
func storable(text string, name bool) bool {
	if !utf8.ValidString(text) {
		return false
	}
	if name {
		for i := range len(text) {
			if text[i] == 0 {
				return false
			}
		}
	}
	return true
}

func finite(v float64) bool { return v-v == 0 }

// indexes are the names of the elements of an array of all channels.
var indexes = func() (out [telemetry.Channels]string) {
	for i := range out {
		out[i] = strconv.Itoa(i)
	}
	return out
}()

// reader walks over the elements of a document. After the first failure next is false
// and every method returns zeros, so that the caller checks once.
type reader struct {
	rest  []byte
	value bsoncore.Value
	bad   bool
}

// read begins with a whole document.
func read(doc []byte) *reader {
	n, rest, ok := bsoncore.ReadLength(doc)
	if !ok || int(n) != len(doc) || n < 5 {
		return &reader{bad: true}
	}
	return &reader{rest: rest[:len(rest)-1]}
}

// next steps to the next element and returns its name, valid until the document is
// gone; false at the end.
func (r *reader) next() (name []byte, ok bool) {
	if r.bad || len(r.rest) == 0 {
		return nil, false
	}
	t, rest, ok := bsoncore.ReadType(r.rest)
	if ok {
		name, rest, ok = bsoncore.ReadKeyBytes(rest)
	}
	if ok {
		r.value, r.rest, ok = bsoncore.ReadValue(rest, t)
	}
	if !ok {
		r.bad = true
		return nil, false
	}
	return name, true
}

func (r *reader) err() error {
	if r.bad {
		return errForm
	}
	return nil
}

func (r *reader) binary(size int) []byte {
	_, data, ok := r.value.BinaryOK()
	if !ok || size >= 0 && len(data) != size {
		r.bad = true
		return make([]byte, max(size, 0))
	}
	return data
}

func (r *reader) uuid() (u id.UUID) { copy(u[:], r.binary(16)); return u }

func (r *reader) double() float64 {
	v, ok := r.value.DoubleOK()
	r.bad = r.bad || !ok
	return v
}

func (r *reader) int64() int64 {
	v, ok := r.value.Int64OK()
	if !ok {
		var small int32
		small, ok = r.value.Int32OK()
		v = int64(small)
	}
	r.bad = r.bad || !ok
	return v
}

// ranged reads a whole number from 0 to most.
func (r *reader) ranged(most int64) int64 {
	v := r.int64()
	if v < 0 || v > most {
		r.bad = true
		return 0
	}
	return v
}

func (r *reader) uint32() uint32 { return uint32(r.ranged(math.MaxUint32)) }

func (r *reader) time() time.Time {
	millis, ok := r.value.DateTimeOK()
	r.bad = r.bad || !ok
	return time.UnixMilli(millis).UTC()
}

func (r *reader) bool() bool {
	v, ok := r.value.BooleanOK()
	r.bad = r.bad || !ok
	return v
}

func (r *reader) text() string {
	v, ok := r.value.StringValueOK()
	r.bad = r.bad || !ok
	return v
}

// inner walks over an embedded document or array.
func (r *reader) inner(t bsoncore.Type) *reader {
	if r.bad || r.value.Type != t {
		r.bad = true
		return &reader{bad: true}
	}
	return read(r.value.Data)
}

// place reads one of the four ids of a key.
func (r *reader) place(name []byte, k *telemetry.Key) bool {
	switch string(name) {
	case fieldTenant:
		k.Tenant = r.uuid()
	case fieldSite:
		k.Site = r.uuid()
	case fieldAsset:
		k.Asset = r.uuid()
	case fieldSensor:
		k.Sensor = r.uuid()
	default:
		return false
	}
	return true
}
