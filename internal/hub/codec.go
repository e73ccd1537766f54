package hub

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/obs/tracing"
	"foresight/internal/telemetry"
)

// The encoding, all numbers big-endian, times as Unix nanoseconds:
//
//	1   version (codecVersion)
//	1   kind code
//	8   publisher    8 number of the event within publisher, tenant and kind
//	8   At
//	64  tenant, site, asset, sensor
//	24  trace and span, where the kind code has the bit tracedKind
//	    body by kind: see appendReading, appendPrediction, appendEvent, appendJob,
//	    appendGateway, appendHealth; a deployment's is 16 ID and News
//
// Strings and lists begin with their length as a varint. Absent channels take one
// bit of a mask. A reading with 24 channels and 2 values is 362 bytes, its JSON
// 1255; decoding takes a thirtieth of the time (BenchmarkCodec). An unknown version
// is refused: processes of two releases lose live events to each other during an
// upgrade, and nothing else.
const codecVersion = 1

// tracedKind is set in the kind code of an event that comes of a message that is followed.
const tracedKind = 0x80

// Limits of what is decoded; a publisher stays far below.
const (
	maxStrings = 1 << 10 // bytes of one string
	maxItems   = 1 << 10 // elements of one list
)

// origin is who sent an event, and its number.
type origin struct{ publisher, seq uint64 }

var (
	errShort = errors.New("hub: message ends early")
	errCodec = errors.New("hub: malformed message")
)

func kindCode(k event.Kind) byte {
	switch k {
	case event.Telemetry:
		return 1
	case event.Prediction:
		return 2
	case event.Alarm:
		return 3
	case event.Job:
		return 4
	case event.Gateway:
		return 5
	case event.Health:
		return 6
	case event.Deployment:
		return 7
	}
	return 0
}

func appendEvent(b []byte, e event.Event, from origin) ([]byte, error) {
	code := kindCode(e.Kind)
	if e.Trace.Valid() {
		code |= tracedKind
	}
	b = append(b, codecVersion, code)
	b = binary.BigEndian.AppendUint64(b, from.publisher)
	b = binary.BigEndian.AppendUint64(b, from.seq)
	b = appendTime(b, e.At)
	for _, u := range [...]id.UUID{e.Key.Tenant, e.Key.Site, e.Key.Asset, e.Key.Sensor} {
		b = append(b, u[:]...)
	}
	if code&tracedKind != 0 {
		b = tracing.AppendRef(b, e.Trace)
	}
	switch {
	case e.Kind == event.Telemetry && e.Reading != nil:
		return appendReading(b, e.Reading)
	case e.Kind == event.Prediction && e.Prediction != nil:
		return appendPrediction(b, e.Prediction)
	case e.Kind == event.Alarm && e.Alarm != nil:
		b = binary.BigEndian.AppendUint64(b, e.Alarm.Seq)
		return append(b, e.Alarm.EventID[:]...), nil
	case e.Kind == event.Job && e.Job != nil:
		return appendJob(b, e.Job)
	case e.Kind == event.Gateway && e.Gateway != nil:
		return appendGateway(b, e.Gateway), nil
	case e.Kind == event.Health && e.Health != nil:
		return appendHealth(b, e.Health)
	case e.Kind == event.Deployment && e.Deployment != nil:
		return appendString(append(b, e.Deployment.ID[:]...), e.Deployment.News)
	}
	return nil, fmt.Errorf("hub: event of kind %q without its content", e.Kind)
}

func decode(data []byte) (event.Event, origin, error) {
	d := &decoder{b: data}
	var e event.Event
	if v := d.byte(); d.err == nil && v != codecVersion {
		return e, origin{}, fmt.Errorf("%w: version %d", errCodec, v)
	}
	code := d.byte()
	from := origin{d.uint64(), d.uint64()}
	e.At = d.time()
	e.Key = telemetry.Key{Tenant: d.id(), Site: d.id(), Asset: d.id(), Sensor: d.id()}
	if code&tracedKind != 0 {
		var ok bool
		if e.Trace, ok = tracing.ReadRef(d.take(tracing.RefBytes)); !ok {
			d.fail(errCodec)
		}
	}
	switch code &^ tracedKind {
	case 1:
		e.Kind, e.Reading = event.Telemetry, d.reading(e.Key)
	case 2:
		e.Kind, e.Prediction = event.Prediction, d.prediction(e.Key)
	case 3:
		e.Kind, e.Alarm = event.Alarm, &event.AlarmHint{Seq: d.uint64(), EventID: d.id()}
	case 4:
		e.Kind, e.Job = event.Job, d.job()
	case 5:
		e.Kind, e.Gateway = event.Gateway, d.gateway()
	case 6:
		e.Kind, e.Health = event.Health, d.health()
	case 7:
		e.Kind, e.Deployment = event.Deployment, &event.DeploymentNews{ID: d.id(), News: d.string()}
	default:
		d.fail(errCodec)
	}
	if d.err == nil && len(d.b) > 0 {
		d.fail(errCodec)
	}
	return e, from, d.err
}

func appendTime(b []byte, t time.Time) []byte {
	n := int64(math.MinInt64) // the zero time
	if !t.IsZero() {
		n = t.UnixNano()
	}
	return binary.BigEndian.AppendUint64(b, uint64(n))
}

func appendFloat(b []byte, f float64) []byte {
	return binary.BigEndian.AppendUint64(b, math.Float64bits(f))
}

func appendString(b []byte, s string) ([]byte, error) {
	if len(s) > maxStrings {
		return nil, fmt.Errorf("hub: string of %d bytes", len(s))
	}
	return append(binary.AppendUvarint(b, uint64(len(s))), s...), nil
}

// decoder reads from the front; after the first error it gives zeros.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
	d.b = nil
}

func (d *decoder) take(n int) []byte {
	if len(d.b) < n {
		d.fail(errShort)
		return nil
	}
	p := d.b[:n]
	d.b = d.b[n:]
	return p
}

func (d *decoder) byte() byte {
	if p := d.take(1); p != nil {
		return p[0]
	}
	return 0
}

func (d *decoder) uint64() uint64 {
	if p := d.take(8); p != nil {
		return binary.BigEndian.Uint64(p)
	}
	return 0
}

func (d *decoder) float() float64 { return math.Float64frombits(d.uint64()) }

func (d *decoder) time() time.Time {
	n := int64(d.uint64())
	if n == math.MinInt64 || d.err != nil {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

func (d *decoder) id() (u id.UUID) {
	copy(u[:], d.take(16))
	return u
}

// count reads the length of what follows.
func (d *decoder) count(most uint64) int {
	n, size := binary.Uvarint(d.b)
	if size <= 0 {
		d.fail(errShort)
		return 0
	}
	if n > most {
		d.fail(errCodec)
		return 0
	}
	d.b = d.b[size:]
	return int(n)
}

func (d *decoder) string() string { return string(d.take(d.count(maxStrings))) }
