// Package features turns a window of readings into the numbers that the fault
// models see. Training, stream, batch and replay all call Extract, and nothing
// else computes a window feature, so the four agree to the last bit.
//
// A vector is channel-major: the 14 statistics of the first channel, then those of
// the second, and so on, in the order of telemetry.Channel and Statistics.
package features

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"

	"foresight/internal/telemetry"
)

// The length of a vector: 24 channels x 14 statistics.
const (
	PerChannel = 14
	Count      = telemetry.Channels * PerChannel
)

// Vector is the features of one full window. Its values are float32, as XGBoost
// sees them; NaN means that the channel had no sample in the window.
type Vector [Count]float32

// Statistic is one number computed over the samples of a channel.
type Statistic struct {
	Name       string
	Definition string // part of the schema hash: another definition is another schema
}

// Statistics lists the statistics in their binding order. x is the samples of one
// channel that are not missing, n their number.
var Statistics = [PerChannel]Statistic{
	{"mean", "sum(x)/n"},
	{"std", "sqrt(sum((x-mean)^2)/n)"},
	{"min", "min(x)"},
	{"max", "max(x)"},
	{"median", "quantile(x, 0.50), linear"},
	{"q25", "quantile(x, 0.25), linear"},
	{"q75", "quantile(x, 0.75), linear"},
	{"range", "max-min"},
	{"var", "sum((x-mean)^2)/n"},
	{"rms", "sqrt(sum(x^2)/n)"},
	{"mad", "median(|x-median|)"},
	{"sum", "sum(x)"},
	{"sum_sq", "sum(x^2)"},
	{"max_min_ratio", "max/min, 0 when min is 0"},
}

// rules of the schema beyond the single definitions.
const rules = "window 14 newest readings by event time; samples float32; missing samples left out; " +
	"no sample: NaN; sums over ascending samples in float64; values beyond float32 clamped to its limits"

var names = sync.OnceValue(func() (out [Count]string) {
	for c := range telemetry.Channels {
		for s, stat := range Statistics {
			out[c*PerChannel+s] = telemetry.Channel(c).String() + "_" + stat.Name
		}
	}
	return out
})

// Name returns the name of the i-th feature, `motor_DE_vib_band_1_mean`.
func Name(i int) string { return names()[i] }

// Names returns all names in order. The slice is the caller's.
func Names() []string {
	n := names()
	return n[:]
}

var places = sync.OnceValue(func() map[string]int {
	m := make(map[string]int, Count)
	for i, name := range names() {
		m[name] = i
	}
	return m
})

// Place returns the place of the feature in a vector.
func Place(name string) (int, bool) {
	i, ok := places()[name]
	return i, ok
}

// SchemaHash identifies the order and the definitions: the SHA-256 of their
// listing, in hex. A model trained under another hash must not be fed from here.
var SchemaHash = sync.OnceValue(func() string {
	h := sha256.New()
	fmt.Fprintln(h, rules)
	for i := range Count {
		fmt.Fprintf(h, "%d %s = %s\n", i, Name(i), Statistics[i%PerChannel].Definition)
	}
	return hex.EncodeToString(h.Sum(nil))
})
