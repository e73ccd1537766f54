//go:build cgo && xgboost

package main

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"

	"foresight/inference/artifact"
	"foresight/inference/training"
	"foresight/tools/xgboost"
)

// goldenRows chooses rows and records the model's margins for them: rows of the
// test split, a third with values missing, and a third with values exactly on split
// thresholds, where `x < t` and `x <= t` part.
func goldenRows(model *xgboost.Booster, text []byte, from *training.Part, features, n int, seed int64) (*artifact.Golden, error) {
	splits, err := splitsOf(text)
	if err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(uint64(seed), 0x676f6c64656e))
	g := &artifact.Golden{Rows: n}
	for i := range n {
		j := r.IntN(from.Rows())
		row := append([]float32(nil), from.X[j*features:(j+1)*features]...)
		switch i % 3 {
		case 1:
			for range features / 4 {
				row[r.IntN(features)] = float32(math.NaN())
			}
		case 2:
			for range features {
				s := splits[r.IntN(len(splits))]
				row[s.feature] = s.threshold
			}
		}
		g.X = append(g.X, row...)
	}
	m, err := xgboost.NewMatrix(g.X, features, nil, nil)
	if err != nil {
		return nil, err
	}
	defer m.Free()
	g.Margins, err = model.Margins(m)
	return g, err
}

type split struct {
	feature   int
	threshold float32
}

// splitsOf lists the inner nodes of a model in XGBoost's JSON format.
func splitsOf(text []byte) ([]split, error) {
	var m struct {
		Learner struct {
			Booster struct {
				Model struct {
					Trees []struct {
						Left       []int     `json:"left_children"`
						Features   []int     `json:"split_indices"`
						Thresholds []float32 `json:"split_conditions"`
					} `json:"trees"`
				} `json:"model"`
			} `json:"gradient_booster"`
		} `json:"learner"`
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, err
	}
	var out []split
	for _, t := range m.Learner.Booster.Model.Trees {
		for i, left := range t.Left {
			if left >= 0 {
				out = append(out, split{t.Features[i], t.Thresholds[i]})
			}
		}
	}
	if len(out) == 0 {
		return nil, errors.New("the model has no split: nothing was learnt")
	}
	return out, nil
}
