package public

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"foresight/inference/training"
)

const (
	// Remaining is the number of cycles within which an engine of the second class fails.
	Remaining = 30
	// LookBack is how many cycles the features of a cycle look back.
	LookBack = 20

	engineValues = 24 // 3 settings, 21 sensors
)

// Engines are the turbofans of FD001.
type Engines struct {
	// Run are all cycles of the engines that ran to failure; the group is the engine, 1-100.
	Run Set
	// Cut is the last cycle of each engine of the official test, which was cut short.
	Cut []training.Row
}

// ReadEngines reads cmapss_fd001 in the folder of public data.
func ReadEngines(data string) (*Engines, error) {
	dir := filepath.Join(data, "cmapss_fd001")
	run, err := readCycles(filepath.Join(dir, "train_FD001.txt"))
	if err != nil {
		return nil, err
	}
	cut, err := readCycles(filepath.Join(dir, "test_FD001.txt"))
	if err != nil {
		return nil, err
	}
	left, err := readLeft(filepath.Join(dir, "RUL_FD001.txt"))
	if err != nil {
		return nil, err
	}
	e := &Engines{Run: Set{Classes: []string{"runs", "fails"}}}
	for v := range engineValues {
		name := fmt.Sprintf("sensor_%d", v-2)
		if v < 3 {
			name = fmt.Sprintf("setting_%d", v+1)
		}
		e.Run.Features = append(e.Run.Features, name, name+"_mean", name+"_slope")
	}
	e.Run.Rows = examples(run, func(int) int { return 0 })
	for _, c := range cut {
		if c.unit > len(left) {
			return nil, fmt.Errorf("%s: engine %d has no remaining life", dir, c.unit)
		}
	}
	rows := examples(cut, func(unit int) int { return left[unit-1] })
	for i := range rows {
		if i+1 == len(rows) || rows[i+1].Group != rows[i].Group {
			e.Cut = append(e.Cut, rows[i])
		}
	}
	return e, nil
}

// cycle is one flight of an engine.
type cycle struct {
	unit   int // from 1
	values []float64
}

func readCycles(path string) (out []cycle, err error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for s.Scan() {
		fields := strings.Fields(s.Text())
		if len(fields) != 2+engineValues {
			return nil, fmt.Errorf("%s: a line of %d fields", path, len(fields))
		}
		c := cycle{values: make([]float64, engineValues)}
		if c.unit, err = strconv.Atoi(fields[0]); err != nil || c.unit < 1 {
			return nil, fmt.Errorf("%s: engine %q", path, fields[0])
		}
		for i := range c.values {
			if c.values[i], err = strconv.ParseFloat(fields[2+i], 64); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		}
		out = append(out, c)
	}
	return out, s.Err()
}

// readLeft reads the cycles that the engines of the test had left at their last one.
func readLeft(path string) (left []int, err error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	for _, field := range strings.Fields(string(text)) {
		n, err := strconv.Atoi(field)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		left = append(left, n)
	}
	return left, nil
}

// examples makes a row of each cycle: of each value the present one, the mean and the
// slope over the last cycles. left is the number of cycles after the last one of an engine.
func examples(cycles []cycle, left func(unit int) int) (rows []training.Row) {
	for i := 0; i < len(cycles); {
		j := i
		for j < len(cycles) && cycles[j].unit == cycles[i].unit {
			j++
		}
		engine := cycles[i:j]
		for t := range engine {
			row := training.Row{Weight: 1, Group: uint32(engine[t].unit)}
			if len(engine)-1-t+left(engine[t].unit) <= Remaining {
				row.Label = 1
			}
			past := engine[max(0, t-LookBack+1) : t+1]
			for v, last := range engine[t].values {
				mean, slope := course(past, v)
				row.X = append(row.X, float32(last), float32(mean), float32(slope))
			}
			rows = append(rows, row)
		}
		i = j
	}
	return rows
}

// course is the mean of a value and its slope by cycle, NaN for fewer than 5.
func course(past []cycle, v int) (mean, slope float64) {
	n := float64(len(past))
	for _, c := range past {
		mean += c.values[v] / n
	}
	if len(past) < 5 {
		return mean, math.NaN()
	}
	spread := 0.0
	for u, c := range past {
		x := float64(u) - (n-1)/2
		slope += x * c.values[v]
		spread += x * x
	}
	return mean, slope / spread
}
