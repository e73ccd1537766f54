package decode

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"foresight/internal/telemetry"
)

// What is accepted must be JSON to the standard library too, and every value in it
// must be finite and plausible.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		string(message24), `{"flow":1}`, `{"motor_data":{"DE":{"vib_band_1":1}},"parameters":{"speed":3}}`,
		`{"timestamp":1772366398.5,"flow":1,"sensor_code":"x","ingest_id":"y"}`, `{"flow":"1"}`, `{"a":[[{}]]}`,
	} {
		f.Add([]byte(s))
	}
	d := NewDecoder(DefaultLimits())
	var p Payload
	f.Fuzz(func(t *testing.T, data []byte) {
		r := d.Decode(data, catalogue, now, retention, &p)
		if r != nil {
			if len(r.Detail) > 8*quoteLimit {
				t.Fatalf("detail of %d bytes", len(r.Detail))
			}
			return
		}
		var any map[string]any
		if err := json.Unmarshal(data, &any); err != nil {
			t.Fatalf("%q was taken, and encoding/json says %v", data, err)
		}
		n := len(p.Values)
		for c, v := range p.Channels {
			if math.IsNaN(v) {
				continue
			}
			n++
			if par, _ := catalogue.Parameter(telemetry.Channel(c).String()); !(v >= par.Min && v <= par.Max) {
				t.Fatalf("%s is %g", par.Name, v)
			}
		}
		for _, v := range p.Values {
			if par, ok := catalogue.Parameter(v.Name); !ok || !(v.Value >= par.Min && v.Value <= par.Max) || math.IsInf(v.Value, 0) {
				t.Fatalf("%s is %g", v.Name, v.Value)
			}
		}
		if n == 0 {
			t.Fatalf("%q was taken without a value", data)
		}
		if at := p.Timestamp; !at.IsZero() && (at.After(now.Add(5*time.Minute)) || at.Before(now.Add(-retention))) {
			t.Fatalf("time %s", at)
		}
	})
}
