package training

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"foresight/inference/artifact"
)

// How a calibration is fitted: in at most so many bins of equal rows, with an interval
// of so many resamples. Bins are many because failures are few: what matters are the
// highest margins, of a percent of the rows.
const (
	calibrationBins  = 1500
	leastBinRows     = 40
	resamples        = 200
	calibrationLevel = 0.9
)

// FitIsotonic fits the calibration of a binary model: isotonic regression of the label
// on the margin by pooling adjacent violators, on rows of machines that took no part in
// training. group is the machine of each row; the interval is the middle 90 % of the fits
// to resampled machines. Each bin holds one row of the mean outcome besides its own, so
// that no probability is 0 or 1.
func FitIsotonic(margins []float32, labels []int, group []uint32, seed int64) *artifact.Calibration {
	rows := len(margins)
	order := make([]int, rows)
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return margins[order[a]] < margins[order[b]] })
	size := max(leastBinRows, (rows+calibrationBins-1)/calibrationBins)
	bin := make([]int, rows) // of each row
	var centre []float64
	for at := 0; at < rows; {
		end := min(rows, at+size)
		for end < rows && margins[order[end]] == margins[order[end-1]] {
			end++
		}
		if rows-end < size/2 { // no thin last bin
			end = rows
		}
		sum := 0.0
		for _, i := range order[at:end] {
			bin[i] = len(centre)
			sum += float64(margins[i])
		}
		centre = append(centre, sum/float64(end-at))
		at = end
	}

	machines := map[uint32]int{} // to their place
	place := make([]int, rows)
	for i, g := range group {
		if _, known := machines[g]; !known {
			machines[g] = len(machines)
		}
		place[i] = machines[g]
	}
	base := 0.0
	for _, l := range labels {
		base += float64(l) / float64(rows)
	}
	fit := func(times []int) []float64 {
		n, hits := make([]float64, len(centre)), make([]float64, len(centre))
		for b := range n {
			n[b], hits[b] = 1, base
		}
		for i, b := range bin {
			w := float64(times[place[i]])
			n[b] += w
			hits[b] += w * float64(labels[i])
		}
		for b := range hits {
			hits[b] /= n[b]
		}
		return pool(hits, n)
	}
	once := make([]int, len(machines))
	for i := range once {
		once[i] = 1
	}
	p := fit(once)

	r := rand.New(rand.NewPCG(uint64(seed), 0x69736f746f6e6963))
	drawn := make([][]float64, len(centre))
	times := make([]int, len(machines))
	for range resamples {
		clear(times)
		for range times {
			times[r.IntN(len(times))]++
		}
		for b, v := range fit(times) {
			drawn[b] = append(drawn[b], v)
		}
	}
	c := &artifact.Calibration{Method: artifact.Isotonic, Level: calibrationLevel, Machines: len(machines), Rows: rows}
	at := func(q float64) int { return int(math.Round(q * float64(resamples-1))) }
	for b, m := range centre {
		slices.Sort(drawn[b])
		// Inside of a step only its ends tell something.
		if b > 0 && b+1 < len(centre) && p[b] == p[b-1] && p[b] == p[b+1] {
			continue
		}
		c.Margins, c.Probability = append(c.Margins, m), append(c.Probability, p[b])
		c.Low = append(c.Low, min(p[b], drawn[b][at((1-calibrationLevel)/2)]))
		c.High = append(c.High, max(p[b], drawn[b][at((1+calibrationLevel)/2)]))
	}
	return c
}

// pool is the ascending sequence nearest to v by weighted squares: adjacent violators
// are pooled into their mean.
func pool(v, weight []float64) []float64 {
	type block struct {
		mean, weight float64
		n            int
	}
	var blocks []block
	for i := range v {
		b := block{v[i], weight[i], 1}
		for len(blocks) > 0 && blocks[len(blocks)-1].mean >= b.mean {
			last := blocks[len(blocks)-1]
			blocks = blocks[:len(blocks)-1]
			w := last.weight + b.weight
			b = block{(last.mean*last.weight + b.mean*b.weight) / w, w, last.n + b.n}
		}
		blocks = append(blocks, b)
	}
	out := make([]float64, 0, len(v))
	for _, b := range blocks {
		for range b.n {
			out = append(out, b.mean)
		}
	}
	return out
}

// Coverages are the nominal coverages of label sets that are stored with a classifier.
var Coverages = []float64{0.9, 0.95, 0.99}

// FitConformal finds the limits of label sets from the calibrated probabilities
// (row-major) of rows whose machines took no part in training: the probability of the
// true class is below the limit in the share 1 - coverage of them, with the correction
// for their number that makes the coverage hold for the next row.
func FitConformal(p []float64, labels []int, classes, machines int) *artifact.Conformal {
	own := make([]float64, len(labels))
	for i, l := range labels {
		own[i] = p[i*classes+l]
	}
	slices.Sort(own)
	c := &artifact.Conformal{Method: artifact.LAC, Machines: machines, Rows: len(labels)}
	for _, coverage := range Coverages {
		limit := 0.0
		if below := int((1 - coverage) * float64(len(own)+1)); below > 0 {
			limit = own[below-1]
		}
		c.Levels = append(c.Levels, artifact.ConformalLevel{Coverage: coverage, Probability: limit})
	}
	return c
}
