package booster

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// The layout of the deprecated binary format, little-endian, in bytes.
const (
	prefix      = "binf"
	headerSize  = 136 // base_score f32, num_feature u32, num_class i32, contain_extra_attrs i32, contain_eval_metrics i32, reserved
	modelSize   = 160 // num_trees i32, num_roots i32, num_feature i32, pad, deprecated i64, num_output_group i32, size_leaf_vector i32, reserved
	treeSize    = 148 // num_roots i32, num_nodes i32, num_deleted i32, max_depth i32, num_feature i32, size_leaf_vector i32, reserved
	nodeSize    = 20  // parent i32, left i32, right i32, split index u32 (highest bit: missing goes left), threshold or leaf f32
	statSize    = 16
	defaultLeft = 1 << 31
)

// The most that a model may have. They bound memory and the time of a prediction.
const (
	maxFeatures = 4096
	maxGroups   = 512
	maxTrees    = 50_000
	maxNodes    = 1 << 17 // of one tree
	maxDepth    = 64
)

// file is a parsed model.
type file struct {
	baseScore float32 // as in the file: a probability for binary:logistic
	features  int
	groups    int // outputs: classes, or 1
	objective string
	trees     []tree // the tree i belongs to group i mod groups
}

// tree holds the nodes that can be reached, in pre-order, the root first. Nodes that
// XGBoost pruned stay in its files; they are left out.
type tree struct {
	nodes []node
}

// node is a split, or a leaf when left is -1.
type node struct {
	parent      int32
	left, right int32
	split       uint32  // feature, with defaultLeft; 0 for a leaf
	value       float32 // threshold, or the leaf's value
	stat
}

// stat is what training noted of a node. Predictions do not need it, explanations do.
type stat struct {
	gain    float32
	hessian float32 // of the training rows that came by
	weight  float32 // what the node would answer as a leaf
}

// reader walks over the bytes; the first lack of bytes sticks.
type reader struct {
	b   []byte
	err error
}

func (r *reader) take(n int) []byte {
	if r.err == nil && (n < 0 || n > len(r.b)) {
		r.err = ErrTruncated
	}
	if r.err != nil {
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) text() string {
	b := r.take(8)
	if r.err != nil {
		return ""
	}
	n := binary.LittleEndian.Uint64(b)
	if n > 100 {
		r.err = fmt.Errorf("a name of %d bytes", n)
		return ""
	}
	return string(r.take(int(n)))
}

func int32At(b []byte, i int) int32 { return int32(binary.LittleEndian.Uint32(b[i:])) }

func float32At(b []byte, i int) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(b[i:]))
}

// parse reads a model in the deprecated binary format. It allocates in proportion
// to the bytes that are there, whatever counts they claim.
func parse(raw []byte) (*file, error) {
	if len(raw) < len(prefix) || string(raw[:len(prefix)]) != prefix {
		return nil, errors.New("no XGBoost model in binary format")
	}
	r := &reader{b: raw[len(prefix):]}
	header := r.take(headerSize)
	f := &file{objective: r.text()}
	gbm := r.text()
	model := r.take(modelSize)
	if r.err != nil {
		return nil, r.err
	}
	if gbm != "gbtree" {
		return nil, fmt.Errorf("%w: %q", ErrBooster, gbm)
	}
	if int32At(model, 28) > 0 {
		return nil, errors.New("leaves with vectors are not served")
	}
	f.baseScore = float32At(header, 0)
	f.features = int(binary.LittleEndian.Uint32(header[4:]))
	f.groups = max(1, int(int32At(header, 8)))
	trees := int(int32At(model, 0))
	if err := f.check(trees); err != nil {
		return nil, err
	}
	if len(r.b) < trees*(treeSize+nodeSize+statSize+4) {
		return nil, fmt.Errorf("%w: %d trees in %d bytes", ErrTruncated, trees, len(r.b))
	}
	f.trees = make([]tree, 0, trees)
	for i := range trees {
		t, err := parseTree(r, f.features)
		if err != nil {
			return nil, fmt.Errorf("tree %d: %w", i, err)
		}
		f.trees = append(f.trees, t)
	}
	info := r.take(4 * trees)
	for i := range trees {
		if r.err != nil {
			return nil, r.err
		}
		if err := f.inOrder(i, int(int32At(info, 4*i))); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// check refuses what is not served, or beyond the limits.
func (f *file) check(trees int) error {
	switch {
	case f.objective == logistic && f.groups != 1:
		return fmt.Errorf("%s with %d classes", logistic, f.groups)
	case f.features < 2 || f.features > maxFeatures: // leaves takes one feature for none
		return fmt.Errorf("%w: %d features, 2 to %d are served", ErrLimit, f.features, maxFeatures)
	case f.groups > maxGroups:
		return fmt.Errorf("%w: %d classes, at most %d", ErrLimit, f.groups, maxGroups)
	case !(f.baseScore > -1e6 && f.baseScore < 1e6):
		return fmt.Errorf("base score %v", f.baseScore)
	case trees > maxTrees:
		return fmt.Errorf("%w: %d trees, at most %d", ErrLimit, trees, maxTrees)
	case trees < 1 || trees%f.groups != 0:
		return fmt.Errorf("%d trees for %d outputs", trees, f.groups)
	}
	_, err := f.baseMargin()
	return err
}

// inOrder refuses a tree that adds to another output than its place says. Another order
// means several trees per round and class (num_parallel_tree), which leaves would add
// to the wrong classes.
func (f *file) inOrder(tree, output int) error {
	if output != tree%f.groups {
		return fmt.Errorf("tree %d adds to output %d, want %d: %w", tree, output, tree%f.groups, ErrParallelTrees)
	}
	return nil
}

func parseTree(r *reader, features int) (t tree, err error) {
	param := r.take(treeSize)
	if r.err != nil {
		return t, r.err
	}
	n := int(int32At(param, 4))
	if n > maxNodes {
		return t, fmt.Errorf("%w: %d nodes, at most %d", ErrLimit, n, maxNodes)
	}
	if n < 1 {
		return t, fmt.Errorf("%d nodes", n)
	}
	if int32At(param, 20) > 0 {
		return t, errors.New("leaves with vectors are not served")
	}
	nodes, stats := r.take(n*nodeSize), r.take(n*statSize)
	if r.err != nil {
		return t, r.err
	}
	return newTree(n, features, func(i int32) node {
		b, s := nodes[int(i)*nodeSize:], stats[int(i)*statSize:]
		return node{
			left: int32At(b, 4), right: int32At(b, 8), split: binary.LittleEndian.Uint32(b[12:]), value: float32At(b, 16),
			stat: stat{float32At(s, 0), float32At(s, 4), float32At(s, 8)},
		}
	})
}
