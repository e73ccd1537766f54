package sparkplug

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
)

// together is how far the times of the metrics of one measurement may lie apart: many
// nodes give each metric the time at which its own register was read.
const together = 1000 // ms

// Reading is what was measured at one time.
type Reading struct {
	Time       int64 // Unix milliseconds of the newest value; 0 when it has none
	Historical bool
	Values     []Value
}

// Readings puts values in the order of their times and splits them into readings: one
// holds the values of at most a second, each metric once, and either historical ones or
// present ones. The same values always give the same readings. It reorders values.
func Readings(values []Value) []Reading {
	slices.SortStableFunc(values, func(a, b Value) int { return cmp.Compare(a.Time, b.Time) })
	var out []Reading
	begin := 0
	for i := range values {
		if i > begin && !belongs(values[begin:i], values[i]) {
			out = append(out, reading(values[begin:i]))
			begin = i
		}
	}
	if begin < len(values) {
		out = append(out, reading(values[begin:]))
	}
	return out
}

func belongs(values []Value, v Value) bool {
	return v.Time-values[0].Time <= together && v.Historical == values[0].Historical &&
		!slices.ContainsFunc(values, func(o Value) bool { return o.Name == v.Name })
}

func reading(values []Value) Reading {
	return Reading{Time: values[len(values)-1].Time, Historical: values[0].Historical, Values: values}
}

// Parameter returns the name of a parameter that a metric stands for: the metric's own,
// or the one with its levels joined, `motor/DE/vib_band_1` for `motor_DE_vib_band_1`.
// known tells which parameters there are.
func Parameter(metric string, known func(string) bool) (string, bool) {
	if known(metric) {
		return metric, true
	}
	joined := strings.ReplaceAll(metric, "/", "_")
	return joined, joined != metric && known(joined)
}

// AppendJSON appends the reading in the form of the product's own messages, whose
// decoder then judges it as any other.
func (r Reading) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	if r.Time > 0 {
		b = append(b, `"timestamp":`...)
		b = strconv.AppendInt(b, r.Time, 10)
		b = append(b, ',')
	}
	b = append(b, `"parameters":{`...)
	for i, v := range r.Values {
		if i > 0 {
			b = append(b, ',')
		}
		name, _ := json.Marshal(v.Name) // a string: never fails
		b = append(append(b, name...), ':')
		if math.IsNaN(v.Number) {
			b = append(b, `null`...) // no number, which the decoder says
			continue
		}
		b = strconv.AppendFloat(b, v.Number, 'g', -1, 64)
	}
	return append(b, '}', '}')
}
