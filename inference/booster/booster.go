package booster

import (
	"errors"
	"fmt"
	"sync"
)

// ErrRefused is in the chain of every error of Load and LoadReference.
var ErrRefused = errors.New("booster: model refused")

// Booster computes margins. It is immutable and safe for concurrent use.
type Booster struct {
	forest    forest
	objective string
	features  int
	outputs   int
	base      float32   // margin that every sum begins with
	single    sync.Pool // *[]float32: places of one row
	batches   sync.Pool // *rows
}

// Load reads a model in XGBoost's deprecated binary format (`binf`). The bytes may
// come from anywhere: whatever is wrong with them ends in an error.
func Load(raw []byte) (*Booster, error) {
	f, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return newBooster(f)
}

func newBooster(f *file) (*Booster, error) {
	base, err := f.baseMargin()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	b := &Booster{forest: newForest(f), objective: f.objective, features: f.features, outputs: f.groups, base: base}
	b.single.New = func() any {
		x := make([]float32, places(b.features))
		return &x
	}
	b.batches.New = func() any {
		r := newRows(b.features)
		return &r
	}
	return b, nil
}

// Objective is XGBoost's name of it, `multi:softprob`.
func (b *Booster) Objective() string { return b.objective }

// Features is the length of a row.
func (b *Booster) Features() int { return b.features }

// Outputs is the number of margins per row.
func (b *Booster) Outputs() int { return b.outputs }

// Trees is the number of trees of all outputs.
func (b *Booster) Trees() int { return len(b.forest.roots) }

// Bytes is the memory that the trees take.
func (b *Booster) Bytes() int { return b.forest.bytes() }

// Margins computes the raw margins of one row; NaN is missing. Lengths other than
// Features and Outputs are an error. It allocates nothing.
func (b *Booster) Margins(row, margins []float32) error {
	if len(row) != b.features || len(margins) != b.outputs {
		return fmt.Errorf("booster: a row of %d and room for %d, want %d and %d", len(row), len(margins), b.features, b.outputs)
	}
	for i := range margins {
		margins[i] = b.base
	}
	x := b.single.Get().(*[]float32)
	lay(row, *x)
	b.forest.add(*x, margins, 0, len(b.forest.roots))
	b.single.Put(x)
	return nil
}

// Batch computes the raw margins of many rows, both row-major, on one core, with the same
// results to the last bit. Lengths that do not fit are an error.
func (b *Booster) Batch(x, margins []float32) error {
	n := len(x) / b.features
	if n*b.features != len(x) || n*b.outputs != len(margins) {
		return fmt.Errorf("booster: rows of %d values and room for %d, want multiples of %d and %d", len(x), len(margins), b.features, b.outputs)
	}
	for i := range margins {
		margins[i] = b.base
	}
	room := b.batches.Get().(*rows)
	for at := 0; at < n; at += blockRows {
		end := min(n, at+blockRows)
		b.forest.addRows(*room, x[at*b.features:end*b.features], margins[at*b.outputs:end*b.outputs], b.features, b.outputs)
	}
	b.batches.Put(room)
	return nil
}
