package inference

import (
	"errors"
	"math"
	"sync"

	"foresight/inference/artifact"
	"foresight/inference/booster"
	"foresight/inference/features"
	"foresight/internal/telemetry"
)

// Model is an activated fault classifier.
type Model struct {
	hash     string
	manifest artifact.Manifest
	booster  *booster.Booster
	scratch  sync.Pool // *scratch
}

// scratch is the memory of one classification.
type scratch struct {
	row     []float64
	margins []float64
}

func newModel(b *artifact.Bundle, bo *booster.Booster) *Model {
	m := &Model{hash: b.Hash, manifest: b.Manifest, booster: bo}
	m.scratch.New = func() any {
		return &scratch{make([]float64, bo.Features()), make([]float64, bo.Outputs())}
	}
	return m
}

// Hash returns the content address of the artifact.
func (m *Model) Hash() string { return m.hash }

// Manifest returns what the model is. It is shared and must not be changed.
func (m *Model) Manifest() *artifact.Manifest { return &m.manifest }

// Bytes estimates the memory that the model takes.
func (m *Model) Bytes() int { return m.booster.Bytes() }

// errDegenerate says that no class has a probability.
var errDegenerate = errors.New("inference: margins are not finite")

// Classify fills top with the most probable classes, the most probable first
// (equal ones in the classes' order), and returns their number, min(len(top),
// classes), and whether the vector is unlike all training. Probabilities are
// calibrated, 0-1. It allocates nothing.
func (m *Model) Classify(x *features.Vector, top []telemetry.LabelProbability) (n int, outOfDistribution bool, err error) {
	s := m.scratch.Get().(*scratch)
	defer m.scratch.Put(s)
	for i, v := range x { // float32 held in float64: what the thresholds were made for
		s.row[i] = float64(v)
	}
	if err := m.booster.Margins(s.row, s.margins); err != nil {
		return 0, false, err
	}
	if !softmax(s.margins, m.manifest.Temperature) {
		return 0, false, errDegenerate
	}
	for k, p := range s.margins {
		n = insert(top, n, telemetry.LabelProbability{Label: m.manifest.Classes[k], Probability: p})
	}
	if o := m.manifest.Outliers; o != nil {
		outOfDistribution = o.Outside(x[:])
	}
	return n, outOfDistribution, nil
}

// softmax turns margins into probabilities at the temperature, in place, and
// reports whether it could.
func softmax(v []float64, temperature float64) bool {
	top := v[0]
	for _, m := range v {
		top = max(top, m)
	}
	total := 0.0
	for i, m := range v {
		v[i] = math.Exp((m - top) / temperature)
		total += v[i]
	}
	for i := range v {
		v[i] /= total
	}
	return total-total == 0
}

// insert keeps top[:n] the best so far in descending order and returns the new n.
func insert(top []telemetry.LabelProbability, n int, p telemetry.LabelProbability) int {
	if n < len(top) {
		n++
	} else if n == 0 || p.Probability <= top[n-1].Probability {
		return n
	}
	i := n - 1
	for i > 0 && top[i-1].Probability < p.Probability {
		top[i] = top[i-1]
		i--
	}
	top[i] = p
	return n
}
