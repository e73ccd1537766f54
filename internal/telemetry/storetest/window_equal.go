package storetest

import (
	"fmt"
	"math"
	"time"

	"foresight/internal/telemetry"
)

type sample struct {
	at time.Time
	ch [telemetry.Channels]uint32
}

// samplesOf lists a window's readings with the bits of their channels.
func samplesOf(w *telemetry.Window) []sample {
	var out []sample
	for at, ch := range w.All() {
		s := sample{at: at}
		for c, v := range ch {
			s.ch[c] = math.Float32bits(v)
		}
		out = append(out, s)
	}
	return out
}

func sameWindow(a, b *telemetry.Window) error {
	x, y := samplesOf(a), samplesOf(b)
	if len(x) != len(y) {
		return fmt.Errorf("%d readings, want %d", len(x), len(y))
	}
	for i := range x {
		if !x[i].at.Equal(y[i].at) || x[i].ch != y[i].ch {
			return fmt.Errorf("reading %d is of %v, want %v, channels equal: %v", i, x[i].at, y[i].at, x[i].ch == y[i].ch)
		}
	}
	return nil
}
