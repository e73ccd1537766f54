package booster

import (
	"encoding/binary"
	"fmt"
	"math"
)

const logistic = "binary:logistic"

// encode writes the model for leaves, with the repairs that the package names.
func (f *file) encode() ([]byte, error) {
	le := binary.LittleEndian
	base, err := f.baseMargin()
	if err != nil {
		return nil, err
	}
	header, model := f.header, f.model
	le.PutUint32(header[0:], math.Float32bits(base))
	le.PutUint32(model[4:], 1) // num_roots
	le.PutUint32(model[8:], uint32(f.features))
	le.PutUint32(model[24:], uint32(f.groups)) // num_output_group
	out := append([]byte(nil), header[:]...)
	for _, s := range []string{f.objective, "gbtree"} {
		out = le.AppendUint64(out, uint64(len(s)))
		out = append(out, s...)
	}
	out = append(out, model[:]...)
	for _, t := range f.trees {
		param := t.param
		le.PutUint32(param[0:], 1)
		le.PutUint32(param[4:], uint32(len(t.nodes)))
		le.PutUint32(param[8:], 0) // num_deleted
		le.PutUint32(param[16:], uint32(f.features))
		out = append(out, param[:]...)
		for _, n := range t.nodes {
			v := n.value
			if n.left != -1 {
				v = lower(v)
			}
			out = le.AppendUint32(out, uint32(n.parent))
			out = le.AppendUint32(out, uint32(n.left))
			out = le.AppendUint32(out, uint32(n.right))
			out = le.AppendUint32(out, n.split)
			out = le.AppendUint32(out, math.Float32bits(v))
		}
		out = append(out, make([]byte, len(t.nodes)*statSize)...) // leaves skips them
	}
	for i := range f.trees {
		out = le.AppendUint32(out, uint32(i%f.groups))
	}
	return out, nil
}

// baseMargin is what XGBoost adds to every sum of leaves.
func (f *file) baseMargin() (float32, error) {
	if f.objective != logistic {
		return f.baseScore, nil
	}
	p := float64(f.baseScore)
	if !(p > 0 && p < 1) {
		return 0, fmt.Errorf("base score %v of %s is no probability", p, logistic)
	}
	return float32(math.Log(p / (1 - p))), nil
}

// lower returns the threshold t' with x <= t' exactly where x < t, for float32 x.
func lower(t float32) float32 { return math.Nextafter32(t, float32(math.Inf(-1))) }
