package training

import (
	"fmt"
	"io"
	"slices"
)

// Join writes the rows of both data sets, each in its split, with its weight. The classes
// of the second widen the list of the first. Machines of a plant (see Machine) that both
// have stay in the split that they have in the first, and an example that both have is
// that of the second: more may be known of it by now. All other machines of the second are
// others than those of the first.
func Join(w io.Writer, a, b *Dataset) (hash string, err error) {
	if !slices.Equal(a.Features, b.Features) {
		return "", fmt.Errorf("training: data sets of %d and %d features do not go together", len(a.Features), len(b.Features))
	}
	h := Header{Features: a.Features, FeatureSchemaHash: a.FeatureSchemaHash, Classes: slices.Clone(a.Classes), Rows: b.total()}
	label := make([]int, len(b.Classes))
	for i, c := range b.Classes {
		if label[i] = slices.Index(h.Classes, c); label[i] < 0 {
			label[i] = len(h.Classes)
			h.Classes = append(h.Classes, c)
		}
	}
	again := newExamples()
	if err := b.each(func(r *Row) error { again.add(r); return nil }); err != nil {
		return "", err
	}
	if err := a.each(func(r *Row) error {
		if !again.has(r) {
			h.Rows++
		}
		return nil
	}); err != nil {
		return "", err
	}
	d, err := NewWriter(w, h)
	if err != nil {
		return "", err
	}
	if err := a.each(func(r *Row) error {
		if again.has(r) {
			return nil
		}
		return d.Write(r)
	}); err != nil {
		return "", err
	}
	// Machines of no plant count on from those of the first, in order.
	known, next, place := a.machines(), a.next(), map[uint32]uint32{}
	if err := b.each(func(r *Row) error {
		if r.Group >= plants {
			if s, ok := known[r.Group]; ok {
				r.Split = s
			}
		} else {
			group, met := place[r.Group]
			if !met {
				group = next + uint32(len(place))
				place[r.Group] = group
			}
			r.Group = group
		}
		r.Label = label[r.Label]
		return d.Write(r)
	}); err != nil {
		return "", err
	}
	return d.Close()
}

// total is the number of rows.
func (d *Dataset) total() (n int) {
	for s := range d.Parts {
		n += d.Parts[s].Rows()
	}
	return n
}

// each calls f for every row, by split; the row is valid during the call.
func (d *Dataset) each(f func(*Row) error) error {
	n := len(d.Features)
	for s := range d.Parts {
		p := &d.Parts[s]
		for i, l := range p.Labels {
			row := Row{X: p.X[i*n : (i+1)*n], Label: l, Weight: p.Weights[i], Split: Split(s), Group: p.Group[i]}
			if err := f(&row); err != nil {
				return err
			}
		}
	}
	return nil
}

// Copy writes a data set again.
func Copy(w io.Writer, of *Dataset) (hash string, err error) {
	d, err := NewWriter(w, of.Header)
	if err != nil {
		return "", err
	}
	if err := of.each(d.Write); err != nil {
		return "", err
	}
	return d.Close()
}
