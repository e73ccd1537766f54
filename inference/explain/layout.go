package explain

import (
	"fmt"
	"math"

	"foresight/inference/booster"
)

// maxTotal bounds the nodes of a model, 32 bytes each: 256 MB. 34 x 300 full trees of
// depth 6 have 1.3 million.
const maxTotal = 8 << 20

// node is a split or a leaf, with what the edge to it asks: the nodes of a tree lie in
// pre-order, the left child of a split behind it.
type node struct {
	// share is the part of the training rows that go the way of the path at all splits of the
	// parent's feature so far, 0-1; outer is the same without the last one.
	share, outer float64
	value        float32 // threshold, or the leaf's value
	right        int32   // place of the right child; 0: a leaf
	feature      uint16  // that it splits
	missing      bool    // missing values go left
	before       int8    // depth of the split above the parent that last split the parent's feature; -1: none
}

// output is the trees of one output.
type output struct {
	bias  float64 // the mean answer: base margin, and leaves by their shares
	rest  float64 // part of every margin: base margin, and trees that are a single leaf
	roots []int32 // of the other trees
}

// layout lays out the trees of a model.
type layout struct {
	nodes   []node
	longest int // most features on a path
	deepest int

	t   []booster.Node
	out *output
	way []step // from the root to the present node
}

// step is a split on the way.
type step struct {
	feature uint16
	share   float64 // as of the edge behind it
}

func (l *layout) add(t []booster.Node, out *output) error {
	if len(l.nodes)+len(t) > maxTotal {
		return fmt.Errorf("more than %d nodes", maxTotal)
	}
	if t[0].Right < 0 {
		out.rest += float64(t[0].Value)
		out.bias += float64(t[0].Value)
		return nil
	}
	out.roots = append(out.roots, int32(len(l.nodes)))
	l.t, l.out, l.way = t, out, l.way[:0]
	return l.node(0, 1, 1, 1, -1, 0)
}

// node lays out the subtree under the tree's node i, to which the part of all rows comes
// by splits of so many features.
func (l *layout) node(i int32, part, share, outer float64, before int8, features int) error {
	n := l.t[i]
	here := len(l.nodes)
	l.nodes = append(l.nodes, node{share: share, outer: outer, value: n.Value, feature: uint16(n.Feature), missing: n.Missing, before: before})
	if n.Right < 0 {
		l.out.bias += part * float64(n.Value)
		l.deepest = max(l.deepest, len(l.way))
		return nil
	}
	left, right := i+1, n.Right
	// The children's own sum, not the parent's weight: the shares then sum to 1, and
	// so the contributions to the margin. The two differ by rounding.
	wl, wr := float64(l.t[left].Hessian), float64(l.t[right].Hessian)
	if sum := wl + wr; !(wl >= 0 && wr >= 0 && sum > 0 && sum < math.MaxFloat64) {
		return fmt.Errorf("the children of a node weigh %v and %v", wl, wr)
	}
	above, so := l.last(uint16(n.Feature))
	if above < 0 {
		features++
		l.longest = max(l.longest, features)
	}
	for side, child := range [2]int32{left, right} {
		own := [2]float64{wl, wr}[side] / (wl + wr)
		if side == 1 {
			l.nodes[here].right = int32(len(l.nodes))
		}
		l.way = append(l.way, step{uint16(n.Feature), so * own})
		if err := l.node(child, part*own, so*own, so, above, features); err != nil {
			return err
		}
		l.way = l.way[:len(l.way)-1]
	}
	return nil
}

// last returns the depth of the last split of the feature on the way with the share
// behind it, -1 and 1 when there is none.
func (l *layout) last(feature uint16) (depth int8, share float64) {
	for i := len(l.way) - 1; i >= 0; i-- {
		if l.way[i].feature == feature {
			return int8(i), l.way[i].share
		}
	}
	return -1, 1
}

// left reports whether the row goes left.
func (n *node) left(x []float32) bool {
	v := x[n.feature]
	if v != v {
		return n.missing
	}
	return v < n.value
}

// leaf returns the value of the leaf that the row reaches.
func leaf(nodes []node, i int32, x []float32) float64 {
	for {
		n := &nodes[i]
		switch {
		case n.right == 0:
			return float64(n.value)
		case n.left(x):
			i++
		default:
			i = n.right
		}
	}
}

// bytesOfNode is the size of a node in memory.
const bytesOfNode = 32
