package booster

import (
	"encoding/binary"
	"fmt"
	"math"
)

const logistic = "binary:logistic"

// encode writes the model for leaves, with the repairs that the package names.
func (f *file) encode() ([]byte, error) {
	base, err := f.baseMargin()
	if err != nil {
		return nil, err
	}
	return f.appendBinary(nil, base, f.groups, func(n *node) node {
		repaired := *n
		if n.left != -1 {
			repaired.value = lower(n.value)
		}
		return repaired
	}), nil
}

// Leftness stands in the highest bit of a node's parent, in XGBoost's own files.
const leftChild = 1 << 31

// binary writes the model as XGBoost 1.7 does, without its attributes.
func (f *file) binary() []byte {
	return f.appendBinary([]byte(prefix), f.baseScore, 0, func(n *node) node { return *n })
}

// appendBinary appends the model in the deprecated binary format.
func (f *file) appendBinary(out []byte, base float32, outputs int, written func(n *node) node) []byte {
	le := binary.LittleEndian
	classes := f.groups
	if classes == 1 {
		classes = 0 // as XGBoost says it
	}
	header := make([]byte, headerSize)
	le.PutUint32(header[0:], math.Float32bits(base))
	le.PutUint32(header[4:], uint32(f.features))
	le.PutUint32(header[8:], uint32(classes))
	le.PutUint32(header[20:], 1) // XGBoost 1.7
	le.PutUint32(header[24:], 7)
	le.PutUint32(header[28:], 1) // num_target
	out = append(out, header...)
	for _, s := range []string{f.objective, "gbtree"} {
		out = le.AppendUint64(out, uint64(len(s)))
		out = append(out, s...)
	}
	model := make([]byte, modelSize)
	le.PutUint32(model[0:], uint32(len(f.trees)))
	le.PutUint32(model[4:], 1) // num_roots
	le.PutUint32(model[8:], uint32(f.features))
	le.PutUint32(model[24:], uint32(outputs)) // num_output_group
	out = append(out, model...)
	for i := range f.trees {
		nodes := f.trees[i].byLevel()
		param := make([]byte, treeSize)
		le.PutUint32(param[0:], 1) // num_roots
		le.PutUint32(param[4:], uint32(len(nodes)))
		le.PutUint32(param[16:], uint32(f.features))
		out = append(out, param...)
		for k := range nodes {
			n := written(&nodes[k])
			parent := uint32(n.parent)
			if n.parent >= 0 && nodes[n.parent].left == int32(k) {
				parent |= leftChild
			}
			out = le.AppendUint32(out, parent)
			out = le.AppendUint32(out, uint32(n.left))
			out = le.AppendUint32(out, uint32(n.right))
			out = le.AppendUint32(out, n.split)
			out = le.AppendUint32(out, math.Float32bits(n.value))
		}
		for k := range nodes {
			s := &nodes[k].stat
			for _, v := range [...]float32{s.gain, s.hessian, s.weight, 0} { // the last: children that are leaves
				out = le.AppendUint32(out, math.Float32bits(v))
			}
		}
	}
	for i := range f.trees {
		out = le.AppendUint32(out, uint32(i%f.groups))
	}
	return out
}

// baseMargin is what XGBoost adds to every sum of leaves.
func (f *file) baseMargin() (float32, error) {
	if f.objective != logistic {
		return f.baseScore, nil
	}
	p := f.baseScore
	base := float32(-math.Log(float64(1/p - 1))) // as XGBoost does it, in float32
	if !(p > 0 && p < 1) || math.IsInf(float64(base), 0) {
		return 0, fmt.Errorf("base score %v of %s is no probability", p, logistic)
	}
	return base, nil
}

// lower returns the threshold t' with x <= t' exactly where x < t, for float32 x.
func lower(t float32) float32 { return math.Nextafter32(t, float32(math.Inf(-1))) }
