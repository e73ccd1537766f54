package training

import (
	"encoding/json"
	"slices"
	"testing"

	"foresight/inference/artifact"
	"foresight/inference/champion"
)

// given are parameters of XGBoost that the trainer sets by itself, by the data or by the run.
var given = []string{"objective", "eval_metric", "tree_method", "num_class", "num_parallel_tree", "scale_pos_weight", "nthread", "seed"}

// A retraining goes by the hyper-parameters of its base where nothing else is said: by all
// of them, or it is another model for another reason than its data.
func TestRecipeIsThatOfTheBase(t *testing.T) {
	for _, c := range champion.All() {
		opened, err := artifact.Open(c.Bundle)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range opened.Boosters {
			m := b.Manifest
			var r Recipe
			r.over(&m.Training)
			q, err := r.request(m.Kind, m.Objective, "1.0.0", "dataset", "out")
			if err != nil {
				t.Fatal(err)
			}
			raw, err := json.Marshal(q)
			if err != nil {
				t.Fatal(err)
			}
			var asked map[string]any
			if err := json.Unmarshal(raw, &asked); err != nil {
				t.Fatal(err)
			}
			for name, want := range m.Training.Parameters {
				if slices.Contains(given, name) {
					continue
				}
				if got := asked[name]; got != want {
					t.Errorf("%s: %s is %v, the base has %v", m.Kind, name, got, want)
				}
			}
			if r.Rounds <= m.Training.Rounds {
				t.Errorf("%s: %d rounds at most, the base has %d", m.Kind, r.Rounds, m.Training.Rounds)
			}
		}
	}
}
