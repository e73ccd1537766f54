package decode

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"foresight/internal/telemetry"
)

var (
	now       = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	retention = 30 * 24 * time.Hour
	catalogue = NewCatalogue(
		telemetry.Parameter{Name: "lube_level", Unit: "%", Min: 0, Max: 100},
		telemetry.Parameter{Name: "free", Min: math.Inf(-1), Max: math.Inf(1)},
		telemetry.Parameter{Name: telemetry.Speed, Unit: "rpm", Min: 0, Max: 3600},
	)
)

func decode(t testing.TB, text string) (Payload, *Rejection) {
	t.Helper()
	var p Payload
	r := NewDecoder(DefaultLimits()).Decode([]byte(text), catalogue, now, retention, &p)
	return p, r
}

// values flattens a payload into parameter names, missing channels left out.
func values(p Payload) map[string]float64 {
	m := map[string]float64{}
	for c, v := range p.Channels {
		if !math.IsNaN(v) {
			m[telemetry.Channel(c).String()] = v
		}
	}
	for _, v := range p.Values {
		m[v.Name] = v.Value
	}
	return m
}

func TestDecodeReadsEveryShape(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       map[string]float64
	}{
		{"flat", `{"motor_DE_vib_band_1": 1.2, "pump_NDE_temperature": 61, "flow": 120.5}`,
			map[string]float64{"motor_DE_vib_band_1": 1.2, "pump_NDE_temperature": 61, "flow": 120.5}},
		{"nested", `{"motor_data": {"DE": {"vib_band_1": 1.2}, "NDE": {"ultrasonic": -3}}, "pump_data": {"DE": {"temperature": 55}, "NDE": {"vib_band_4": 0}}}`,
			map[string]float64{"motor_DE_vib_band_1": 1.2, "motor_NDE_ultrasonic": -3, "pump_DE_temperature": 55, "pump_NDE_vib_band_4": 0}},
		{"generic", `{"parameters": {"motor_DE_vib_band_1": 1.2, "speed": 1480}}`,
			map[string]float64{"motor_DE_vib_band_1": 1.2, "speed": 1480}},
		{"mixed", `{"motor_data": {"DE": {"vib_band_1": 1.2}}, "parameters": {"speed": 1480}, "flow": 1e2}`,
			map[string]float64{"motor_DE_vib_band_1": 1.2, "speed": 1480, "flow": 100}},
		{"the tenant's own parameter", `{"lube_level": 80}`, map[string]float64{"lube_level": 80}},
		{"an own parameter without bounds", `{"free": -1.7e308}`, map[string]float64{"free": -1.7e308}},
		{"bounds are inclusive", `{"humidity": 100, "pressure": -1}`, map[string]float64{"humidity": 100, "pressure": -1}},
		{"unknown keys of every kind", `{"fw": "1.2", "x": null, "y": [1,{"speed": 7}], "motor_data": {"speed": 1, "DE": {"noise": "?"}}, "flow": 5}`,
			map[string]float64{"flow": 5}},
		{"an escaped key", `{"fl\u006fw": 5}`, map[string]float64{"flow": 5}},
		{"a missing channel is missing", `{"motor_DE_vib_band_2": 0}`, map[string]float64{"motor_DE_vib_band_2": 0}},
		{"white space around", " \r\n\t{ \"flow\" : 5 } \n", map[string]float64{"flow": 5}},
	} {
		p, r := decode(t, c.text)
		if r != nil {
			t.Errorf("%s: %v", c.name, r)
			continue
		}
		if got := values(p); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if !slices.IsSortedFunc(p.Values, func(a, b telemetry.Value) int { return strings.Compare(a.Name, b.Name) }) {
			t.Errorf("%s: values are not sorted: %v", c.name, p.Values)
		}
		if !p.Timestamp.IsZero() || p.SensorCode != "" || p.IngestID != "" {
			t.Errorf("%s: %+v says more than the message", c.name, p)
		}
	}
}

func TestDecodeReadsTimestamps(t *testing.T) {
	at := time.Date(2026, 3, 1, 11, 59, 58, 250_000_000, time.UTC)
	for _, text := range []string{
		`"2026-03-01T11:59:58.25Z"`,
		`"2026-03-01T11:59:58.250999Z"`,
		`"2026-03-01T13:59:58.250+02:00"`,
		fmt.Sprint(at.UnixMilli()),
		fmt.Sprintf("%d.25", at.Unix()),
		fmt.Sprintf("%d.0", at.UnixMilli()),
		fmt.Sprintf("%d.25e0", at.Unix()),
	} {
		p, r := decode(t, `{"flow":1,"timestamp":`+text+`}`)
		if r != nil {
			t.Errorf("%s: %v", text, r)
		} else if !p.Timestamp.Equal(at) || p.Timestamp.Location() != time.UTC {
			t.Errorf("%s: %v, want %v", text, p.Timestamp, at)
		}
	}
}

func TestDecodeReadsNames(t *testing.T) {
	p, r := decode(t, `{"sensor_code":"p-101","ingest_id":"a\"b","flow":1}`)
	if r != nil || p.SensorCode != "p-101" || p.IngestID != `a"b` {
		t.Errorf("%+v, %v", p, r)
	}
}

func TestDecodeRejects(t *testing.T) {
	stamp := func(at time.Time) string { return `{"flow":1,"timestamp":"` + at.Format(time.RFC3339Nano) + `"}` }
	deep := DefaultLimits().MaxDepth
	for _, c := range []struct {
		name, text string
		want       Reason
	}{
		{"nothing", ``, BadJSON},
		{"blanks", `  `, BadJSON},
		{"an array", `[{"flow":1}]`, BadJSON},
		{"a number", `1`, BadJSON},
		{"cut off", `{"flow":1`, BadJSON},
		{"cut off in a key", `{"flow":1,"spe`, BadJSON},
		{"a trailing comma", `{"flow":1,}`, BadJSON},
		{"something behind", `{"flow":1} {}`, BadJSON},
		{"garbage behind", `{"flow":1}x`, BadJSON},
		{"single quotes", `{'flow':1}`, BadJSON},
		{"no UTF-8", "{\"flow\":1,\"x\":\"\xff\"}", BadJSON},
		{"a bare NaN", `{"flow":NaN}`, BadJSON},
		{"a bare infinity", `{"flow":-Infinity}`, BadJSON},
		{"a leading zero", `{"flow":01}`, BadJSON},
		{"a leading plus", `{"flow":+1}`, BadJSON},
		{"a comma as the decimal sign", `{"flow":1,5}`, BadJSON},
		{"hexadecimal", `{"flow":0x10}`, BadJSON},
		{"broken inside an unknown key", `{"x":[1,{"y":}],"flow":1}`, BadJSON},
		{"motor_data is a list", `{"motor_data":[1]}`, BadJSON},
		{"a mount point is a number", `{"pump_data":{"DE":5}}`, BadJSON},
		{"parameters is null", `{"parameters":null}`, BadJSON},

		{"a number as text", `{"flow":"1.5"}`, NotANumber},
		{"a number as text with a comma", `{"flow":"1,5"}`, NotANumber},
		{"Eastern Arabic digits", `{"flow":"١٢٣"}`, NotANumber},
		{"NaN as text", `{"flow":"NaN"}`, NotANumber},
		{"infinity as text", `{"flow":"Infinity"}`, NotANumber},
		{"null", `{"flow":null}`, NotANumber},
		{"true", `{"motor_data":{"DE":{"vib_band_1":true}}}`, NotANumber},
		{"an object", `{"parameters":{"flow":{"value":1}}}`, NotANumber},
		{"too large for a float", `{"free":1e400}`, NotANumber},

		{"below the range", `{"motor_DE_vib_band_1":-0.1}`, Implausible},
		{"above the range", `{"motor_data":{"NDE":{"temperature":401}}}`, Implausible},
		{"above the tenant's own range", `{"speed":3601}`, Implausible},
		{"one bad value among good ones", `{"flow":1,"pressure":2,"humidity":100.01}`, Implausible},

		{"a key twice", `{"flow":1,"flow":1}`, DuplicateKey},
		{"an unknown key twice", `{"flow":1,"x":1,"x":1}`, DuplicateKey},
		{"a key twice, once escaped", `{"flow":1,"fl\u006fw":1}`, DuplicateKey},
		{"a parameter in two shapes", `{"flow":1,"parameters":{"flow":1}}`, DuplicateKey},
		{"a channel in two shapes", `{"motor_DE_vib_band_1":1,"motor_data":{"DE":{"vib_band_1":1}}}`, DuplicateKey},

		{"no parameter at all", `{}`, NoValues},
		{"unknown keys only", `{"x":1,"timestamp":1772366398}`, NoValues},
		{"case matters", `{"FLOW":1,"motor_de_vib_band_1":2}`, NoValues},

		{"a date without a time", `{"flow":1,"timestamp":"2026-03-01"}`, BadTimestamp},
		{"a time without a zone", `{"flow":1,"timestamp":"2026-03-01T12:00:00"}`, BadTimestamp},
		{"a time with a blank", `{"flow":1,"timestamp":"2026-03-01 12:00:00Z"}`, BadTimestamp},
		{"a Unix time as text", `{"flow":1,"timestamp":"1772366398"}`, BadTimestamp},
		{"microseconds", `{"flow":1,"timestamp":1772366398000000}`, BadTimestamp},
		{"negative", `{"flow":1,"timestamp":-1}`, BadTimestamp},
		{"null as timestamp", `{"flow":1,"timestamp":null}`, BadTimestamp},
		{"the 30th of February", `{"flow":1,"timestamp":"2026-02-30T12:00:00Z"}`, BadTimestamp},
		{"a year without a form", `{"flow":1,"timestamp":1e300}`, BadTimestamp},

		{"6 minutes ahead", stamp(now.Add(6 * time.Minute)), InFuture},
		{"5 minutes and a bit ahead", stamp(now.Add(5*time.Minute + time.Millisecond)), InFuture},
		{"older than the retention", stamp(now.Add(-retention - time.Millisecond)), TooOld},
		{"the epoch", `{"flow":1,"timestamp":0}`, TooOld},

		{"a number as sensor code", `{"flow":1,"sensor_code":7}`, BadField},
		{"an empty sensor code", `{"flow":1,"sensor_code":""}`, BadField},
		{"an endless ingest id", `{"flow":1,"ingest_id":"` + strings.Repeat("x", 101) + `"}`, BadField},

		{"too deep", `{"flow":1,"x":` + strings.Repeat("[", deep) + strings.Repeat("]", deep) + `}`, TooDeep},
		{"much too deep", `{"x":` + strings.Repeat(`{"a":`, 12000), TooDeep},
		{"too large", `{"flow":1,"x":"` + strings.Repeat("x", 64<<10) + `"}`, PayloadTooLarge},
	} {
		_, r := decode(t, c.text)
		if r == nil || r.Reason != c.want {
			t.Errorf("%s: %v, want %s", c.name, r, c.want)
		} else if r.Detail == "" || len(r.Detail) > 8*quoteLimit {
			t.Errorf("%s: detail %q", c.name, r.Detail)
		}
	}
}

func TestDecodeTakesWhatIsJustWithinTheLimits(t *testing.T) {
	deep := DefaultLimits().MaxDepth - 1
	for name, text := range map[string]string{
		"5 minutes ahead":   `{"flow":1,"timestamp":"` + now.Add(5*time.Minute).Format(time.RFC3339) + `"}`,
		"at the retention":  `{"flow":1,"timestamp":"` + now.Add(-retention).Format(time.RFC3339) + `"}`,
		"just deep enough":  `{"flow":1,"x":` + strings.Repeat("[", deep) + strings.Repeat("]", deep) + `}`,
		"just small enough": `{"flow":1,"x":"` + strings.Repeat("x", 64<<10-len(`{"flow":1,"x":""}`)) + `"}`,
	} {
		if _, r := decode(t, text); r != nil {
			t.Errorf("%s: %v", name, r)
		}
	}
}

// A decoder that has met broken payloads must read the next one as a fresh one does.
func TestDecoderForgetsFormerPayloads(t *testing.T) {
	d := NewDecoder(DefaultLimits())
	var p Payload
	for _, text := range []string{`{"flow":1,"sensor_code":"a","timestamp":1772366398,"motor_DE_vib_band_1":1}`, `{"speed":5,`, `{"x":[[[`, ``} {
		_ = d.Decode([]byte(text), catalogue, now, retention, &p)
	}
	if r := d.Decode([]byte(`{"humidity":50}`), catalogue, now, retention, &p); r != nil {
		t.Fatal(r)
	}
	if got := values(p); len(got) != 1 || got["humidity"] != 50 || p.SensorCode != "" || !p.Timestamp.IsZero() {
		t.Errorf("%v, %+v", got, p)
	}
}

func TestReasonsAreDistinct(t *testing.T) {
	rs := Reasons()
	slices.Sort(rs)
	if n := len(rs); len(slices.Compact(rs)) != n {
		t.Error("a reason stands twice")
	}
}
