package telemetry

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
	"time"
	"unsafe"
)

var epoch = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// constant is a reading whose channels are all v.
func constant(v float64) *[Channels]float64 {
	var ch [Channels]float64
	for i := range ch {
		ch[i] = v
	}
	return &ch
}

// firsts lists the first channel of every reading held, oldest first.
func firsts(w *Window) []float64 {
	out := []float64{}
	for _, ch := range w.All() {
		out = append(out, float64(ch[0]))
	}
	return out
}

func TestWindowKeepsTheNewestInEventOrder(t *testing.T) {
	type add struct {
		second  int
		value   float64
		inOrder bool
	}
	for _, c := range []struct {
		name string
		adds []add
		want []float64
	}{
		{"empty", nil, []float64{}},
		{"in order", []add{{1, 1, true}, {2, 2, true}}, []float64{1, 2}},
		{"late is left out", []add{{5, 5, true}, {4, 4, false}, {6, 6, true}}, []float64{5, 6}},
		{"equal times keep the order of arrival", []add{{5, 1, true}, {5, 2, true}, {5, 3, true}}, []float64{1, 2, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w Window
			for _, a := range c.adds {
				if got := w.Add(epoch.Add(time.Duration(a.second)*time.Second), constant(a.value)); got != a.inOrder {
					t.Errorf("Add at second %d: in order %v, want %v", a.second, got, a.inOrder)
				}
			}
			if got := firsts(&w); !slices.Equal(got, c.want) {
				t.Errorf("holds %v, want %v", got, c.want)
			}
		})
	}
}

func TestWindowRollsOver(t *testing.T) {
	var w Window
	for i := 1; i <= 40; i++ {
		if w.Full() != (i > WindowSize) {
			t.Fatalf("full %v before reading %d", w.Full(), i)
		}
		w.Add(epoch.Add(time.Duration(i)*time.Second), constant(float64(i)))
		got := firsts(&w)
		if len(got) != min(i, WindowSize) || len(got) != w.Len() || got[len(got)-1] != float64(i) || got[0] != float64(max(1, i-WindowSize+1)) {
			t.Fatalf("after %d: %v", i, got)
		}
		if at, ok := w.Newest(); !ok || !at.Equal(epoch.Add(time.Duration(i)*time.Second)) {
			t.Fatalf("newest %v, %v", at, ok)
		}
	}
	w.Reset()
	if _, ok := w.Newest(); ok || w.Len() != 0 || w.Full() {
		t.Error("not empty after Reset")
	}
	if !w.Add(epoch, constant(1)) {
		t.Error("an emptied window remembers its newest time")
	}
}

func TestWindowSamplesLeaveMissingOut(t *testing.T) {
	var w Window
	for i, v := range []float64{1, math.NaN(), 3, math.Inf(1), 1e300, 6} {
		ch := constant(7)
		ch[5] = v
		w.Add(epoch.Add(time.Duration(i)*time.Second), ch)
	}
	var buf [WindowSize]float64
	if got := buf[:w.Samples(5, &buf)]; !slices.Equal(got, []float64{1, 3, 6}) {
		t.Errorf("samples %v", got)
	}
	if n := w.Samples(4, &buf); n != 6 {
		t.Errorf("the other channels have %d samples, want 6", n)
	}
}

func TestWindowIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(Window{}); size >= 2000 {
		t.Errorf("a window takes %d bytes", size)
	}
}

// FuzzWindow compares the ring with a plain list of what it must hold.
func FuzzWindow(f *testing.F) {
	f.Add([]byte{1, 0, 2, 0, 3, 0})
	f.Add(slices.Repeat([]byte{9, 0, 1, 0}, 30))
	f.Fuzz(func(t *testing.T, data []byte) {
		var w Window
		var times, values []float64
		for i := 0; i+1 < len(data); i += 2 {
			at := float64(int16(binary.LittleEndian.Uint16(data[i:])))
			v := float64(i)
			want := len(times) == 0 || at >= times[len(times)-1]
			if got := w.Add(epoch.Add(time.Duration(at)*time.Millisecond), constant(v)); got != want {
				t.Fatalf("in order %v, want %v", got, want)
			}
			if want {
				times, values = append(times, at), append(values, v)
			}
			if n := len(times) - WindowSize; n > 0 {
				times, values = times[n:], values[n:]
			}
		}
		if got := firsts(&w); !slices.Equal(got, values) && len(got)+len(values) > 0 {
			t.Fatalf("holds %v, want %v", got, values)
		}
	})
}

func BenchmarkWindowAdd(b *testing.B) {
	b.ReportAllocs()
	var w Window
	ch := constant(1.25)
	at := epoch
	for b.Loop() {
		at = at.Add(time.Second)
		w.Add(at, ch)
	}
}
