package features

import (
	"math"

	"foresight/internal/telemetry"
)

// The places of the statistics within a channel.
const (
	mean = iota
	std
	minimum
	maximum
	median
	q25
	q75
	spread
	variance
	rms
	mad
	sum
	sumSq
	maxMinRatio
)

// Extract computes the features of the window into v. It needs no full window: a
// channel's statistics are over the samples that it has. It allocates nothing.
func Extract(w *telemetry.Window, v *Vector) {
	var x [telemetry.WindowSize]float64
	for c := range telemetry.Channels {
		n := w.Samples(telemetry.Channel(c), &x)
		channel(x[:n], (*[PerChannel]float32)(v[c*PerChannel:]))
	}
}

// channel computes the statistics of the samples, which it sorts. Sums run over
// the sorted samples: the result depends on the set of samples alone, and so does
// not change when readings of one time change places.
func channel(x []float64, out *[PerChannel]float32) {
	n := len(x)
	if n == 0 {
		nan := float32(math.NaN())
		for i := range out {
			out[i] = nan
		}
		return
	}
	insertionSort(x)
	var s, ss float64
	for _, v := range x {
		s += v
		ss += v * v
	}
	m := s / float64(n)
	var dev float64
	for _, v := range x {
		dev += (v - m) * (v - m)
	}
	dev /= float64(n)
	lo, hi := x[0], x[n-1]
	mid := quantile(x, 0.5)
	ratio := 0.0
	if lo != 0 {
		ratio = hi / lo
	}
	out[mean] = clamp(m)
	out[std] = clamp(math.Sqrt(dev))
	out[minimum] = clamp(lo)
	out[maximum] = clamp(hi)
	out[median] = clamp(mid)
	out[q25] = clamp(quantile(x, 0.25))
	out[q75] = clamp(quantile(x, 0.75))
	out[spread] = clamp(hi - lo)
	out[variance] = clamp(dev)
	out[rms] = clamp(math.Sqrt(ss / float64(n)))
	out[mad] = clamp(medianDeviation(x, mid))
	out[sum] = clamp(s)
	out[sumSq] = clamp(ss)
	out[maxMinRatio] = clamp(ratio)
}

// insertionSort is the fastest sort for 14 values, most often nearly in order.
func insertionSort(x []float64) {
	for i := 1; i < len(x); i++ {
		v := x[i]
		j := i - 1
		for j >= 0 && x[j] > v {
			x[j+1] = x[j]
			j--
		}
		x[j+1] = v
	}
}

// quantile interpolates linearly between the sorted samples (the method 7 of
// Hyndman and Fan, numpy's default).
func quantile(x []float64, q float64) float64 {
	at := q * float64(len(x)-1)
	i := int(at)
	if i+1 >= len(x) {
		return x[len(x)-1]
	}
	return x[i] + (at-float64(i))*(x[i+1]-x[i])
}

// medianDeviation returns the median of |x-mid| for sorted x. The deviations left
// and right of the median ascend outwards, so merging the two sides sorts them.
func medianDeviation(x []float64, mid float64) float64 {
	n := len(x)
	right := n / 2
	left := right - 1
	var before, last float64
	for range n/2 + 1 {
		before = last
		if left < 0 || (right < n && x[right]-mid <= mid-x[left]) {
			last = x[right] - mid
			right++
		} else {
			last = mid - x[left]
			left--
		}
	}
	if n%2 == 1 {
		return last
	}
	return before + 0.5*(last-before)
}

// clamp rounds to float32 and keeps it finite.
func clamp(v float64) float32 {
	return float32(max(-math.MaxFloat32, min(math.MaxFloat32, v)))
}
