package public

import (
	"encoding/csv"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"foresight/inference/training"
)

// Modes are the ways to fail of AI4I 2020: tool wear, heat dissipation, power,
// overstrain, random.
var Modes = []string{"TWF", "HDF", "PWF", "OSF", "RNF"}

// ProcessColumns is how many features of AI4I 2020, the first ones, were measured; the
// others follow from them.
const ProcessColumns = 6

// ReadAI4I reads ai4i2020 in the folder of public data, once with two classes and once
// with one for each mode; a row of two modes counts as the first. The columns that define
// the target are no features. The group of a row is its number.
func ReadAI4I(data string) (two, six *Set, err error) {
	path := filepath.Join(data, "ai4i2020", "ai4i2020.csv")
	f, err := open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(records) < 2 || len(records[0]) != 9+len(Modes) {
		return nil, nil, fmt.Errorf("%s: not the table that is known", path)
	}
	features := []string{"type", "air_temperature", "process_temperature", "speed", "torque", "tool_wear", "power", "temperature_difference", "strain"}
	two = &Set{Features: features, Classes: []string{"runs", "fails"}}
	six = &Set{Features: features, Classes: append([]string{"runs"}, Modes...)}
	for i, r := range records[1:] {
		x, err := process(r)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: line %d: %w", path, i+2, err)
		}
		row := training.Row{X: x, Weight: 1, Group: uint32(i)}
		if r[8] == "1" {
			row.Label = 1
		}
		two.Rows = append(two.Rows, row)
		row.Label = 0
		for k := range Modes {
			if r[9+k] == "1" {
				row.Label = 1 + k
				break
			}
		}
		six.Rows = append(six.Rows, row)
	}
	return two, six, nil
}

// process is the features of a record: its process columns and what physics makes of
// them, which are the power (W), the temperature difference (K) and the strain (Nm min).
func process(record []string) ([]float32, error) {
	x := []float32{float32(strings.Index("LMH", record[2]))}
	var v [5]float64 // air and process temperature, K; speed, rpm; torque, Nm; tool wear, min
	for k := range v {
		var err error
		if v[k], err = strconv.ParseFloat(record[3+k], 64); err != nil {
			return nil, err
		}
		x = append(x, float32(v[k]))
	}
	return append(x, float32(v[3]*v[2]*2*math.Pi/60), float32(v[1]-v[0]), float32(v[3]*v[4])), nil
}
