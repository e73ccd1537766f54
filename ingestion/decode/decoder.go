// Package decode turns a sensor's message into values: the topic into codes, the
// payload into channels and process parameters. It knows no database and no broker.
// What it reads comes from outside and is never trusted: every limit is checked
// before memory is spent, and what is wrong is answered with a Rejection, never
// with a half-filled reading.
//
// A payload is one JSON object of one of three shapes, which may be mixed as long as
// no parameter occurs twice:
//
//	flat     {"motor_DE_vib_band_1": 1.2, "flow": 120}
//	nested   {"motor_data": {"DE": {"vib_band_1": 1.2}}, "pump_data": {"NDE": {…}}}
//	generic  {"parameters": {"motor_DE_vib_band_1": 1.2, "flow": 120}}
//
// beside the optional `timestamp`, `sensor_code` and `ingest_id`. Unknown keys are
// left to the raw document.
package decode

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"foresight/internal/telemetry"
)

// Limits bound what a payload may be.
type Limits struct {
	MaxPayload int           // bytes
	MaxDepth   int           // nested objects and arrays, the outermost counted; at least 3 for the nested shape
	MaxFuture  time.Duration // how far a clock may be ahead of ours
}

// DefaultLimits returns 64 KiB, 16 levels and 5 minutes.
func DefaultLimits() Limits {
	return Limits{MaxPayload: 64 << 10, MaxDepth: 16, MaxFuture: 5 * time.Minute}
}

// Payload is what a message says.
type Payload struct {
	Timestamp  time.Time // UTC, millisecond precision; zero when the message has none
	SensorCode string    // "" when the message names none
	IngestID   string    // the client's own id, "" when it gave none
	Channels   [telemetry.Channels]float64
	Values     []telemetry.Value // sorted by name
}

// Decoder decodes payloads, one at a time; it keeps its buffers between them. Keep
// one per goroutine or in a pool.
type Decoder struct {
	limits Limits
	json   *jsontext.Decoder
	buf    bytes.Buffer
	text   []byte // the last string, unescaped
}

// NewDecoder returns a decoder with the limits.
func NewDecoder(l Limits) *Decoder {
	return &Decoder{limits: l, json: jsontext.NewDecoder(strings.NewReader(""))}
}

// Decode reads data into out, whose former contents are overwritten (the capacity
// of Values is used again). Values are checked against the catalogue, the timestamp
// against now and the retention. It returns nil, or why the message is rejected; out
// is then of no use. Nothing of data is kept.
func (d *Decoder) Decode(data []byte, cat *Catalogue, now time.Time, retention time.Duration, out *Payload) *Rejection {
	if len(data) > d.limits.MaxPayload {
		return reject(PayloadTooLarge, "%d bytes, at most %d are taken", len(data), d.limits.MaxPayload)
	}
	*out = Payload{Channels: telemetry.NoChannels(), Values: out.Values[:0]}
	d.buf = *bytes.NewBuffer(data)
	d.json.Reset(&d.buf)
	defer func() { d.buf = bytes.Buffer{} }() // let go of data

	m := message{Decoder: d, cat: cat, out: out}
	if r := m.object(m.field); r != nil {
		return r
	}
	if _, err := d.json.ReadToken(); err != io.EOF {
		return reject(BadJSON, "something follows the object")
	}
	if !m.any {
		return reject(NoValues, "no key is a parameter of the catalogue")
	}
	slices.SortFunc(out.Values, func(a, b telemetry.Value) int { return strings.Compare(a.Name, b.Name) })
	return d.checkTime(out.Timestamp, now, retention)
}

func (d *Decoder) checkTime(at, now time.Time, retention time.Duration) *Rejection {
	switch {
	case at.IsZero():
		return nil
	case at.Sub(now) > d.limits.MaxFuture:
		return reject(InFuture, "%s is %s ahead of the time of arrival", at.Format(time.RFC3339Nano), at.Sub(now).Round(time.Second))
	case now.Sub(at) > retention:
		return reject(TooOld, "%s lies before the retention of %s", at.Format(time.RFC3339Nano), retention)
	}
	return nil
}

// broken turns an error of the JSON reader into a rejection.
func broken(err error) *Rejection {
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return reject(DuplicateKey, "%s", cut(err.Error()))
	}
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return reject(BadJSON, "the text ends too early")
	}
	return reject(BadJSON, "%s", cut(err.Error()))
}
