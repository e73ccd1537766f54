package booster

import (
	"bytes"
	"fmt"
)

// Trees is a parsed model, for those who look at its trees.
type Trees struct {
	f    *file
	base float32
}

// Node is a node of a tree. The nodes of a tree lie in pre-order: a split's left child
// comes behind it.
type Node struct {
	Right   int32 // place of the right child; -1: a leaf
	Feature int   // that it splits
	Missing bool  // missing values go left
	// Value is the threshold, below which a value goes left, or the leaf's value. It is
	// finite.
	Value float32
	// Hessian is the weight of the training rows that came by, as the loss counts them.
	// It is what the file says, and checked by nobody.
	Hessian float32
}

// ReadTrees reads a model in the deprecated binary or the JSON format, within the limits
// of Load. The bytes may come from anywhere: whatever is wrong with them is an error
// with ErrRefused.
func ReadTrees(raw []byte) (*Trees, error) {
	read := parseJSON
	if bytes.HasPrefix(raw, []byte(prefix)) {
		read = parse
	}
	f, err := read(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	base, err := f.baseMargin()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return &Trees{f, base}, nil
}

// Objective returns the objective, `multi:softprob` or another.
func (t *Trees) Objective() string { return t.f.objective }

// Features returns the length of a row.
func (t *Trees) Features() int { return t.f.features }

// Outputs returns the number of margins per row.
func (t *Trees) Outputs() int { return t.f.groups }

// Base returns the margin that every sum of leaves begins with.
func (t *Trees) Base() float32 { return t.base }

// Len returns the number of trees. The tree i adds to the output i mod Outputs.
func (t *Trees) Len() int { return len(t.f.trees) }

// Tree appends the nodes of a tree to dst, the root first.
func (t *Trees) Tree(i int, dst []Node) []Node {
	for _, n := range t.f.trees[i].nodes {
		dst = append(dst, Node{Right: n.right, Feature: int(n.split &^ defaultLeft), Missing: n.split&defaultLeft != 0, Value: n.value, Hessian: n.hessian})
	}
	return dst
}
