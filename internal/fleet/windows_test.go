package fleet

import (
	"bytes"
	"io"
	"testing"

	"foresight/inference/training"
)

// The data set is a function of its plan, and no machine is in two splits.
func TestDatasetIsReproducible(t *testing.T) {
	p := Plan{Seed: 7, FaultMachines: 20, NormalMachines: 20, Windows: 1, MinSeverity: 0.4}
	var a, b bytes.Buffer
	first, err := WriteWindows(&a, p)
	if err != nil {
		t.Fatal(err)
	}
	second, err := WriteWindows(&b, p)
	if err != nil || first != second {
		t.Errorf("hashes %s and %s (%v)", first, second, err)
	}
	d, err := training.Read(&a)
	if err != nil {
		t.Fatal(err)
	}
	if d.Hash != first || d.Parts[training.Train].Groups == 0 || d.Parts[training.Validation].Groups == 0 || d.Parts[training.Test].Groups == 0 || d.Parts[training.Calibrate].Groups == 0 {
		t.Errorf("hash %s, groups %d %d %d", d.Hash, d.Parts[0].Groups, d.Parts[1].Groups, d.Parts[2].Groups)
	}
	p.Seed++
	if other, _ := WriteWindows(io.Discard, p); other == first {
		t.Error("another seed, the same data")
	}
}
