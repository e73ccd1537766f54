package telemetry

// Parameter is an entry of the catalogue of measurable quantities. Min and Max
// bound what is physically plausible, inclusive; a reading outside is rejected.
type Parameter struct {
	Name          string
	Unit          string
	Min, Max      float64
	HigherIsWorse bool
}

// The names of the built-in process parameters.
const (
	VibrationRMS   = "vibration_rms"
	BearingTemp    = "bearing_temp"
	OilPressure    = "oil_pressure"
	MotorCurrent   = "motor_current"
	AmbientTemp    = "temperature"
	Pressure       = "pressure"
	Humidity       = "humidity"
	Flow           = "flow"
	Speed          = "speed"
	maxVelocity    = 1000 // mm/s RMS; no machine survives a tenth of it
	maxUltrasonic  = 200  // dBµV
	maxTemperature = 400  // °C
)

// BuiltIn returns the catalogue that every tenant has: the 24 channels in channel
// order, then the process parameters. The slice is the caller's.
func BuiltIn() []Parameter {
	out := make([]Parameter, 0, Channels+9)
	for c := Channel(0); c < Channels; c++ {
		p := Parameter{Name: c.String(), Unit: "mm/s", Max: maxVelocity, HigherIsWorse: true}
		switch c.Quantity() {
		case Ultrasonic:
			p.Unit, p.Min, p.Max = "dBµV", -60, maxUltrasonic
		case Temperature:
			p.Unit, p.Min, p.Max = "°C", -60, maxTemperature
		}
		out = append(out, p)
	}
	return append(out,
		Parameter{VibrationRMS, "mm/s", 0, maxVelocity, true},
		Parameter{BearingTemp, "°C", -60, maxTemperature, true},
		Parameter{OilPressure, "bar", 0, 1000, false},
		Parameter{MotorCurrent, "A", 0, 20000, true},
		Parameter{AmbientTemp, "°C", -90, maxTemperature, true},
		Parameter{Pressure, "bar", -1, 4000, false},
		Parameter{Humidity, "%RH", 0, 100, false},
		Parameter{Flow, "m³/h", 0, 1e6, false},
		Parameter{Speed, "rpm", 0, 1e6, false},
	)
}
