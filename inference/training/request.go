package training

import (
	"errors"
	"fmt"

	"foresight/inference/artifact"
)

// Request tells the trainer what to do; it reads it as JSON from its standard input.
type Request struct {
	Dataset   string `json:"dataset"` // path of the dataset file
	Out       string `json:"out"`     // folder for the artifact's files, made if absent
	Kind      string `json:"kind"`
	Version   string `json:"version"`
	Objective string `json:"objective"`

	Rounds         int     `json:"rounds"`   // at most
	Patience       int     `json:"patience"` // rounds without improvement before it stops; 0 never stops early
	MinGain        float64 `json:"min_gain"` // improvement of the metric that counts as one
	Depth          int     `json:"max_depth"`
	Eta            float64 `json:"eta"`
	Subsample      float64 `json:"subsample"`
	Colsample      float64 `json:"colsample_bytree"`
	ColsampleNode  float64 `json:"colsample_bynode"` // of those of the tree, drawn anew for each split
	MinChildWeight float64 `json:"min_child_weight"`
	Lambda         float64 `json:"lambda"`
	Gamma          float64 `json:"gamma"`
	MaxBin         int     `json:"max_bin"`
	// PositiveWeight multiplies the weight of the second class of a binary model; 0: so
	// that both classes weigh the same.
	PositiveWeight float64 `json:"positive_weight"`
	// Metric decides when to stop, on the validation split; empty: mlogloss, or for
	// binary models aucpr.
	Metric string `json:"metric"`

	Seed       int64 `json:"seed"`
	Threads    int   `json:"threads"`
	GoldenRows int   `json:"golden_rows"`
}

// Check fills defaults and refuses what cannot be served.
func (r *Request) Check() error {
	if r.Dataset == "" || r.Out == "" {
		return errors.New("training: dataset and out are required")
	}
	switch r.Objective {
	case artifact.Softprob:
		set(&r.Metric, "mlogloss")
	case artifact.Logistic:
		set(&r.Metric, "aucpr")
	default:
		return fmt.Errorf("training: objective %q is not served", r.Objective)
	}
	set(&r.Rounds, 300)
	set(&r.Depth, 6)
	set(&r.Eta, 0.05)
	set(&r.Subsample, 0.8)
	set(&r.Colsample, 0.8)
	set(&r.ColsampleNode, 1)
	set(&r.MinChildWeight, 3)
	set(&r.Lambda, 1)
	set(&r.MaxBin, 256)
	set(&r.Threads, 2)
	set(&r.GoldenRows, 64)
	if r.Rounds < 1 || r.Rounds > 5000 || r.Depth < 1 || r.Depth > 16 || r.GoldenRows < 1 || r.GoldenRows > 1000 || r.Threads < 1 {
		return errors.New("training: rounds 1-5000, depth 1-16, golden rows 1-1000, threads from 1")
	}
	return nil
}

func set[T comparable](v *T, fallback T) {
	var zero T
	if *v == zero {
		*v = fallback
	}
}
