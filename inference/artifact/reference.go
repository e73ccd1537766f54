package artifact

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// ReferenceBins is the most bins of a feature in a Reference, besides that of missing
// values.
const ReferenceBins = 20

// Reference is how the training rows lay: of each class and feature a histogram, by
// which what a model meets later is compared with what it was trained on. It is kept by
// class, because the classes of training data are balanced by hand and those of a plant
// are not: mixed in the plant's proportions they say what the model would see if nothing
// but the proportions differed.
type Reference struct {
	// Edges are, by feature, the values between two bins, ascending: quantiles of all
	// classes together, each class counting the same. A value equal to an edge belongs to
	// the bin above it. A feature with one value has none and one bin.
	Edges []Floats `json:"edges"`
	// Rows are the training rows by class.
	Rows []int `json:"rows"`
	// Counts are the rows of each bin and, last, the missing ones; by class, then by
	// feature, len(Edges[f])+2 each. They are scaled down to at most 65,535 rows a class.
	Counts Counts `json:"counts"`
}

// Counts is a slice of numbers that JSON holds as base64 of their little-endian bytes.
type Counts []uint16

// MarshalJSON implements json.Marshaler.
func (c Counts) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 2*len(c))
	for _, v := range c {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	return json.Marshal(base64.StdEncoding.EncodeToString(b))
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *Counts) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return err
	}
	if len(b)%2 != 0 {
		return errors.New("counts: length is no multiple of 2 bytes")
	}
	*c = make(Counts, len(b)/2)
	for i := range *c {
		(*c)[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return nil
}

// Bin is the place of a value among the bins of a feature; that of a missing one is the
// last, behind the bin above the greatest edge. It allocates nothing.
func (r *Reference) Bin(feature int, v float32) int {
	edges := r.Edges[feature]
	if v != v {
		return len(edges) + 1
	}
	low, high := 0, len(edges)
	for low < high {
		if mid := (low + high) / 2; v >= edges[mid] {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// Mixture returns, by feature, the share of rows in each bin and, last, the missing
// ones, when the classes occur in the proportions given, which need not sum up to 1. A
// class without training rows counts nothing; nil when none has any.
func (r *Reference) Mixture(proportions []float64) [][]float64 {
	total := 0.0
	weight := make([]float64, len(r.Rows))
	at := make([]int, len(r.Rows)) // where the counts of a class begin
	width := 0
	for _, e := range r.Edges {
		width += len(e) + 2
	}
	for k := range r.Rows {
		at[k] = k * width
		if k < len(proportions) && r.Rows[k] > 0 && proportions[k] > 0 {
			weight[k] = proportions[k]
			total += proportions[k]
		}
	}
	if total == 0 {
		return nil
	}
	out := make([][]float64, len(r.Edges))
	from := 0
	for f, e := range r.Edges {
		n := len(e) + 2
		shares := make([]float64, n)
		for k, w := range weight {
			if w == 0 {
				continue
			}
			counts := r.Counts[at[k]+from : at[k]+from+n]
			rows := 0.0
			for _, c := range counts {
				rows += float64(c)
			}
			if rows == 0 {
				continue
			}
			for b, c := range counts {
				shares[b] += w / total * float64(c) / rows
			}
		}
		out[f] = shares
		from += n
	}
	return out
}

// check refuses a reference that does not fit the model.
func (r *Reference) check(features, classes int) error {
	if len(r.Edges) != features || len(r.Rows) != classes {
		return fmt.Errorf("reference of %d features and %d classes, want %d and %d", len(r.Edges), len(r.Rows), features, classes)
	}
	width := 0
	for f, e := range r.Edges {
		if len(e) >= ReferenceBins {
			return fmt.Errorf("reference with %d bins of feature %d, at most %d", len(e)+1, f, ReferenceBins)
		}
		for i, v := range e {
			if v != v || i > 0 && v <= e[i-1] {
				return fmt.Errorf("the edges of feature %d of the reference do not ascend", f)
			}
		}
		width += len(e) + 2
	}
	if len(r.Counts) != classes*width {
		return fmt.Errorf("reference with %d counts, want %d", len(r.Counts), classes*width)
	}
	for _, n := range r.Rows {
		if n < 0 {
			return errors.New("reference with a negative number of rows")
		}
	}
	return nil
}
