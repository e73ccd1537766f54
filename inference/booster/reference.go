package booster

import (
	"bufio"
	"bytes"
	"fmt"

	"github.com/dmitryikh/leaves"
)

// Reference computes margins with leaves: slower, and another program by other people.
// A model is served when both agree, see inference.Activate. It is immutable and safe
// for concurrent use.
type Reference struct {
	ensemble *leaves.Ensemble
	features int
	outputs  int
}

// LoadReference reads a model as Load does.
func LoadReference(raw []byte) (r *Reference, err error) {
	f, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return newReference(f)
}

func newReference(f *file) (r *Reference, err error) {
	defer func() { // the last fence: what parse accepts, leaves reads
		if p := recover(); p != nil {
			r, err = nil, fmt.Errorf("%w: leaves panicked: %v", ErrRefused, p)
		}
	}()
	repaired, err := f.encode()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	// loadTransformation is false: the caller wants margins.
	e, err := leaves.XGEnsembleFromReader(bufio.NewReader(bytes.NewReader(repaired)), false)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if e.NFeatures() != f.features || e.NOutputGroups() != f.groups {
		return nil, fmt.Errorf("%w: leaves sees %d features and %d outputs, want %d and %d", ErrRefused, e.NFeatures(), e.NOutputGroups(), f.features, f.groups)
	}
	return &Reference{e, f.features, f.groups}, nil
}

// Margins computes the raw margins of one row; NaN is missing. Lengths other than the
// model's are an error.
func (r *Reference) Margins(row []float32, margins []float64) error {
	if len(row) != r.features || len(margins) != r.outputs {
		return fmt.Errorf("booster: a row of %d and room for %d, want %d and %d", len(row), len(margins), r.features, r.outputs)
	}
	wide := make([]float64, len(row))
	for i, v := range row { // float32 held in float64: what the thresholds were made for
		wide[i] = float64(v)
	}
	return r.ensemble.Predict(wide, 0, margins)
}
