// Package fleet makes the data sets of simulated machines that the shipped models are
// trained and judged on.
package fleet

import (
	"io"
	"math/rand/v2"
	"time"

	"foresight/inference/features"
	"foresight/inference/training"
	"foresight/internal/simulate"
	"foresight/internal/telemetry"
)

// Plan says how much of what the data set of windows holds.
type Plan struct {
	Seed           uint64  `json:"seed"`
	FaultMachines  int     `json:"fault_machines"`  // per fault code
	NormalMachines int     `json:"normal_machines"` // healthy ones, many: false alarms cost trust
	Windows        int     `json:"windows"`         // per machine
	MinSeverity    float64 `json:"min_severity"`    // 0-1; windows of lesser faults are not in the data
}

// rates are the times between readings that are met in plants.
var rates = []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute}

// thermal lists the faults that show in temperature alone, or nearly so: they
// cannot be seen before the casing has warmed.
var thermal = map[string]bool{"cooling_failure": true, "bearing_overgrease_churning": true, "motor_overload": true}

// Classes are the labels in the model's order.
func Classes() (out []string) {
	for _, c := range telemetry.FaultCodes() {
		out = append(out, c.Code)
	}
	return out
}

// WriteWindows writes the data set: every machine has its own seed, one fault or none,
// and one split (see splitOf).
func WriteWindows(w io.Writer, p Plan) (hash string, err error) {
	labels := Classes()
	machines := 0
	for _, code := range labels {
		machines += p.machines(code)
	}
	d, err := training.NewWriter(w, training.Header{
		Rows: machines * p.Windows, Features: features.Names(), FeatureSchemaHash: features.SchemaHash(), Classes: labels,
	})
	if err != nil {
		return "", err
	}
	group := uint32(0)
	for label, code := range labels {
		for i := range p.machines(code) {
			row := training.Row{Label: label, Weight: weight(code), Group: group, Split: splitOf(i)}
			err := windows(p, uint64(group), code, func(v *features.Vector) error {
				row.X = v[:]
				return d.Write(&row)
			})
			if err != nil {
				return "", err
			}
			group++
		}
	}
	return d.Close()
}

// machines is the number of machines of a class. A faulty sensor has many faces (5
// ways to fail x 4 places x its quantities), and what shows in temperature alone
// has to be told from weather and load: they get more.
func (p Plan) machines(code string) int {
	switch {
	case code == telemetry.Normal:
		return p.NormalMachines
	case code == "sensor_fault":
		return 6 * p.FaultMachines
	case thermal[code]:
		return 2 * p.FaultMachines
	}
	return p.FaultMachines
}

// weight of a class's windows. A false alarm costs trust, and most machines are well.
func weight(code string) float32 {
	if code == telemetry.Normal {
		return 2
	}
	return 1
}

// splitOf gives of twenty machines of a class twelve to training, two to early stopping,
// two to calibration and four to the test.
func splitOf(i int) training.Split {
	switch i % 20 {
	case 3, 13:
		return training.Validation
	case 8, 18:
		return training.Calibrate
	case 5, 9, 15, 19:
		return training.Test
	}
	return training.Train
}

// standstill is the share of a healthy machine's windows in which it stands.
const standstill = 0.03

// windows measures one machine: days apart, at severities and ages of the fault
// drawn anew, a full window each.
func windows(p Plan, machine uint64, code string, emit func(*features.Vector) error) error {
	seed := p.Seed<<32 | machine
	m := simulate.NewMachine(seed, simulate.Profile{})
	r := rand.New(rand.NewPCG(seed, 0x706c616e))
	every := rates[r.IntN(len(rates))]
	now := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.IntN(1e6)) * time.Second)
	var v features.Vector
	for range p.Windows {
		now = now.Add(time.Duration(6+r.IntN(60)) * time.Hour)
		if err := m.SetFault(telemetry.Normal, 0); err != nil {
			return err
		}
		m.Next(now)
		m.Settle()
		if code != telemetry.Normal {
			if err := m.SetFault(code, p.MinSeverity+(1-p.MinSeverity)*r.Float64()); err != nil {
				return err
			}
		}
		still := code == telemetry.Normal && r.Float64() < standstill
		if still {
			m.Stop()
			now = warm(m, now, time.Duration(5+r.IntN(200))*time.Minute)
		} else if r.Float64() < 0.6 { // the fault is old: the casing has warmed
			m.Settle()
		} else if thermal[code] {
			now = warm(m, now, 20*time.Minute+time.Duration(r.IntN(40))*time.Minute)
		} else {
			now = warm(m, now, time.Duration(r.IntN(40))*time.Minute)
		}
		var w telemetry.Window
		for !w.Full() {
			now = now.Add(every)
			s := m.Next(now)
			w.Add(now, &s.Channels)
		}
		m.Run()
		features.Extract(&w, &v)
		if err := emit(&v); err != nil {
			return err
		}
	}
	return nil
}

// warm runs the machine on in steps of a minute.
func warm(m *simulate.Machine, now time.Time, d time.Duration) time.Time {
	for end := now.Add(d); now.Before(end); now = now.Add(time.Minute) {
		m.Next(now)
	}
	return now
}
