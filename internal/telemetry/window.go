package telemetry

import (
	"iter"
	"math"
	"time"
)

// WindowSize is the number of readings of a full window.
const WindowSize = 14

// Window holds the newest WindowSize readings of one sensor in event-time order,
// channels only, as float32 (a sensor's resolution is far coarser). It is a plain
// value of about 1.5 kB without pointers, so a worker may keep one per sensor; the
// zero value is empty. It is not safe for concurrent use.
type Window struct {
	channels [WindowSize][Channels]float32
	times    [WindowSize]int64 // event time, Unix nanoseconds
	head     uint8             // slot of the oldest reading
	n        uint8
}

// WindowOf returns the window of readings that a caller holds, the oldest first: their
// newest WindowSize ones. Their times are of no account.
func WindowOf(readings [][Channels]float64) *Window {
	w := new(Window)
	for i := range readings {
		w.Add(time.Unix(int64(i), 0), &readings[i])
	}
	return w
}

// Add appends a reading and drops the oldest one of a full window. A reading older
// than the newest one is late: it is not added and Add returns false, so late data
// never moves a window backwards. A reading at the newest one's very time is in
// order and goes behind it, so that readings of one time stand in the order of
// arrival (in the log's order, when a window is rebuilt). A channel that is NaN, or
// not finite as a float32, is missing.
func (w *Window) Add(ts time.Time, ch *[Channels]float64) (inOrder bool) {
	at := ts.UnixNano()
	if w.n > 0 && at < w.times[w.slot(int(w.n)-1)] {
		return false
	}
	var s int
	if w.n < WindowSize {
		s = w.slot(int(w.n))
		w.n++
	} else {
		s = int(w.head)
		w.head = uint8(w.slot(1))
	}
	w.times[s] = at
	for c, v := range ch {
		f := float32(v)
		if f-f != 0 { // infinite or NaN
			f = float32(math.NaN())
		}
		w.channels[s][c] = f
	}
	return true
}

// Lookback bounds a window in time wherever the product keeps one: no reading in it
// is older than the newest less this.
const Lookback = 7 * 24 * time.Hour

// AddWithin is Add after leaving out what is older than the reading by more than the
// lookback: a window that is rebuilt from what is stored within that time is then
// equal to one that was never lost.
func (w *Window) AddWithin(ts time.Time, ch *[Channels]float64, lookback time.Duration) (inOrder bool) {
	w.dropBefore(ts.Add(-lookback))
	return w.Add(ts, ch)
}

func (w *Window) dropBefore(limit time.Time) {
	for w.n > 0 && w.time(0).Before(limit) {
		w.head = uint8(w.slot(1))
		w.n--
	}
}

// Len returns the number of readings held, 0 to WindowSize.
func (w *Window) Len() int { return int(w.n) }

// Full reports whether the window holds WindowSize readings.
func (w *Window) Full() bool { return w.n == WindowSize }

// Newest returns the event time of the newest reading, and false when the window is empty.
func (w *Window) Newest() (time.Time, bool) {
	if w.n == 0 {
		return time.Time{}, false
	}
	return w.time(int(w.n) - 1), true
}

// All yields the readings, the oldest first. The channels point into the window:
// they are read only, and valid until the next Add.
func (w *Window) All() iter.Seq2[time.Time, *[Channels]float32] {
	return func(yield func(time.Time, *[Channels]float32) bool) {
		for i := range int(w.n) {
			if !yield(w.time(i), &w.channels[w.slot(i)]) {
				return
			}
		}
	}
}

// Samples copies the values of one channel that are not missing into dst, the
// oldest first, and returns their number.
func (w *Window) Samples(c Channel, dst *[WindowSize]float64) int {
	k := 0
	for i := range int(w.n) {
		if v := w.channels[w.slot(i)][c]; v == v {
			dst[k] = float64(v)
			k++
		}
	}
	return k
}

// Reset empties the window.
func (w *Window) Reset() { w.head, w.n = 0, 0 }

// slot returns the place of the i-th oldest reading.
func (w *Window) slot(i int) int {
	s := int(w.head) + i
	if s >= WindowSize {
		s -= WindowSize
	}
	return s
}

func (w *Window) time(i int) time.Time { return time.Unix(0, w.times[w.slot(i)]).UTC() }
