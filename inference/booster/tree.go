package booster

import (
	"errors"
	"fmt"
)

// newTree makes a tree of a file's n nodes, which at returns by their numbers there;
// the number 0 is the root. A node with two parents, or above itself, is refused.
func newTree(n, features int, at func(i int32) node) (tree, error) {
	g := growing{at: at, features: uint32(features), seen: make([]bool, n)}
	g.tree.nodes = make([]node, 0, n)
	err := g.add(0, -1, 0)
	return g.tree, err
}

type growing struct {
	tree     tree
	at       func(i int32) node
	features uint32
	seen     []bool
}

// add adds the subtree under the file's node i, in pre-order.
func (g *growing) add(i, parent int32, depth int) error {
	if i < 0 || int(i) >= len(g.seen) {
		return fmt.Errorf("a child is node %d of %d", i, len(g.seen))
	}
	if depth > maxDepth {
		return fmt.Errorf("%w: deeper than %d", ErrLimit, maxDepth)
	}
	if g.seen[i] {
		return errors.New("the nodes form no tree")
	}
	g.seen[i] = true
	n := g.at(i)
	left, right := n.left, n.right
	n.parent = parent
	for _, v := range [...]float32{n.value, n.gain, n.hessian, n.weight} {
		if v-v != 0 {
			return fmt.Errorf("node %d holds %v", i, v)
		}
	}
	here := int32(len(g.tree.nodes))
	g.tree.nodes = append(g.tree.nodes, n)
	if left == -1 {
		g.tree.nodes[here].right, g.tree.nodes[here].split = -1, 0
		return nil
	}
	if feature := n.split &^ defaultLeft; feature >= g.features {
		return fmt.Errorf("node %d splits feature %d of %d", i, feature, g.features)
	}
	g.tree.nodes[here].left = int32(len(g.tree.nodes))
	if err := g.add(left, here, depth+1); err != nil {
		return err
	}
	g.tree.nodes[here].right = int32(len(g.tree.nodes))
	return g.add(right, here, depth+1)
}

// byLevel returns the nodes in the order of their levels, the children of a node side by
// side: the order that XGBoost relies on when it predicts.
func (t *tree) byLevel() []node {
	out := append(make([]node, 0, len(t.nodes)), t.nodes[0])
	for at := 0; at < len(out); at++ {
		n := &out[at]
		if n.left == -1 {
			continue
		}
		left, right := t.nodes[n.left], t.nodes[n.right]
		left.parent, right.parent = int32(at), int32(at)
		n.left, n.right = int32(len(out)), int32(len(out)+1)
		out = append(out, left, right)
	}
	return out
}

// depth returns the steps from the root to the deepest leaf.
func (t *tree) depth() uint32 {
	depth, most := make([]uint32, len(t.nodes)), uint32(0)
	for i := range t.nodes {
		if p := t.nodes[i].parent; p >= 0 {
			depth[i] = depth[p] + 1
			most = max(most, depth[i])
		}
	}
	return most
}
