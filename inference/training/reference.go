package training

import (
	"math"
	"slices"

	"foresight/inference/artifact"
)

// FitReference sums up how the training rows lie, by class and feature. Rows count
// once each, whatever their weight: weights are for the loss.
func FitReference(train *Part, features, classes int) *artifact.Reference {
	r := &artifact.Reference{Edges: make([]artifact.Floats, features), Rows: make([]int, classes)}
	for _, l := range train.Labels {
		r.Rows[l]++
	}
	width := 0
	for f := range features {
		r.Edges[f] = edges(train, features, f, r.Rows)
		width += len(r.Edges[f]) + 2
	}
	counts := make([]int, classes*width)
	for i, l := range train.Labels {
		row, from := train.X[i*features:(i+1)*features], l*width
		for f, v := range row {
			counts[from+r.Bin(f, v)]++
			from += len(r.Edges[f]) + 2
		}
	}
	r.Counts = make(artifact.Counts, len(counts))
	for k, rows := range r.Rows {
		scale := 1.0
		if rows > math.MaxUint16 {
			scale = math.MaxUint16 / float64(rows)
		}
		for i := k * width; i < (k+1)*width; i++ {
			r.Counts[i] = uint16(math.Round(scale * float64(counts[i])))
		}
	}
	return r
}

// edges are quantiles of a feature over all classes, in which each class counts the
// same; equal ones are one edge.
func edges(train *Part, features, feature int, rows []int) artifact.Floats {
	type weighed struct {
		value  float32
		weight float64
	}
	column := make([]weighed, 0, len(train.Labels))
	total := 0.0
	for i, l := range train.Labels {
		if v := train.X[i*features+feature]; v == v {
			w := 1 / float64(rows[l])
			column = append(column, weighed{v, w})
			total += w
		}
	}
	slices.SortFunc(column, func(a, b weighed) int {
		switch {
		case a.value < b.value:
			return -1
		case a.value > b.value:
			return 1
		}
		return 0
	})
	var out artifact.Floats
	below, next := 0.0, 1
	for i, c := range column {
		// An edge stands at the first value below which the wanted share lies.
		if wanted := func() float64 { return total*float64(next)/artifact.ReferenceBins - 1e-9 }; i > 0 && c.value > column[i-1].value && below >= wanted() {
			out = append(out, c.value)
			for next < artifact.ReferenceBins && below >= wanted() {
				next++
			}
			if next == artifact.ReferenceBins {
				break
			}
		}
		below += c.weight
	}
	return out
}
