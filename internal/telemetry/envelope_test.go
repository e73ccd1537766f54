package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"foresight/internal/id"
	"foresight/internal/obs/tracing"
)

// fullRaw is a message with all 24 channels and two process parameters.
func fullRaw() Raw {
	at := time.Date(2026, 3, 1, 12, 34, 56, 789_000_000, time.UTC)
	r := Raw{
		Reading: Reading{
			Key:       Key{id.Derive(id.Tenant, at), id.Derive(id.Site, at), id.Derive(id.Asset, at), id.Derive(id.Sensor, at)},
			Timestamp: at,
			Values:    []Value{{Flow, 120.5}, {Speed, 1480}},
		},
		IngestID:   IngestID{1, 2, 3, 15: 16},
		ReceivedAt: at.Add(1234 * time.Microsecond),
		Topic:      "acme/north/sensors/p-101-vib",
		Payload:    bytes.Repeat([]byte(`{"motor_DE_vib_band_1":1.25} `), 30),
	}
	for c := range r.Channels {
		r.Channels[c] = float64(c)*1.5 + 0.1
	}
	return r
}

// sameRaw compares with NaN equal to NaN.
func sameRaw(a, b Raw) bool {
	for c := range a.Channels {
		if math.Float64bits(a.Channels[c]) != math.Float64bits(b.Channels[c]) && a.Channels[c] == a.Channels[c] {
			return false
		}
		if (a.Channels[c] == a.Channels[c]) != (b.Channels[c] == b.Channels[c]) {
			return false
		}
	}
	a.Channels, b.Channels = [Channels]float64{}, [Channels]float64{}
	if len(a.Values) == 0 && len(b.Values) == 0 {
		a.Values, b.Values = nil, nil
	}
	if len(a.Payload) == 0 && len(b.Payload) == 0 {
		a.Payload, b.Payload = nil, nil
	}
	return reflect.DeepEqual(a, b)
}

func TestEnvelopeKeepsTheMessage(t *testing.T) {
	some := fullRaw()
	some.Channels = NoChannels()
	some.Channels[0], some.Channels[23] = -1.5, math.SmallestNonzeroFloat64
	some.Values = nil
	empty := Raw{Reading: Reading{Channels: NoChannels(), Timestamp: time.UnixMilli(0).UTC()}, ReceivedAt: time.UnixMicro(-1).UTC()}
	followed := fullRaw()
	followed.Trace = tracing.Ref{Trace: [16]byte{1}, Span: [8]byte{2}}
	var reused Raw
	for name, r := range map[string]Raw{"followed": followed, "all channels": fullRaw(), "two channels": some, "empty": empty} {
		data := AppendEnvelope([]byte("before"), &r)
		if string(data[:6]) != "before" {
			t.Fatalf("%s: the destination was overwritten", name)
		}
		for _, into := range []*Raw{{}, &reused} {
			into.LogSeq, into.Late, into.Trace = 9, true, tracing.Ref{Trace: [16]byte{9}, Span: [8]byte{9}}
			if err := DecodeEnvelope(data[6:], into); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if !sameRaw(r, *into) {
				t.Errorf("%s: got %+v, want %+v", name, *into, r)
			}
		}
	}
}

func TestEnvelopeLeavesOutSequenceAndLateness(t *testing.T) {
	a, b := fullRaw(), fullRaw()
	b.LogSeq, b.Late = 77, true
	if !bytes.Equal(AppendEnvelope(nil, &a), AppendEnvelope(nil, &b)) {
		t.Error("the envelope depends on the log")
	}
}

func TestDecodeEnvelopeKeepsNothingOfItsInput(t *testing.T) {
	want := fullRaw()
	data := AppendEnvelope(nil, &want)
	var got Raw
	if err := DecodeEnvelope(data, &got); err != nil {
		t.Fatal(err)
	}
	clear(data)
	if !sameRaw(want, got) {
		t.Error("the message changed with the buffer")
	}
}

func TestDecodeEnvelopeRefuses(t *testing.T) {
	r := fullRaw()
	good := AppendEnvelope(nil, &r)
	edit := func(f func(b []byte) []byte) []byte { return f(bytes.Clone(good)) }
	unsorted := fullRaw()
	unsorted.Values = []Value{{Speed, 1}, {Flow, 2}}
	infinite := fullRaw()
	infinite.Channels[3] = math.Inf(1)
	cases := map[string][]byte{
		"nothing":          {},
		"other version":    edit(func(b []byte) []byte { b[0] = 3; return b }),
		"no trace":         append(edit(func(b []byte) []byte { b[0] = 2; return b }), make([]byte, tracing.RefBytes)...),
		"trailing byte":    append(bytes.Clone(good), 0),
		"values unsorted":  AppendEnvelope(nil, &unsorted),
		"infinite channel": AppendEnvelope(nil, &infinite),
		"wild length": edit(func(b []byte) []byte {
			return append(b[:envelopeFixed+8*Channels], 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)
		}),
	}
	for name, data := range cases {
		if err := DecodeEnvelope(data, new(Raw)); !errors.Is(err, ErrEnvelope) {
			t.Errorf("%s: %v, want ErrEnvelope", name, err)
		}
	}
	for n := range good {
		if err := DecodeEnvelope(good[:n], new(Raw)); !errors.Is(err, ErrEnvelope) {
			t.Fatalf("cut to %d bytes: %v, want ErrEnvelope", n, err)
		}
	}
}

func FuzzDecodeEnvelope(f *testing.F) {
	r := fullRaw()
	f.Add(AppendEnvelope(nil, &r))
	r.Channels, r.Values = NoChannels(), nil
	f.Add(AppendEnvelope(nil, &r))
	f.Add([]byte{envelopeVersion})
	f.Fuzz(func(t *testing.T, data []byte) {
		var got, again Raw
		if DecodeEnvelope(data, &got) != nil {
			return
		}
		if err := DecodeEnvelope(AppendEnvelope(nil, &got), &again); err != nil {
			t.Fatalf("what was read cannot be written and read: %v", err)
		}
		if !sameRaw(got, again) {
			t.Fatalf("%+v became %+v", got, again)
		}
	})
}

// The JSON rival says null for NaN, as JSON has none.
type jsonRaw struct {
	Raw
	Channels [Channels]*float64
	Trace    *struct{} `json:",omitempty"` // its texts are not read back
}

func BenchmarkEnvelope(b *testing.B) {
	r := fullRaw()
	data := AppendEnvelope(nil, &r)
	j := jsonRaw{Raw: r}
	for c := range j.Channels {
		j.Channels[c] = &r.Channels[c]
	}
	text, err := json.Marshal(j)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		b.ReportMetric(float64(len(data)), "B/message")
		var buf []byte
		for b.Loop() {
			buf = AppendEnvelope(buf[:0], &r)
		}
	})
	b.Run("append-json", func(b *testing.B) {
		b.ReportAllocs()
		b.ReportMetric(float64(len(text)), "B/message")
		for b.Loop() {
			if _, err := json.Marshal(&j); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		var into Raw
		for b.Loop() {
			if err := DecodeEnvelope(data, &into); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var into jsonRaw
			if err := json.Unmarshal(text, &into); err != nil {
				b.Fatal(err)
			}
		}
	})
}
