package features

import (
	"encoding/binary"
	"math"
	"sort"
	"testing"
	"time"

	"foresight/internal/telemetry"
)

var nan = math.NaN()

// windowOf holds the values in channel 0, one reading each.
func windowOf(values ...float64) *telemetry.Window {
	w := new(telemetry.Window)
	for i, v := range values {
		ch := telemetry.NoChannels()
		ch[0] = v
		w.Add(time.Unix(int64(i), 0), &ch)
	}
	return w
}

// The wanted values were worked out from the definitions by hand, apart from the
// code.
func TestStatistics(t *testing.T) {
	for _, c := range []struct {
		name    string
		samples []float64
		want    [PerChannel]float64
	}{
		{"1 to 14", []float64{14, 1, 13, 2, 12, 3, 11, 4, 10, 5, 9, 6, 8, 7}, [PerChannel]float64{
			7.5, 4.031128874149275, 1, 14, 7.5, 4.25, 10.75, 13, 16.25, 8.514693182963201, 3.5, 105, 1015, 14}},
		{"an outlier", []float64{2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 30}, [PerChannel]float64{
			4, 7.211102550927978, 2, 30, 2, 2, 2, 28, 52, 8.246211251235321, 0, 56, 952, 15}},
		{"missing left out", []float64{nan, 4, nan, 1, 2, nan}, [PerChannel]float64{
			2.3333333333333335, 1.247219128924647, 1, 4, 2, 1.5, 3, 3, 1.5555555555555556, 2.6457513110645907, 1, 7, 21, 4}},
		{"stuck", []float64{5, 5, 5}, [PerChannel]float64{5, 0, 5, 5, 5, 5, 5, 0, 0, 5, 0, 15, 75, 1}},
		{"minimum zero", []float64{0, 3}, [PerChannel]float64{1.5, 1.5, 0, 3, 1.5, 0.75, 2.25, 3, 2.25, 2.1213203435596424, 1.5, 3, 9, 0}},
		{"negative minimum", []float64{-2, 3}, [PerChannel]float64{0.5, 2.5, -2, 3, 0.5, -0.75, 1.75, 5, 6.25, 2.5495097567963922, 2.5, 1, 13, -1.5}},
		{"one sample", []float64{-3}, [PerChannel]float64{-3, 0, -3, -3, -3, -3, -3, 0, 0, 3, 0, -3, 9, 1}},
		{"ratio beyond float32", []float64{1e-40, 400}, [PerChannel]float64{
			200, 200, 1e-40, 400, 200, 100, 300, 400, 40000, 282.842712474619, 200, 400, 160000, math.MaxFloat32}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var v Vector
			Extract(windowOf(c.samples...), &v)
			for s := range PerChannel {
				if want := float32(c.want[s]); v[s] != want {
					t.Errorf("%s = %v, want %v", Statistics[s].Name, v[s], want)
				}
			}
			for i := PerChannel; i < Count; i++ {
				if v[i] == v[i] {
					t.Fatalf("%s = %v without a sample, want NaN", Name(i), v[i])
				}
			}
		})
	}
}

func TestOrderWithinTheWindowDoesNotMatter(t *testing.T) {
	a := []float64{0.1, 0.7, 0.3, 1e7, 0.2, 0.9, 3e-5, 0.4, 12.3, 0.6, 0.8, 0.11, 0.22, 0.33}
	var first, turned Vector
	Extract(windowOf(a...), &first)
	for i, j := 0, len(a)-1; i < j; i, j = i+1, j-1 {
		a[i], a[j] = a[j], a[i]
	}
	Extract(windowOf(a...), &turned)
	for s := range PerChannel {
		if first[s] != turned[s] {
			t.Errorf("%s = %v, and %v in the other order", Statistics[s].Name, first[s], turned[s])
		}
	}
}

func TestNamesAndSchema(t *testing.T) {
	for i, want := range map[int]string{
		0: "motor_DE_vib_band_1_mean", 13: "motor_DE_vib_band_1_max_min_ratio",
		14: "motor_DE_vib_band_2_mean", 335: "pump_NDE_temperature_max_min_ratio",
	} {
		if got := Name(i); got != want {
			t.Errorf("Name(%d) = %s, want %s", i, got, want)
		}
	}
	if n := len(Names()); n != 336 {
		t.Errorf("%d names", n)
	}
	// Models in stores name this hash. It changes only together with what the
	// features mean, and then every model must be trained again.
	const want = "e4e939f9af67a892a957dd68c5596c7814e7881a0f9baa97bfca302efb13597c"
	if got := SchemaHash(); got != want {
		t.Errorf("schema hash %s, want %s", got, want)
	}
}

func TestExtractAllocatesNothing(t *testing.T) {
	w := sampleWindow()
	var v Vector
	if n := testing.AllocsPerRun(100, func() { Extract(w, &v) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzExtract compares with a naive second implementation.
func FuzzExtract(f *testing.F) {
	f.Add([]byte{0, 0, 128, 63, 0, 0, 0, 64})
	f.Add([]byte{0, 0, 192, 127, 0, 0, 128, 127, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		var values []float64
		for ; len(data) >= 4 && len(values) < telemetry.WindowSize; data = data[4:] {
			values = append(values, float64(math.Float32frombits(binary.LittleEndian.Uint32(data))))
		}
		var v Vector
		Extract(windowOf(values...), &v)
		want := naive(values)
		for s := range PerChannel {
			got, w := float64(v[s]), want[s]
			if math.IsNaN(got) && math.IsNaN(w) {
				continue
			}
			w = max(-math.MaxFloat32, min(math.MaxFloat32, w))
			scale := max(math.Abs(want[maximum]), math.Abs(want[minimum]))
			if s == variance || s == sumSq {
				scale *= scale
			}
			if s == maxMinRatio {
				scale = math.Abs(w)
			}
			if !(math.Abs(got-w) <= 1e-5*max(scale*14, 1e-30)) {
				t.Errorf("%s of %v = %v, want %v", Statistics[s].Name, values, got, w)
			}
		}
	})
}

// naive computes the statistics the way that the definitions read.
func naive(values []float64) (out [PerChannel]float64) {
	var x []float64
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			x = append(x, v)
		}
	}
	if len(x) == 0 {
		for i := range out {
			out[i] = nan
		}
		return out
	}
	at := func(x []float64, q float64) float64 {
		s := append([]float64(nil), x...)
		sort.Float64s(s)
		p := q * float64(len(s)-1)
		lo, hi := s[int(math.Floor(p))], s[int(math.Ceil(p))]
		return lo + (p-math.Floor(p))*(hi-lo)
	}
	total := func(f func(float64) float64) (t float64) {
		for _, v := range x {
			t += f(v)
		}
		return t
	}
	n := float64(len(x))
	out[sum] = total(func(v float64) float64 { return v })
	out[mean] = out[sum] / n
	out[variance] = total(func(v float64) float64 { return math.Pow(v-out[mean], 2) }) / n
	out[std] = math.Sqrt(out[variance])
	out[minimum], out[maximum] = at(x, 0), at(x, 1)
	out[median], out[q25], out[q75] = at(x, 0.5), at(x, 0.25), at(x, 0.75)
	out[spread] = out[maximum] - out[minimum]
	out[sumSq] = total(func(v float64) float64 { return v * v })
	out[rms] = math.Sqrt(out[sumSq] / n)
	var dev []float64
	for _, v := range x {
		dev = append(dev, math.Abs(v-out[median]))
	}
	out[mad] = at(dev, 0.5)
	if out[minimum] != 0 {
		out[maxMinRatio] = out[maximum] / out[minimum]
	}
	return out
}

func sampleWindow() *telemetry.Window {
	w := new(telemetry.Window)
	state := uint32(1)
	for i := range telemetry.WindowSize {
		var ch [telemetry.Channels]float64
		for c := range ch {
			state = state*1664525 + 1013904223
			ch[c] = 1 + float64(state>>8)/(1<<24)
		}
		w.Add(time.Unix(int64(i), 0), &ch)
	}
	return w
}

// Compare: the ratio of the two is what counts.
func BenchmarkExtract(b *testing.B) {
	w := sampleWindow()
	b.Run("stack", func(b *testing.B) {
		b.ReportAllocs()
		var v Vector
		for b.Loop() {
			Extract(w, &v)
		}
	})
	b.Run("naive", func(b *testing.B) {
		b.ReportAllocs()
		var v Vector
		values := make([]float64, telemetry.WindowSize)
		for b.Loop() {
			for c := range telemetry.Channels {
				i := 0
				for _, ch := range w.All() {
					values[i] = float64(ch[c])
					i++
				}
				for s, x := range naive(values) {
					v[c*PerChannel+s] = float32(x)
				}
			}
		}
	})
}
