package explain

import "fmt"

// Output adds to phi, with one place for each feature, how much the features moved
// the margin of one output for the row x, and returns the margin: the bias of the
// output plus all that was added. It allocates nothing.
func (m *Model) Output(x []float32, output int, phi []float64) (margin float64, err error) {
	switch {
	case len(x) != m.features || len(phi) != m.features:
		return 0, fmt.Errorf("explain: a row of %d values and room for %d, the model has %d features", len(x), len(phi), m.features)
	case output < 0 || output >= len(m.outputs):
		return 0, fmt.Errorf("explain: output %d of %d", output, len(m.outputs))
	}
	s := m.scratch.Get().(*scratch)
	defer m.scratch.Put(s)
	return s.explain(&m.outputs[output], x, phi), nil
}

// All is Output for every output; phi has one row of features for each output, and
// margins a place. It allocates nothing.
func (m *Model) All(x []float32, phi, margins []float64) error {
	if n := m.features; len(x) != n || len(phi) != n*len(m.outputs) || len(margins) != len(m.outputs) {
		return fmt.Errorf("explain: a row of %d values and room for %d and %d, the model has %d features and %d outputs",
			len(x), len(phi), len(margins), n, len(m.outputs))
	}
	s := m.scratch.Get().(*scratch)
	defer m.scratch.Put(s)
	for k := range m.outputs {
		margins[k] = s.explain(&m.outputs[k], x, phi[k*m.features:(k+1)*m.features])
	}
	return nil
}

// scratch is the memory of a walk over the trees. What is kept of a path is its
// product (see rule) at every point: one depth behind the other.
type scratch struct {
	nodes []node
	rule
	x      []float32
	phi    []float64
	margin float64

	met      []bool    // by depth: the row goes the path's way at all splits of the feature so far
	products []float64 // by depth and point: of the factors of all features above
	sums     []float64 // by depth and point: over the leaves below, their values times their paths' products
}

func newScratch(m *Model) *scratch {
	k := len(m.rule.t)
	return &scratch{nodes: m.nodes, rule: m.rule, met: make([]bool, m.deepest+1),
		products: make([]float64, (m.deepest+1)*k), sums: make([]float64, (m.deepest+1)*k)}
}

// explain adds the contributions of all trees of an output and returns the margin.
func (s *scratch) explain(out *output, x []float32, phi []float64) float64 {
	s.x, s.phi, s.margin = x, phi, out.rest
	for q := range s.t {
		s.products[q] = 1
	}
	for _, root := range out.roots {
		s.split(root, 0, true)
	}
	s.x, s.phi = nil, nil
	return s.margin
}

// split walks the subtree under a split. The row itself comes there when way is true.
//
// What the edge to a child adds for its feature i, with met and share as of that edge,
// is the integral of
//
//	(1 if met - share) x sum over the leaves below / factor of i
//
// (after Yu et al., Linear TreeSHAP, 2022). Where the path splits the feature again,
// that edge takes back what this one added for the leaves below both.
func (s *scratch) split(i int32, depth int, way bool) {
	n := &s.nodes[i]
	left := n.left(s.x)
	k := len(s.t)
	sum := s.sums[depth*k:][:k]
	clear(sum)
	phi := 0.0
	for side, child := range [2]int32{i + 1, n.right} {
		c := &s.nodes[child]
		here := left == (side == 0)
		again, was := c.before >= 0, false
		met := here
		if again {
			was = s.met[c.before]
			met = here && was
		}
		if !met && c.share == 0 {
			continue // no factor but 0
		}
		s.met[depth] = met
		below := s.factor(c, depth, again, was, met)
		if c.right == 0 {
			v := float64(c.value)
			for q := range below {
				below[q] *= v
			}
			if here && way {
				s.margin += v
			}
		} else {
			s.split(child, depth+1, here && way)
			below = s.sums[(depth+1)*k:][:k]
		}
		phi += s.moved(below, met, c.share)
		if again {
			phi -= s.moved(below, was, c.outer)
		}
		for q, v := range below {
			sum[q] += v
		}
	}
	s.phi[n.feature] += phi
}

// factor writes the products below the edge to c, which begins at the depth.
func (s *scratch) factor(c *node, depth int, again, was, met bool) []float64 {
	k := len(s.t)
	above, below := s.products[depth*k:][:k], s.products[(depth+1)*k:][:k]
	t, rest := s.t[:k], s.rest[:k]
	switch {
	case again && !was: // both factors are their shares times 1-t
		step := c.share / c.outer
		for q, v := range above {
			below[q] = v * step
		}
	case again && met:
		for q, v := range above {
			below[q] = v * (t[q] + c.share*rest[q]) / (t[q] + c.outer*rest[q])
		}
	case again:
		for q, v := range above {
			below[q] = v * c.share * rest[q] / (t[q] + c.outer*rest[q])
		}
	case met:
		for q, v := range above {
			below[q] = v * (t[q] + c.share*rest[q])
		}
	default:
		for q, v := range above {
			below[q] = v * c.share * rest[q]
		}
	}
	return below
}

// moved is what a feature adds for the leaves of the sums.
func (s *scratch) moved(sums []float64, met bool, share float64) (phi float64) {
	k := len(sums)
	if !met { // the factor is share times 1-t
		for q, w := range s.away[:k] {
			phi -= w * sums[q]
		}
		return phi
	}
	t, rest := s.t[:k], s.rest[:k]
	for q, w := range s.weight[:k] {
		phi += w * sums[q] / (t[q] + share*rest[q])
	}
	return (1 - share) * phi
}
