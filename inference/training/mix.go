package training

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"
)

// Correction is a labelled example from a plant: what somebody found out about a
// prediction.
type Correction struct {
	X     []float32 // the features as they were at the prediction
	Class string    // what it was; a new name widens the class list
	Asset uint32    // examples of one asset are in one split; of a plant's machine, see Machine, in that of its original rows
	At    time.Time // of the prediction; assets with the newest ones are held out first
}

// MixOptions choose how corrections join the data that a model was trained on.
type MixOptions struct {
	// Weight of a correction beside the weight of 1 of an original row; 3 when 0.
	Weight float32
	// HeldOut is the share of the assets with corrections whose examples go to
	// validation, calibration and test instead of training; 0.2 when 0, none when negative.
	HeldOut float64
	// MaxBoost bounds the factor by which a class with little weight is raised towards
	// the median class, so that a new class is learnt; 8 when 0, 1 raises none.
	MaxBoost float32
	Seed     uint64
}

// MixReport says what became of the corrections.
type MixReport struct {
	Hash    string
	Classes []string
	New     []string // classes that the original data do not have
	Rows    int
	Train   int // corrections that train
	Held    int
	Boost   map[string]float32 // factors above 1, by class
}

// Mix writes the data set of a retraining: all original rows, so that nothing is
// forgotten, in their splits, and the corrections beside them. The original's test
// stays what it was, but for the held-out corrections: the retrained model is judged
// where the first one was.
func Mix(w io.Writer, original *Dataset, corrections []Correction, o MixOptions) (*MixReport, error) {
	if len(corrections) == 0 {
		return nil, errors.New("training: no corrections")
	}
	set(&o.Weight, 3)
	set(&o.HeldOut, 0.2)
	set(&o.MaxBoost, 8)
	r := &MixReport{Classes: slices.Clone(original.Classes), Boost: map[string]float32{}}
	labels := make([]int, len(corrections))
	for i, c := range corrections {
		if len(c.X) != len(original.Features) || c.Class == "" {
			return nil, fmt.Errorf("training: correction %d has %d features of %d, class %q", i, len(c.X), len(original.Features), c.Class)
		}
		if labels[i] = slices.Index(r.Classes, c.Class); labels[i] < 0 {
			labels[i] = len(r.Classes)
			r.Classes, r.New = append(r.Classes, c.Class), append(r.New, c.Class)
		}
	}
	groups, split := place(original, corrections, o)
	boost := boosts(original, labels, split, len(r.Classes), o)
	for k, b := range boost {
		if b > 1 {
			r.Boost[r.Classes[k]] = b
		}
	}
	h := original.Header
	h.Classes = r.Classes
	for s := range original.Parts {
		r.Rows += original.Parts[s].Rows()
	}
	r.Rows += len(corrections)
	h.Rows = r.Rows
	d, err := NewWriter(w, h)
	if err != nil {
		return nil, err
	}
	n := len(h.Features)
	for s := range original.Parts {
		p := &original.Parts[s]
		for i, l := range p.Labels {
			row := Row{X: p.X[i*n : (i+1)*n], Label: l, Weight: p.Weights[i] * boost[l], Split: Split(s), Group: p.Group[i]}
			if err := d.Write(&row); err != nil {
				return nil, err
			}
		}
	}
	for i, c := range corrections {
		row := Row{X: c.X, Label: labels[i], Weight: o.Weight * boost[labels[i]], Split: split[i], Group: groups[i]}
		if row.Split == Train {
			r.Train++
		} else {
			r.Held++
		}
		if err := d.Write(&row); err != nil {
			return nil, err
		}
	}
	r.Hash, err = d.Close()
	return r, err
}

// place gives every asset a group and a split: those of its rows in the original, where it
// has any, else a group behind those of the original.
func place(original *Dataset, corrections []Correction, o MixOptions) (groups []uint32, split []Split) {
	next, known := original.next(), original.machines()
	var assets []uint32 // that are to be placed
	for _, c := range corrections {
		if _, there := known[c.Asset]; !there {
			assets = append(assets, c.Asset)
		}
	}
	slices.Sort(assets)
	assets = slices.Compact(assets)
	newest := make([]time.Time, len(assets))
	for _, c := range corrections {
		if i, found := slices.BinarySearch(assets, c.Asset); found && c.At.After(newest[i]) {
			newest[i] = c.At
		}
	}
	r := rand.New(rand.NewPCG(o.Seed, 0x6d6978))
	held := map[uint32]Split{}
	order := r.Perm(len(assets))
	// What is judged is later than what was learnt from, as it will be in use.
	slices.SortStableFunc(order, func(a, b int) int { return newest[b].Compare(newest[a]) })
	for i := range int(max(0, o.HeldOut) * float64(len(assets))) {
		held[assets[order[i]]] = []Split{Test, Validation, Calibrate, Test}[i%4]
	}
	for _, c := range corrections {
		group := c.Asset
		s, there := known[c.Asset]
		if !there {
			s = held[c.Asset] // Train when it is not held out
		}
		if c.Asset < plants {
			i, _ := slices.BinarySearch(assets, c.Asset)
			group = next + uint32(i)
		}
		groups, split = append(groups, group), append(split, s)
	}
	return groups, split
}

// boosts are the factors of the classes' weights: a class with less weight in training
// than the median class is raised towards it, never above, and by MaxBoost at most.
func boosts(original *Dataset, labels []int, split []Split, classes int, o MixOptions) []float32 {
	total := make([]float32, classes)
	train := &original.Parts[Train]
	for i, l := range train.Labels {
		total[l] += train.Weights[i]
	}
	for i, l := range labels {
		if split[i] == Train {
			total[l] += o.Weight
		}
	}
	sorted := slices.Clone(total)
	slices.Sort(sorted)
	median := sorted[(classes-1)/2]
	out := make([]float32, classes)
	for k, t := range total {
		out[k] = 1
		if t > 0 && t < median {
			out[k] = min(o.MaxBoost, median/t)
		}
	}
	return out
}
