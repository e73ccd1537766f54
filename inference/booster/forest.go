package booster

import "math"

// forest is the trees laid out for prediction: all cells in one array, a tree's in the
// order of its levels, so that the two children of a node lie side by side.
//
// A descent has no branch that could be guessed wrong, which is what prediction by trees
// spends its time on. One step is
//
//	i += offset of the left child + (1 if x >= threshold)
//
// and a missing value needs no question of its own: a row is laid out with two places
// for each feature, which differ where the value is missing. There the first holds -Inf,
// which goes left, and the second +Inf, which goes right; a node reads from the place
// that its default direction tells. A leaf leads to itself: it reads from the place 0,
// which always holds NaN, and NaN >= anything is false. So all trees of one depth take
// the same number of steps, and the descents of several trees run side by side in one
// core: while one waits for memory, the others go on.
type forest struct {
	cells []cell
	roots []root
}

// cell is a split with its threshold, or a leaf with its value.
type cell struct {
	value float32
	// next holds the place in the row in its upper bits, and below how many cells
	// ahead the left child is.
	next uint32
}

// A tree has at most maxNodes cells, so an offset fits, and so do two places for each of
// maxFeatures features and the one of the leaves.
const (
	offsetBits = 18
	offsetMask = 1<<offsetBits - 1

	_ = uint(offsetMask - maxNodes)
	_ = uint(1<<(32-offsetBits) - (2*maxFeatures + 1))
)

// root is where a tree begins, and how many steps lead to its deepest leaf.
type root struct {
	at    uint32
	depth uint32
}

// places is the number of places in a row of so many features.
func places(features int) int { return 2*features + 1 }

var (
	nan       = float32(math.NaN())
	leftmost  = float32(math.Inf(-1))
	rightmost = float32(math.Inf(1))
)

// newForest lays out the trees of a file.
func newForest(f *file) forest {
	n := 0
	for i := range f.trees {
		n += len(f.trees[i].nodes)
	}
	out := forest{make([]cell, 0, n), make([]root, 0, len(f.trees))}
	for i := range f.trees {
		out.roots = append(out.roots, root{uint32(len(out.cells)), f.trees[i].depth()})
		for at, n := range f.trees[i].byLevel() {
			c := cell{value: n.value}
			if n.left != -1 {
				place := 2*(n.split&^defaultLeft) + 1
				if n.split&defaultLeft == 0 {
					place++
				}
				c.next = place<<offsetBits | uint32(int(n.left)-at)
			}
			out.cells = append(out.cells, c)
		}
	}
	return out
}

func (f *forest) bytes() int { return 8*len(f.cells) + 8*len(f.roots) }
