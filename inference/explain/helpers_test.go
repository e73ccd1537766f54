package explain

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"foresight/inference/artifact"
	"foresight/inference/champion"
)

var nan = float32(math.NaN())

// grown is a model under construction, in the shape of XGBoost's JSON.
type grown struct {
	objective         string
	features, outputs int
	base              string
	trees             []map[string]any
}

// json writes the model.
func (g *grown) json(t testing.TB) []byte {
	t.Helper()
	info := make([]int, len(g.trees))
	for i := range info {
		info[i] = i % g.outputs
	}
	classes := 0
	if g.outputs > 1 {
		classes = g.outputs
	}
	raw, err := json.Marshal(map[string]any{"version": []int{1, 7, 4}, "learner": map[string]any{
		"gradient_booster": map[string]any{"name": "gbtree", "model": map[string]any{
			"gbtree_model_param": map[string]any{"num_parallel_tree": "1"}, "tree_info": info, "trees": g.trees}},
		"learner_model_param": map[string]any{"base_score": g.base, "num_class": strconv.Itoa(classes), "num_feature": strconv.Itoa(g.features), "num_target": "1"},
		"objective":           map[string]any{"name": g.objective},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// grownNode is a split, or a leaf when it has no children.
type grownNode struct {
	left, right *grownNode
	feature     int
	value       float32 // threshold, or the leaf's value
	missingLeft bool
	weight      float32
}

// random grows a tree of at most the depth on a coarse grid of thresholds, so that
// features repeat on a path and rows fall on thresholds.
func random(r *rand.Rand, features, depth int, weight float32) *grownNode {
	if depth == 0 || r.IntN(8) == 0 {
		return &grownNode{value: float32(r.NormFloat64()), weight: weight}
	}
	share := float32(0.02 + 0.96*r.Float64())
	return &grownNode{
		feature: r.IntN(features), value: float32(r.IntN(9)-4) / 2, missingLeft: r.IntN(2) == 0, weight: weight,
		left: random(r, features, depth-1, weight*share), right: random(r, features, depth-1, weight*(1-share)),
	}
}

// tree lists the nodes as XGBoost does.
func (n *grownNode) tree() map[string]any {
	var left, right, feature, missing, kinds []int
	var value, weight []float32
	var add func(n *grownNode) int
	add = func(n *grownNode) int {
		i := len(left)
		left, right, feature = append(left, -1), append(right, -1), append(feature, n.feature)
		missing, kinds = append(missing, 0), append(kinds, 0)
		value, weight = append(value, n.value), append(weight, n.weight)
		if n.missingLeft {
			missing[i] = 1
		}
		if n.left != nil {
			l := add(n.left)
			left[i] = l
			l = add(n.right)
			right[i] = l
		}
		return i
	}
	add(n)
	return map[string]any{"left_children": left, "right_children": right, "split_indices": feature, "split_conditions": value,
		"default_left": missing, "sum_hessian": weight, "loss_changes": weight, "base_weights": value, "split_type": kinds, "categories_nodes": []int{}}
}

func (n *grownNode) goesLeft(x []float32) bool {
	if v := x[n.feature]; v == v {
		return v < n.value
	}
	return n.missingLeft
}

// shares of the rows that go left and right.
func (n *grownNode) shares() (left, right float64) {
	l, r := float64(n.left.weight), float64(n.right.weight)
	return l / (l + r), r / (l + r)
}

// row draws values from the grid of thresholds, some of them missing.
func row(r *rand.Rand, features int) []float32 {
	x := make([]float32, features)
	for i := range x {
		x[i] = float32(r.IntN(21)-10) / 4
		if r.IntN(6) == 0 {
			x[i] = nan
		}
	}
	return x
}

func parsed(t testing.TB, g *grown) *Model {
	t.Helper()
	m, err := Parse(g.json(t))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// opened is the built-in fault classifier, opened once.
var opened = sync.OnceValues(func() (*artifact.Bundle, error) { return artifact.Open(champion.FaultClassifier().Bundle) })

// explained is its model.
var explained = sync.OnceValues(func() (*Model, error) {
	b, err := opened()
	if err != nil {
		return nil, err
	}
	return New(b.Booster)
})

// shipped is the built-in fault classifier, which tests do not change.
func shipped(t testing.TB) (*artifact.Bundle, *Model) {
	t.Helper()
	b, err := opened()
	if err != nil {
		t.Fatal(err)
	}
	m, err := explained()
	if err != nil {
		t.Fatal(err)
	}
	return b, m
}

// fixture is a model of XGBoost with rows, its margins and its contributions.
// tools/contribs writes them.
type fixture struct {
	Features, Outputs int
	JSON              json.RawMessage
	X, Margins        artifact.Floats
	Contributions     artifact.Floats // rows x outputs x (features, bias)
}

func fixtures(t testing.TB) map[string]fixture {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 2 {
		t.Fatalf("fixtures %q, %v", files, err)
	}
	out := map[string]fixture{}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var f fixture
		if err := json.Unmarshal(raw, &f); err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(name)] = f
	}
	return out
}
