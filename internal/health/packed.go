package health

import (
	"encoding/binary"
	"errors"
	"time"

	"foresight/inference/daily"
)

// packed is a daily.Day as asset_days keeps it, big-endian, behind a byte that names the
// layout.
type packed struct {
	VibrationRMS, BearingTemp, OilPressure, MotorCurrent, Ultrasonic, BroadBand daily.Stat

	Energy, HighEnergy, Gravity float64

	Heard                               daily.Hours
	Turning, Drawing, Shaking, Exceeded daily.Evidence
	Predictions, Faults                 uint32
}

const layout = 1

var errLayout = errors.New("health: a day of an unknown layout")

func pack(d *daily.Day) ([]byte, error) {
	return binary.Append([]byte{layout}, binary.BigEndian, &packed{
		d.VibrationRMS, d.BearingTemp, d.OilPressure, d.MotorCurrent, d.Ultrasonic, d.BroadBand,
		d.Energy, d.HighEnergy, d.Gravity,
		d.Heard, d.Turning, d.Drawing, d.Shaking, d.Exceeded, d.Predictions, d.Faults,
	})
}

func unpack(b []byte, start time.Time) (daily.Day, error) {
	var p packed
	if len(b) != 1+binary.Size(p) || b[0] != layout {
		return daily.Day{}, errLayout
	}
	if _, err := binary.Decode(b[1:], binary.BigEndian, &p); err != nil {
		return daily.Day{}, err
	}
	return daily.Day{Start: start,
		VibrationRMS: p.VibrationRMS, BearingTemp: p.BearingTemp, OilPressure: p.OilPressure, MotorCurrent: p.MotorCurrent,
		Ultrasonic: p.Ultrasonic, BroadBand: p.BroadBand, Energy: p.Energy, HighEnergy: p.HighEnergy, Gravity: p.Gravity,
		Heard: p.Heard, Turning: p.Turning, Drawing: p.Drawing, Shaking: p.Shaking, Exceeded: p.Exceeded,
		Predictions: p.Predictions, Faults: p.Faults,
	}, nil
}
