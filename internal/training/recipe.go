package training

import (
	"encoding/json"
	"fmt"

	"foresight/inference/artifact"
	"foresight/inference/training"
	"foresight/internal/fault"
)

// Recipe are the hyper-parameters of a run as they are stored with it. Zero fields take
// the base's, then the trainer's defaults.
type Recipe struct {
	Rounds         int     `json:"rounds"` // at most
	Patience       int     `json:"patience"`
	MinGain        float64 `json:"min_gain"`
	Depth          int     `json:"max_depth"`
	Eta            float64 `json:"eta"`
	Subsample      float64 `json:"subsample"`
	Colsample      float64 `json:"colsample_bytree"`
	ColsampleNode  float64 `json:"colsample_bynode"` // of those of the tree, for a split; always the base's
	MinChildWeight float64 `json:"min_child_weight"`
	Lambda         float64 `json:"lambda"`
	Gamma          float64 `json:"gamma"`
	MaxBin         int     `json:"max_bin"`
	Seed           int64   `json:"seed"`
	Threads        int     `json:"threads"`
}

// check refuses what makes no sense or takes for ever.
func (r *Recipe) check() error {
	var out fault.List
	within := func(field string, v, low, high float64) {
		if v != 0 && !(v >= low && v <= high) {
			out = append(out, fault.Invalid("input.parameters."+field, "error.training.range").With("Low", low).With("High", high))
		}
	}
	within("rounds", float64(r.Rounds), 1, 5000)
	within("patience", float64(r.Patience), 1, 500)
	within("maxDepth", float64(r.Depth), 1, 12)
	within("eta", r.Eta, 0.001, 1)
	within("subsample", r.Subsample, 0.1, 1)
	within("colsample", r.Colsample, 0.05, 1)
	within("minChildWeight", r.MinChildWeight, 0.01, 1000)
	within("lambda", r.Lambda, 0.001, 1000)
	within("gamma", r.Gamma, 0.001, 1000)
	within("maxBin", float64(r.MaxBin), 16, 1024)
	return out.Err()
}

// over fills what is not set from the parameters with which the base was trained. A
// model that is trained on more may need some rounds more.
func (r *Recipe) over(base *artifact.Training) {
	number := func(name string) float64 {
		v, _ := base.Parameters[name].(float64)
		return v
	}
	fill := func(v *float64, name string) {
		if *v == 0 {
			*v = number(name)
		}
	}
	whole := func(v *int, x int) {
		if *v == 0 {
			*v = x
		}
	}
	if base.Rounds > 0 {
		whole(&r.Rounds, base.Rounds+base.Rounds/4+10)
	}
	whole(&r.Patience, 10)
	whole(&r.Depth, int(number("max_depth")))
	whole(&r.MaxBin, int(number("max_bin")))
	for name, v := range map[string]*float64{"eta": &r.Eta, "subsample": &r.Subsample, "colsample_bytree": &r.Colsample, "colsample_bynode": &r.ColsampleNode,
		"min_child_weight": &r.MinChildWeight, "lambda": &r.Lambda, "gamma": &r.Gamma} {
		fill(v, name)
	}
	if r.Seed == 0 {
		r.Seed = base.Seed
	}
	if r.Seed == 0 {
		r.Seed = 1
	}
}

// request is what the trainer is asked, with paths relative to its folder.
func (r *Recipe) request(kind, objective, version, dataset, out string) (*training.Request, error) {
	q := &training.Request{Dataset: dataset, Out: out, Kind: kind, Version: version, Objective: objective,
		Rounds: r.Rounds, Patience: r.Patience, MinGain: r.MinGain, Depth: r.Depth, Eta: r.Eta, Subsample: r.Subsample, Colsample: r.Colsample, ColsampleNode: r.ColsampleNode,
		MinChildWeight: r.MinChildWeight, Lambda: r.Lambda, Gamma: r.Gamma, MaxBin: r.MaxBin, Seed: r.Seed, Threads: r.Threads}
	return q, q.Check()
}

// Recipe reads the stored hyper-parameters.
func (r *Run) Recipe() (Recipe, error) {
	var out Recipe
	raw, err := json.Marshal(r.Parameters)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		return out, fmt.Errorf("training: parameters of run %s: %w", r.ID, err)
	}
	return out, nil
}
