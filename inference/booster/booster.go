package booster

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"

	"github.com/dmitryikh/leaves"
)

// ErrRefused is in the chain of every error of Load.
var ErrRefused = errors.New("booster: model refused")

// Booster computes margins. It is immutable and safe for concurrent use.
type Booster struct {
	ensemble  *leaves.Ensemble
	objective string
	features  int
	groups    int
	trees     int
	nodes     int
}

// Load reads a model in XGBoost's deprecated binary format (`binf`). The bytes may
// come from anywhere: whatever is wrong with them ends in an error.
func Load(raw []byte) (b *Booster, err error) {
	defer func() { // the last fence: what parse accepts, leaves reads
		if p := recover(); p != nil {
			b, err = nil, fmt.Errorf("%w: leaves panicked: %v", ErrRefused, p)
		}
	}()
	f, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	repaired, err := f.encode()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	// loadTransformation is false: the caller wants margins.
	e, err := leaves.XGEnsembleFromReader(bufio.NewReader(bytes.NewReader(repaired)), false)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	b = &Booster{ensemble: e, objective: f.objective, features: f.features, groups: f.groups, trees: len(f.trees)}
	for _, t := range f.trees {
		b.nodes += len(t.nodes)
	}
	if e.NFeatures() != b.features || e.NOutputGroups() != b.groups {
		return nil, fmt.Errorf("%w: leaves sees %d features and %d outputs, want %d and %d", ErrRefused, e.NFeatures(), e.NOutputGroups(), b.features, b.groups)
	}
	return b, nil
}

// Objective is XGBoost's name of it, `multi:softprob`.
func (b *Booster) Objective() string { return b.objective }

// Features is the length of a row.
func (b *Booster) Features() int { return b.features }

// Outputs is the number of margins per row.
func (b *Booster) Outputs() int { return b.groups }

// Trees is the number of trees of all outputs.
func (b *Booster) Trees() int { return b.trees }

// Bytes estimates the memory that the trees take: leaves keeps 24 bytes per split
// and 8 per leaf.
func (b *Booster) Bytes() int { return b.nodes*16 + b.trees*128 }

// Margins computes the raw margins of one row. Values must be float32 numbers held
// in float64 (the thresholds are float32; in between, leaves and XGBoost part); NaN
// is missing. Lengths other than Features and Outputs are an error. It allocates
// nothing.
func (b *Booster) Margins(row, margins []float64) error {
	if len(row) != b.features || len(margins) != b.groups {
		return fmt.Errorf("booster: a row of %d and room for %d, want %d and %d", len(row), len(margins), b.features, b.groups)
	}
	return b.ensemble.Predict(row, 0, margins)
}
