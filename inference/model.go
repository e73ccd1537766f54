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

// Model is an activated version. Classify is for fault classifiers, Failure and Failures
// are for failure predictors; the others have nothing to say there.
type Model struct {
	hash    string
	parts   []part
	scratch sync.Pool // *scratch
}

// part is one booster of a model with what was kept of its training.
type part struct {
	artifact.Entry
	manifest artifact.Manifest
	booster  *booster.Booster
}

// scratch is the memory of one classification.
type scratch struct {
	margins       []float32
	probabilities []float64
}

func newModel(hash string, parts []part) *Model {
	m := &Model{hash: hash, parts: parts}
	outputs := parts[0].booster.Outputs()
	m.scratch.New = func() any { return &scratch{make([]float32, outputs), make([]float64, outputs)} }
	return m
}

// Hash returns the content address of the artifact.
func (m *Model) Hash() string { return m.hash }

// Kind returns the model's task, artifact.FaultClassifier or artifact.FailurePredictor.
func (m *Model) Kind() string { return m.parts[0].manifest.Kind }

// Manifest returns what the model is; of several boosters the first. It is shared and
// must not be changed.
func (m *Model) Manifest() *artifact.Manifest { return &m.parts[0].manifest }

// Bytes is the memory that the model takes, but for small things.
func (m *Model) Bytes() int {
	n := 0
	for i := range m.parts {
		n += m.parts[i].booster.Bytes()
	}
	return n
}

// errDegenerate says that no class has a probability.
var errDegenerate = errors.New("inference: margins are not finite")

// errTask says that a model was asked for what it does not do.
var errTask = errors.New("inference: a model of another kind")

// Classify fills top with the most probable classes, the most probable first
// (equal ones in the classes' order), and returns their number, min(len(top),
// classes), and whether the vector is unlike all training. Probabilities are
// calibrated, 0-1. It allocates nothing.
func (m *Model) Classify(x *features.Vector, top []telemetry.LabelProbability) (n int, outOfDistribution bool, err error) {
	p := &m.parts[0]
	if p.manifest.Kind != artifact.FaultClassifier {
		return 0, false, errTask
	}
	s := m.scratch.Get().(*scratch)
	defer m.scratch.Put(s)
	if err := p.booster.Margins(x[:], s.margins); err != nil {
		return 0, false, err
	}
	if !softmax(s.margins, s.probabilities, p.manifest.Temperature) {
		return 0, false, errDegenerate
	}
	for k, probability := range s.probabilities {
		n = insert(top, n, telemetry.LabelProbability{Label: p.manifest.Classes[k], Probability: probability})
	}
	return n, p.outside(x[:]), nil
}

// outside reports whether a row is unlike all training of the part.
func (p *part) outside(x []float32) bool {
	return p.manifest.Outliers != nil && p.manifest.Outliers.Outside(x)
}

// softmax turns margins into probabilities at the temperature, and reports whether it
// could.
func softmax(margins []float32, p []float64, temperature float64) bool {
	top := margins[0]
	for _, m := range margins {
		top = max(top, m)
	}
	total := 0.0
	for i, m := range margins {
		p[i] = math.Exp(float64(m-top) / temperature)
		total += p[i]
	}
	for i := range p {
		p[i] /= total
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
