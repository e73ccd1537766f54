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
	header    [headerSize]byte
	baseScore float32 // as in the file
	features  int
	groups    int // outputs: classes, or 1
	objective string
	model     [modelSize]byte
	trees     []tree // the tree i belongs to group i mod groups
}

// tree holds the nodes that can be reached, in pre-order, the root first.
type tree struct {
	param [treeSize]byte
	nodes []node
}

// node is a split, or a leaf when left is -1.
type node struct {
	parent      int32
	left, right int32
	split       uint32
	value       float32 // threshold, or the leaf's value
}

// reader walks over the bytes; the first lack of bytes sticks.
type reader struct {
	b   []byte
	err error
}

func (r *reader) take(n int) []byte {
	if r.err == nil && (n < 0 || n > len(r.b)) {
		r.err = errors.New("the file ends early")
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
	f := &file{}
	copy(f.header[:], r.take(headerSize))
	f.objective = r.text()
	gbm := r.text()
	copy(f.model[:], r.take(modelSize))
	if r.err != nil {
		return nil, r.err
	}
	f.baseScore = float32At(f.header[:], 0)
	features := binary.LittleEndian.Uint32(f.header[4:])
	f.groups = max(1, int(int32At(f.header[:], 8)))
	trees := int(int32At(f.model[:], 0))
	switch {
	case gbm != "gbtree":
		return nil, fmt.Errorf("booster %q is not served", gbm)
	case features < 2 || features > maxFeatures: // leaves takes one feature for none
		return nil, fmt.Errorf("%d features, 2 to %d are served", features, maxFeatures)
	case f.groups > maxGroups:
		return nil, fmt.Errorf("%d classes, at most %d", f.groups, maxGroups)
	case !(f.baseScore > -1e6 && f.baseScore < 1e6):
		return nil, fmt.Errorf("base score %v", f.baseScore)
	case trees < 1 || trees > maxTrees || trees%f.groups != 0:
		return nil, fmt.Errorf("%d trees for %d outputs", trees, f.groups)
	case int32At(f.model[:], 28) > 0:
		return nil, errors.New("leaves with vectors are not served")
	case len(r.b) < trees*(treeSize+nodeSize+statSize+4):
		return nil, fmt.Errorf("%d trees in %d bytes", trees, len(r.b))
	}
	f.features = int(features)
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
		// Another order means several trees per round and class (num_parallel_tree),
		// which leaves would add to the wrong classes.
		if g := int32At(info, 4*i); int(g) != i%f.groups {
			return nil, fmt.Errorf("tree %d adds to output %d, want %d: num_parallel_tree above 1 is not served", i, g, i%f.groups)
		}
	}
	return f, nil
}

func parseTree(r *reader, features int) (t tree, err error) {
	copy(t.param[:], r.take(treeSize))
	if r.err != nil {
		return t, r.err
	}
	n := int(int32At(t.param[:], 4))
	if n < 1 || n > maxNodes {
		return t, fmt.Errorf("%d nodes", n)
	}
	if int32At(t.param[:], 20) > 0 {
		return t, errors.New("leaves with vectors are not served")
	}
	raw := r.take(n * nodeSize)
	r.take(n * statSize)
	if r.err != nil {
		return t, r.err
	}
	t.nodes = make([]node, 0, n)
	return t, t.add(raw, make([]bool, n), 0, -1, 0, features)
}

// add copies the subtree under the file's node i in pre-order. A node with two
// parents, or above itself, is refused.
func (t *tree) add(raw []byte, seen []bool, i, parent int32, depth, features int) error {
	if i < 0 || int(i) >= len(seen) {
		return fmt.Errorf("a child is node %d of %d", i, len(seen))
	}
	if depth > maxDepth {
		return fmt.Errorf("deeper than %d", maxDepth)
	}
	if seen[i] {
		return errors.New("the nodes form no tree")
	}
	seen[i] = true
	b := raw[int(i)*nodeSize:]
	n := node{parent: parent, left: int32At(b, 4), right: int32At(b, 8), split: binary.LittleEndian.Uint32(b[12:]), value: float32At(b, 16)}
	if n.value-n.value != 0 {
		return fmt.Errorf("node %d holds %v", i, n.value)
	}
	here := int32(len(t.nodes))
	t.nodes = append(t.nodes, n)
	if n.left == -1 {
		t.nodes[here].right, t.nodes[here].split = -1, 0
		return nil
	}
	if feature := n.split &^ defaultLeft; feature >= uint32(features) {
		return fmt.Errorf("node %d splits feature %d of %d", i, feature, features)
	}
	t.nodes[here].left = int32(len(t.nodes))
	if err := t.add(raw, seen, n.left, here, depth+1, features); err != nil {
		return err
	}
	t.nodes[here].right = int32(len(t.nodes))
	return t.add(raw, seen, n.right, here, depth+1, features)
}
