package inference

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"foresight/inference/artifact"
	"foresight/inference/booster"
	"foresight/inference/features"
)

// The reasons for which an artifact is refused. One of them, artifact.ErrInvalid or
// booster.ErrRefused is in the chain of every error of Activate.
var (
	ErrKind   = errors.New("inference: no fault classifier")
	ErrSchema = errors.New("inference: the model was trained on other features than this server computes")
	ErrGolden = errors.New("inference: the model does not reproduce its golden rows")
)

// tolerance is how far a margin may lie from XGBoost's, relative to margins above 1.
const tolerance = 1e-5

// Activate makes a model of an artifact that may come from anywhere. It is the gate
// before every deployment: the model must be of a kind that is served, trained on
// the present feature schema, without parts that leaves cannot compute, and must
// give XGBoost's own margins for the golden rows.
func Activate(b *artifact.Bundle) (*Model, error) {
	m := &b.Manifest
	if m.Kind != artifact.FaultClassifier || m.Objective != artifact.Softprob {
		return nil, fmt.Errorf("%w: kind %q with objective %q", ErrKind, m.Kind, m.Objective)
	}
	if have := features.SchemaHash(); m.FeatureSchemaHash != have || m.Features != features.Count {
		return nil, fmt.Errorf("%w: trained on schema %.12s with %d features, the server has %.12s with %d", ErrSchema, m.FeatureSchemaHash, m.Features, have, features.Count)
	}
	trees, err := inspect(b)
	if err != nil {
		return nil, err
	}
	bo, err := booster.Load(b.Binary)
	if err != nil {
		return nil, err
	}
	if bo.Objective() != m.Objective || bo.Features() != m.Features || bo.Outputs() != m.Outputs() || bo.Trees() != trees {
		return nil, fmt.Errorf("%w: the binary model is %s, %d features, %d outputs, %d trees; manifest and JSON say %s, %d, %d, %d", booster.ErrRefused,
			bo.Objective(), bo.Features(), bo.Outputs(), bo.Trees(), m.Objective, m.Features, m.Outputs(), trees)
	}
	if err := reproduce(bo, &b.Golden); err != nil {
		return nil, err
	}
	return newModel(b, bo), nil
}

// inspect reads from the JSON model what the binary format does not say, and
// returns the number of trees.
func inspect(b *artifact.Bundle) (trees int, err error) {
	raw, err := b.JSON()
	if err != nil {
		return 0, err
	}
	var m struct {
		Learner struct {
			Booster struct {
				Model struct {
					Param struct {
						Parallel string `json:"num_parallel_tree"`
					} `json:"gbtree_model_param"`
					Trees []struct {
						SplitType       []int `json:"split_type"`
						CategoriesNodes []int `json:"categories_nodes"`
					} `json:"trees"`
				} `json:"model"`
			} `json:"gradient_booster"`
		} `json:"learner"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return 0, fmt.Errorf("%w: %s: %w", artifact.ErrInvalid, artifact.JSONFile, err)
	}
	model := &m.Learner.Booster.Model
	if model.Param.Parallel != "1" {
		return 0, fmt.Errorf("%w: num_parallel_tree %q, only 1 is served", booster.ErrRefused, model.Param.Parallel)
	}
	for i, t := range model.Trees {
		categorical := len(t.CategoriesNodes) > 0
		for _, kind := range t.SplitType {
			categorical = categorical || kind != 0
		}
		if categorical {
			return 0, fmt.Errorf("%w: tree %d has categorical splits, which are not served", booster.ErrRefused, i)
		}
	}
	return len(model.Trees), nil
}

// reproduce compares the margins of the golden rows with XGBoost's.
func reproduce(bo *booster.Booster, g *artifact.Golden) error {
	n, outputs := bo.Features(), bo.Outputs()
	row, margins := make([]float64, n), make([]float64, outputs)
	for i := range g.Rows {
		for k, v := range g.X[i*n : (i+1)*n] {
			row[k] = float64(v)
		}
		if err := bo.Margins(row, margins); err != nil {
			return err
		}
		for k, got := range margins {
			want := float64(g.Margins[i*outputs+k])
			if d := math.Abs(got - want); !(d <= tolerance*max(1, math.Abs(want))) {
				return fmt.Errorf("%w: row %d, output %d: %v, XGBoost says %v", ErrGolden, i, k, got, want)
			}
		}
	}
	return nil
}
