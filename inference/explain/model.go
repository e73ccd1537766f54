package explain

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"foresight/inference/artifact"
	"foresight/inference/booster"
)

// Model explains one version of a model. It is immutable and safe for concurrent use.
type Model struct {
	objective string
	features  int
	outputs   []output
	nodes     []node
	deepest   int
	rule      rule
	scratch   sync.Pool // *scratch
}

// ErrRefused is in the chain of every error about a file that cannot be explained.
var ErrRefused = errors.New("explain: model refused")

// Parse reads a model in XGBoost's JSON or deprecated binary format, within the limits
// of booster.Load.
func Parse(raw []byte) (*Model, error) {
	m, err := build(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return m, nil
}

func build(raw []byte) (*Model, error) {
	t, err := booster.ReadTrees(raw)
	if err != nil {
		return nil, err
	}
	m := &Model{objective: t.Objective(), features: t.Features(), outputs: make([]output, t.Outputs())}
	for k := range m.outputs {
		m.outputs[k].bias, m.outputs[k].rest = float64(t.Base()), float64(t.Base())
	}
	var l layout
	var nodes []booster.Node
	for i := range t.Len() {
		nodes = t.Tree(i, nodes[:0])
		if err := l.add(nodes, &m.outputs[i%t.Outputs()]); err != nil {
			return nil, fmt.Errorf("tree %d: %w", i, err)
		}
	}
	m.nodes, m.deepest, m.rule = slices.Clip(l.nodes), l.deepest, newRule(max(1, l.longest))
	m.scratch.New = func() any { return newScratch(m) }
	return m, nil
}

// tolerance is how far a margin may lie from XGBoost's, relative to margins above 1.
const tolerance = 1e-5

// New reads a model of an artifact, from the binary file that it is served from too; the
// JSON says the same (booster.Same). It must give XGBoost's own margins for the golden
// rows.
func New(b *artifact.Booster) (*Model, error) {
	m, err := Parse(b.Binary)
	if err != nil {
		return nil, err
	}
	if f := &b.Manifest; m.objective != f.Objective || m.features != f.Features || m.Outputs() != f.Outputs() {
		return nil, fmt.Errorf("%w: %s with %d features and %d outputs, the manifest says %s, %d, %d", ErrRefused,
			m.objective, m.features, m.Outputs(), f.Objective, f.Features, f.Outputs())
	}
	for i := range b.Golden.Rows {
		x := b.Golden.X[i*m.features : (i+1)*m.features]
		for k := range m.outputs {
			want := float64(b.Golden.Margins[i*m.Outputs()+k])
			if got := m.margin(x, &m.outputs[k]); !(math.Abs(got-want) <= tolerance*max(1, math.Abs(want))) {
				return nil, fmt.Errorf("%w: golden row %d, output %d: %v, XGBoost says %v", ErrRefused, i, k, got, want)
			}
		}
	}
	return m, nil
}

// Features returns the length of a row.
func (m *Model) Features() int { return m.features }

// Outputs returns the number of margins: classes, or 1 of a binary model.
func (m *Model) Outputs() int { return len(m.outputs) }

// Bias returns the mean margin of an output over the training rows, from which
// contributions are counted.
func (m *Model) Bias(output int) float64 { return m.outputs[output].bias }

// Best returns the output with the largest margin for the row x, the first of equal
// ones. The row must have Features values.
func (m *Model) Best(x []float32) int {
	best, top := 0, math.Inf(-1)
	for k := range m.outputs {
		if v := m.margin(x, &m.outputs[k]); v > top {
			best, top = k, v
		}
	}
	return best
}

// Bytes estimates the memory that the model takes.
func (m *Model) Bytes() int {
	n := len(m.nodes) * bytesOfNode
	for k := range m.outputs {
		n += len(m.outputs[k].roots) * 4
	}
	return n
}

// margin sums the leaves that the row reaches.
func (m *Model) margin(x []float32, out *output) float64 {
	margin := out.rest
	for _, root := range out.roots {
		margin += leaf(m.nodes, root, x)
	}
	return margin
}
