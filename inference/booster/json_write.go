package booster

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// json writes the model as XGBoost 1.7 does, without names of features.
func (f *file) json() []byte {
	var out bytes.Buffer
	trees := strconv.Itoa(len(f.trees))
	out.WriteString(`{"learner":{"attributes":{},"feature_names":[],"feature_types":[],"gradient_booster":{"model":{"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"` +
		trees + `","size_leaf_vector":"0"},"tree_info":`)
	writeList(&out, len(f.trees), func(b []byte, i int) []byte { return strconv.AppendInt(b, int64(i%f.groups), 10) })
	out.WriteString(`,"trees":[`)
	for i := range f.trees {
		if i > 0 {
			out.WriteByte(',')
		}
		f.trees[i].json(&out, i, f.features)
	}
	classes := f.groups
	if classes == 1 {
		classes = 0 // as XGBoost says it
	}
	parameter := `"softmax_multiclass_param":{"num_class":"` + strconv.Itoa(classes) + `"}`
	if f.objective == logistic {
		parameter = `"reg_loss_param":{"scale_pos_weight":"1"}`
	}
	name, _ := json.Marshal(f.objective) // a string has no error
	out.WriteString(`]},"name":"gbtree"},"learner_model_param":{"base_score":"` + string(appendFloat(nil, f.baseScore)) + `","boost_from_average":"1","num_class":"` +
		strconv.Itoa(classes) + `","num_feature":"` + strconv.Itoa(f.features) + `","num_target":"1"},"objective":{"name":` + string(name) + `,` + parameter + `}},"version":[1,7,4]}`)
	return out.Bytes()
}

func (t *tree) json(out *bytes.Buffer, number, features int) {
	nodes := t.byLevel()
	n := len(nodes)
	ints := func(name string, of func(n *node) int64) {
		out.WriteString(`"` + name + `":`)
		writeList(out, n, func(b []byte, i int) []byte { return strconv.AppendInt(b, of(&nodes[i]), 10) })
		out.WriteByte(',')
	}
	floats := func(name string, of func(n *node) float32) {
		out.WriteString(`"` + name + `":`)
		writeList(out, n, func(b []byte, i int) []byte { return appendFloat(b, of(&nodes[i])) })
		out.WriteByte(',')
	}
	out.WriteByte('{')
	floats("base_weights", func(n *node) float32 { return n.weight })
	out.WriteString(`"categories":[],"categories_nodes":[],"categories_segments":[],"categories_sizes":[],`)
	ints("default_left", func(n *node) int64 { return int64(n.split >> 31) })
	out.WriteString(`"id":` + strconv.Itoa(number) + `,`)
	ints("left_children", func(n *node) int64 { return int64(n.left) })
	floats("loss_changes", func(n *node) float32 { return n.gain })
	ints("parents", func(n *node) int64 {
		if n.parent < 0 {
			return 1<<31 - 1 // as XGBoost says it
		}
		return int64(n.parent)
	})
	ints("right_children", func(n *node) int64 { return int64(n.right) })
	floats("split_conditions", func(n *node) float32 { return n.value })
	ints("split_indices", func(n *node) int64 { return int64(n.split &^ defaultLeft) })
	ints("split_type", func(*node) int64 { return 0 })
	floats("sum_hessian", func(n *node) float32 { return n.hessian })
	out.WriteString(`"tree_param":{"num_deleted":"0","num_feature":"` + strconv.Itoa(features) + `","num_nodes":"` + strconv.Itoa(n) + `","size_leaf_vector":"0"}}`)
}

func writeList(out *bytes.Buffer, n int, element func(b []byte, i int) []byte) {
	b := out.AvailableBuffer()
	b = append(b, '[')
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = element(b, i)
	}
	out.Write(append(b, ']'))
}

// appendFloat writes the shortest text that is read as the same float32, always with an
// exponent: XGBoost takes a number without one for an integer.
func appendFloat(b []byte, v float32) []byte { return strconv.AppendFloat(b, float64(v), 'E', -1, 32) }
