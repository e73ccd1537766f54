// Package public reads data sets that nobody here made, as examples for the trainer:
// NASA's C-MAPSS FD001 (turbofan engines that run to failure) and AI4I 2020 (a milling
// machine's products). Their files are not part of this repository.
package public

import (
	"errors"
	"fmt"
	"os"

	"foresight/inference/training"
)

// ErrAbsent is in the chain of an error when the data are not there.
var ErrAbsent = errors.New("its data are absent")

// Set is examples with names. The splits of the rows are for the caller to choose, by
// their groups.
type Set struct {
	Features, Classes []string
	Rows              []training.Row
}

func open(path string) (*os.File, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", ErrAbsent, err)
	}
	return f, err
}
