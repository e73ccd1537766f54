package decode

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"foresight/internal/telemetry"
)

// message24 is a flat message with all machine channels, a timestamp, a process
// parameter and two unknown keys: 30 fields, about 900 bytes.
var message24 = func() []byte {
	b := []byte(`{"sensor_code":"p-101-vib","timestamp":"2026-03-01T11:59:58.250Z","firmware":"2.4.1","battery":3.61,"speed":1480`)
	for c := range telemetry.Channel(telemetry.Channels) {
		b = fmt.Appendf(b, `,"%s":%.4f`, c, 1.2345+float64(c))
	}
	return append(b, '}')
}()

// plain is what a decoder without any check would unmarshal into.
type plain struct {
	SensorCode string    `json:"sensor_code"`
	Timestamp  time.Time `json:"timestamp"`
	Speed      *float64  `json:"speed"`

	MotorDE1 *float64 `json:"motor_DE_vib_band_1"`
	MotorDE2 *float64 `json:"motor_DE_vib_band_2"`
	MotorDE3 *float64 `json:"motor_DE_vib_band_3"`
	MotorDE4 *float64 `json:"motor_DE_vib_band_4"`
	MotorDE5 *float64 `json:"motor_DE_ultrasonic"`
	MotorDE6 *float64 `json:"motor_DE_temperature"`

	MotorNDE1 *float64 `json:"motor_NDE_vib_band_1"`
	MotorNDE2 *float64 `json:"motor_NDE_vib_band_2"`
	MotorNDE3 *float64 `json:"motor_NDE_vib_band_3"`
	MotorNDE4 *float64 `json:"motor_NDE_vib_band_4"`
	MotorNDE5 *float64 `json:"motor_NDE_ultrasonic"`
	MotorNDE6 *float64 `json:"motor_NDE_temperature"`

	PumpDE1 *float64 `json:"pump_DE_vib_band_1"`
	PumpDE2 *float64 `json:"pump_DE_vib_band_2"`
	PumpDE3 *float64 `json:"pump_DE_vib_band_3"`
	PumpDE4 *float64 `json:"pump_DE_vib_band_4"`
	PumpDE5 *float64 `json:"pump_DE_ultrasonic"`
	PumpDE6 *float64 `json:"pump_DE_temperature"`

	PumpNDE1 *float64 `json:"pump_NDE_vib_band_1"`
	PumpNDE2 *float64 `json:"pump_NDE_vib_band_2"`
	PumpNDE3 *float64 `json:"pump_NDE_vib_band_3"`
	PumpNDE4 *float64 `json:"pump_NDE_vib_band_4"`
	PumpNDE5 *float64 `json:"pump_NDE_ultrasonic"`
	PumpNDE6 *float64 `json:"pump_NDE_temperature"`
}

func BenchmarkDecode(b *testing.B) {
	b.Run("foresight", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(message24)))
		d := NewDecoder(DefaultLimits())
		var p Payload
		for b.Loop() {
			if r := d.Decode(message24, catalogue, now, retention, &p); r != nil {
				b.Fatal(r)
			}
		}
	})
	b.Run("encoding-json-struct", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(message24)))
		for b.Loop() {
			var p plain
			if err := json.Unmarshal(message24, &p); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json-map", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(message24)))
		for b.Loop() {
			var p map[string]any
			if err := json.Unmarshal(message24, &p); err != nil {
				b.Fatal(err)
			}
		}
	})
}
