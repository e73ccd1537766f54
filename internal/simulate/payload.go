package simulate

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"foresight/internal/telemetry"
)

// Format is the shape of a payload.
type Format string

// The shapes that sensors send.
const (
	Flat   Format = "flat"   // {"motor_DE_vib_band_1": 1.2, …}
	Nested Format = "nested" // {"motor_data": {"DE": {"vib_band_1": 1.2, …}}, "pump_data": {…}}
)

// Payload encodes the sample as a sensor would send it: missing channels are left
// out, the timestamp is RFC 3339 with milliseconds.
func (s *Sample) Payload(f Format) ([]byte, error) {
	doc := map[string]any{"timestamp": s.Timestamp.UTC().Format("2006-01-02T15:04:05.000Z07:00")}
	for _, v := range s.Values() {
		doc[v.Name] = v.Value
	}
	switch f {
	case Flat:
		for c, v := range s.Channels {
			if !math.IsNaN(v) {
				doc[telemetry.Channel(c).String()] = v
			}
		}
	case Nested:
		ends := [...]string{"DE", "NDE"}
		for half, name := range [...]string{"motor_data", "pump_data"} {
			part := map[string]map[string]float64{}
			for end, key := range ends {
				quantities := map[string]float64{}
				for q, quantity := range telemetry.QuantityNames {
					if v := s.Channels[telemetry.At(2*half+end, q)]; !math.IsNaN(v) {
						quantities[quantity] = v
					}
				}
				part[key] = quantities
			}
			doc[name] = part
		}
	default:
		return nil, fmt.Errorf("simulate: unknown format %q", f)
	}
	return json.Marshal(doc)
}

// truncate is the resolution of the payload's timestamp.
func truncate(t time.Time) time.Time { return t.Truncate(time.Millisecond) }
