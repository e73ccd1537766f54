package telemetry

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"foresight/internal/id"
	"foresight/internal/obs/tracing"
)

// ErrEnvelope is wrapped by every error of DecodeEnvelope.
var ErrEnvelope = errors.New("telemetry: bad envelope")

// The first byte of the form written below. A reader knows all versions that may still
// stand in a log; a writer writes the newest. A message that is followed has a form of
// its own, so that the others carry nothing of it.
const (
	envelopeVersion = 1
	envelopeTraced  = 2
)

const envelopeFixed = 1 + 4*16 + 16 + 8 + 8 + 3 // up to and with the channel bitmap

// AppendEnvelope appends the form in which an admitted message stands in the log
// and returns the extended slice. Numbers are little endian:
//
//	 1  version
//	64  key: tenant, site, asset, sensor
//	16  ingest id
//	 8  timestamp, Unix milliseconds
//	 8  received at, Unix microseconds
//	 3  bitmap of the channels that are present, channel 0 in the lowest bit
//	8n  their values, float64 in channel order
//	    uvarint number of values; each: uvarint length, name, float64
//	    uvarint length, topic
//	    uvarint length, payload
//	24  trace and span, in the version envelopeTraced
//
// LogSeq and Late are not in it: the log itself numbers its entries, and lateness
// is found when an entry is processed.
func AppendEnvelope(dst []byte, r *Raw) []byte {
	version := byte(envelopeVersion)
	if r.Trace.Valid() {
		version = envelopeTraced
	}
	dst = append(dst, version)
	dst = append(dst, r.Tenant[:]...)
	dst = append(dst, r.Site[:]...)
	dst = append(dst, r.Asset[:]...)
	dst = append(dst, r.Sensor[:]...)
	dst = append(dst, r.IngestID[:]...)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(r.Timestamp.UnixMilli()))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(r.ReceivedAt.UnixMicro()))
	var present uint32
	for c, v := range r.Channels {
		if v == v { // not NaN
			present |= 1 << c
		}
	}
	dst = append(dst, byte(present), byte(present>>8), byte(present>>16))
	for _, v := range r.Channels {
		if v == v {
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
		}
	}
	dst = binary.AppendUvarint(dst, uint64(len(r.Values)))
	for _, v := range r.Values {
		dst = binary.AppendUvarint(dst, uint64(len(v.Name)))
		dst = append(dst, v.Name...)
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Value))
	}
	dst = binary.AppendUvarint(dst, uint64(len(r.Topic)))
	dst = append(dst, r.Topic...)
	dst = binary.AppendUvarint(dst, uint64(len(r.Payload)))
	dst = append(dst, r.Payload...)
	if version == envelopeTraced {
		dst = tracing.AppendRef(dst, r.Trace)
	}
	return dst
}

// DecodeEnvelope reads what AppendEnvelope wrote into r, whose former contents are
// overwritten: the capacity of its Values and Payload is used again, and names and
// topic that are equal to the former ones keep their memory. Nothing of data is
// kept. LogSeq and Late become zero. Memory beyond len(data) is never allocated.
// On an error, which wraps ErrEnvelope, r holds nothing of use.
func DecodeEnvelope(data []byte, r *Raw) error {
	if len(data) < envelopeFixed {
		return fmt.Errorf("%w: %d bytes", ErrEnvelope, len(data))
	}
	r.Trace = tracing.Ref{}
	switch data[0] {
	case envelopeVersion:
	case envelopeTraced:
		var ok bool
		if r.Trace, ok = tracing.ReadRef(data[len(data)-tracing.RefBytes:]); !ok {
			return fmt.Errorf("%w: bad trace", ErrEnvelope)
		}
		data = data[:len(data)-tracing.RefBytes]
	default:
		return fmt.Errorf("%w: version %d", ErrEnvelope, data[0])
	}
	d := envelopeReader{data: data[1:]}
	for _, u := range []*id.UUID{&r.Tenant, &r.Site, &r.Asset, &r.Sensor} {
		copy(u[:], d.bytes(16))
	}
	copy(r.IngestID[:], d.bytes(16))
	r.Timestamp = time.UnixMilli(int64(d.uint64())).UTC()
	r.ReceivedAt = time.UnixMicro(int64(d.uint64())).UTC()
	r.LogSeq, r.Late = 0, false

	b := d.bytes(3)
	present := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
	for c := range r.Channels {
		if present&(1<<c) == 0 {
			r.Channels[c] = math.NaN()
			continue
		}
		r.Channels[c] = d.finite()
	}
	d.values(r)
	if topic := d.block(); string(topic) != r.Topic {
		r.Topic = string(topic)
	}
	r.Payload = append(r.Payload[:0], d.block()...)
	if d.failed == "" && len(d.data) > 0 {
		d.failed = "trailing bytes"
	}
	if d.failed != "" {
		return fmt.Errorf("%w: %s", ErrEnvelope, d.failed)
	}
	return nil
}

// envelopeReader consumes data from the front. After the first failure every
// method returns zeros, so that the caller checks once.
type envelopeReader struct {
	data   []byte
	failed string
}

var noBytes [16]byte

func (d *envelopeReader) fail(why string) {
	if d.failed == "" {
		d.failed = why
	}
	d.data = nil
}

// bytes takes n bytes, n <= 16.
func (d *envelopeReader) bytes(n int) []byte {
	if len(d.data) < n {
		d.fail("cut off")
		return noBytes[:n]
	}
	b := d.data[:n]
	d.data = d.data[n:]
	return b
}

func (d *envelopeReader) uint64() uint64 { return binary.LittleEndian.Uint64(d.bytes(8)) }

func (d *envelopeReader) finite() float64 {
	v := math.Float64frombits(d.uint64())
	if v-v != 0 {
		d.fail("a value that is not finite")
	}
	return v
}

// length takes a uvarint that counts things of at least size bytes each.
func (d *envelopeReader) length(size int) int {
	n, k := binary.Uvarint(d.data)
	if k <= 0 {
		d.fail("bad length")
		return 0
	}
	d.data = d.data[k:]
	if n > uint64(len(d.data)/size) {
		d.fail("length beyond the end")
		return 0
	}
	return int(n)
}

func (d *envelopeReader) block() []byte {
	n := d.length(1)
	if d.failed != "" {
		return nil
	}
	b := d.data[:n]
	d.data = d.data[n:]
	return b
}

func (d *envelopeReader) values(r *Raw) {
	n := d.length(1 + 8)
	old := r.Values[:cap(r.Values)]
	r.Values = r.Values[:0]
	for i := range n {
		name := d.block()
		v := Value{Value: d.finite()}
		if d.failed != "" {
			return
		}
		if i > 0 && string(name) <= r.Values[i-1].Name {
			d.fail("values out of order")
			return
		}
		if i < len(old) && old[i].Name == string(name) {
			v.Name = old[i].Name
		} else {
			v.Name = string(name)
		}
		r.Values = append(r.Values, v)
	}
}
