package training

import (
	"cmp"
	"errors"
	"io"
	"math"
	"slices"
	"time"
)

// Example is a labelled row whose split is still to be chosen.
type Example struct {
	X      []float32
	Label  int
	Weight float32   // 0: 1
	Group  uint32    // the machine
	At     time.Time // as of when its features are
}

// ErrTooFew says that there are too few machines to train on some and judge on others.
var ErrTooFew = errors.New("training: too few machines")

// HoldOut says which machines do not train: of each class the share of machines whose
// examples are the newest, so that what is judged is both of other machines and later
// than what was learnt from. A machine with several classes counts for the one that
// the fewest machines have. All machines that are not in the result train.
func HoldOut(all []Example, share float64) map[uint32]Split {
	newest := map[uint32]time.Time{}
	has := map[uint32]map[int]bool{}
	for i := range all {
		e := &all[i]
		if has[e.Group] == nil {
			has[e.Group] = map[int]bool{}
		}
		has[e.Group][e.Label] = true
		if e.At.After(newest[e.Group]) {
			newest[e.Group] = e.At
		}
	}
	machines := map[int]int{} // of a class
	for _, labels := range has {
		for l := range labels {
			machines[l]++
		}
	}
	of := map[int][]uint32{} // by their rarest class
	for g, labels := range has {
		rarest := -1
		for l := range labels {
			if rarest < 0 || machines[l] < machines[rarest] || machines[l] == machines[rarest] && l > rarest {
				rarest = l
			}
		}
		of[rarest] = append(of[rarest], g)
	}
	classes := make([]int, 0, len(of))
	for l := range of {
		classes = append(classes, l)
	}
	slices.SortFunc(classes, func(a, b int) int { return cmp.Or(cmp.Compare(len(of[b]), len(of[a])), cmp.Compare(a, b)) })
	held := map[uint32]Split{}
	turn := 0
	for _, l := range classes {
		groups := of[l]
		slices.SortFunc(groups, func(a, b uint32) int { return cmp.Or(newest[b].Compare(newest[a]), cmp.Compare(a, b)) })
		n := int(math.Round(share * float64(len(groups))))
		if n == len(groups) {
			n--
		}
		for _, g := range groups[:max(0, n)] {
			held[g] = []Split{Test, Validation, Calibrate, Test}[turn%4]
			turn++
		}
	}
	return held
}

// WriteExamples writes the data set of examples, of which the share of machines is held
// out (see HoldOut). When whole, every split that a training needs must have rows, and
// training rows of at least two classes: else it is ErrTooFew.
func WriteExamples(w io.Writer, h Header, all []Example, share float64, whole bool) (hash string, err error) {
	held := HoldOut(all, share)
	if whole {
		var rows [splits]int
		labels := map[int]bool{}
		for i := range all {
			s := held[all[i].Group]
			if rows[s]++; s == Train {
				labels[all[i].Label] = true
			}
		}
		if rows[Train] == 0 || rows[Validation] == 0 || rows[Test] == 0 || len(labels) < 2 {
			return "", ErrTooFew
		}
	}
	h.Rows = len(all)
	d, err := NewWriter(w, h)
	if err != nil {
		return "", err
	}
	for i := range all {
		e := &all[i]
		row := Row{X: e.X, Label: e.Label, Weight: e.Weight, Group: e.Group, Split: held[e.Group]}
		set(&row.Weight, 1)
		if err := d.Write(&row); err != nil {
			return "", err
		}
	}
	return d.Close()
}
